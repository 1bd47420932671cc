"""Callbacks from other threads that wake an event loop once for all that finish together."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

from flightdb.errors import FlightdbError
from flightdb.model.put import Ack, Done


class AckFuture(Awaitable[Ack], Protocol):
    """The part of an event loop's future that is used here."""

    def done(self) -> bool:
        """Whether it has an outcome or was cancelled."""
        ...

    def set_result(self, result: Ack, /) -> None:
        """Resolves it."""
        ...

    def set_exception(self, exception: BaseException, /) -> None:
        """Fails it."""
        ...


class Loop(Protocol):
    """The part of an event loop that is used here."""

    def create_future(self) -> AckFuture:
        """A new future of this loop."""
        ...

    def call_soon_threadsafe(self, callback: Callable[[], object], /) -> object:
        """Runs `callback` on the loop; raises RuntimeError when the loop is closed."""
        ...


class Wakeups:
    """Makes futures of one event loop that a committer thread resolves, with one wake-up a group.

    Waking a loop costs a system call, more than all else that a small write does on the
    committer's side, and a commit resolves many writes at once: outcomes gather in a queue, and
    the first to arrive wakes the loop for all of them.
    """

    def __init__(self, loop: Loop) -> None:
        """`loop`: the running loop that will await the futures."""
        self._loop = loop
        self._outcomes: deque[tuple[AckFuture, Ack | FlightdbError]] = deque()
        self._is_scheduled = False

    def future(self) -> tuple[Awaitable[Ack], Done]:
        """A future and the callback that resolves it, from any thread; call on the loop's thread.

        Awaiting gives the Ack or raises the error. Cancelling the wait is allowed; the outcome is
        then dropped.
        """
        future = self._loop.create_future()

        def done(outcome: Ack | FlightdbError) -> None:
            self._outcomes.append((future, outcome))
            # Read after the append: True means that `_resolve` has yet to look at the queue.
            if not self._is_scheduled:
                self._wake()

        return future, done

    def _wake(self) -> None:
        self._is_scheduled = True
        try:
            self._loop.call_soon_threadsafe(self._resolve)
        except RuntimeError:
            # The loop has ended, so nobody waits; `Done` must not raise into the committer.
            self._outcomes.clear()

    def _resolve(self) -> None:
        self._is_scheduled = False
        while self._outcomes:
            future, outcome = self._outcomes.popleft()
            if future.done():
                continue
            if isinstance(outcome, Ack):
                future.set_result(outcome)
            else:
                future.set_exception(outcome)
