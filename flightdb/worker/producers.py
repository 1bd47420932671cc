"""What each producer has had acknowledged, so that a repeat is a no-op and answered as the first was.

Carried from WAL segment to WAL segment as one frame a table, so it outlives flushes and restarts.
"""

import json
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace

PRODUCERS_MAX = 10_000
"""A table remembers this many; the one unused for longest is forgotten first."""

PRODUCERS_TOTAL_MAX = 100_000
"""All tables together: each WAL segment begins with all of them, and has to have room for rows too."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The last sequence of a producer and what was answered."""

    sequence: int
    lsn: int
    row_count: int


class Producers:
    """Last sequences by table and producer. Used by the committer thread only."""

    def __init__(self) -> None:
        """Empty."""
        self._tables: dict[str, OrderedDict[str, Seen]] = {}
        self._count = 0

    def __len__(self) -> int:
        """How many are remembered."""
        return self._count

    def last(self, table_id: str, producer: str) -> Seen | None:
        """What was seen last, or None."""
        return self._tables.get(table_id, OrderedDict()).get(producer)

    def note(self, table_id: str, producer: str, seen: Seen) -> None:
        """Remembers; a lower sequence than the one known changes nothing."""
        table = self._tables.setdefault(table_id, OrderedDict())
        before = table.get(producer)
        if before is None or seen.sequence > before.sequence:
            table[producer] = seen
        self._count += before is None
        table.move_to_end(producer)
        if len(table) > PRODUCERS_MAX:
            self._forget_oldest(table)
        elif self._count > PRODUCERS_TOTAL_MAX:
            self._forget_oldest(max(self._tables.values(), key=len))

    def _forget_oldest(self, table: OrderedDict[str, Seen]) -> None:
        table.popitem(last=False)
        self._count -= 1

    def forget(self, table_id: str) -> None:
        """The table is gone."""
        self._count -= len(self._tables.pop(table_id, ()))

    def bodies(self) -> Iterator[tuple[str, bytes]]:
        """(table id, frame body) for each table: everything that is known of it."""
        for table_id, table in self._tables.items():
            yield table_id, encode([(name, seen) for name, seen in table.items()])

    def read(self, table_id: str, body: bytes, lsn: int) -> None:
        """Takes in a frame body of `encode`; an entry without an lsn is of the frame's own, `lsn`."""
        for name, seen in decode(body):
            self.note(table_id, name, seen if seen.lsn else replace(seen, lsn=lsn))


def encode(entries: list[tuple[str, Seen]]) -> bytes:
    """Producers as a frame body: JSON `[[name, sequence, lsn, rows], ...]`."""
    return json.dumps(
        [[name, seen.sequence, seen.lsn, seen.row_count] for name, seen in entries],
        separators=(",", ":"),
    ).encode()


def decode(body: bytes) -> list[tuple[str, Seen]]:
    """The reverse of `encode`."""
    return [(name, Seen(sequence, lsn, rows)) for name, sequence, lsn, rows in json.loads(body)]
