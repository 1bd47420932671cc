"""The names of data files: a clock that only goes forward, in nanoseconds."""

import threading

from flightdb.model.clock import Clock

_DIGITS_MAX = 19
"""Nanoseconds since the epoch until 2286; longer numbers are not ours."""


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

    def pass_by(self, path: str) -> None:
        """Later names are higher than that of a file of ours at `path`, whatever the wall clock says by now."""
        name = path.rpartition("/")[2].removesuffix(".parquet")
        if name.isdecimal() and len(name) <= _DIGITS_MAX:
            with self._lock:
                self._last_us = max(self._last_us, int(name) // 1000)

    def next_ns(self) -> int:
        """The next name."""
        with self._lock:
            self._last_us = max(self._last_us + 1, self._clock.now_us())
            return self._last_us * 1000 + self._number
