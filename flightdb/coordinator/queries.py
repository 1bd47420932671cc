"""Queries: plan, pin a snapshot, prune, run on a worker, stream; answers and plans of repeated statements are kept."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock

import pyarrow as pa
import structlog

from flightdb.cluster.workers import Lease, Workers
from flightdb.coordinator.plans import Planned, Plans
from flightdb.coordinator.results import ANSWER_BYTES_MAX, Results
from flightdb.coordinator.running import Running
from flightdb.coordinator.service import Answer, CachedAnswer, IsGone, Pin
from flightdb.errors import Conflict, FlightdbError, InvalidQuery
from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.clock import Clock
from flightdb.model.source import Fragment, TableSource
from flightdb.model.statement import Statement
from flightdb.model.table import Table
from flightdb.planner.statement import PlannedQuery

log = structlog.get_logger()

_PINS_MAX = 2_000
_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Pinned:
    lease: Lease
    node: str


class _Outdated(Exception):
    """A table's schema changed between planning and pinning: plan again."""


class Queries:
    """Thread-safe."""

    def __init__(
        self,
        plans: Plans,
        workers: Workers,
        running: Running,
        results: Results,
        clock: Clock,
        *,
        timeout_s: float,
        pin_s: float,
    ) -> None:
        """`timeout_s`: of a query that names no time of its own, and the most it may name. `pin_s`: life of a pin."""
        self._pin_s = pin_s
        self._plans = plans
        self._workers = workers
        self._running = running
        self._results = results
        self._clock = clock
        self._timeout_s = timeout_s
        self._lock = Lock()
        self._pins: OrderedDict[str, _Pinned] = OrderedDict()
        self.count = 0
        self.failure_count = 0
        self.seconds = 0.0

    def note_refused(self) -> None:
        """Counts a statement that was refused before it could run."""
        with self._lock:
            self.count += 1
            self.failure_count += 1

    # --- from the cache ---
    def cached(self, statement: Statement) -> CachedAnswer | None:
        """The answer from the result cache; never blocks."""
        if statement.bypass_cache or not self._results.bytes_max:
            return None
        planned = self._plans.known(statement.sql)
        if planned is None or not isinstance(planned.statement, PlannedQuery):
            return None
        if not planned.query.is_deterministic:
            return None
        return self._results.get(self._key(statement, planned))

    def _key(self, statement: Statement, planned: Planned) -> tuple[object, ...]:
        parameters = statement.parameters
        return (
            statement.sql,
            parameters.serialize().to_pybytes() if parameters is not None else b"",
            str(parameters.schema) if parameters is not None else "",
            statement.principal.name,
            tuple((table.id, *self._mark(table)) for table in planned.tables),
        )

    def _mark(self, table: Table) -> tuple[int, int]:
        return self._workers.mark(self._workers.owner(table, None), table)

    # --- pinned ---
    def pin(self, statement: Statement) -> Pin:
        """Plans the query and holds its snapshot for a while."""
        planned = self._plans.plan(statement.sql)
        schema = self._plans.schema(planned, _values(statement, planned))
        node = self._node(planned)
        lease = self._workers.lease(node, planned.tables, self._pin_s)
        with self._lock:
            self._pins[lease.id] = _Pinned(lease, node)
            ended = []
            while len(self._pins) > _PINS_MAX or self._is_oldest_over():
                ended.append(self._pins.popitem(last=False)[1])
        for pinned in ended:
            self._workers.release(pinned.node, pinned.lease.id)
        return Pin(lease.id, schema, self._clock.now_us() + int(self._pin_s * 1e6))

    def _is_oldest_over(self) -> bool:
        """A pin that nobody came for holds rows in memory."""
        oldest = next(iter(self._pins.values()))
        return oldest.lease.expires_s < self._clock.monotonic_s()

    def _take_pin(self, pin: str) -> _Pinned | None:
        with self._lock:
            pinned = self._pins.pop(pin, None)
        if pinned is None or pinned.lease.expires_s < self._clock.monotonic_s():
            return None
        return pinned

    # --- running ---
    def answer(self, statement: Statement, pin: str, is_gone: IsGone | None) -> Answer:
        """Runs the query; see `Service.answer`."""
        cached = self.cached(statement) if not pin else None
        if cached is not None:
            batches = BatchStream(cached.table.schema, iter(cached.table.to_batches()))
            return Answer(statement.query_id, batches, is_cached=True)
        timeout_s = min(statement.timeout_s or self._timeout_s, self._timeout_s)
        cancellation = self._running.enter(statement.query_id, timeout_s, is_gone)
        started_s = self._clock.monotonic_s()
        try:
            pinned = self._take_pin(pin) if pin else None
            try:
                batches = self._run(statement, pinned, cancellation)
            except BaseException:
                if pinned is not None:
                    self._workers.release(pinned.node, pinned.lease.id)
                raise
        except BaseException:
            self._ended(statement.query_id, started_s, has_failed=True)
            raise
        return Answer(statement.query_id, self._counted(batches, statement, started_s), False)

    def _run(
        self, statement: Statement, pinned: _Pinned | None, cancellation: Cancellation
    ) -> BatchStream:
        planned = self._plans.plan(statement.sql)
        if not isinstance(planned.statement, PlannedQuery):
            raise InvalidQuery("statement has no answer: expected a query")
        values = _values(statement, planned)
        for _ in range(_TRIES):
            key = self._key(statement, planned) if planned.query.is_deterministic else None
            try:
                stream, lease = self._leased(planned, values, cancellation, pinned=pinned)
            except _Outdated:
                if pinned is not None:
                    raise Conflict(
                        "table was changed since this query was planned; ask again"
                    ) from None
                planned = self._plans.plan(statement.sql)
                continue
            return self._kept(stream, planned, key, lease)
        raise Conflict("tables change faster than this query can follow; try again")

    def stream(
        self,
        planned: Planned,
        values: Sequence[object],
        cancellation: Cancellation,
        extra: tuple[TableSource, ...] = (),
    ) -> BatchStream:
        """The rows of a plan's query on a snapshot of this moment; `extra` sources beside its tables."""
        try:
            return self._leased(planned, tuple(values) or None, cancellation, extra)[0]
        except _Outdated:
            raise Conflict("table was changed while the statement ran; try again") from None

    def _leased(
        self,
        planned: Planned,
        values: tuple[object, ...] | None,
        cancellation: Cancellation,
        extra: tuple[TableSource, ...] = (),
        pinned: _Pinned | None = None,
    ) -> tuple[BatchStream, Lease]:
        """The stream and its lease, which ends with it. Raises _Outdated where the plan does not fit the lease."""
        node = self._node(planned)
        lease = (
            pinned.lease
            if pinned is not None
            else self._workers.lease(node, planned.tables, self._timeout_s + 60)
        )
        try:
            fragment = self._fragment(planned, values, lease, extra)
            stream = self._workers.execute(node, fragment, cancellation)
        except BaseException:
            self._workers.release(node, lease.id)
            raise
        return _then(stream, partial(self._workers.release, node, lease.id)), lease

    def _node(self, planned: Planned) -> str:
        if planned.tables:
            return self._workers.owner(planned.tables[0], None)
        return self._workers.nodes()[0]

    def _fragment(
        self,
        planned: Planned,
        values: tuple[object, ...] | None,
        lease: Lease,
        extra: tuple[TableSource, ...],
    ) -> Fragment:
        query = planned.query
        for source in query.sources:
            view = lease.views.get(source.table.id)  # None: pinned before a drop and a new start.
            if view is None or view.table.schema_version != source.table.schema_version:
                raise _Outdated
        if query.count_column:
            view = lease.views[query.sources[0].table.id]
            return query.count_fragment(self._plans.row_count(view))
        sources = [
            self._plans.source(source, lease.views[source.table.id], values)
            for source in query.sources
        ]
        return Fragment(query.sql, (*sources, *extra), values)

    def _kept(
        self,
        stream: BatchStream,
        planned: Planned,
        key: tuple[object, ...] | None,
        lease: Lease,
    ) -> BatchStream:
        """The stream, its batches kept for the result cache when they end and are few."""
        if key is None or not self._results.bytes_max:
            return stream
        seen = tuple(
            (table.id, lease.views[table.id].version, lease.views[table.id].lsn)
            for table in planned.tables
        )
        if seen != key[-1]:
            return stream  # Rows came between reading the marks and pinning: the key would lie.
        final_key = key

        def batches() -> Iterator[pa.RecordBatch]:
            kept: list[pa.RecordBatch] | None = []
            size = 0
            for batch in stream:
                if kept is not None:
                    size += batch.get_total_buffer_size()
                    kept = None if size > ANSWER_BYTES_MAX else [*kept, batch]
                yield batch
            if kept is not None:
                self._results.put(final_key, pa.Table.from_batches(kept, schema=stream.schema))

        return BatchStream(stream.schema, batches(), stream.close)

    def _counted(self, stream: BatchStream, statement: Statement, started_s: float) -> BatchStream:
        has_failed = False

        def batches() -> Iterator[pa.RecordBatch]:
            nonlocal has_failed
            try:
                yield from stream
            except FlightdbError:
                has_failed = True
                raise
            finally:
                outer.close()

        def close() -> None:
            stream.close()
            self._ended(statement.query_id, started_s, has_failed=has_failed)

        outer = BatchStream(stream.schema, batches(), close)
        return outer

    def _ended(self, query_id: str, started_s: float, *, has_failed: bool) -> None:
        self._running.leave(query_id)
        with self._lock:
            self.count += 1
            self.failure_count += has_failed
            self.seconds += self._clock.monotonic_s() - started_s


def _values(statement: Statement, planned: Planned) -> tuple[object, ...] | None:
    """The one row of parameters as values.

    Raises:
        InvalidQuery: another number of parameters, or not one row.
    """
    batch = statement.parameters
    given = batch.num_columns if batch is not None else 0
    if given != planned.query.parameter_count:
        raise InvalidQuery(
            f"wrong number of parameters: expected {planned.query.parameter_count}, got {given}"
        )
    if batch is None or given == 0:
        return None
    if len(batch) != 1:
        raise InvalidQuery(f"a query takes one row of parameters: got {len(batch)} rows")
    return tuple(column[0] for column in batch.columns)


def _then(stream: BatchStream, release: Callable[[], None]) -> BatchStream:
    def close() -> None:
        try:
            stream.close()
        finally:
            release()

    return BatchStream(stream.schema, iter(stream), close)
