"""A table source as SQL text and Arrow tables: its files and its unflushed rows as one relation."""

from dataclasses import dataclass, field

import pyarrow as pa

from flightdb.engine.mappings import Mappings
from flightdb.model.names import RESERVED_PREFIX, quote, quote_text
from flightdb.model.schema import conform, logical_projection, physical_schema, sql_name
from flightdb.model.source import ArrowSegment, BufferPart, Fragment, TableSource

ROWS_PER_CHUNK_MIN = 8_192
"""Chunks smaller than this on average are joined: DuckDB pays about 10 us a chunk."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A fragment as the engine runs it: SQL text, and what its made names stand for."""

    sql: str
    tables: dict[str, pa.Table] = field(default_factory=dict)


def bind(fragment: Fragment, mappings: Mappings) -> Bound:
    """The fragment's statement with one CTE a source in front; buffers are mapped, not copied.

    CTEs are never materialised, so filters and projections reach the Parquet reader.
    """
    tables: dict[str, pa.Table] = {}
    ctes = [
        f"{quote(source.alias)} AS NOT MATERIALIZED ({_relation(source, tables, mappings)})"
        for source in fragment.sources
    ]
    return Bound(_prepend(ctes, fragment.sql), tables)


def _prepend(ctes: list[str], sql: str) -> str:
    """`sql` as DuckDB renders it begins with its own `WITH [RECURSIVE] `, or with none."""
    if sql.startswith(("DESCRIBE ", "SUMMARIZE ")):
        sql = f"SELECT * FROM ({sql})"  # noqa: S608  # rendered from a checked tree
    if not ctes:
        return sql
    for head in ("WITH RECURSIVE ", "WITH "):
        if sql.startswith(head):
            return f"{head}{', '.join(ctes)}, {sql[len(head) :]}"
    return f"WITH {', '.join(ctes)} {sql}"


def _relation(source: TableSource, tables: dict[str, pa.Table], mappings: Mappings) -> str:
    parts = []
    if source.files:
        parts.append(_files(source))
    rows = _rows(source, mappings)
    if rows is not None:
        name = f"{RESERVED_PREFIX}_rows_{len(tables)}"
        tables[name] = rows
        parts.append(f"SELECT * FROM {name}")  # noqa: S608  # a made name
    return " UNION ALL ".join(parts) if parts else _empty(source)


def _files(source: TableSource) -> str:
    columns = ", ".join(
        quote(name) if sql is None else f"{sql} AS {quote(name)}"
        for name, sql in logical_projection(source.schema)
    )
    paths = ", ".join(quote_text(path) for path in source.files)
    options = "hive_partitioning=false, binary_as_string=false"
    if not source.is_evolved:
        return f"SELECT {columns} FROM read_parquet([{paths}], {options})"  # noqa: S608  # quoted
    # The files that are read may all be older than a column: an empty relation brings it in.
    known = ", ".join(
        f"CAST(NULL AS {sql_name(column.type)}) AS {quote(column.name)}"
        for column in physical_schema(source.schema)
    )
    files = f"SELECT * FROM read_parquet([{paths}], {options}, union_by_name=true)"  # noqa: S608  # quoted
    parts = f"{files} UNION ALL BY NAME SELECT {known} WHERE false"
    return f"SELECT {columns} FROM ({parts})"  # noqa: S608  # names and paths are quoted


def _rows(source: TableSource, mappings: Mappings) -> pa.Table | None:
    batches = [
        batch
        for part in source.buffers
        for segment in part.segments
        if (batch := _batch(part, segment, source.schema, mappings)).num_rows
    ]
    if not batches:
        return None
    table = pa.Table.from_batches(batches)
    if len(batches) > 1 and table.num_rows < ROWS_PER_CHUNK_MIN * len(batches):
        return table.combine_chunks()
    return table


def _batch(
    part: BufferPart, segment: ArrowSegment, schema: pa.Schema, mappings: Mappings
) -> pa.RecordBatch:
    batch = pa.ipc.read_record_batch(mappings.buffer(segment), part.schema)
    return batch if part.schema.equals(schema) else conform(batch, schema)


def _empty(source: TableSource) -> str:
    columns = ", ".join(
        f"CAST(NULL AS {sql_name(column.type)}) AS {quote(column.name)}" for column in source.schema
    )
    return f"SELECT {columns} WHERE false"
