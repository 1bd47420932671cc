"""A deadline and a stop button that travel with a query."""

import threading
from collections.abc import Callable

from flightdb.errors import Cancelled, DeadlineExceeded, FlightdbError


class Cancellation:
    """Stops a query from another thread, at once.

    Thread-safe. `deadline_s` is on the monotonic clock, None for never. Callbacks (DuckDB's `interrupt`) run on the
    cancelling thread, at most once, and at once when it is cancelled already; they must not block.
    """

    def __init__(
        self, deadline_s: float | None = None, is_gone: Callable[[], bool] | None = None
    ) -> None:
        """`is_gone`: asked every 100 ms or so whether the client has left."""
        self.deadline_s = deadline_s
        self.is_gone = is_gone
        self._lock = threading.Lock()
        self._error: FlightdbError | None = None
        self._callbacks: list[Callable[[], None]] = []

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Registers `callback`; the function it gives back removes it again (call it before the target is reused)."""
        with self._lock:
            cancelled = self._error is not None
            if not cancelled:
                self._callbacks.append(callback)
        if cancelled:
            callback()

        def forget() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return forget

    def cancel(self, reason: str = "cancelled by the client") -> None:
        """Stops the query; later calls do nothing."""
        self._stop(Cancelled(f"query was stopped: {reason}"))

    def expire(self) -> None:
        """Stops the query because its deadline is over."""
        self._stop(DeadlineExceeded("query was stopped: its deadline is over"))

    def _stop(self, error: FlightdbError) -> None:
        with self._lock:
            if self._error is not None:
                return
            self._error = error
            # Called under the lock so that `forget` returning means: will not be called any more.
            for callback in self._callbacks:
                callback()
            self._callbacks.clear()

    @property
    def error(self) -> FlightdbError | None:
        """Why it was stopped, or None."""
        return self._error

    def check(self) -> None:
        """Raises the reason when stopped."""
        if self._error is not None:
            raise self._error
