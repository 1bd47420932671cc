"""A running process of the service."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A node and where others reach it; the address is configured and advertised, never guessed."""

    id: str
    address: str
    roles: frozenset[str]
    state: str = "online"
