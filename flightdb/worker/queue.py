"""The commit queue: small writes and jobs on their way to the one committer thread, bounded in number and bytes."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from flightdb.errors import FlightdbError, Overloaded, Unavailable
from flightdb.model.put import Ack, Done, Put, Rows

BYTES_MAX = 128 << 20
"""What may wait beside `entries_max`: about what a disk takes in half a second."""

GROUP_ENTRIES_MAX = 4_096
GROUP_BYTES_MAX = 8 << 20
"""One WAL write: larger groups gain nothing (bench), and the first of them would wait longer."""

_ROW_BYTES = 200
"""A row of values beside its texts."""


@dataclass(slots=True)
class Entry:
    """A write that waits for its turn, and then for its answer."""

    put: Put
    told: Done
    size_bytes: int
    is_answered: bool = False

    def done(self, answer: Ack | FlightdbError) -> None:
        """Tells the writer; only the first answer counts. Called by the committer only."""
        if not self.is_answered:
            self.is_answered = True
            self.told(answer)


Job = Callable[[], None]


class CommitQueue:
    """First in, first out. `offer` and `offer_job` from any thread, `take` by the committer."""

    def __init__(self, entries_max: int) -> None:
        """Empty and open; takes at most `entries_max` writes."""
        self._entries_max = entries_max
        self._condition = threading.Condition()
        self._waiting: deque[Entry | Job] = deque()
        self._bytes = 0
        self._is_idle = False
        self._is_closed = False

    def __len__(self) -> int:
        """Entries that wait."""
        return len(self._waiting)

    def offer(self, put: Put, done: Done) -> None:
        """Queues a write. Never blocks.

        Raises:
            Overloaded: the queue is full.
            Unavailable: closed.
        """
        entry = Entry(put, done, _size_bytes(put))
        with self._condition:
            if self._is_closed:
                raise Unavailable("server is draining: no new writes are taken")
            if len(self._waiting) >= self._entries_max or (
                self._bytes + entry.size_bytes > BYTES_MAX and self._waiting
            ):
                raise Overloaded(
                    f"write queue is full: waiting={len(self._waiting)} writes,"
                    f" {self._bytes >> 20} MiB; retry later",
                    retry_after_s=0.5,
                )
            self._bytes += entry.size_bytes
            self._waiting.append(entry)
            if self._is_idle:
                self._condition.notify()

    def offer_job(self, job: Job) -> None:
        """Queues something that has to run between two groups; works on a closed queue too, until `take` ends."""
        with self._condition:
            self._waiting.append(job)
            if self._is_idle:
                self._condition.notify()

    def take(self) -> tuple[list[Entry], Job | None]:
        """What is next: a group of writes, or one job; blocks while there is neither. Empty and None: closed, all taken."""
        with self._condition:
            while not self._waiting:
                if self._is_closed:
                    return [], None
                self._is_idle = True
                self._condition.wait()
                self._is_idle = False
            group: list[Entry] = []
            size = 0
            while self._waiting and len(group) < GROUP_ENTRIES_MAX and size < GROUP_BYTES_MAX:
                head = self._waiting[0]
                if not isinstance(head, Entry):
                    if group:
                        break
                    self._waiting.popleft()
                    return [], head
                group.append(head)
                size += head.size_bytes
                self._waiting.popleft()
            self._bytes -= size
            return group, None

    def close(self) -> None:
        """Takes no more writes; what waits is still taken."""
        with self._condition:
            self._is_closed = True
            self._condition.notify()


def _size_bytes(put: Put) -> int:
    total = 0
    for part in put.tables:
        rows = part.rows
        total += (
            rows.get_total_buffer_size()
            if isinstance(rows, pa.RecordBatch)
            else len(rows.values) * _ROW_BYTES + _text_bytes(rows)
        )
    return total


def _text_bytes(rows: Rows) -> int:
    """Every value is looked at: one long text among thousands of rows counts."""
    total = 0
    for row in rows.values:
        for value in row:
            kind = type(value)
            if kind is str or kind is bytes:
                total += len(value)  # type: ignore[arg-type]  # by the line above
    return total
