"""Arrow types in three forms: as declared, as a table keeps them (logical), as Parquet and Delta
hold them (physical).

A logical type is one that DuckDB reads from Arrow and gives back unchanged. A physical type is one
that every Delta reader understands with the same numbers (`reference/engine.md` 2.3 "Types"). Both
functions are pure and total: a type without an exact form is refused with the column named.
"""

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from flightdb.errors import InvalidRequest

NESTING_LEVELS_MAX = 16
"""Deeper types are refused: conversions recurse once a level, and DuckDB's expressions nest with
them."""

PRECISION_MAX = 38
"""Decimal digits that DuckDB and Delta have."""

UTC_US = pa.timestamp("us", tz="UTC")
UTC_NS = pa.timestamp("ns", tz="UTC")
INTERVAL = pa.month_day_nano_interval()
UUID = pa.uuid()
INTERVAL_STRUCT = pa.struct([("months", pa.int32()), ("days", pa.int32()), ("nanos", pa.int64())])

KEPT: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
    UTC_US: "TIMESTAMPTZ",
}
"""Logical types that are their own physical form, with DuckDB's name."""

STORED: dict[pa.DataType, tuple[pa.DataType, str, str]] = {
    pa.uint8(): (pa.int16(), "UTINYINT", "CAST({} AS UTINYINT)"),
    pa.uint16(): (pa.int32(), "USMALLINT", "CAST({} AS USMALLINT)"),
    pa.uint32(): (pa.int64(), "UINTEGER", "CAST({} AS UINTEGER)"),
    pa.uint64(): (pa.decimal128(20, 0), "UBIGINT", "CAST({} AS UBIGINT)"),
    pa.timestamp("s"): (pa.timestamp("us"), "TIMESTAMP_S", "CAST({} AS TIMESTAMP_S)"),
    pa.timestamp("ms"): (pa.timestamp("us"), "TIMESTAMP_MS", "CAST({} AS TIMESTAMP_MS)"),
    pa.timestamp("ns"): (pa.int64(), "TIMESTAMP_NS", "make_timestamp_ns({})"),
    UTC_NS: (pa.int64(), "TIMESTAMPTZ_NS", "CAST(make_timestamp_ns({}) AS TIMESTAMPTZ_NS)"),
    pa.time64("us"): (pa.int64(), "TIME", "CAST(make_timestamp({}) AS TIME)"),
    pa.time64("ns"): (pa.int64(), "TIME_NS", "CAST(make_timestamp_ns({}) AS TIME_NS)"),
    pa.duration("s"): (pa.int64(), "INTERVAL", "to_microseconds({} * 1000000)"),
    pa.duration("ms"): (pa.int64(), "INTERVAL", "to_microseconds({} * 1000)"),
    pa.duration("us"): (pa.int64(), "INTERVAL", "to_microseconds({})"),
    pa.duration("ns"): (pa.int64(), "INTERVAL", "to_microseconds({} // 1000)"),
    INTERVAL: (
        INTERVAL_STRUCT,
        "INTERVAL",
        "(to_months({0}.months) + to_days({0}.days) + to_microseconds({0}.nanos // 1000))",
    ),
    UUID: (pa.string(), "UUID", "CAST({} AS UUID)"),
}
"""Logical to (physical, DuckDB's name, SQL over the physical value that gives the logical one)."""

