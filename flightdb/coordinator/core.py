"""The coordinator: the service that every door talks to."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock

import pyarrow as pa
import structlog

from flightdb import __version__
from flightdb.catalog.catalog import Catalog
from flightdb.cluster.membership import Membership
from flightdb.cluster.workers import Workers
from flightdb.coordinator.health import health, status
from flightdb.coordinator.plans import Plans
from flightdb.coordinator.queries import Queries
from flightdb.coordinator.results import Results
from flightdb.coordinator.running import Running
from flightdb.coordinator.service import (
    Answer,
    CachedAnswer,
    Described,
    Health,
    IsGone,
    Pin,
    Status,
    TableInfo,
    WriteMode,
)
from flightdb.coordinator.statements import Statements
from flightdb.coordinator.tables import TableRules, Tables
from flightdb.coordinator.writes import IngestOptions, Writes
from flightdb.engine.engine import Engine
from flightdb.errors import FlightdbError, NotFound
from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.clock import Clock, Ids
from flightdb.model.put import Ack, Done
from flightdb.model.record import Record
from flightdb.model.snapshot import Snapshot
from flightdb.model.statement import Statement
from flightdb.model.table import Table, TableKind, TableOptions
from flightdb.storage.store import ObjectStore

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CoordinatorLimits:
    """Times and sizes. `timeout_s`: of a query that names none, and the most it may name.

    `pin_s`: how long a ticket's snapshot is held. `ingest_timeout_s`: of one ingest statement.
    """

    timeout_s: float = 300.0
    ingest_timeout_s: float = 24 * 3600.0
    pin_s: float = 60.0
    cache_bytes: int = 200 << 20
    plans_max: int = 1000
    rules: TableRules = field(default_factory=TableRules)


class Coordinator:
    """Implements `service.Service`; stateless but for caches and what runs now. `start` once, `stop` once."""

    def __init__(
        self,
        catalog: Catalog,
        store: ObjectStore,
        engine: Engine,
        workers: Workers,
        membership: Membership,
        clock: Clock,
        ids: Ids,
        limits: CoordinatorLimits,
    ) -> None:
        """`engine` parses and describes here; fragments run on `workers`."""
        self._catalog = catalog
        self._workers = workers
        self._membership = membership
        self._clock = clock
        self._ids = ids
        self._limits = limits
        self._started_us = clock.now_us()
        self._running = Running(clock)
        self._results = Results(limits.cache_bytes)
        self._tables = Tables(catalog, workers, clock, limits.rules)
        self._plans = Plans(catalog, store, engine, limits.plans_max)
        self._queries = Queries(
            self._plans,
            workers,
            self._running,
            self._results,
            clock,
            timeout_s=limits.timeout_s,
            pin_s=limits.pin_s,
        )
        self._writes = Writes(self._tables, workers, ids)
        self._statements = Statements(
            self._plans, self._queries, self._writes, self._tables, engine
        )
        self._collecting = Lock()
        self._dropped: list[tuple[Snapshot, frozenset[Cancellation]]] = []
        self._running.on_leave = self._collect_dropped

    def start(self) -> None:
        """Begins to watch deadlines."""
        self._running.start()

    def stop(self) -> None:
        """Stops running queries and frees what dropped tables left."""
        self._running.stop()
        self._collect_dropped()

    def new_query_id(self) -> str:
        """See `Service`."""
        return self._ids.query_id()

    # --- SQL ---
    def describe(self, sql: str) -> Described:
        """See `Service`."""
        try:
            return self._statements.describe(sql)
        except FlightdbError:
            # Nobody will run it: this is where it is counted.
            self._queries.note_refused()
            raise

    def cached_answer(self, statement: Statement) -> CachedAnswer | None:
        """See `Service`."""
        return self._queries.cached(statement)

    def answer(
        self, statement: Statement, *, pin: str = "", is_gone: IsGone | None = None
    ) -> Answer:
        """See `Service`."""
        return self._queries.answer(self._named(statement), pin, is_gone)

    def pin(self, statement: Statement) -> Pin:
        """See `Service`."""
        return self._queries.pin(self._named(statement))

    def update(self, statement: Statement, *, is_gone: IsGone | None = None) -> int:
        """See `Service`."""
        named = self._named(statement)
        timeout_s = min(
            statement.timeout_s or self._limits.ingest_timeout_s, self._limits.ingest_timeout_s
        )
        cancellation = self._running.enter(named.query_id, timeout_s, is_gone)
        try:
            changed, dropped = self._statements.update(named, cancellation)
        finally:
            self._running.leave(named.query_id)
        if dropped is not None:
            self._drop_later(dropped)
        return changed

    def cancel(self, query_id: str) -> bool:
        """See `Service`."""
        return self._running.cancel(query_id)

    def _named(self, statement: Statement) -> Statement:
        if statement.query_id:
            return statement
        return replace(statement, query_id=self._ids.query_id())

    # --- writing ---
    def submit_records(
        self,
        tables: Mapping[str, Sequence[Record]],
        done: Done,
        *,
        producer: str = "",
        sequence: int = 0,
    ) -> bool:
        """See `Service`."""
        return self._writes.submit_records(tables, done, producer, sequence)

    def write_records(
        self, tables: Mapping[str, Sequence[Record]], *, producer: str = "", sequence: int = 0
    ) -> Ack:
        """See `Service`."""
        return self._writes.write_records(tables, producer, sequence)

    def submit_batch(
        self,
        table: str,
        batch: pa.RecordBatch,
        done: Done,
        *,
        producer: str = "",
        sequence: int = 0,
    ) -> bool:
        """See `Service`."""
        return self._writes.submit_batch(table, batch, done, producer, sequence)

    def write_batch(
        self, table: str, batch: pa.RecordBatch, *, producer: str = "", sequence: int = 0
    ) -> Ack:
        """See `Service`."""
        return self._writes.write_batch(table, batch, producer, sequence)

    def ingest(
        self,
        table: str,
        batches: BatchStream,
        mode: WriteMode,
        *,
        idempotency_key: str = "",
        id_column: str = "",
        time_column: str = "",
        is_gone: IsGone | None = None,
    ) -> Ack:
        """See `Service`."""
        query_id = self._ids.query_id()
        cancellation = self._running.enter(query_id, self._limits.ingest_timeout_s, is_gone)
        options = IngestOptions(idempotency_key, id_column, time_column)
        try:
            return self._writes.ingest(table, batches, mode, cancellation, options)
        finally:
            batches.close()
            self._running.leave(query_id)

    def flush(self, table: str = "") -> int:
        """See `Service`."""
        if table:
            return self._flush(self._tables.find(table))
        rows = 0
        for one in self._catalog.tables():
            with suppress(NotFound):  # Dropped meanwhile.
                rows += self._flush(one)
        return rows

    def _flush(self, table: Table) -> int:
        return sum(self._workers.flush(node, [table]) for node in self._workers.owners(table))

    # --- tables ---
    def create_table(
        self,
        name: str,
        *,
        kind: TableKind = TableKind.RECORD,
        schema: pa.Schema | None = None,
        options: TableOptions | None = None,
        if_not_exists: bool = False,
    ) -> TableInfo:
        """See `Service`."""
        planned = self._tables.planned(name, kind, schema, options)
        made = self._tables.create(planned, if_not_exists=if_not_exists)
        return self._tables.info(made.name)

    def table(self, name: str) -> TableInfo:
        """See `Service`."""
        return self._tables.info(name)

    def tables(self, pattern: str = "") -> Sequence[TableInfo]:
        """See `Service`."""
        return self._tables.matching(pattern)

    def drop_table(self, name: str, *, if_exists: bool = False) -> int:
        """See `Service`."""
        snapshot, files = self._tables.drop(name, if_exists=if_exists)
        if snapshot is not None:
            self._drop_later(snapshot)
        return files

    def _drop_later(self, snapshot: Snapshot) -> None:
        """Its files go when the last query that may still read them has ended."""
        with self._collecting:
            self._dropped.append((snapshot, self._running.all()))
        self._collect_dropped()

    def _collect_dropped(self) -> None:
        if not self._dropped:
            return
        running = self._running.all()
        with self._collecting:
            ready = [snapshot for snapshot, readers in self._dropped if not readers & running]
            self._dropped = [kept for kept in self._dropped if kept[1] & running]
        for snapshot in ready:
            try:
                self._tables.collect(snapshot)
            except FlightdbError as error:
                # The table is gone, and the next start takes up what is left of it.
                log.warning("files left", table=snapshot.table.name, reason=error.message)

    # --- running ---
    def health(self) -> Health:
        """See `Service`."""
        return health(self._catalog, self._workers)

    def status(self) -> Status:
        """See `Service`."""
        figures = {
            "queries_total": float(self._queries.count),
            "query_failures_total": float(self._queries.failure_count),
            "query_seconds_total": self._queries.seconds,
            "result_cache_hits_total": float(self._results.hit_count),
            "result_cache_misses_total": float(self._results.miss_count),
            "result_cache_bytes": float(self._results.size_bytes),
            "queries_open": float(len(self._running)),
            "tables": float(len(self._catalog.tables())),
        }
        return status(
            self._membership,
            self._workers,
            figures,
            version=__version__,
            started_us=self._started_us,
            now_us=self._clock.now_us(),
        )
