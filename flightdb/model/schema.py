"""Schemas of tables: the form that a table keeps, what is written for it, and how it may change.

One place to import from: conversions live in `model/convert.py`, types in `model/types.py`, checks
of foreign batches in `model/foreign.py`, the text form in `model/encode.py`.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import pyarrow as pa

from flightdb.errors import InvalidPayload, InvalidRequest
from flightdb.model.conform import conform, to_physical
from flightdb.model.convert import castable
from flightdb.model.encode import (
    decode_table,
    decode_type,
    encode_type,
    field_metadata,
    table_properties,
)
from flightdb.model.foreign import check_foreign, check_foreign_schema
from flightdb.model.names import RESERVED_PREFIX, fold, quote
from flightdb.model.sqltypes import sql_from_physical, sql_name
from flightdb.model.types import is_stored_as_is, logical_type, physical_type

__all__ = [
    "check_foreign",
    "check_foreign_schema",
    "conform",
    "decode_table",
    "decode_type",
    "encode_type",
    "evolve",
    "field_metadata",
    "logical_of",
    "logical_projection",
    "logical_type",
    "physical_schema",
    "physical_type",
    "sql_name",
    "table_properties",
    "to_physical",
    "widens",
]

COLUMNS_MAX = 4_000
"""Each column costs a field in every log entry, footer and plan; DuckDB itself slows down beyond
this."""

NAME_BYTES_MAX = 255
"""Column names go into Parquet footers, log entries and SQL text."""


def logical_of(schema: pa.Schema) -> pa.Schema:
    """The form of a declared schema that a table keeps: logical types, top-level nullability, no
    metadata.

    Raises:
        InvalidRequest: no columns or too many; a name that is empty, too long, reserved or there
            twice (without regard to case); a type without an exact form. The column is named.
    """
    if not 0 < len(schema) <= COLUMNS_MAX:
        raise InvalidRequest(
            f"wrong number of columns: expected 1 to {COLUMNS_MAX}, count={len(schema)}"
        )
    seen: set[str] = set()
    fields = []
    for field in schema:
        _check_column_name(field.name, seen)
        seen.add(fold(field.name))
        fields.append(pa.field(field.name, logical_type(field.type, field.name), field.nullable))
    return pa.schema(fields)


def _check_column_name(name: str, seen: set[str]) -> None:
    if not name or len(name.encode()) > NAME_BYTES_MAX or "\x00" in name:
        raise InvalidRequest(
            f"invalid column name: expected 1 to {NAME_BYTES_MAX} bytes without NUL, "
            f"column={name[:80]!r}"
        )
    if fold(name).startswith(RESERVED_PREFIX):
        raise InvalidRequest(
            f"reserved column name: expected one without the prefix {RESERVED_PREFIX}, column={name}"
        )
    if fold(name) in seen:
        raise InvalidRequest(f"column is there twice (names compare without case): column={name}")


def physical_schema(schema: pa.Schema) -> pa.Schema:
    """What Parquet and Delta hold for a logical (or declared) schema; nullability stays.

    Raises:
        InvalidRequest: a type without an exact form; the column is named.
    """
    return pa.schema([pa.field(f.name, physical_type(f.type, f.name), f.nullable) for f in schema])


@lru_cache(maxsize=1024)
def logical_projection(schema: pa.Schema) -> tuple[tuple[str, str | None], ...]:
    """For each column of a logical schema its name and the SQL that makes it from the physical
    column of that name.

    None where the physical column is right as it is. Example: `a uint8, b string` gives
    `(("a", 'CAST("a" AS UTINYINT)'), ("b", None))`.
    """
    return tuple(
        (f.name, None if is_stored_as_is(f.type) else sql_from_physical(f.type, quote(f.name)))
        for f in schema
    )


def evolve(schema: pa.Schema, incoming: Iterable[Any]) -> pa.Schema:
    """The schema that holds both, for `incoming` Arrow fields; itself when nothing changes.

    New columns are added at the end, nullable; an integer column that meets floating numbers
    becomes float64. A new column of type null is left out: nothing is known of it.

    Raises:
        InvalidPayload: a column has another type that cannot become the table's; both are named.
        InvalidRequest: a new column's name or type cannot be stored, or there would be too many.
    """
    by_name = {fold(field.name): index for index, field in enumerate(schema)}
    fields = list(schema)
    is_changed = False
    for new in incoming:
        index = by_name.get(fold(new.name))
        if index is None and not pa.types.is_null(new.type):
            by_name[fold(new.name)] = len(fields)
            fields.append(pa.field(new.name, new.type))
            is_changed = True
        elif index is not None and _must_widen(fields[index], new):
            fields[index] = pa.field(fields[index].name, pa.float64(), fields[index].nullable)
            is_changed = True
    return logical_of(pa.schema(fields)) if is_changed else schema


def _must_widen(field: Any, new: Any) -> bool:
    if pa.types.is_integer(field.type) and pa.types.is_floating(new.type):
        return True
    if not castable(new.type, field.type):
        raise InvalidPayload(
            f"column has another type: column={field.name}, expected {field.type}, type={new.type}"
        )
    return False


def widens(old: pa.Schema, new: pa.Schema) -> frozenset[str]:
    """Names of the columns of `old` whose type is another in `new`: files that hold them must be
    rewritten.
    """
    by_name = {fold(field.name): field for field in new}
    return frozenset(
        field.name
        for field in old
        if fold(field.name) in by_name and by_name[fold(field.name)].type != field.type
    )
