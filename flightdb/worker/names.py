"""The names of data files: a clock that only goes forward, in nanoseconds."""

import threading

from flightdb.model.clock import Clock


class NameClock:
    """Strictly increasing nanoseconds, near the wall clock; unique on this worker. Thread-safe.

    The last three digits are the worker's number, so that names of several workers differ.
    """

    def __init__(self, clock: Clock, worker_number: int = 0) -> None:
        """`worker_number`: 0 to 999."""
        self._clock = clock
        self._number = worker_number
        self._lock = threading.Lock()
        self._last_us = 0

    def next_ns(self) -> int:
        """The next name."""
        with self._lock:
            self._last_us = max(self._last_us + 1, self._clock.now_us())
            return self._last_us * 1000 + self._number
