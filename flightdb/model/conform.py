"""Batches brought to a table's schema, and from there to its files' schema."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flightdb.errors import InvalidPayload
from flightdb.model.convert import exact, to_logical_array, to_physical_array
from flightdb.model.names import fold
from flightdb.model.packed import interval_struct
from flightdb.model.types import INTERVAL, is_stored_as_is, physical_of

NAMES_SHOWN = 20
"""Columns listed in an error: enough to see a misspelling, never a page."""


def conform(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """`batch` with exactly the columns of `schema` (logical), in its order and types; zero-copy
    where they fit already.

    Columns are found by name, exactly or else without regard to case. A missing nullable column is
    filled with nulls. Only lossless casts: integers to other widths where each value fits, integers
    to floats where exact, decimals, units of time, text to UUID; a timestamp without a zone is
    taken as UTC. Never text to numbers.

    Raises:
        InvalidPayload: an unknown or missing column, a type or value that does not fit, a null
            where none may be.
    """
    if not batch.schema.equals(schema):
        batch = _match(batch, schema)
    for index in _guarded(schema):
        _check_column(batch.column(index), schema.field(index))
    return batch


def to_physical(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The physical values of `batch`, whose schema is `schema` (logical); columns that are the same
    are not copied.

    Raises:
        InvalidPayload: a value has no exact physical form; column and reason are named.
    """
    arrays = [
        to_physical_array(column, field.type, field.name)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=_physical(schema))


@lru_cache(maxsize=1024)
def _physical(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(f.name, physical_of(f.type), f.nullable) for f in schema])


