"""Statements of every kind: told apart, described, and those that change something run to their end."""

from flightdb.coordinator.plans import Plans
from flightdb.coordinator.queries import Queries
from flightdb.coordinator.service import Described, StatementKind
from flightdb.coordinator.tables import Tables
from flightdb.coordinator.writes import Writes
from flightdb.engine.engine import Engine
from flightdb.errors import Unsupported
from flightdb.model.cancellation import Cancellation
from flightdb.model.snapshot import Snapshot
from flightdb.model.statement import Statement


class Statements:
    """Thread-safe."""

    def __init__(
        self, plans: Plans, queries: Queries, writes: Writes, tables: Tables, engine: Engine
    ) -> None:
        """Parts of one coordinator."""
        self._plans = plans
        self._queries = queries
        self._writes = writes
        self._tables = tables
        self._engine = engine

    def describe(self, sql: str) -> Described:
        """See `Service.describe`."""
        planned = self._plans.plan(sql)
        schema = self._plans.schema(planned)
        return Described(StatementKind.QUERY, schema, planned.query.parameters)

    def update(
        self, statement: Statement, cancellation: Cancellation
    ) -> tuple[int, Snapshot | None]:
        """Rows changed, and the last snapshot of a table that was dropped."""
        raise Unsupported("not yet")
