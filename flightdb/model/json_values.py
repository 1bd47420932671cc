"""Arrow columns as values that the JSON encoder writes exactly.

Integers and decimals are numbers whatever their width; NaN and infinity are null; timestamps with a
zone are RFC 3339 in UTC, those without stand as they are, and what is beyond the year 32767 is the
number that is stored; dates and times are ISO 8601, as are durations and intervals; binary is
base64; UUIDs are text; structs and maps are objects, lists are lists.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

NANOSECONDS = 1_000_000_000
INT64_MAX = (1 << 63) - 1


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
    text = pc.replace_substring(column.cast(pa.string()), " ", "T", max_replacements=1)
    numbers = column.cast(pa.int64()).to_pylist()
    return [_far(*pair) for pair in zip(text.to_pylist(), numbers, strict=True)]


def _far(text: str | None, number: int | None) -> str | int | None:
    """The text; beyond the year 32767, where Arrow has none, infinity by name or the number."""
    if text is None or not text.startswith("<"):
        return text
    return {INT64_MAX: "infinity", -INT64_MAX: "-infinity"}.get(number or 0, number)


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
