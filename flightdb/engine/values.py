"""Parameter values as DuckDB takes them: exactly, and of the type they came with."""

from typing import Any

import duckdb
import pyarrow as pa

from flightdb.errors import InvalidRequest
from flightdb.model.schema import logical_type, sql_name


def bindable(values: tuple[object, ...] | None) -> list[object] | None:
    """What to pass to DuckDB for positional parameters.

    Arrow scalars keep their type (an int64 5 is a BIGINT, else DuckDB would choose the smallest
    that fits); other Python values are left to DuckDB.

    Raises:
        InvalidRequest: a scalar of a type that has no DuckDB form; its position is named.
    """
    if values is None:
        return None
    return [
        _scalar(value, index + 1) if isinstance(value, pa.Scalar) else value
        for index, value in enumerate(values)
    ]


def _scalar(scalar: Any, position: int) -> object:
    if not scalar.is_valid:
        return None
    if pa.types.is_dictionary(scalar.type):
        return _scalar(scalar.dictionary[scalar.index.as_py()], position)
    declared = logical_type(scalar.type, f"parameter {position}")
    try:
        return duckdb.Value(_python(scalar), duckdb.sqltype(sql_name(declared)))
    except (ValueError, OverflowError, pa.ArrowException, duckdb.Error) as error:
        raise InvalidRequest(
            f"parameter cannot be bound: position={position}, type={scalar.type}"
        ) from error


def _python(scalar: Any) -> object:
    """What DuckDB casts to the type, at any depth: moments and intervals go as text, as Python's lose digits or parts."""
    kind = scalar.type
    if not scalar.is_valid:
        return None
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return _moment(scalar)
    if pa.types.is_decimal(kind):
        return format(scalar.as_py(), "f")  # DuckDB chooses the narrowest type for a Python one.
    if pa.types.is_duration(kind):
        return f"{scalar.cast(pa.duration('us'), safe=False).value} microseconds"
    if pa.types.is_interval(kind):
        months, days, nanos = scalar.as_py()
        micros = abs(nanos) // 1000
        return f"{months} months {days} days {micros if nanos >= 0 else -micros} microseconds"
    return _nested(scalar) if pa.types.is_nested(kind) else scalar.as_py()


def _moment(scalar: Any) -> str:
    kind = scalar.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        return f"{scalar.cast(pa.timestamp(kind.unit)).cast(pa.string()).as_py()}+00"
    return str(scalar.cast(pa.string()).as_py())


def _nested(scalar: Any) -> object:
    kind = scalar.type
    if pa.types.is_struct(kind):
        return {field.name: _python(scalar[field.name]) for field in kind}
    if pa.types.is_map(kind):
        # As DuckDB names the two, so that a key may be of any type.
        keys, items = ([_python(entry[index]) for entry in scalar.values] for index in (0, 1))
        return {"key": keys, "value": items}
    return [_python(item) for item in scalar.values]
