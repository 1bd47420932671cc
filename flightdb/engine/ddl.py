"""Which Arrow schema a CREATE TABLE text means: DuckDB makes the table, in an instance of its own."""

from typing import Any

import duckdb
import pyarrow as pa

from flightdb.engine.errors import EngineError, translate
from flightdb.engine.sandbox import Limits, open_sandbox
from flightdb.engine.types import client_type
from flightdb.errors import InvalidRequest

SCRATCH = Limits(data_dir=None, temp_dir=None, memory_bytes=64 << 20, temp_bytes=0, threads=1)
"""The instance only ever makes one empty table; it opens no file."""


def table_schema(ddl: str) -> pa.Schema:
    """The schema of the one table that `ddl` makes; nothing of it stays. About 15 ms.

    Raises:
        InvalidQuery: DuckDB refuses the text.
        InvalidRequest: a column's type has no Arrow form of its own; the column is named.
    """
    connection = open_sandbox(SCRATCH)
    try:
        connection.execute(ddl).fetchall()
        names = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        relation = connection.table(str(names[0][0]))
        required = _required(connection)
        return pa.schema(
            [
                pa.field(name, _declared(type_, name), name not in required)
                for name, type_ in zip(relation.columns, relation.types, strict=True)
            ]
        )
    except EngineError as error:
        raise translate(error, None) from error
    finally:
        connection.close()


def _required(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        "SELECT column_name FROM duckdb_columns() WHERE NOT is_nullable AND NOT internal"
    ).fetchall()
    return {str(row[0]) for row in rows}


def _declared(type_: Any, column: str) -> Any:
    if type_.id == "uuid":
        return pa.uuid()
    found = client_type(type_)
    if found.cast:
        raise InvalidRequest(
            "column type cannot be stored: expected a type with an exact form in Arrow and "
            f"Parquet, column={column}, type={type_}"
        )
    return found.arrow
