"""The result cache: answers to deterministic statements, until a table they read changes.

The key holds every table's version and last position, so an old answer is never found again; nothing is invalidated.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable

import pyarrow as pa

from flightdb.coordinator.service import CachedAnswer

ANSWER_BYTES_MAX = 4 << 20
"""Larger answers are not kept: sending them takes longer than making most of them."""


class Results:
    """Least recently used first out, by bytes. Thread-safe; never blocks for long."""

    def __init__(self, bytes_max: int) -> None:
        """`bytes_max` 0 keeps nothing."""
        self.bytes_max = bytes_max
        self._lock = threading.Lock()
        self._answers: OrderedDict[Hashable, tuple[CachedAnswer, int]] = OrderedDict()
        self._bytes = 0
        self.hit_count = 0
        self.miss_count = 0

    def __len__(self) -> int:
        """Answers kept."""
        return len(self._answers)

    @property
    def size_bytes(self) -> int:
        """Bytes of all answers, their forms not counted twice: a form counts as much as the table once more."""
        return self._bytes

    def get(self, key: Hashable) -> CachedAnswer | None:
        """The answer, or None."""
        with self._lock:
            found = self._answers.get(key)
            if found is None:
                self.miss_count += 1
                return None
            self._answers.move_to_end(key)
            self.hit_count += 1
            return found[0]

    def put(self, key: Hashable, table: pa.Table) -> None:
        """Keeps an answer, if it is small enough."""
        # Doors keep encoded forms beside the table: JSON takes several times the Arrow bytes.
        size = 4 * table.get_total_buffer_size() + 1_024
        if table.get_total_buffer_size() > ANSWER_BYTES_MAX or size > self.bytes_max:
            return
        with self._lock:
            old = self._answers.pop(key, None)
            self._bytes += size - (old[1] if old is not None else 0)
            self._answers[key] = (CachedAnswer(table, {}), size)
            while self._bytes > self.bytes_max:
                _, (_, freed) = self._answers.popitem(last=False)
                self._bytes -= freed
