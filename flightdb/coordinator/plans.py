"""Plans of statements, kept by text for as long as the tables they name stay as they are."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from threading import Lock
from typing import Any

import pyarrow as pa

from flightdb.catalog.catalog import Catalog
from flightdb.cluster.workers import TableView
from flightdb.engine.engine import Engine
from flightdb.errors import InvalidQuery, NotFound
from flightdb.model.source import Fragment, TableSource
from flightdb.model.table import Table
from flightdb.planner.functions import allow_list
from flightdb.planner.insert import PlannedInsert, parameter_source
from flightdb.planner.plan import PlannedQuery, PlannedSource
from flightdb.planner.prune import prune
from flightdb.planner.statement import PlannedCreate, PlannedStatement, plan_statement
from flightdb.storage.store import ObjectStore

_FILE_LISTS_MAX = 1_000


@dataclass(slots=True)
class Planned:
    """A statement's plan. `tables`: those that its query reads; `known`: those that it was made for."""

    statement: PlannedStatement
    tables: tuple[Table, ...]
    known: tuple[Table, ...]
    schemas: dict[tuple[str, ...], pa.Schema] = field(default_factory=dict)

    @property
    def query(self) -> PlannedQuery:
        """The query that is run: of a SELECT, or of the rows that an INSERT or CREATE TABLE AS brings.

        Raises:
            InvalidQuery: the statement has none.
        """
        query = _query(self.statement)
        if query is None:
            raise InvalidQuery("statement has no answer: expected a query")
        return query


class Plans:
    """Thread-safe."""

    def __init__(
        self, catalog: Catalog, store: ObjectStore, engine: Engine, plans_max: int
    ) -> None:
        """`engine` parses, renders and describes. `plans_max`: plans kept."""
        self._plans_max = plans_max
        self._catalog = catalog
        self._store = store
        self._engine = engine
        self.functions = allow_list(engine.functions())
        self._lock = Lock()
        self._plans: OrderedDict[str, Planned] = OrderedDict()
        self._files: OrderedDict[tuple[str, int], tuple[str, ...]] = OrderedDict()

    def find(self, name: str) -> Table:
        """The table of that name. Raises NotFound, with the nearest name there is."""
        try:
            return self._catalog.load(name).table
        except NotFound:
            names = [table.name for table in self._catalog.tables()]
            near = get_close_matches(name, names, n=1, cutoff=0.7)
            hint = f"; the nearest is {near[0]}" if near else ""
            raise NotFound(f"table not found: name={name[:100]}{hint}") from None

    def known(self, sql: str) -> Planned | None:
        """The plan, if it was made before and still holds; never blocks."""
        planned = self._plans.get(sql)
        if planned is None or not self._still_holds(planned):
            return None
        return planned

    def plan(self, sql: str) -> Planned:
        """The plan of a statement. Raises what the gate and the resolver raise."""
        planned = self.known(sql)
        if planned is not None:
            return planned
        statement = plan_statement(
            sql, self.find, self._engine.parse, self._engine.render, self.functions
        )
        query = _query(statement)
        read = {source.table.id: source.table for source in query.sources} if query else {}
        known = dict(read)
        if isinstance(statement, PlannedInsert):
            known[statement.table.id] = statement.table
        planned = Planned(statement, tuple(read.values()), tuple(known.values()))
        with self._lock:
            self._plans[sql] = planned
            self._plans.move_to_end(sql)
            while len(self._plans) > self._plans_max:
                self._plans.popitem(last=False)
        return planned

    def _still_holds(self, planned: Planned) -> bool:
        try:
            return all(
                (now := self.find(table.name)).id == table.id
                and now.schema_version == table.schema_version
                for table in planned.known
            )
        except NotFound:
            return False

    def schema(self, planned: Planned, values: tuple[object, ...] | None = None) -> pa.Schema:
        """The schema of the answer; from the engine the first time for each list of the parameters' types.

        Without `values` the parameters count as NULL, and what depends on their types is DuckDB's guess.
        """
        types = tuple(map(_kind, values or ()))
        known = planned.schemas.get(types)
        if known is not None:
            return known
        sources = tuple(
            TableSource(source.alias, source.table.schema) for source in planned.query.sources
        )
        statement = planned.statement
        if isinstance(statement, PlannedInsert) and statement.takes_rows:
            none = pa.RecordBatch.from_pylist([], schema=statement.parameters)
            sources = (*sources, parameter_source(none))
        parameters = values or (None,) * planned.query.parameter_count or None
        schema = self._engine.describe(Fragment(planned.query.sql, sources, parameters))
        if "" not in types:
            planned.schemas[types] = schema
        return schema

    def source(
        self, source: PlannedSource, view: TableView, parameters: Sequence[object] | None
    ) -> TableSource:
        """What the engine reads for one table of the plan: the files that can match, and the buffers."""
        snapshot = self._catalog.at(view.table, view.version)
        segments = prune(snapshot.segments, source.predicate, view.table.schema, parameters or ())
        if len(segments) == len(snapshot.segments):
            files = self._all_files(view, [segment.path for segment in segments])
        else:
            files = tuple(self._openable(view.table, segment.path) for segment in segments)
        return TableSource(
            source.alias, view.table.schema, files, view.buffers, snapshot.is_evolved
        )

    def row_count(self, view: TableView) -> int:
        """Rows of a table in a view, from the log and the buffers; exact."""
        snapshot = self._catalog.at(view.table, view.version)
        return snapshot.row_count + sum(part.row_count for part in view.buffers)

    def _all_files(self, view: TableView, paths: Sequence[str]) -> tuple[str, ...]:
        key = (view.table.id, view.version)
        files = self._files.get(key)
        if files is None:
            files = tuple(self._openable(view.table, path) for path in paths)
            with self._lock:
                self._files[key] = files
                while len(self._files) > _FILE_LISTS_MAX:
                    self._files.popitem(last=False)
        return files

    def _openable(self, table: Table, path: str) -> str:
        return self._store.openable(f"{table.name}/{path}")


def _query(statement: PlannedStatement) -> PlannedQuery | None:
    if isinstance(statement, PlannedQuery):
        return statement
    if isinstance(statement, PlannedInsert | PlannedCreate):
        return statement.query
    return None


def _kind(value: Any) -> str:
    """What the type of an answer may depend on: a NULL has no type for the engine, an empty list or map not all of it ("")."""
    if not getattr(value, "is_valid", value is not None):
        return "null"
    kind = getattr(value, "type", None)
    return "" if kind is not None and pa.types.is_nested(kind) else str(kind or type(value))