_NORMAL: dict[pa.DataType, pa.DataType] = {
    pa.float16(): pa.float32(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
    pa.date64(): pa.date32(),
    pa.time32("s"): pa.time64("us"),
    pa.time32("ms"): pa.time64("us"),
    pa.bool8(): pa.bool_(),
}
"""Declared types that DuckDB gives back as another one with the same values."""


def logical_type(declared: pa.DataType, column: str) -> pa.DataType:
    """The form of `declared` that a table keeps.

    Dictionaries become their values, large and view types plain ones, zones UTC (the instant
    stays), nested fields nullable and without metadata: `dictionary<large_string>` gives `string`,
    `timestamp[s, Europe/Berlin]` gives `timestamp[us, UTC]`.

    Raises:
        InvalidRequest: the type has no exact form; `column` is named.
    """
    return _normalise(declared, column, 0)


def physical_type(logical: pa.DataType, column: str) -> pa.DataType:
    """What is written for a logical type: `uint8` gives `int16`, `list<uint8>` gives `list<int16>`.

    Takes declared types too. Raises InvalidRequest as `logical_type`.
    """
    return _physical(logical_type(logical, column))


def is_stored_as_is(logical: pa.DataType) -> bool:
    """Whether the physical form is the logical type itself."""
    return bool(physical_of(logical) == logical)


def physical_of(logical: pa.DataType) -> pa.DataType:
    """`physical_type` for a type that is known to be logical."""
    return _physical(logical)


def _normalise(declared: Any, column: str, level: int) -> pa.DataType:
    if declared in KEPT or declared in STORED:
        kept: pa.DataType = declared
        return kept
    if declared in _NORMAL:
        return _NORMAL[declared]
    for matches, normalise in _FAMILIES:
        if matches(declared) and level < NESTING_LEVELS_MAX:
            found = normalise(declared, column, level + 1)
            if found is not None:
                return found
    raise InvalidRequest(
        "column type cannot be stored: expected a type with an exact form in Parquet and DuckDB, "
        f"column={column}, type={str(declared)[:200]}"
    )


def _timestamp(declared: Any, column: str, level: int) -> pa.DataType:
    return UTC_NS if declared.unit == "ns" else UTC_US


def _decimal(declared: Any, column: str, level: int) -> pa.DataType | None:
    scale = max(declared.scale, 0)
    digits = max(declared.precision + max(-declared.scale, 0), scale)
    return pa.decimal128(digits, scale) if digits <= PRECISION_MAX else None


def _binary(declared: Any, column: str, level: int) -> pa.DataType | None:
    return pa.binary() if declared.byte_width else None


def _dictionary(declared: Any, column: str, level: int) -> pa.DataType | None:
    value = declared.value_type
    return None if pa.types.is_nested(value) else _normalise(value, column, level)


def _extension(declared: Any, column: str, level: int) -> pa.DataType:
    return _normalise(declared.storage_type, column, level)


def _list(declared: Any, column: str, level: int) -> pa.DataType:
    return pa.list_(_normalise(declared.value_type, f"{column}[]", level))


def _fixed_list(declared: Any, column: str, level: int) -> pa.DataType | None:
    if declared.list_size == 0:
        return None
    item = _normalise(declared.value_type, f"{column}[]", level)
    size: int = declared.list_size
    return pa.list_(item, size)


def _struct(declared: Any, column: str, level: int) -> pa.DataType | None:
    names = [field.name for field in declared]
    if not names or not all(names) or len({name.lower() for name in names}) < len(names):
        return None
    return pa.struct([(f.name, _normalise(f.type, f"{column}.{f.name}", level)) for f in declared])


def _map(declared: Any, column: str, level: int) -> pa.DataType:
    key = _normalise(declared.key_type, f"{column}.key", level)
    return pa.map_(key, _normalise(declared.item_type, f"{column}.value", level))


_FAMILIES: tuple[
    tuple[Callable[[Any], bool], Callable[[Any, str, int], pa.DataType | None]], ...
] = (
    (pa.types.is_timestamp, _timestamp),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_fixed_size_binary, _binary),
    (pa.types.is_dictionary, _dictionary),
    (lambda t: isinstance(t, pa.BaseExtensionType), _extension),
    (pa.types.is_list, _list),
    (pa.types.is_large_list, _list),
    (pa.types.is_list_view, _list),
    (pa.types.is_large_list_view, _list),
    (pa.types.is_fixed_size_list, _fixed_list),
    (pa.types.is_struct, _struct),
    (pa.types.is_map, _map),
)


def _physical(logical: Any) -> pa.DataType:
    if logical in STORED:
        return STORED[logical][0]
    if pa.types.is_struct(logical):
        return pa.struct([(field.name, _physical(field.type)) for field in logical])
    if pa.types.is_map(logical):
        return pa.map_(_physical(logical.key_type), _physical(logical.item_type))
    if pa.types.is_list(logical) or pa.types.is_fixed_size_list(logical):
        return pa.list_(_physical(logical.value_type))
    return logical  # type: ignore[no-any-return]  # a leaf: the Any above is for attributes that the stubs lack
