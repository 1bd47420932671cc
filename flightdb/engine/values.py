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
        if pa.types.is_decimal(scalar.type):
            return scalar.as_py()
        return duckdb.Value(_python(scalar), duckdb.sqltype(sql_name(declared)))
    except (ValueError, OverflowError, pa.ArrowException, duckdb.Error) as error:
        raise InvalidRequest(
            f"parameter cannot be bound: position={position}, type={scalar.type}"
        ) from error


def _python(scalar: Any) -> object:
    """Times go as text: Python's have no nanoseconds."""
    if pa.types.is_timestamp(scalar.type) and scalar.type.tz is not None:
        return f"{scalar.cast(pa.timestamp(scalar.type.unit)).cast(pa.string()).as_py()}+00"
    if pa.types.is_time(scalar.type) or pa.types.is_timestamp(scalar.type):
        return scalar.cast(pa.string()).as_py()
    return scalar.as_py()
