"""The engine over one DuckDB instance in this process."""

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from flightdb.engine.ddl import table_schema
from flightdb.engine.engine import Ast, Function
from flightdb.engine.errors import EngineError, parse_error, translate
from flightdb.engine.mappings import Mappings
from flightdb.engine.running import Running
from flightdb.engine.sandbox import Limits, open_sandbox
from flightdb.engine.sources import Bound, bind
from flightdb.engine.stream import Stream
from flightdb.engine.types import ClientType, client_types
from flightdb.engine.values import bindable
from flightdb.errors import InvalidQuery, Unavailable
from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.names import quote
from flightdb.model.source import Fragment

CLOSE_WAIT_S = 2.0
"""How long closing waits for queries that it has stopped; one that nobody reads any more does not end by itself."""


class DuckDBEngine:
    """Implements `engine.Engine`; a fresh cursor a query, which costs 3 us.

    A query that is open counts against nothing here: admission is the caller's.
    """

    def __init__(
        self,
        *,
        data_dir: Path,
        temp_dir: Path,
        memory_bytes: int = 1 << 30,
        temp_bytes: int = 10 << 30,
        threads: int = 2,
    ) -> None:
        """Only files below `data_dir` can be read.

        `temp_dir` is made, mode 0700, for spilling; SQL can reach it, so give it to no other.
        """
        temp_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        temp_dir.chmod(0o700)
        limits = Limits(data_dir.absolute(), temp_dir.absolute(), memory_bytes, temp_bytes, threads)
        self._connection = open_sandbox(limits)
        self._mappings = Mappings()
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._running: set[Running] = set()
        self._is_closed = False

    @property
    def version(self) -> str:
        """As the protocol says."""
        return f"duckdb {duckdb.__version__}"

    # --- SQL text and trees ---

    def parse(self, sql: str) -> Ast:
        """As the protocol says."""
        row = self._row("SELECT json_serialize_sql(?)", sql)
        try:
            document = json.loads(row)
        except RecursionError:
            raise InvalidQuery("statement is nested too deeply") from None
        if document.get("error"):
            raise parse_error(document["error_message"], document.get("position"))
        statements = document["statements"]
        if len(statements) != 1:
            raise InvalidQuery(f"expected one statement: count={len(statements)}")
        tree: Ast = statements[0]
        return tree

    def render(self, ast: Ast) -> str:
        """As the protocol says."""
        try:
            document = json.dumps({"error": False, "statements": [ast]})
        except RecursionError:
            raise InvalidQuery("statement is nested too deeply") from None
        return self._row("SELECT json_deserialize_sql(?::JSON)", document)

    def functions(self) -> Sequence[Function]:
        """As the protocol says."""
        rows = self._rows(
            "SELECT DISTINCT function_name, function_type, coalesce(stability, '') "
            "FROM duckdb_functions() ORDER BY ALL"
        )
        return tuple(
            Function(str(name), str(kind), str(stability)) for name, kind, stability in rows
        )

    def _row(self, sql: str, argument: str) -> str:
        return str(self._rows(sql, argument)[0][0])

    def _rows(self, sql: str, *arguments: str) -> list[Any]:
        with self._cursor() as cursor:
            try:
                return cursor.execute(sql, list(arguments)).fetchall()
            except EngineError as error:
                raise translate(error, None) from error

    # --- queries ---

    def describe(self, fragment: Fragment) -> pa.Schema:
        """As the protocol says."""
        files = _files(fragment)
        with self._cursor() as cursor:
            try:
                relation = _relation(cursor, bind(fragment, self._mappings), fragment)
                return _schema(relation)[0]
            except EngineError as error:
                raise translate(error, None, files) from error

    def run(
        self, fragment: Fragment, cancellation: Cancellation, *, rows_per_batch: int = 65_536
    ) -> BatchStream:
        """As the protocol says."""
        cancellation.check()
        files = _files(fragment)
        running = self._start(cancellation)
        try:
            reader, schema = self._execute(running.cursor, fragment, rows_per_batch)
            cancellation.check()
        except EngineError as error:
            running.close()
            raise translate(error, cancellation, files) from error
        except BaseException:
            running.close()
            raise
        stream = Stream(running, reader, schema, files)
        return BatchStream(schema, iter(stream), stream.close)

    def _start(self, cancellation: Cancellation) -> Running:
        running = Running(self._cursor(), cancellation, self._running_discard)
        with self._lock:
            self._running.add(running)
            is_late = self._is_closed
        if is_late:
            running.stop()
        return running

    def _running_discard(self, running: Running) -> None:
        with self._lock:
            self._running.discard(running)
            self._ended.notify_all()

    def _execute(
        self, cursor: duckdb.DuckDBPyConnection, fragment: Fragment, rows: int
    ) -> tuple[pa.RecordBatchReader, pa.Schema]:
        bound = bind(fragment, self._mappings)
        relation = _relation(cursor, bound, fragment)
        schema, types = _schema(relation)
        if any(type_.cast for type_ in types):
            relation = _cast(cursor, relation, types, Bound(bound.sql), fragment)
        return relation.to_arrow_reader(rows), schema

    def table_schema(self, ddl: str) -> pa.Schema:
        """As the protocol says."""
        return table_schema(ddl)

    # --- state ---

    def statistics(self) -> Mapping[str, int]:
        """As the protocol says."""
        rows = self._rows(
            "SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT, "
            "coalesce(sum(temporary_storage_bytes), 0)::BIGINT FROM duckdb_memory()"
        )
        return {"memory_bytes": int(rows[0][0]), "temporary_bytes": int(rows[0][1])}

    def close(self) -> None:
        """As the protocol says."""
        with self._lock:
            self._is_closed = True
            running = tuple(self._running)
        for query in running:
            query.stop()
        with self._lock:
            # A connection cannot be closed while a query of one of its cursors is on its way out.
            self._ended.wait_for(lambda: not self._running, CLOSE_WAIT_S)
        self._mappings.close()
        with self._lock:
            self._connection.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        # A connection refuses a call while another thread is in one.
        with self._lock:
            if self._is_closed:
                raise Unavailable("engine is closed")
            return self._connection.cursor()


