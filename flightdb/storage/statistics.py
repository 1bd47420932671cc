"""Delta statistics of a Parquet file, from its own footer: bounds that contain every value.

Readers skip files by them, so a bound that is too tight loses rows without a word; where it is not
certain it is left out. Timestamps are in milliseconds there: minima rounded down, maxima up.
"""

import datetime
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

TEXT_CHARACTERS_MAX = 64
"""Longer texts are cut: ids and names fit whole, and a log entry stays small."""

LAST_CHARACTER = "\U0010ffff"
"""Ends a maximum that was cut: greater than what follows the cut."""

EPOCH = datetime.datetime(1970, 1, 1)
MILLISECONDS_MIN = -62_135_596_800_000
MILLISECONDS_MAX = 253_402_300_799_999
"""Years 1 to 9999, which ISO 8601 text can name."""


class NanColumns:
    """Finds the columns that hold NaN: Parquet's bounds leave it out, SQL sorts it last."""

    def __init__(self, schema: pa.Schema) -> None:
        """Looks at the top-level floating columns only: others get no bounds."""
        self._names = [field.name for field in schema if pa.types.is_floating(field.type)]
        self.found: set[str] = set()

    def look(self, table: pa.Table) -> None:
        """Looks at these rows too."""
        for name in self._names:
            if name not in self.found and pc.any(pc.is_nan(table[name])).as_py():
                self.found.add(name)


def delta_statistics(metadata: Any, schema: pa.Schema, nan_columns: set[str]) -> str:
    """The document as JSON: `numRecords`, `minValues`, `maxValues`, `nullCount` of flat columns.

    `metadata` is the file's Parquet footer, `schema` its physical schema.
    """
    low: dict[str, str] = {}
    high: dict[str, str] = {}
    nulls: dict[str, str] = {}
    leaf = 0
    for field in schema:
        if not pa.types.is_nested(field.type):
            chunks = [metadata.row_group(g).column(leaf) for g in range(metadata.num_row_groups)]
            null_count = _null_count(chunks)
            if null_count is not None:
                nulls[field.name] = str(null_count)
            bounds = None if field.name in nan_columns else _bounds(chunks, field.type)
            if bounds is not None:
                low[field.name], high[field.name] = bounds
        leaf += _leaf_count(field.type)
    parts = {"minValues": low, "maxValues": high, "nullCount": nulls}
    body = "".join(f',"{key}":{_object(values)}' for key, values in parts.items())
    return f'{{"numRecords":{metadata.num_rows}{body}}}'


def _object(literals: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in literals.items()) + "}"


def _leaf_count(kind: Any) -> int:
    if not pa.types.is_nested(kind):
        return 1
    return sum(_leaf_count(kind.field(index).type) for index in range(kind.num_fields))


def _null_count(chunks: list[Any]) -> int | None:
    counts = [c.statistics.null_count for c in chunks if c.is_stats_set]
    known = len(counts) == len(chunks) and all(count is not None for count in counts)
    return sum(counts) if known else None


def _bounds(chunks: list[Any], kind: Any) -> tuple[str, str] | None:
    """Both bounds as JSON, or None where a row group does not tell or JSON cannot say it."""
    encode = next((encode for matches, encode in _ENCODERS if matches(kind)), None)
    lows, highs = [], []
    for chunk in chunks if encode else ():
        found = chunk.statistics
        if found is not None and found.null_count == chunk.num_values:
            continue
        if found is None or not found.has_min_max:
            return None
        low, high = _values(found, kind)
        lows.append(low)
        highs.append(high)
    if not lows or encode is None:
        return None
    low_text, high_text = encode(min(lows), kind, False), encode(max(highs), kind, True)
    return None if low_text is None or high_text is None else (low_text, high_text)


def _values(found: Any, kind: Any) -> tuple[Any, Any]:
    """Numbers of days and microseconds raw: as dates they may not exist in Python."""
    if pa.types.is_temporal(kind):
        return found.min_raw, found.max_raw
    if pa.types.is_decimal(kind) and isinstance(found.min_raw, int):
        return Decimal(found.min_raw).scaleb(-kind.scale), Decimal(found.max_raw).scaleb(
            -kind.scale
        )
    return found.min, found.max


def _integer(value: Any, kind: Any, is_max: bool) -> str | None:
    return str(int(value))


def _float(value: Any, kind: Any, is_max: bool) -> str | None:
    return repr(float(value)) if math.isfinite(value) else None


def _decimal(value: Any, kind: Any, is_max: bool) -> str | None:
    return format(value, "f") if isinstance(value, Decimal) else None


def _text(value: Any, kind: Any, is_max: bool) -> str | None:
    text = value.decode() if isinstance(value, bytes) else str(value)
    if len(text) <= TEXT_CHARACTERS_MAX:
        return json.dumps(text)
    if not is_max:
        return json.dumps(text[:TEXT_CHARACTERS_MAX])
    if text[TEXT_CHARACTERS_MAX] == LAST_CHARACTER:
        return None
    return json.dumps(text[:TEXT_CHARACTERS_MAX] + LAST_CHARACTER)


def _date(value: Any, kind: Any, is_max: bool) -> str | None:
    if not MILLISECONDS_MIN <= value * 86_400_000 <= MILLISECONDS_MAX:
        return None
    return f'"{(EPOCH + datetime.timedelta(days=value)).date().isoformat()}"'


def _timestamp(value: Any, kind: Any, is_max: bool) -> str | None:
    milliseconds = -(-value // 1_000) if is_max else value // 1_000
    if not MILLISECONDS_MIN <= milliseconds <= MILLISECONDS_MAX:
        return None
    moment = EPOCH + datetime.timedelta(milliseconds=milliseconds)
    return f'"{moment.isoformat(timespec="milliseconds")}{"" if kind.tz is None else "Z"}"'


_ENCODERS: tuple[tuple[Callable[[Any], bool], Callable[[Any, Any, bool], str | None]], ...] = (
    (pa.types.is_integer, _integer),
    (pa.types.is_floating, _float),
    (pa.types.is_decimal, _decimal),
    (pa.types.is_string, _text),
    (pa.types.is_date, _date),
    (pa.types.is_timestamp, _timestamp),
)
"""Physical types that have bounds; booleans and bytes have none in Delta."""