def _match(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    found = _columns_by_field(batch, schema)
    arrays = []
    for index, field in enumerate(schema):
        if index in found:
            arrays.append(to_logical_array(found[index], field.type, field.name))
        elif field.nullable:
            arrays.append(pa.nulls(batch.num_rows, field.type))
        else:
            raise InvalidPayload(f"column is missing: column={field.name}, it has no default")
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _columns_by_field(batch: pa.RecordBatch, schema: pa.Schema) -> dict[int, Any]:
    exactly, folded = _indexes(schema)
    found: dict[int, Any] = {}
    for field, column in zip(batch.schema, batch.columns, strict=True):
        index = exactly.get(field.name, folded.get(fold(field.name)))
        if index is None and pa.types.is_null(field.type):
            continue
        if index is None:
            known = ", ".join(schema.names[:NAMES_SHOWN])
            raise InvalidPayload(
                f"unknown column: column={field.name[:80]}, the table has {known}"
                + (", ..." if len(schema) > NAMES_SHOWN else "")
            )
        if index in found:
            raise InvalidPayload(f"column is there twice: column={field.name[:80]}")
        found[index] = column
    return found


@lru_cache(maxsize=1024)
def _indexes(schema: pa.Schema) -> tuple[dict[str, int], dict[str, int]]:
    exactly = {field.name: index for index, field in enumerate(schema)}
    return exactly, {fold(name): index for name, index in exactly.items()}


def _check_nulls(column: Any, name: str) -> None:
    if column.null_count:
        row = pc.index(column.is_null(), value=True).as_py()
        raise InvalidPayload(f"null in a column that allows none: column={name}, row={row}")


@lru_cache(maxsize=1024)
def _guarded(schema: pa.Schema) -> tuple[int, ...]:
    """Columns whose values need a look even when the type is right."""
    return tuple(
        index
        for index, field in enumerate(schema)
        if not field.nullable or not is_stored_as_is(field.type) or _guard(field.type)
    )


def _check_column(column: Any, field: Any) -> None:
    if not field.nullable:
        _check_nulls(column, field.name)
    _check_values(column, field.type, field.name)


def _check_values(column: Any, logical: Any, name: str) -> None:
    if column.null_count == len(column):
        return  # Nor can Arrow flatten a list column of nothing but nulls over every type.
    check = _guard(logical)
    if check is not None:
        check(column, name)
    elif pa.types.is_struct(logical):
        for child, values in zip(logical, column.flatten(), strict=True):
            _check_values(values, child.type, f"{name}.{child.name}")
    elif pa.types.is_map(logical):
        _check_values(column.keys, logical.key_type, f"{name}.key")
        _check_values(column.items, logical.item_type, f"{name}.value")
    elif pa.types.is_list(logical) or pa.types.is_fixed_size_list(logical):
        _check_values(column.flatten(), logical.value_type, f"{name}[]")


def is_guarded(logical: Any) -> bool:
    """Whether the type, at any depth, holds values that no table takes."""
    if _guard(logical) is not None:
        return True
    if pa.types.is_nested(logical):
        return any(is_guarded(logical.field(index).type) for index in range(logical.num_fields))
    return False


def _guard(logical: Any) -> Callable[[Any, str], None] | None:
    return next((guard for matches, guard in _GUARDS if matches(logical)), None)


def _check_interval(column: Any, name: str) -> None:
    nanos = interval_struct(column).field(2)
    _check_whole_micros(pc.if_else(column.is_valid(), nanos, 0), name)


def _check_duration(column: Any, name: str) -> None:
    """The engine's INTERVAL holds microseconds and leaves it as nanoseconds: both must be exact."""
    nanos = exact(lambda: pc.cast(column, pa.duration("ns")), name, column.type)
    if column.type.unit == "ns":
        _check_whole_micros(nanos.view(pa.int64()), name)


def _check_whole_micros(nanos: Any, name: str) -> None:
    whole = pc.multiply(pc.divide(nanos, 1000), 1000)
    if pc.all(pc.equal(whole, nanos)).as_py() is False:
        raise InvalidPayload(
            f"interval is finer than the engine's: column={name}, expected microseconds"
        )


def _check_time(column: Any, name: str) -> None:
    day = 86_400_000_000 * (1_000 if column.type.unit == "ns" else 1)
    _check_range(column, name, 0, day - 1)


def _check_timestamp(column: Any, name: str) -> None:
    low, high = TIMESTAMP_BOUNDS[column.type.unit]
    _check_range(column, name, low, high)


def _check_date(column: Any, name: str) -> None:
    _check_range(column, name, DATE_MIN_DAYS, DATE_MAX_DAYS)


def _check_range(column: Any, name: str, low: int, high: int) -> None:
    width = pa.int32() if column.type.bit_width == 32 else pa.int64()
    bounds: Any = pc.min_max(column.view(width)).as_py()
    if bounds["min"] is not None and (bounds["min"] < low or bounds["max"] > high):
        raise InvalidPayload(
            f"value is out of the engine's range: column={name}, type={column.type}, "
            f"expected {low} to {high}, min={bounds['min']}, max={bounds['max']}"
        )


TIMESTAMP_BOUNDS = {
    "s": (-9_223_372_022_400, 9_223_372_036_853),
    "ms": (-9_223_372_022_400_000, 9_223_372_036_853_999),
    "us": (-9_223_372_022_400_000_000, 9_223_372_036_854_775_806),
    "ns": (-9_223_286_400_000_000_000, 9_223_372_036_854_775_806),
}
"""DuckDB's timestamps; the ends of int64 mean infinity there, and it keeps whole days below."""

DATE_MIN_DAYS, DATE_MAX_DAYS = -2_147_483_646, 2_147_483_646
"""DuckDB's dates; the ends of int32 mean infinity there."""

_GUARDS: tuple[tuple[Callable[[Any], bool], Callable[[Any, str], None]], ...] = (
    (lambda t: t == INTERVAL, _check_interval),
    (pa.types.is_duration, _check_duration),
    (pa.types.is_time, _check_time),
    (pa.types.is_timestamp, _check_timestamp),
    (pa.types.is_date, _check_date),
)
