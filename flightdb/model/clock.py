"""Time and ids as things that are passed in, so that tests and simulations can own them."""

from typing import Protocol


class Clock(Protocol):
    """Reads time. May be called from any thread; never blocks."""

    def now_us(self) -> int:
        """Wall clock, microseconds since the Unix epoch, UTC. May step backwards."""
        ...

    def monotonic_s(self) -> float:
        """Seconds on a clock that never goes back; only differences mean anything."""
        ...


class Ids(Protocol):
    """Makes identifiers. May be called from any thread."""

    def query_id(self) -> str:
        """A new query id: 32 hexadecimal digits, unique."""
        ...

    def record_id(self) -> str:
        """A new record id for tables with `auto_generate_id`: a version 4 UUID in text."""
        ...

    def token(self) -> str:
        """256 random bits as URL-safe text, not to be guessed."""
        ...
