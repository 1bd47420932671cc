"""One column of every Arrow type that a table can hold, extremes included, and what comes back of it."""

import datetime
import uuid
from decimal import Decimal
from typing import Any

import pyarrow as pa

INF, NAN = float("inf"), float("nan")
UTC = datetime.UTC
INTERVAL = pa.month_day_nano_interval()
MANY = "é 漢字 😀 e\u0301 \x01 'quoted' \"twice\" \\n"
MAP = pa.map_(pa.string(), pa.int64())
STRUCT = pa.struct([("x", pa.int32()), ("y", pa.list_(pa.string()))])
IDS = [uuid.UUID(int=0).bytes, None, uuid.UUID(int=(1 << 128) - 1).bytes]


def _signed(bits: int) -> list[int | None]:
    return [-(1 << bits - 1), None, (1 << bits - 1) - 1]


def _unsigned(bits: int) -> list[int | None]:
    return [0, None, (1 << bits) - 1]


COLUMNS: dict[str, Any] = {
    "bool": pa.array([True, None, False]),
    "int8": pa.array(_signed(8), pa.int8()),
    "int16": pa.array(_signed(16), pa.int16()),
    "int32": pa.array(_signed(32), pa.int32()),
    "int64": pa.array(_signed(64), pa.int64()),
    "uint8": pa.array(_unsigned(8), pa.uint8()),
    "uint16": pa.array(_unsigned(16), pa.uint16()),
    "uint32": pa.array(_unsigned(32), pa.uint32()),
    "uint64": pa.array(_unsigned(64), pa.uint64()),
    "half": pa.array([1.5, None, -65504.0], pa.float16()),
    "float": pa.array([NAN, None, -0.0], pa.float32()),
    "double": pa.array([-INF, None, NAN], pa.float64()),
    "zero": pa.array([-0.0, INF, 5e-324], pa.float64()),
    "decimal_small": pa.array([Decimal("-9.99"), None, Decimal("0.01")], pa.decimal128(3, 2)),
    "decimal_money": pa.array(
        [Decimal("-12345678901234.50"), None, Decimal(0)], pa.decimal128(18, 2)
    ),
    "decimal_wide": pa.array(
        [Decimal("-" + "9" * 28 + "." + "9" * 10), None, Decimal("0.0000000001")],
        pa.decimal128(38, 10),
    ),
    "decimal_256": pa.array([Decimal("-1.5"), None, Decimal("9" * 20)], pa.decimal256(38, 2)),
    "text": pa.array(["", None, MANY]),
    "large_text": pa.array(["a" * 70_000, None, MANY], pa.large_string()),
    "text_view": pa.array(["long enough to be out of line", None, ""], pa.string_view()),
    "binary": pa.array([b"", None, b"\x00\xff" * 40]),
    "large_binary": pa.array([b"\x00", None, b""], pa.large_binary()),
    "fixed_binary": pa.array([b"\x00" * 5, None, b"abcde"], pa.binary(5)),
    "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array(IDS, pa.binary(16))),
    "date": pa.array([datetime.date(1, 1, 1), None, datetime.date(9999, 12, 31)]),
    "date64": pa.array(
        [datetime.date(1969, 12, 31), None, datetime.date(2024, 2, 29)], pa.date64()
    ),
    "time_s": pa.array([0, None, 86_399], pa.time32("s")),
    "time_ms": pa.array([0, None, 86_399_999], pa.time32("ms")),
    "time_us": pa.array([0, None, 86_399_999_999], pa.time64("us")),
    "time_ns": pa.array([1, None, 86_399_999_999_999], pa.time64("ns")),
    "stamp_s": pa.array([-62_135_596_800, None, 253_402_300_799], pa.timestamp("s")),
    "stamp_ms": pa.array([-1, None, 253_402_300_799_999], pa.timestamp("ms")),
    "stamp_us": pa.array([-1, None, 253_402_300_799_999_999], pa.timestamp("us")),
    "stamp_ns": pa.array([-1, None, (1 << 63) - 2], pa.timestamp("ns")),
    "zone_s": pa.array([-1, None, 1_700_000_000], pa.timestamp("s", "UTC")),
    "zone_us": pa.array([-1, None, 1_700_000_000_000_001], pa.timestamp("us", "Europe/Berlin")),
    "zone_ns": pa.array([-1, None, 1_700_000_000_000_000_001], pa.timestamp("ns", "+05:30")),
    "duration_s": pa.array([-1, None, 86_400_000], pa.duration("s")),
    "duration_us": pa.array([-1, None, 86_400_000_000_001], pa.duration("us")),
    "duration_ns": pa.array([-1000, None, 5_000], pa.duration("ns")),
    "interval": pa.array([(-14, 3, 4_000), None, (1, -1, -1_000)], INTERVAL),
    "list": pa.array([[1, None, 3], None, []], pa.list_(pa.int32())),
    "nested_list": pa.array([[[1], None, []], None, []], pa.list_(pa.list_(pa.uint8()))),
    "large_list": pa.array([["a", None], None, []], pa.large_list(pa.string())),
    "fixed_list": pa.array([[1.5, 2.5], None, [NAN, -0.0]], pa.list_(pa.float64(), 2)),
    "struct": pa.array([{"x": 1, "y": ["a", None]}, None, {"x": None, "y": None}], STRUCT),
    "structs": pa.array([[{"x": 1, "y": []}, None], None, []], pa.list_(STRUCT)),
    "map": pa.array([[("a", 1), ("b", None)], None, []], MAP),
    "dictionary": pa.array(["low", None, "high"]).dictionary_encode(),
    "dictionary_number": pa.array([7, None, -7], pa.int64()).dictionary_encode(),
    "stamps": pa.array([[1], None, [None, 2]], pa.list_(pa.timestamp("ns"))),
    "uuids": pa.array([{"u": 1}, None, {"u": 2}], pa.struct([("u", pa.uint64())])),
}
"""Name to three values, one of them null."""

