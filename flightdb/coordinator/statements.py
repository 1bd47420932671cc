"""Statements of every kind: told apart, described, and those that change something run to their end."""

from collections.abc import Iterator

import pyarrow as pa

from flightdb.coordinator.plans import Planned, Plans
from flightdb.coordinator.queries import Queries
from flightdb.coordinator.service import Described, StatementKind, WriteMode
from flightdb.coordinator.tables import Tables
from flightdb.coordinator.writes import IngestOptions, Writes
from flightdb.engine.engine import Engine
from flightdb.errors import AlreadyExists, InvalidQuery, NotFound
from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.snapshot import Snapshot
from flightdb.model.statement import Statement
from flightdb.model.table import TableKind
from flightdb.planner.insert import PlannedInsert, parameter_source
from flightdb.planner.statement import DropTable, PlannedCreate, PlannedQuery


class Statements:
    """Thread-safe."""

    def __init__(
        self, plans: Plans, queries: Queries, writes: Writes, tables: Tables, engine: Engine
    ) -> None:
        """Parts of one coordinator; `engine` tells the column types of a CREATE TABLE."""
        self._plans = plans
        self._queries = queries
        self._writes = writes
        self._tables = tables
        self._engine = engine

    def describe(self, sql: str) -> Described:
        """See `Service.describe`."""
        planned = self._plans.plan(sql)
        statement = planned.statement
        if isinstance(statement, PlannedQuery):
            schema = self._plans.schema(planned)
            return Described(StatementKind.QUERY, schema, statement.parameters)
        parameters = pa.schema([])
        if isinstance(statement, PlannedInsert):
            self._plans.schema(planned)  # Binds it: what cannot run is told at prepare.
            parameters = statement.parameters
        elif isinstance(statement, PlannedCreate) and statement.query is not None:
            self._plans.schema(planned)
            parameters = statement.query.parameters
        return Described(StatementKind.UPDATE, pa.schema([]), parameters)

    def update(
        self, statement: Statement, cancellation: Cancellation
    ) -> tuple[int, Snapshot | None]:
        """Runs a statement that changes something; gives the rows changed, and the last snapshot of a dropped table.

        Raises:
            InvalidQuery: it is a query.
        """
        planned = self._plans.plan(statement.sql)
        match planned.statement:
            case PlannedInsert():
                return self._insert(planned, planned.statement, statement, cancellation), None
            case PlannedCreate():
                return self._create(planned, planned.statement, statement, cancellation), None
            case DropTable(name=name, if_exists=if_exists):
                return 0, self._tables.drop(name, if_exists=if_exists)[0]
            case _:
                raise InvalidQuery("statement is a query: expected one that changes something")

    def _insert(
        self,
        planned: Planned,
        insert: PlannedInsert,
        statement: Statement,
        cancellation: Cancellation,
    ) -> int:
        given = statement.parameters
        wanted = len(insert.parameters)
        if (given.num_columns if given is not None else 0) != wanted:
            got = given.num_columns if given is not None else 0
            raise InvalidQuery(f"wrong number of parameters: expected {wanted}, got {got}")
        schema = self._plans.schema(planned)
        if len(schema) != len(insert.columns):
            raise InvalidQuery(
                f"wrong number of values: expected {len(insert.columns)} (one a column),"
                f" got {len(schema)}, table={insert.table.name}"
            )
        if insert.takes_rows and given is not None:
            stream = self._queries.stream(planned, (), cancellation, (parameter_source(given),))
        else:
            stream = self._each(planned, given, cancellation)
        options = IngestOptions()
        with stream:
            ack = self._writes.ingest(
                insert.table.name, stream, WriteMode.APPEND, cancellation, options
            )
        return ack.row_count

    def _each(
        self, planned: Planned, given: pa.RecordBatch | None, cancellation: Cancellation
    ) -> BatchStream:
        """The query's rows for each row of parameters, one after the other."""
        rows = [()] if given is None or not given.num_columns else _rows(given)

        def batches() -> Iterator[pa.RecordBatch]:
            for values in rows:
                with self._queries.stream(planned, values, cancellation) as stream:
                    yield from stream

        return BatchStream(self._plans.schema(planned), batches())

    def _create(
        self,
        planned: Planned,
        created: PlannedCreate,
        statement: Statement,
        cancellation: Cancellation,
    ) -> int:
        create = created.create
        if not create.or_replace and self._is_there(create.name):
            if create.if_not_exists:
                return 0
            raise AlreadyExists(f"table already exists: name={create.name}")
        if created.query is not None:
            stream = self._each(planned, statement.parameters, cancellation)
        elif not create.or_replace:
            schema = self._engine.table_schema(create.ddl)
            table = self._tables.planned(create.name, TableKind.PLAIN, schema)
            self._tables.create(table, if_not_exists=create.if_not_exists)
            return 0
        else:
            stream = BatchStream(self._engine.table_schema(create.ddl), iter(()))
        mode = WriteMode.REPLACE if create.or_replace else WriteMode.CREATE
        with stream:
            ack = self._writes.ingest(create.name, stream, mode, cancellation, IngestOptions())
        return ack.row_count

    def _is_there(self, name: str) -> bool:
        try:
            self._tables.find(name)
        except NotFound:
            return False
        return True


def _rows(batch: pa.RecordBatch) -> list[tuple[object, ...]]:
    return [tuple(column[row] for column in batch.columns) for row in range(len(batch))]
