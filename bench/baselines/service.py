"""The core behind the doors that answer a constant: asked for its state once, for nothing else."""

import time

from flightdb.coordinator.service import Health, Status


class ConstantService:
    """A `Service` of which the doors need no more than this to start."""

    def status(self) -> Status:
        now_us = time.time_ns() // 1000
        return Status("node-1", "0", now_us, now_us, {}, ())

    def health(self) -> Health:
        return Health("healthy", {})


class MachineClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()
