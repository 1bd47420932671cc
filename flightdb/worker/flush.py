"""Buffered rows to Parquet in the store: seal, write, commit, swap, let the WAL go."""

import threading
from collections.abc import Callable, Sequence

import structlog

from flightdb.catalog.catalog import Catalog
from flightdb.errors import FlightdbError, NotFound
from flightdb.model.clock import Clock
from flightdb.model.snapshot import Commit, Snapshot
from flightdb.model.table import Table
from flightdb.wal.frames import FrameKind, NewFrame
from flightdb.wal.log import Log, WalFull
from flightdb.worker.buffer import Buffer
from flightdb.worker.committer import Committer
from flightdb.worker.files import SegmentFiles
from flightdb.worker.leases import Leases
from flightdb.worker.names import NameClock
from flightdb.worker.recovery import seal_body
from flightdb.worker.states import States, TableState

log = structlog.get_logger()

_DROPPED = 2**63 - 1

_CROWDED = 0.5

_PRESSURE_S = 0.05
"""Between two rounds under pressure: writers come back no sooner."""


class Flusher:
    """Flushes one table at a time per call; calls for different tables may run at once."""

    def __init__(
        self,
        wal: Log,
        states: States,
        committer: Committer,
        catalog: Catalog,
        files: SegmentFiles,
        *,
        leases: Leases,
        names: NameClock,
        clock: Clock,
    ) -> None:
        """Nothing happens yet."""
        self._wal = wal
        self._states = states
        self._committer = committer
        self._catalog = catalog
        self._files = files
        self._leases = leases
        self._names = names
        self._clock = clock

    def flush(self, state: TableState) -> int:
        """Everything the table has buffered at this moment goes to the store; gives how many rows.

        Raises what the store or the catalog raise; the rows stay buffered and readable then.
        """
        with state.commit_lock:
            rows = self.flush_locked(state)
        if rows:
            self.truncate()
        return rows

    def flush_locked(self, state: TableState) -> int:
        """As `flush`, for a caller that holds the table's commit lock; leaves the WAL as it is."""
        self._committer.run(lambda: self.seal(state))
        rows = 0
        # Oldest first and one by one: a position says that everything up to it is in the store.
        for sealed in tuple(state.sealed):
            self._store(state, sealed)
            rows += sealed.row_count
        return rows

    def seal(self, state: TableState) -> None:
        """Closes the open buffer, so that its range and its name are fixed, durably. On the committer's thread."""
        if state.open is None:
            return
        state.open.name_ns = self._names.next_ns()
        body = seal_body(state.open)
        try:
            self._committer.append(NewFrame(FrameKind.SEAL, table_id=state.table.id, body=body))
        except WalFull:
            # The flush is what makes room. Without the frame a crash may leave an orphan file, no more.
            log.warning("buffer sealed without a record of it", table=state.table.name)
        with self._states.lock:
            state.sealed.append(state.open)
            state.open = None

    def _store(self, state: TableState, sealed: Buffer) -> None:
        snapshot = newest(self._catalog, state.table)
        if snapshot.positions.get(self._states.worker_id, 0) >= sealed.last_lsn:
            self._states.adopt(state, snapshot)  # It landed; only the answer was lost.
            return
        parts = [part.as_source() for part in sealed.frozen()]
        added = self._files.write(snapshot, parts, sealed.name_ns)
        commit = Commit(
            snapshot.table, added=added, positions={self._states.worker_id: sealed.last_lsn}
        )
        after = self._catalog.commit(commit)
        self._states.adopt(state, after)
        state.last_flush_us = self._clock.now_us()
        log.info(
            "buffer flushed",
            table=state.table.name,
            rows=sealed.row_count,
            files=len(added),
            version=after.version,
        )

    def truncate(self) -> None:
        """Frees WAL segments whose rows are all in the store and that no query reads any more."""
        self._committer.run(self._truncate)

    def _truncate(self) -> None:
        flushed = {state.table.id: state.flushed_lsn for state in self._states.all()}
        flushed |= dict.fromkeys(self._states.forgotten, _DROPPED)
        self._wal.truncate(flushed, keep_from_lsn=self._leases.oldest_lsn(none=_DROPPED))


