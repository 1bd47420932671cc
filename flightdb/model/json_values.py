"""Arrow columns as values that the JSON encoder writes exactly.

Integers and decimals are numbers whatever their width; NaN and infinity are null; timestamps with a
zone are RFC 3339 in UTC, those without stand as they are, and what is beyond the year 32767 is the
number that is stored; dates and times are ISO 8601, as are durations and intervals; binary is
base64; UUIDs are text; structs and maps are objects, lists are lists.
"""

from collections.abc import Callable, Sequence
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
    if pa.types.is_nested(kind) and _needs_care(kind):
        return _nested(column)
    own = next((own for matches, own in _OWN if matches(kind)), None)
    return list(column.to_pylist(maps_as_pydicts="lossy")) if own is None else own(column)


def _needs_care(kind: Any) -> bool:
    """Whether some value within a nested type is not as Python gives it."""
    if pa.types.is_nested(kind):
        return any(_needs_care(kind.field(index).type) for index in range(kind.num_fields))
    return any(matches(kind) for matches, _ in _OWN)


def _nested(column: Any) -> list[Any]:
    """Children first, then put together."""
    kind = column.type
    is_there = column.is_valid().to_pylist()
    if pa.types.is_struct(kind):
        names = [field.name for field in kind]
        rows = zip(*map(values, column.flatten()), strict=True)
        pairs = zip(is_there, rows, strict=True)
        return [dict(zip(names, row, strict=True)) if there else None for there, row in pairs]
    if pa.types.is_fixed_size_list(kind):
        column = column.cast(pa.list_(kind.value_type))
    offsets = column.offsets.to_pylist()
    bounds = list(zip(is_there, offsets, offsets[1:], strict=False))
    if pa.types.is_map(kind):
        keys, items = values(column.keys), values(column.items)
        return [
            dict(zip(keys[first:last], items[first:last], strict=True)) if there else None
            for there, first, last in bounds
        ]
    found = values(column.values)
    return [found[first:last] if there else None for there, first, last in bounds]


def _dates(column: Any) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):  # beyond the years 1 to 9999
        return _far_texts(column, pa.int32(), "")


def _times(column: Any) -> list[Any]:
    return list(column.cast(pa.string()).to_pylist())


def _intervals(column: Any) -> list[Any]:
    return [None if value is None else _interval(*value) for value in column.to_pylist()]


def _durations(column: Any) -> list[Any]:
    return list(column.cast(pa.duration("us"), safe=False).to_pylist())


def _moments(column: Any) -> list[Any]:
    kind = column.type
    if kind.unit != "ns":
        try:
            utc = pa.timestamp(kind.unit, "UTC")
            return list((column if kind.tz is None else column.cast(utc)).to_pylist())
        except (OverflowError, ValueError):
            pass  # beyond the years 1 to 9999, for which Python has no values
    # Of those with a zone Arrow writes far ones wrongly.
    plain = column.cast(pa.int64()).cast(pa.timestamp(kind.unit))
    return _far_texts(plain, pa.int64(), "" if kind.tz is None else "Z")


def _far_texts(column: Any, counts: pa.DataType, zone: str) -> list[Any]:
    """Moments as text, beyond the year 32767, for which Arrow has none, by number, and infinity by name."""
    texts = pc.replace_substring(column.cast(pa.string()), " ", "T", max_replacements=1).to_pylist()
    most = (1 << counts.bit_width - 1) - 1
    names = {most: "infinity", -most: "-infinity"}
    return [
        text and (names.get(number, number) if text.startswith("<") else text + zone)
        for text, number in zip(texts, column.cast(counts).to_pylist(), strict=True)
    ]


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """`P14M3DT4.5S`: the three parts as they are, since months and days have no fixed length."""
    sign = "-" if nanoseconds < 0 else ""
    seconds, rest = divmod(abs(nanoseconds), NANOSECONDS)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    return f"P{months}M{days}DT{sign}{seconds}{fraction}S"


def _raw(text: str | None) -> msgspec.Raw | None:
    return None if text is None else msgspec.Raw(text.encode())


_OWN: tuple[tuple[Callable[[Any], bool], Callable[[Any], list[Any]]], ...] = (
    (pa.types.is_timestamp, _moments),
    (pa.types.is_date, _dates),
    (lambda kind: pa.types.is_time64(kind) and kind.unit == "ns", _times),
    (pa.types.is_interval, _intervals),
    (lambda kind: pa.types.is_duration(kind) and kind.unit == "ns", _durations),
)
"""Types whose values Python has not, or not all of them."""
