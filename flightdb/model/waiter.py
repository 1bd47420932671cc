"""The answer to a put, for a thread that waits for it."""

from threading import Event

from flightdb.errors import CommitUnknown, FlightdbError
from flightdb.model.put import Ack

WAIT_S = 60.0
"""A commit takes milliseconds; this long means that the committer or the disk hangs."""


class Waiter:
    """Takes one answer from the committer's thread and gives it to the thread that asks."""

    def __init__(self) -> None:
        """No answer yet."""
        self._finished = Event()
        self._answer: Ack | FlightdbError | None = None

    def done(self, answer: Ack | FlightdbError) -> None:
        """A `Done`: takes the answer."""
        self._answer = answer
        self._finished.set()

    def answer(self) -> Ack:
        """Waits for the answer; raises it when it is an error.

        Raises:
            CommitUnknown: none came within `WAIT_S`.
        """
        if not self._finished.wait(WAIT_S) or self._answer is None:
            raise CommitUnknown(
                f"write was not answered within {WAIT_S:g} s: it may or may not become durable"
            )
        if isinstance(self._answer, FlightdbError):
            raise self._answer
        return self._answer
