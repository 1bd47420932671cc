"""A cursor that a query runs on, and its stop button."""

import threading
from collections.abc import Callable

import duckdb

from flightdb.model.cancellation import Cancellation

REPEAT_S = 0.05
"""DuckDB forgets an interrupt that comes while a query is being started, so it is said again."""


class Running:
    """Owns a cursor. `stop` and `close` may be called by any thread, at any time, more than once."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        cancellation: Cancellation,
        release: Callable[["Running"], None],
    ) -> None:
        """`release` is called once, when the cursor is closed."""
        self.cursor = cursor
        self.cancellation = cancellation
        self._release = release
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stopper: threading.Thread | None = None
        self._forget = cancellation.on_cancel(self.stop)

    def stop(self) -> None:
        """Interrupts the query, now and until the cursor is closed; returns at once."""
        with self._lock:
            if self._closed.is_set() or self._stopper is not None:
                return
            self.cursor.interrupt()
            self._stopper = threading.Thread(target=self._repeat, name="query-stop", daemon=True)
            self._stopper.start()

    def _repeat(self) -> None:
        while not self._closed.wait(REPEAT_S):
            with self._lock:
                if self._closed.is_set():
                    return
                try:
                    self.cursor.interrupt()
                except duckdb.ConnectionException:
                    return  # The engine was closed under a query that nobody reads any more.

    def close(self) -> None:
        """Frees the query; the caller makes sure that no thread is inside it."""
        self._forget()
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
            self.cursor.close()
        self._release(self)