KEPT_AS: dict[str, Any] = {
    "half": pa.float32(),
    "large_text": pa.string(),
    "text_view": pa.string(),
    "large_binary": pa.binary(),
    "fixed_binary": pa.binary(),
    "uuid": pa.string(),
    "decimal_256": pa.decimal128(38, 2),
    "date64": pa.date32(),
    "time_s": pa.time64("us"),
    "time_ms": pa.time64("us"),
    "zone_s": pa.timestamp("us", "UTC"),
    "zone_us": pa.timestamp("us", "UTC"),
    "zone_ns": pa.timestamp("ns", "UTC"),
    "duration_s": INTERVAL,
    "duration_us": INTERVAL,
    "duration_ns": INTERVAL,
    "large_list": pa.list_(pa.string()),
    "dictionary": pa.string(),
    "dictionary_number": pa.int64(),
}
"""What a client sees where that is another type than was sent; the values are the same."""


def all_types() -> pa.RecordBatch:
    """Three rows with a column of each type, and `n` to order them by."""
    return pa.record_batch({"n": pa.array([0, 1, 2], pa.int64()), **COLUMNS})


def values_of(rows: pa.Table) -> list[dict[str, Any]]:
    """The rows in values that compare: floats are text, moments, times and durations counts of nanoseconds."""
    columns = {name: _values(rows[name].combine_chunks()) for name in rows.column_names}
    return _rows(columns)


def delta_values(rows: pa.Table) -> list[dict[str, Any]]:
    """As `values_of`; of rows read by anybody else, whose columns may be the numbers behind a type."""
    columns = {name: _values(rows[name].combine_chunks()) for name in rows.column_names}
    for name, values in columns.items():
        if name in COUNTED_IN and pa.types.is_int64(rows.schema.field(name).type):
            columns[name] = _nanos(pa.array(values, pa.int64()), COUNTED_IN[name])
        if name.startswith("duration_"):
            columns[name] = [
                value[2] if isinstance(value, tuple) else value for value in columns[name]
            ]
    return _rows(columns)


COUNTED_IN = {
    "time_s": "us",
    "time_ms": "us",
    "time_us": "us",
    "time_ns": "ns",
    "stamp_ns": "ns",
    "zone_ns": "ns",
    "duration_s": "s",
    "duration_us": "us",
    "duration_ns": "ns",
}
"""Columns that other readers see as whole numbers, and what these count."""


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(column: Any) -> list[Any]:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return [None if v is None else str(uuid.UUID(bytes=v)) for v in column.storage.to_pylist()]
    if pa.types.is_dictionary(kind):
        return _values(column.dictionary_decode())
    if pa.types.is_timestamp(kind) or pa.types.is_time64(kind):
        return _nanos(column.view(pa.int64()), kind.unit)
    if pa.types.is_duration(kind):
        counts = _nanos(column.view(pa.int64()), kind.unit)
        return [None if count is None else (0, 0, count) for count in counts]
    if pa.types.is_time32(kind):
        return _nanos(column.view(pa.int32()), kind.unit)
    if pa.types.is_list(kind) and pa.types.is_timestamp(kind.value_type):
        column = column.cast(pa.list_(pa.int64()))
    return [_plain(value) for value in column.to_pylist()]


def _nanos(numbers: Any, unit: str) -> list[int | None]:
    factor = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    return [None if value is None else value * factor for value in numbers.to_pylist()]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, dict) and value.keys() == {"months", "days", "nanos"}:
        return tuple(value.values())
    if isinstance(value, pa.MonthDayNano):
        return tuple(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value
