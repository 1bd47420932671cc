"""Arrow columns as the plain values that JSON and a protobuf Struct can say."""

import base64
import datetime
import decimal
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def plain_values(column: Any) -> Sequence[object]:
    """The column's values as None, bool, int, float, str, list and dict.

    Integers stay exact; a decimal is text, exact; moments, dates and times are ISO 8601 text (UTC
    as `Z`), to the nanosecond where the column has them; bytes are base64; a map is an object when
    its keys are text, else a list of [key, value].
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid":
            return [None if value is None else str(value) for value in column.to_pylist()]
        return plain_values(column.storage)
    if pa.types.is_dictionary(kind):
        return plain_values(column.dictionary_decode())
    if pa.types.is_timestamp(kind):
        return _timestamps(column)
    if pa.types.is_time(kind) or pa.types.is_duration(kind):
        return _texts(column)
    return _other_values(column)


def _other_values(column: Any) -> Sequence[object]:
    kind = column.type
    if pa.types.is_map(kind):
        return _maps(column)
    if pa.types.is_struct(kind):
        return _structs(column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _lists(column)
    values: Sequence[object] = column.to_pylist()
    if _is_plain(kind):
        return values
    return [_scalar(value) for value in values]


def _is_plain(kind: pa.DataType) -> bool:
    return (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_null(kind)
    )


def _scalar(value: Any) -> object:
    for kind, convert in _SCALARS:
        if isinstance(value, kind):
            return convert(value)
    return None if value is None else str(value)


_SCALARS: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (bytes, lambda value: base64.b64encode(value).decode()),
    (decimal.Decimal, lambda value: format(value, "f")),
    (datetime.date, lambda value: value.isoformat()),
    (
        pa.MonthDayNano,
        lambda value: f"P{value.months}M{value.days}DT{_seconds(value.nanoseconds)}S",
    ),
)


def _seconds(nanoseconds: int) -> str:
    return format(decimal.Decimal(nanoseconds).scaleb(-9).normalize(), "f")


def _timestamps(column: Any) -> Sequence[object]:
    """Arrow's own text, made ISO; zeros at the end of the fraction are cut."""
    zone = "Z" if column.type.tz else ""
    naive = column.cast(pa.timestamp(column.type.unit))
    return [
        None if text is None else _trimmed(text).replace(" ", "T", 1) + zone
        for text in pc.cast(naive, pa.string()).to_pylist()
    ]


def _texts(column: Any) -> Sequence[object]:
    if pa.types.is_duration(column.type):
        ticks = pc.cast(column, pa.int64()).to_pylist()
        scale = {"s": 0, "ms": -3, "us": -6, "ns": -9}[column.type.unit]
        return [
            None if tick is None else f"PT{decimal.Decimal(tick).scaleb(scale).normalize():f}S"
            for tick in ticks
        ]
    return [
        None if text is None else _trimmed(text)
        for text in pc.cast(column, pa.string()).to_pylist()
    ]


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _lists(column: Any) -> Sequence[object]:
    values = plain_values(column.flatten())
    return _cut(column, values)


def _cut(column: Any, values: Sequence[object]) -> Sequence[object]:
    """`values`, the flat items of the lists that are not null, as one list a row."""
    sizes = pc.list_value_length(column).to_pylist()
    out: list[object] = []
    start = 0
    for size in sizes:
        if size is None:
            out.append(None)
            continue
        out.append(list(values[start : start + size]))
        start += size
    return out


def _structs(column: Any) -> Sequence[object]:
    names = [field.name for field in column.type]
    children = [plain_values(child) for child in column.flatten()]
    valid = column.is_valid().to_pylist()
    rows = zip(*children, strict=True) if children else iter([()] * len(valid))
    return [
        dict(zip(names, row, strict=True)) if ok else None
        for row, ok in zip(rows, valid, strict=True)
    ]


def _maps(column: Any) -> Sequence[object]:
    kind = column.type
    pairs = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
    is_text = pa.types.is_string(kind.key_type)
    return [
        None if row is None else _map(row, is_text=is_text)
        for row in _lists(column.cast(pa.list_(pairs)))
    ]


def _map(row: Any, *, is_text: bool) -> object:
    if is_text:
        return {entry["key"]: entry["value"] for entry in row}
    return [[entry["key"], entry["value"]] for entry in row]


def unique_names(names: Sequence[str]) -> list[str]:
    """The names, so that an object keeps every column: `a, b, a` gives `a, b, a_2`."""
    taken: set[str] = set(names)
    seen: set[str] = set()
    unique = []
    for name in names:
        fresh, number = name, 1
        while fresh in seen or (number > 1 and fresh in taken):
            number += 1
            fresh = f"{name}_{number}"
        seen.add(fresh)
        unique.append(fresh)
    return unique
