"""A group of writes as WAL frames: rows of one table put together, each write's rows whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from flightdb.errors import Conflict, FlightdbError, InvalidPayload
from flightdb.model.batches import concat
from flightdb.model.put import Rows, TablePut
from flightdb.model.rows import to_batch
from flightdb.model.schema import conform
from flightdb.model.table import Table
from flightdb.wal.frames import FrameKind, NewFrame
from flightdb.worker.buffer import SMALL_BATCH_BYTES
from flightdb.worker.producers import Seen, encode
from flightdb.worker.queue import Entry
from flightdb.worker.states import TableState

Resolve = Callable[[Table], TableState]
"""Table to its state here, at this schema version or a newer one; raises NotFound when it was dropped."""


@dataclass(slots=True)
class Piece:
    """Rows that go into one DATA frame of one table."""

    state: TableState
    table: Table
    batches: list[pa.RecordBatch] = field(default_factory=list)
    rows: list[tuple[object, ...]] = field(default_factory=list)
    size_bytes: int = 0

    def add_rows(self, rows: Rows) -> None:
        """Adds rows of values."""
        self.rows.extend(rows.values)

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Adds a batch; rows added before keep their place."""
        self.close_rows()
        self.batches.append(batch)
        self.size_bytes += batch.get_total_buffer_size()

    def close_rows(self) -> None:
        """Turns gathered rows into a batch. Raises InvalidPayload."""
        if self.rows:
            self.batches.append(to_batch(self.rows, self.table.schema))
            self.rows = []

    def batch(self) -> pa.RecordBatch:
        """Everything as one batch."""
        self.close_rows()
        return concat(self.batches)


@dataclass(frozen=True, slots=True)
class Group:
    """What one WAL write will hold: the pieces, and the writes that they answer."""

    pieces: list[Piece]
    entries: list[Entry]


def gather(entries: Sequence[Entry], resolve: Resolve) -> Group:
    """The group of `entries`; a write that cannot be part of it is answered with its error here and left out."""
    group = Group([], [])
    latest: dict[str, Piece] = {}
    for entry in entries:
        try:
            parts = [
                _current(part, resolve(part.table))
                for part in entry.put.tables
                if _row_count(part.rows)
            ]
        except FlightdbError as error:
            entry.done(error)
            continue
        for state, rows in parts:
            _add(group.pieces, latest, state, rows)
        group.entries.append(entry)
    return group


def _current(part: TablePut, state: TableState) -> tuple[TableState, Rows | pa.RecordBatch]:
    """The rows under the table's schema of this moment; rows of values are tried out when they may not convert."""
    rows = part.rows
    if part.table.schema_version == state.table.schema_version:
        return state, rows
    batch = rows if isinstance(rows, pa.RecordBatch) else to_batch(rows.values, part.table.schema)
    try:
        return state, conform(batch, state.table.schema)
    except InvalidPayload:
        raise Conflict(
            f"table was changed while rows were on their way: table={state.table.name}; try again"
        ) from None


def _add(
    pieces: list[Piece],
    latest: dict[str, Piece],
    state: TableState,
    rows: Rows | pa.RecordBatch,
) -> None:
    is_large = (
        isinstance(rows, pa.RecordBatch) and rows.get_total_buffer_size() >= SMALL_BATCH_BYTES
    )
    piece = latest.get(state.table.id)
    if (
        piece is None
        or is_large
        or piece.size_bytes >= SMALL_BATCH_BYTES
        or piece.table.schema_version != state.table.schema_version
    ):
        piece = Piece(state, state.table)
        pieces.append(piece)
        latest[state.table.id] = piece
    if isinstance(rows, Rows):
        piece.add_rows(rows)
    else:
        piece.add_batch(rows)


def frames(group: Group, batches: Sequence[pa.RecordBatch], statement: int) -> list[NewFrame]:
    """The WAL frames of a group: a DATA frame a piece, PRODUCER frames, and COMMIT when it is more than one."""
    made = [
        NewFrame(
            FrameKind.DATA,
            table_id=piece.table.id,
            schema_version=piece.table.schema_version,
            row_count=len(batch),
            body=batch.serialize(),
        )
        for piece, batch in zip(group.pieces, batches, strict=True)
    ]
    told: dict[str, list[tuple[str, Seen]]] = {}
    for entry in group.entries:
        put = entry.put
        if put.producer:
            seen = Seen(put.sequence, 0, rows_of(entry))
            told.setdefault(put.tables[0].table.id, []).append((put.producer, seen))
    made += [
        NewFrame(FrameKind.PRODUCER, table_id=table_id, body=encode(entries))
        for table_id, entries in told.items()
    ]
    if len(made) == 1:
        return made
    numbered = [
        NewFrame(
            frame.kind,
            table_id=frame.table_id,
            schema_version=frame.schema_version,
            statement=statement,
            row_count=frame.row_count,
            body=frame.body,
        )
        for frame in made
    ]
    return [*numbered, NewFrame(FrameKind.COMMIT, statement=statement)]


def rows_of(entry: Entry) -> int:
    """Rows of a write."""
    return sum(_row_count(part.rows) for part in entry.put.tables)


def _row_count(rows: Rows | pa.RecordBatch) -> int:
    return len(rows) if isinstance(rows, pa.RecordBatch) else len(rows.values)
