"""One node without doors: worker and coordinator over a directory, killed and started again at will."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from flightdb.app import RandomIds, SystemClock
from flightdb.catalog.delta import DeltaCatalog
from flightdb.cluster.membership import SoleMembership
from flightdb.coordinator.core import Coordinator, CoordinatorLimits
from flightdb.coordinator.service import WriteMode
from flightdb.engine.duckdb import DuckDBEngine
from flightdb.errors import FlightdbError
from flightdb.model.batches import BatchStream
from flightdb.model.node import Node as Member
from flightdb.model.put import Ack
from flightdb.model.record import Record
from flightdb.model.statement import Statement
from flightdb.storage.objects import LocalStore
from flightdb.wal.disk import RealDisk
from flightdb.wal.log import Log
from flightdb.worker.committer import CommitLimits
from flightdb.worker.local import LocalWorkers
from flightdb.worker.worker import Parts, Worker, WorkerLimits

IDENTITY = uuid.UUID(int=7)
SILENT = WorkerLimits(
    flush_bytes=1 << 40,
    flush_interval_s=3_600,
    direct_bytes=64 << 10,
    commit=CommitLimits(10_000, 1 << 30),
)
"""Nothing is flushed but by call; statements of more than 64 KiB write Parquet at once."""


class Stopped(BaseException):
    """The process ends here, as far as a test is concerned: nothing after this point runs."""


class StoppingStore(LocalStore):
    """A local store whose puts call a hook first and last."""

    before_put: Callable[[str], None] = staticmethod(lambda path: None)
    after_put: Callable[[str], None] = staticmethod(lambda path: None)

    def put_file(self, path: str, source: Path) -> None:
        self.before_put(path)
        super().put_file(path, source)
        self.after_put(path)


class StoppingCatalog(DeltaCatalog):
    """A catalog whose commits and drops call a hook first and last."""

    before_commit: Callable[[object], None] = staticmethod(lambda commit: None)
    after_commit: Callable[[object], None] = staticmethod(lambda commit: None)
    before_drop: Callable[[object], None] = staticmethod(lambda table: None)
    before_create: Callable[[object], None] = staticmethod(lambda table: None)

    def create(self, table, *rest):
        self.before_create(table)
        return super().create(table, *rest)

    def commit(self, commit):
        self.before_commit(commit)
        after = super().commit(commit)
        self.after_commit(commit)
        return after

    def drop(self, table):
        self.before_drop(table)
        return super().drop(table)


class Node:
    """A running node. `stop` is clean; `kill` leaves the disk as it is at that moment."""

    def __init__(
        self,
        directory: Path,
        *,
        limits: WorkerLimits = SILENT,
        coordinator: CoordinatorLimits | None = None,
        wal_bytes: int = 64 << 20,
        segment_bytes: int = 1 << 20,
        engine: DuckDBEngine | None = None,
        clock: object | None = None,
    ) -> None:
        self.directory = directory
        self.failed = threading.Event()
        self.clock = clock or SystemClock()
        ids = RandomIds()
        self.store = StoppingStore(directory / "tables")
        self.catalog = StoppingCatalog.open(self.store, self.clock)
        self._owns_engine = engine is None
        self.engine = engine or new_engine(directory)
        self.wal = Log.open(
            directory / "wal",
            worker_id=IDENTITY,
            max_bytes=wal_bytes,
            segment_bytes=segment_bytes,
            disk=RealDisk(),
            free_bytes_min=0,
        )
        try:
            parts = Parts(
                self.wal,
                self.catalog,
                self.store,
                self.engine,
                self.clock,
                ids,
                directory / "tmp",
            )
            self.worker = Worker("node-1", IDENTITY.hex, parts, limits)
            self.worker.start(self.failed.set)
        except BaseException:
            self.wal.close()
            raise
        self.workers = LocalWorkers(self.worker)
        member = Member("node-1", "localhost", frozenset({"coordinator", "worker"}))
        self.service = Coordinator(
            self.catalog,
            self.store,
            self.engine,
            self.workers,
            SoleMembership(member),
            self.clock,
            ids,
            coordinator or CoordinatorLimits(),
        )
        self.service.start()

    def stop(self) -> None:
        self.service.stop()
        self.worker.stop()
        self._close()

    def kill(self) -> None:
        """Ends the threads without a flush: the disk is as after kill -9 with no write on its way."""
        self.service._running.stop()
        self.worker._loop.stop()
        self.worker._committer.stop()
        self._close()

    def _close(self) -> None:
        self.wal.close()
        self.catalog.close()
        if self._owns_engine:
            self.engine.close()

    # --- short forms ---
    def write(self, table: str, *records: tuple, **kwargs: object) -> Ack:
        """Records as (id, payload)."""
        rows = [Record(key, 1_700_000_000_000_000, payload) for key, payload in records]
        return self.service.write_records({table: rows}, **kwargs)

    def ingest(
        self,
        table: str,
        batches: pa.RecordBatch | Sequence[pa.RecordBatch],
        mode: WriteMode = WriteMode.APPEND,
        **kwargs: object,
    ) -> Ack:
        given = [batches] if isinstance(batches, pa.RecordBatch) else list(batches)
        stream = BatchStream(given[0].schema, iter(given))
        return self.service.ingest(table, stream, mode, **kwargs)

    def rows(self, sql: str, *, pin: str = "", fresh: bool = False) -> list[tuple]:
        """The answer as tuples."""
        statement = Statement(sql, bypass_cache=fresh)
        answer = self.service.answer(statement, pin=pin)
        return [tuple(row.values()) for row in answer.batches.read_all().to_pylist()]

    def count(self, table: str) -> int:
        return self.rows(f"SELECT count(*) FROM {table}")[0][0]

    def update(self, sql: str, parameters: pa.RecordBatch | None = None, **kwargs: object) -> int:
        return self.service.update(replace(Statement(sql, parameters), **kwargs))

    def state(self, table: str):
        return self.worker._states.get(self.catalog.load(table).table.id)

    def files(self) -> set[str]:
        """Data files in the store, also those that the log does not name."""
        return {meta.path for meta in self.store.list("") if meta.path.endswith(".parquet")} - {
            meta.path for meta in self.store.list("") if "/_delta_log/" in meta.path
        }

    def scratch(self) -> list[Path]:
        """Temporary files of data that is on its way."""
        return list((self.directory / "tmp" / "files").iterdir())


def new_engine(directory: Path) -> DuckDBEngine:
    """An engine that may read the node's tables."""
    return DuckDBEngine(
        data_dir=directory / "tables",
        temp_dir=directory / "spill",
        memory_bytes=1 << 30,
        temp_bytes=1 << 30,
        threads=2,
    )


def refused(call: Callable[[], object]) -> FlightdbError | None:
    """The error that a call raised."""
    try:
        call()
    except FlightdbError as error:
        return error
    return None
