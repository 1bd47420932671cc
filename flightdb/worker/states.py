"""Every table this worker holds rows of: its version, its buffers, and one lock under which they change together."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flightdb.cluster.workers import TableLoad, TableView
from flightdb.errors import NotFound
from flightdb.model.snapshot import Snapshot
from flightdb.model.table import Table
from flightdb.worker.buffer import Buffer, FrozenPart


@dataclass(slots=True)
class TableState:
    """One table. Fields change under `States.lock` only; `mark` is one reference and may be read without."""

    table: Table
    version: int
    flushed_lsn: int
    open: Buffer | None = None
    sealed: list[Buffer] = field(default_factory=list)
    mark: tuple[int, int] = (0, 0)
    """(version, last lsn): names what a query would see now."""
    last_write_us: int = 0
    last_flush_us: int = 0
    commit_lock: threading.Lock = field(default_factory=threading.Lock)
    """Held around each commit to this table, so that flush, large ingest and rewriting take turns."""
    look: "Frozen | None" = None
    """What the last lease saw, while nothing has changed since."""

    @property
    def buffers(self) -> Iterator[Buffer]:
        """Sealed ones first, then the open one."""
        yield from self.sealed
        if self.open is not None:
            yield self.open

    @property
    def last_lsn(self) -> int:
        """The newest row's lsn, or the flushed position."""
        return max((buffer.last_lsn for buffer in self.buffers), default=self.flushed_lsn)

    def adopt(self, snapshot: Snapshot, worker_id: str) -> int:
        """Takes a newer version and drops the buffers that it contains, in one step: see `States.adopt`."""
        if snapshot.version <= self.version:
            return 0
        self.version = snapshot.version
        self.flushed_lsn = max(self.flushed_lsn, snapshot.positions.get(worker_id, 0))
        if snapshot.table.schema_version > self.table.schema_version:
            self.table = snapshot.table
        gone = [buffer for buffer in self.buffers if buffer.last_lsn <= self.flushed_lsn]
        self.sealed = [buffer for buffer in self.sealed if buffer.last_lsn > self.flushed_lsn]
        if self.open is not None and self.open.last_lsn <= self.flushed_lsn:
            self.open = None  # Superseded, not stored: a replacing commit counts past it.
        self.touch()
        return sum(buffer.size_bytes for buffer in gone)

    def touch(self) -> None:
        """Moves `mark` to what is visible now: call under the lock after each change."""
        self.mark = (self.version, self.last_lsn)
        self.look = None


class States:
    """The tables by id. Thread-safe."""

    def __init__(self, worker_id: str) -> None:
        """`worker_id`: the name under which this worker's positions stand in the log."""
        self.worker_id = worker_id
        self.lock = threading.Lock()
        self._states: dict[str, TableState] = {}
        self._forgotten: set[str] = set()
        self.buffered_bytes = 0
        """Unflushed rows of all tables, in bytes of the WAL; changed under the lock."""

    def get(self, table_id: str) -> TableState | None:
        """The state, or None when this worker holds nothing of the table yet."""
        return self._states.get(table_id)

    def all(self) -> Sequence[TableState]:
        """All states at this moment."""
        with self.lock:
            return tuple(self._states.values())

    def ensure(self, snapshot: Snapshot) -> TableState:
        """The state of the snapshot's table, made from it when new.

        Raises:
            NotFound: the table was dropped here.
        """
        table = snapshot.table
        with self.lock:
            if table.id in self._forgotten:
                raise NotFound(f"table was dropped: name={table.name}")
            state = self._states.get(table.id)
            if state is None:
                flushed = snapshot.positions.get(self.worker_id, 0)
                state = TableState(table, snapshot.version, flushed)
                state.touch()
                self._states[table.id] = state
            return state

    def adopt(self, state: TableState, snapshot: Snapshot) -> None:
        """A commit's outcome: the version moves on and what it contains leaves the buffers, in one step for queries.

        Older snapshots change nothing, so commits may report in any order, and anyone may report what the catalog has.
        """
        with self.lock:
            self.buffered_bytes -= state.adopt(snapshot, self.worker_id)

    def forget(self, table_id: str) -> None:
        """Drops the rows of a table for good."""
        with self.lock:
            self._forgotten.add(table_id)
            state = self._states.pop(table_id, None)
            if state is not None:
                self.buffered_bytes -= sum(buffer.size_bytes for buffer in state.buffers)
                # A flush that waits for its turn has this state in hand: it finds nothing.
                state.open, state.sealed, state.look = None, [], None

    @property
    def forgotten(self) -> frozenset[str]:
        """Ids of tables dropped since the start."""
        return frozenset(self._forgotten)

    def freeze(self, states: Sequence[TableState], none: int) -> "tuple[list[Frozen], int]":
        """One consistent look at several tables, and the lowest lsn that it reads from the WAL (`none`: nothing)."""
        looks = []
        with self.lock:
            for state in states:
                if state.look is None:
                    parts = tuple(part for buffer in state.buffers for part in buffer.frozen())
                    state.look = Frozen(state.table, state.mark, parts)
                looks.append(state.look)
            first = [buffer.first_lsn for state in states for buffer in state.buffers]
        return looks, min(first, default=none)

    def loads(self) -> dict[str, TableLoad]:
        """What is held of each table, by id, at one moment."""
        with self.lock:
            return {
                state.table.id: TableLoad(
                    sum(buffer.row_count for buffer in state.buffers),
                    sum(buffer.size_bytes for buffer in state.buffers),
                    state.last_write_us,
                    state.last_flush_us,
                    state.version,
                )
                for state in self._states.values()
            }


@dataclass(slots=True)
class Frozen:
    """A table at one moment, references only; keeps the files of its rows while it is held.

    `view` does the work outside the lock.
    """

    table: Table
    mark: tuple[int, int]
    parts: tuple[FrozenPart, ...]
    made: TableView | None = None

    def view(self) -> TableView:
        """The view as values, made once."""
        if self.made is None:
            version, lsn = self.mark
            buffers = tuple(part.as_source() for part in self.parts)
            self.made = TableView(self.table, version, buffers, lsn)
        return self.made
