"""The worker: owns rows that are not in the store yet, and runs fragments."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from flightdb.catalog.catalog import Catalog
from flightdb.cluster.workers import Ingest, Lease, WorkerStatus
from flightdb.engine.engine import Engine
from flightdb.errors import FlightdbError, NotFound
from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.clock import Clock, Ids
from flightdb.model.put import Ack, Done, Put
from flightdb.model.source import Fragment
from flightdb.model.table import Table
from flightdb.storage.store import ObjectStore
from flightdb.wal.frames import FrameKind, NewFrame
from flightdb.wal.log import Log
from flightdb.worker.admission import Admission
from flightdb.worker.arena import Arena
from flightdb.worker.committer import CommitLimits, Committer
from flightdb.worker.evolve import Evolver
from flightdb.worker.execute import execute
from flightdb.worker.files import SegmentFiles
from flightdb.worker.flush import Flusher, FlushLoop, newest
from flightdb.worker.intake import Intake
from flightdb.worker.leases import Leases
from flightdb.worker.names import NameClock
from flightdb.worker.producers import Producers
from flightdb.worker.recovery import Recovery
from flightdb.worker.states import States, TableState


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Sizes and times. `flush_bytes`, `direct_bytes` count Arrow data."""

    flush_bytes: int = 128 << 20
    flush_interval_s: float = 30.0
    buffer_rows: int = 0
    direct_bytes: int = 64 << 20
    exact_ids_max: int = 32
    wal_bytes_max: int = 4 << 30
    running_max: int = 8
    waiting_max: int = 64
    wait_s_max: float = 30.0
    commit: CommitLimits = field(default_factory=CommitLimits)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a worker is built on; opened and closed by who passes it."""

    wal: Log
    catalog: Catalog
    store: ObjectStore
    engine: Engine
    clock: Clock
    ids: Ids
    scratch: Path
    """A directory of its own on the store's filesystem; emptied at start."""


