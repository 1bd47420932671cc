"""Who is asking."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """An identity as a door established it; with security off everybody is `ANONYMOUS`."""

    name: str
    roles: frozenset[str] = frozenset()


ANONYMOUS = Principal("anonymous", frozenset({"admin"}))
