"""Arrow columns as values that text formats can hold: what CSV has no word for is text."""

import base64
import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def readable(batch: pa.RecordBatch, *, keep_nested: bool) -> pa.Table:
    """The batch with every column as bool, integer, float or string.

    Times are ISO 8601, decimals their digits, binary is base64. A nested column is its JSON text,
    or left as it is with `keep_nested`.
    """
    columns = [_readable(column, keep_nested) for column in batch.columns]
    return pa.Table.from_arrays(columns, names=list(batch.schema.names))


def json_text(value: object) -> str:
    """One value as JSON; NaN and infinities, which JSON has not, are text."""
    try:
        return json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), default=_plain, ensure_ascii=False)


def _readable(column: Any, keep_nested: bool) -> Any:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _readable(column.dictionary_decode(), keep_nested)
    if isinstance(column, pa.ExtensionArray):
        return _readable_extension(column, keep_nested)
    if _is_plain(kind):
        return column
    if pa.types.is_nested(kind):
        return column if keep_nested else pa.array(_json_or_none(column), pa.string())
    if _is_binary(kind):
        return pa.array([None if v is None else _plain(v) for v in column.to_pylist()], pa.string())
    if pa.types.is_timestamp(kind):
        return _iso(column)
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowNotImplementedError:  # intervals
        return pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())


def _readable_extension(column: Any, keep_nested: bool) -> Any:
    if column.type.extension_name == "arrow.uuid":
        return pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())
    return _readable(column.storage, keep_nested)


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
    return [None if value is None else json_text(value) for value in column.to_pylist()]


def _plain(value: object) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    isoformat = getattr(value, "isoformat", None)
    return isoformat() if isoformat is not None else str(value)


def _finite(value: object) -> object:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