class Worker:
    """Ingest, buffers, flush and fragments of one node. `start` recovers first; `stop` flushes."""

    def __init__(self, node_id: str, identity: str, parts: Parts, limits: WorkerLimits) -> None:
        """`identity` belongs to the WAL directory: positions in the log are kept under it, so that a new WAL begins anew.

        Nothing is read or written before `start`.
        """
        self.node_id = node_id
        self._catalog = parts.catalog
        self._engine = parts.engine
        self._wal = parts.wal
        self._states = States(identity)
        self._producers = Producers()
        self._arena = Arena(parts.scratch / "buffers")
        self._committer = Committer(
            parts.wal,
            self._states,
            self._arena,
            self._producers,
            parts.clock,
            resolve=self._state,
            limits=limits.commit,
            wal_bytes_max=limits.wal_bytes_max,
        )
        self._leases = Leases(self._states, parts.clock, parts.ids)
        self._recovery = Recovery(
            parts.wal, self._states, self._arena, self._producers, parts.clock
        )
        self._names = names = NameClock(parts.clock)
        files = SegmentFiles(
            parts.store,
            parts.scratch / "files",
            parts.clock,
            exact_ids_max=limits.exact_ids_max,
        )
        self._flusher = Flusher(
            parts.wal,
            self._states,
            self._committer,
            parts.catalog,
            files,
            leases=self._leases,
            names=names,
            clock=parts.clock,
        )
        self._loop = FlushLoop(
            self._flusher,
            self._states,
            parts.clock,
            flush_bytes=limits.flush_bytes,
            buffer_rows=limits.buffer_rows,
            interval_s=limits.flush_interval_s,
            fullness=lambda: self._committer.fullness,
        )
        self._intake = Intake(
            self._states,
            self._committer,
            self._flusher,
            parts.catalog,
            files,
            names=names,
            direct_bytes=limits.direct_bytes,
        )
        self._evolver = Evolver(
            self._states, self._committer, self._flusher, parts.catalog, files, names
        )
        self._admission = Admission(
            limits.running_max, limits.waiting_max, limits.wait_s_max, parts.clock
        )
        self._committer.on_growth = self._loop.on_growth
        self._committer.on_refusal = self._loop.on_pressure

    def start(self, on_failure: Callable[[], None]) -> None:
        """Recovers, then takes traffic. `on_failure` has to end the process: the WAL cannot be trusted any more.

        Raises:
            Corruption: the WAL is damaged, or holds rows of an unknown table.
        """
        self._committer.on_failure = on_failure
        self._recovery.run(self._catalog)
        for table in self._catalog.tables():
            for segment in self._catalog.load(table.name).segments:
                self._names.pass_by(segment.path)
        self._committer.start()
        self._loop.start()

    def stop(self) -> None:
        """Refuses new work, flushes everything, ends the threads. Raises what a flush raises, when all has ended."""
        self._admission.close()
        self._loop.stop()
        failures: list[FlightdbError] = []
        try:
            for state in self._states.all():
                try:
                    self._flusher.flush(state)
                except FlightdbError as error:
                    failures.append(error)
        finally:
            self._committer.stop()
        if failures:
            raise failures[0]

    def _state(self, table: Table) -> TableState:
        state = self._states.get(table.id)
        if state is None:
            return self._states.ensure(newest(self._catalog, table))
        if state.table.schema_version < table.schema_version:
            # Its commit is in the catalog, and who made it has not told us yet.
            self._states.adopt(state, newest(self._catalog, table))
        return state

    # --- rows ---
    def put(self, put: Put, done: Done) -> None:
        """See `Workers.put`."""
        self._committer.submit(put, done)

    @property
    def pressure(self) -> float:
        """See `Workers.pressure`."""
        return self._committer.pressure

    def ingest(self, ingest: Ingest, batches: BatchStream, cancellation: Cancellation) -> Ack:
        """See `Workers.ingest`."""
        with batches:
            return self._intake.ingest(ingest, batches, cancellation)

    def evolve(self, table: Table, fields: Sequence[pa.Field]) -> Table:
        """See `Workers.evolve`."""
        return self._evolver.evolve(self._state(table), fields)

    def flush(self, tables: Sequence[Table]) -> int:
        """See `Workers.flush`."""
        return sum(self._flusher.flush(self._state(table)) for table in tables)

    def forget(self, table: Table) -> None:
        """See `Workers.forget`."""
        if table.id in self._states.forgotten:
            return
        state = self._state(table)
        with state.commit_lock:
            self._committer.run(lambda: self._drop(table))

    def _drop(self, table: Table) -> None:
        self._committer.append(NewFrame(FrameKind.DROP, table_id=table.id))
        self._states.forget(table.id)
        self._producers.forget(table.id)

    # --- queries ---
    def lease(self, tables: Sequence[Table], seconds: float) -> Lease:
        """See `Workers.lease`."""
        return self._leases.take([self._state(table) for table in tables], seconds)

    def release(self, lease_id: str) -> None:
        """See `Workers.release`."""
        self._leases.release(lease_id)

    def mark(self, table: Table) -> tuple[int, int]:
        """See `Workers.mark`."""
        state = self._states.get(table.id)
        if state is None:
            try:
                state = self._state(table)
            except NotFound:
                return (-1, -1)
        return state.mark

    def execute(self, fragment: Fragment, cancellation: Cancellation) -> BatchStream:
        """See `Workers.execute`."""
        return execute(self._engine, self._admission, fragment, cancellation)

    def status(self) -> WorkerStatus:
        """See `Workers.status`."""
        figures = {
            "wal_bytes": float(self._wal.size_bytes),
            "wal_failed": float(self._wal.is_failed),
            "buffered_bytes": float(self._states.buffered_bytes),
            "flush_failures": float(self._loop.failing_count),
            "write_queue_length": float(self._committer.waiting),
            "commit_groups_total": float(self._committer.group_count),
            "rows_written_total": float(self._committer.row_count),
            "queries_running": float(self._admission.running),
            "queries_waiting": float(self._admission.waiting),
            "leases": float(len(self._leases)),
            **{f"engine_{name}": float(value) for name, value in self._engine.statistics().items()},
        }
        return WorkerStatus(self.node_id, figures, self._states.loads())