def _files(fragment: Fragment) -> tuple[str, ...]:
    return tuple(file for source in fragment.sources for file in source.files)


def _relation(
    cursor: duckdb.DuckDBPyConnection, bound: Bound, fragment: Fragment
) -> duckdb.DuckDBPyRelation:
    for name, table in bound.tables.items():
        cursor.register(name, table)
    relation = cursor.sql(bound.sql, params=bindable(fragment.parameters))
    if relation is None:
        raise InvalidQuery("statement has no answer: expected a SELECT")
    return relation


def _schema(relation: duckdb.DuckDBPyRelation) -> tuple[pa.Schema, list[ClientType]]:
    types = client_types(relation.types)
    fields = [
        pa.field(name, type_.arrow) for name, type_ in zip(relation.columns, types, strict=True)
    ]
    return pa.schema(fields), types


def _cast(
    cursor: duckdb.DuckDBPyConnection,
    relation: duckdb.DuckDBPyRelation,
    types: Sequence[ClientType],
    bound: Bound,
    fragment: Fragment,
) -> duckdb.DuckDBPyRelation:
    """The same rows, types without a client form cast in SQL; by position, as names may repeat."""
    columns = ", ".join(
        (f"CAST(#{index} AS {type_.cast})" if type_.cast else f"#{index}") + f" AS {quote(name)}"
        for index, (name, type_) in enumerate(zip(relation.columns, types, strict=True), 1)
    )
    # The text was rendered from a checked tree; names are quoted.
    sql = f"SELECT {columns} FROM ({bound.sql})"  # noqa: S608  # see above
    return _relation(cursor, Bound(sql), fragment)
