"""The unflushed rows of one table: an open buffer that grows, and sealed ones on their way to the store."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import structlog

from flightdb.model.batches import concat
from flightdb.model.source import ArrowSegment, BufferPart
from flightdb.model.table import Table
from flightdb.worker.arena import Arena, Chunk

SMALL_BATCH_BYTES = 64 << 10
"""A batch of this size or more is read straight from the WAL; smaller ones are put together first."""

_FEW = 64
"""So many batches of one tier are put together into one of the next: each row is copied twice at most."""

_PLACED_ROWS = 8_192

_PLACED_BYTES = 4 << 20
"""What a query may have to copy of one part, at most twice."""

log = structlog.get_logger()


@dataclass(slots=True)
class Part:
    """Rows of one schema version, in order of arrival: placed segments, then tiers of small batches."""

    schema_version: int
    schema: pa.Schema
    placed: list[ArrowSegment] = field(default_factory=list)
    middle: list[pa.RecordBatch] = field(default_factory=list)
    small: list[pa.RecordBatch] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)

    def add_small(self, batch: pa.RecordBatch, arena: Arena) -> None:
        """Adds a batch that is not worth a segment of its own."""
        self.small.append(batch)
        if len(self.small) >= _FEW:
            self.middle.append(concat(self.small))
            self.small = []
            rows = sum(map(len, self.middle))
            if rows >= _PLACED_ROWS or sum(one.nbytes for one in self.middle) >= _PLACED_BYTES:
                self._place(arena)

    def add_placed(self, segment: ArrowSegment, arena: Arena) -> None:
        """Adds a batch that lies in a mappable file already; rows before it keep their order."""
        if self.small or self.middle:
            self._place(arena)
        self.placed.append(segment)

    def _place(self, arena: Arena) -> None:
        batch = concat([*self.middle, *self.small])
        self.middle, self.small = [], []
        body = batch.serialize()
        try:
            self.placed.append(self._written(body, len(batch), arena))
        except OSError as error:
            # The rows are durable in the WAL and acknowledged: a full disk must not hide them.
            log.warning("buffer kept in memory", reason=error.strerror, bytes=body.size)
            self.placed.append(ArrowSegment("", 0, 0, len(batch), body))

    def _written(self, body: pa.Buffer, row_count: int, arena: Arena) -> ArrowSegment:
        segment = self.chunks[-1].place(body, row_count) if self.chunks else None
        if segment is None:
            self.chunks.append(arena.chunk(body.size))
            segment = self.chunks[-1].place(body, row_count)
            assert segment is not None
        return segment

    def frozen(self) -> "FrozenPart":
        """The part as it is now; later additions do not show. Copies references only."""
        return FrozenPart(
            self.schema, tuple(self.placed), (*self.middle, *self.small), tuple(self.chunks)
        )


@dataclass(frozen=True, slots=True)
class FrozenPart:
    """A part at one moment; `chunks` keeps the files of the segments alive."""

    schema: pa.Schema
    placed: tuple[ArrowSegment, ...]
    loose: tuple[pa.RecordBatch, ...]
    chunks: tuple[Chunk, ...]

    def as_source(self) -> BufferPart:
        """The part as a value for the engine: loose batches become one inline segment."""
        if not self.loose:
            return BufferPart(self.schema, self.placed)
        batch = concat(self.loose)
        inline = ArrowSegment("", 0, 0, len(batch), batch.serialize())
        return BufferPart(self.schema, (*self.placed, inline))


@dataclass(slots=True)
class Buffer:
    """Rows of the lsn range (first_lsn - 1, last_lsn]. Changed by the committer under the tables' lock only."""

    first_lsn: int
    opened_s: float
    last_lsn: int = 0
    row_count: int = 0
    size_bytes: int = 0
    parts: list[Part] = field(default_factory=list)
    name_ns: int = 0
    """The name that its files get, fixed when it is sealed."""

    def part(self, table: Table) -> Part:
        """The part that takes rows of this table's schema."""
        if not self.parts or self.parts[-1].schema_version != table.schema_version:
            self.parts.append(Part(table.schema_version, table.schema))
        return self.parts[-1]

    def frozen(self) -> tuple[FrozenPart, ...]:
        """All parts as they are now."""
        return tuple(part.frozen() for part in self.parts)


def row_count(parts: Sequence[FrozenPart]) -> int:
    """Rows in all parts."""
    return sum(
        sum(segment.row_count for segment in part.placed) + sum(map(len, part.loose))
        for part in parts
    )
