"""How many queries run at once, how many may wait, and what the rest are told."""

import threading
from types import TracebackType

from flightdb.errors import Overloaded, Unavailable
from flightdb.model.cancellation import Cancellation
from flightdb.model.clock import Clock

_POLL_S = 0.1


class Admission:
    """Bounds running and waiting work; first come, first served is not promised. Thread-safe.

    pyarrow.flight runs every call at once on a thread of its own (200 calls ran as 200 handlers, measured), so the
    bound has to be here.
    """

    def __init__(self, running_max: int, waiting_max: int, wait_s_max: float, clock: Clock) -> None:
        """A caller waits at most `wait_s_max` seconds for its turn."""
        self._clock = clock
        self._running_max = running_max
        self._waiting_max = waiting_max
        self._wait_s_max = wait_s_max
        self._condition = threading.Condition()
        self._running = 0
        self._waiting = 0
        self._is_closed = False

    @property
    def running(self) -> int:
        """Permits out."""
        return self._running

    @property
    def waiting(self) -> int:
        """Callers that wait for one."""
        return self._waiting

    def acquire(self, cancellation: Cancellation) -> "Permit":
        """A permit, as soon as there is one.

        Raises:
            Overloaded: the queue is full, or the wait was too long.
            Cancelled, DeadlineExceeded: while waiting.
            Unavailable: closed.
        """
        with self._condition:
            if self._is_closed:
                raise Unavailable("server is draining: no new queries are taken")
            if self._running >= self._running_max:
                self._wait(cancellation)
            self._running += 1
        return Permit(self)

    def _wait(self, cancellation: Cancellation) -> None:
        if self._waiting >= self._waiting_max:
            raise Overloaded(
                f"too many queries: running={self._running}, waiting={self._waiting} (its limit); retry later",
                retry_after_s=1.0,
            )
        self._waiting += 1
        end_s = self._clock.monotonic_s() + self._wait_s_max
        try:
            while self._running >= self._running_max:
                cancellation.check()
                left_s = end_s - self._clock.monotonic_s()
                if left_s <= 0:
                    raise Overloaded(
                        f"too many queries: no turn within {self._wait_s_max:g} s, running={self._running};"
                        " retry later",
                        retry_after_s=2.0,
                    )
                self._condition.wait(min(_POLL_S, left_s))
                if self._is_closed:
                    raise Unavailable("server is draining: no new queries are taken")
        finally:
            self._waiting -= 1

    def give_back(self) -> None:
        """One permit is free again."""
        with self._condition:
            self._running -= 1
            self._condition.notify()

    def close(self) -> None:
        """Refuses everything from now on; permits that are out stay valid."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()


class Permit:
    """The right to run; given back once, however often `close` is called."""

    def __init__(self, admission: Admission) -> None:
        """Made by `Admission.acquire`."""
        self._admission: Admission | None = admission
        self._lock = threading.Lock()

    def close(self) -> None:
        """Gives it back."""
        with self._lock:
            admission, self._admission = self._admission, None
        if admission is not None:
            admission.give_back()

    def __enter__(self) -> "Permit":
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Gives it back."""
        self.close()
