"""Arrow columns as values that the JSON encoder writes exactly.

Integers and decimals are numbers whatever their width, NaN and infinity are null, timestamps with a
zone RFC 3339 in UTC, those without as they stand, dates and times ISO 8601, durations and intervals
ISO 8601 durations, binary base64, UUIDs text, structs and maps objects, lists lists.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

NANOSECONDS = 1_000_000_000


def unique_names(schema: pa.Schema) -> list[str]:
    """The column names, made unique for objects: `a`, `a` gives `a`, `a_1`."""
    taken = set(schema.names)
    names: list[str] = []
    for name in schema.names:
        own, number = name, 0
        while own in names or (number and own in taken):
            number += 1
            own = f"{name}_{number}"
        names.append(own)
    return names


def rows(names: Sequence[str], batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows as objects, keyed by `names`."""
    columns = [values(column) for column in batch.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def values(column: Any) -> list[Any]:
    """The values of an Arrow array."""
    kind = column.type
    if isinstance(kind, pa.JsonType):
        return [_raw(text) for text in column.storage.to_pylist()]
    if pa.types.is_dictionary(kind):
        return values(column.dictionary_decode())
    if pa.types.is_timestamp(kind):
        return _moments(column)
    if pa.types.is_time64(kind) and kind.unit == "ns":
        return list(column.cast(pa.string()).to_pylist())
    if pa.types.is_interval(kind):
        return [None if value is None else _interval(*value) for value in column.to_pylist()]
    if pa.types.is_duration(kind) and kind.unit == "ns":
        column = column.cast(pa.duration("us"), safe=False)
    if pa.types.is_nested(kind):
        column = column.cast(_without_ns(kind))
    return list(column.to_pylist(maps_as_pydicts="lossy"))


def _moments(column: Any) -> list[Any]:
    if column.type.tz not in (None, "UTC"):
        column = column.cast(pa.timestamp(column.type.unit, "UTC"))
    if column.type.unit != "ns":
        try:
            return list(column.to_pylist())
        except (OverflowError, ValueError):
            pass  # beyond the years 1 to 9999, for which Python has no values
    text = column.cast(pa.string())
    return list(pc.replace_substring(text, " ", "T", max_replacements=1).to_pylist())


def _without_ns(kind: Any) -> Any:
    """The type with what Python values cannot hold, nanoseconds, as text, at any depth."""
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_without_ns(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_without_ns(kind.key_type), _without_ns(kind.item_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_without_ns(kind.value_type), kind.list_size)
    if pa.types.is_list(kind):
        return pa.list_(_without_ns(kind.value_type))
    has_ns = pa.types.is_timestamp(kind) or pa.types.is_time64(kind)
    return pa.string() if has_ns and kind.unit == "ns" else kind


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """`P14M3DT4.5S`: the three parts as they are, since months and days have no fixed length."""
    sign = "-" if nanoseconds < 0 else ""
    seconds, rest = divmod(abs(nanoseconds), NANOSECONDS)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"P{months}M{days}DT{sign}{seconds}{fraction}S"


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())
