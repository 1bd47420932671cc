"""Arrow columns as values that text formats can hold: what CSV has no word for is text."""

import base64
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from flightdb.model import json_values

ENCODER = msgspec.json.Encoder(decimal_format="number")
"""JSON as the REST door has it."""


def readable(batch: pa.RecordBatch) -> pa.Table:
    """The batch with every column as bool, integer, float or string.

    Times are ISO 8601, decimals their digits, binary is base64, a nested column is its JSON text.
    """
    columns = [_readable(column) for column in batch.columns]
    return pa.Table.from_arrays(columns, names=list(batch.schema.names))


def _readable(column: Any) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _readable(column.dictionary_decode())
    if isinstance(column, pa.ExtensionArray):
        return _readable_extension(column)
    if _is_plain(kind):
        return column
    if pa.types.is_nested(kind):
        return pa.array(_json_or_none(column), pa.string())
    if _is_binary(kind):
        return pa.array(_base64_or_none(column), pa.string())
    if pa.types.is_timestamp(kind):
        return _iso(column)
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowNotImplementedError:  # intervals
        return pa.array(json_values.values(column), pa.string())


def _readable_extension(column: Any) -> Any:
    if column.type.extension_name == "arrow.uuid":
        return pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())
    return _readable(column.storage)


def _iso(column: Any) -> Any:
    zone = column.type.tz
    local = column if zone is None else column.cast(pa.timestamp(column.type.unit, "UTC"))
    text = pc.strftime(local, "%Y-%m-%dT%H:%M:%S")
    return text if zone is None else pc.call_function("binary_join_element_wise", [text, "Z", ""])


def _is_plain(kind: pa.DataType) -> bool:
    checks = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_null)
    return any(check(kind) for check in checks) or kind in (pa.string(), pa.large_string())


def _is_binary(kind: pa.DataType) -> bool:
    checks = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(check(kind) for check in (*checks, pa.types.is_binary_view))


def _json_or_none(column: Any) -> list[str | None]:
    found = json_values.values(column)
    return [None if value is None else ENCODER.encode(value).decode() for value in found]


def _base64_or_none(column: Any) -> list[str | None]:
    return [
        None if value is None else base64.b64encode(value).decode() for value in column.to_pylist()
    ]