class FlushLoop:
    """Flushes tables whose buffer is large or old enough, on a thread of its own."""

    def __init__(
        self,
        flusher: Flusher,
        states: States,
        clock: Clock,
        *,
        flush_bytes: int,
        buffer_rows: int,
        interval_s: float,
        fullness: Callable[[], float],
    ) -> None:
        """A table is due at `flush_bytes`, or `interval_s` after its first row; its own settings go first.

        `buffer_rows` 0 means that rows alone make no table due. While `fullness` (of buffers and log) is above a
        half, the largest is due as well.
        """
        self._flusher = flusher
        self._states = states
        self._clock = clock
        self._flush_bytes = flush_bytes
        self._buffer_rows = buffer_rows
        self._interval_s = interval_s
        self._fullness = fullness
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._failures: dict[str, tuple[int, float]] = {}
        self._is_pressed = False
        self._thread = threading.Thread(target=self._run, name="flightdb-flush", daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the flush that runs."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    @property
    def failing_count(self) -> int:
        """Tables whose last flush failed."""
        return len(self._failures)

    def on_growth(self, state: TableState) -> None:
        """Called by the committer after each group; cheap."""
        if self._is_full(state):
            self._wake.set()

    def on_pressure(self) -> None:
        """Called when a write is refused for want of room: everything is due."""
        self._is_pressed = True
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(0.5)
            self._wake.clear()
            is_pressed, self._is_pressed = self._is_pressed, False
            is_crowded = self._fullness() > _CROWDED
            for state in self._due(self._states.all(), is_crowded, is_pressed):
                if self._stopping.is_set():
                    return
                self._flush(state)
            if is_pressed or is_crowded:
                self._make_room()

    def _make_room(self) -> None:
        """Also when nothing was left to flush: a lease that has ended may have held the WAL."""
        try:
            self._flusher.truncate()
        except FlightdbError as error:
            log.error("wal not truncated", error=str(error))
        self._stopping.wait(_PRESSURE_S)

    def _due(
        self, states: Sequence[TableState], is_crowded: bool, is_pressed: bool
    ) -> list[TableState]:
        now_s = self._clock.monotonic_s()
        largest = max(states, key=_open_bytes, default=None)
        return [
            state
            for state in states
            if (
                self._is_full(state)
                or self._is_old(state, now_s)
                or state.sealed
                or (is_crowded and state is largest)
                or (is_pressed and state.open is not None)
            )
            and self._failures.get(state.table.id, (0, 0.0))[1] <= now_s
        ]

    def _is_full(self, state: TableState) -> bool:
        buffer = state.open
        if buffer is None:
            return False
        rows = state.table.options.buffer_size or self._buffer_rows
        return buffer.size_bytes >= self._flush_bytes or 0 < rows <= buffer.row_count

    def _is_old(self, state: TableState, now_s: float) -> bool:
        buffer = state.open
        interval_s = state.table.options.flush_interval_seconds or self._interval_s
        return buffer is not None and now_s - buffer.opened_s >= interval_s

    def _flush(self, state: TableState) -> None:
        try:
            self._flusher.flush(state)
        except NotFound:
            # Dropped meanwhile; its rows are gone with it.
            self._failures.pop(state.table.id, None)
        except Exception as error:
            # Also a defect: the thread has other tables to flush. Logged, counted in the health, tried again.
            count = self._failures.get(state.table.id, (0, 0.0))[0] + 1
            wait_s = min(60.0, 0.5 * 2**count)
            self._failures[state.table.id] = (count, self._clock.monotonic_s() + wait_s)
            inside = None if isinstance(error, FlightdbError) else error
            log.error(
                "flush failed",
                table=state.table.name,
                error=str(error),
                retry_in_s=wait_s,
                exc_info=inside,
            )
        else:
            self._failures.pop(state.table.id, None)


def _open_bytes(state: TableState) -> int:
    buffer = state.open
    return 0 if buffer is None else buffer.size_bytes


def newest(catalog: Catalog, table: Table) -> Snapshot:
    """The newest snapshot of this incarnation.

    Raises:
        NotFound: dropped, or dropped and created again.
    """
    snapshot = catalog.load(table.name)
    if snapshot.table.id != table.id:
        raise NotFound(f"table was dropped: name={table.name}")
    return snapshot
