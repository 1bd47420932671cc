"""Sixteen-byte values, UUIDs and intervals, taken apart and put together without a loop over
rows.
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flightdb.errors import InvalidPayload
from flightdb.model.types import INTERVAL, INTERVAL_STRUCT, UUID


def text_of_uuid(storage: Any) -> Any:
    """Sixteen bytes a value as canonical text: 8-4-4-4-12 lower-case digits."""
    count = len(storage)
    filled = pc.fill_null(storage, pa.scalar(bytes(16), pa.binary(16)))
    data = filled.buffers()[1]
    start = filled.offset * 16
    digits = pa.py_buffer(data.to_pybytes()[start : start + count * 16].hex().encode())
    offsets = pa.array(range(0, count * 32 + 1, 32), pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.string(), count, [None, offsets, digits])
    parts = [pc.utf8_slice_codeunits(text, a, b) for a, b in _UUID_PARTS]
    words: list[Any] = [*parts, "-"]
    joined = pc.binary_join_element_wise(*words)
    return pc.if_else(storage.is_valid(), joined, pa.scalar(None, pa.string()))


_UUID_PARTS = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))


def uuid_of_text(array: Any, column: str) -> Any:
    """Text, with or without hyphens, or sixteen bytes a value, as UUIDs."""
    if array.type == pa.binary(16):
        return pa.ExtensionArray.from_storage(UUID, array)
    if not (
        array.type == pa.string()
        or pa.types.is_large_string(array.type)
        or pa.types.is_string_view(array.type)
    ):
        raise InvalidPayload(
            f"column has another type: column={column}, expected a uuid, type={array.type}"
        )
    text = pc.ascii_lower(pc.cast(array, pa.string()))
    digits = pc.replace_substring(text, "-", "")
    is_uuid = pc.match_substring_regex(digits, "^[0-9a-f]{32}$")
    if pc.all(is_uuid).as_py() is False:
        row = pc.index(is_uuid, value=False).as_py()
        raise InvalidPayload(
            f"value does not fit the column: column={column}, expected a uuid, row={row}"
        )
    filled = pc.fill_null(digits, "0" * 32)
    data = pa.py_buffer(bytes.fromhex("".join(filled.to_pylist())))
    storage = pa.Array.from_buffers(pa.binary(16), len(array), [None, data])
    storage = pc.if_else(array.is_valid(), storage, pa.scalar(None, pa.binary(16)))
    return pa.ExtensionArray.from_storage(UUID, storage)


def _interval_parts(array: Any) -> tuple[Any, Any, Any]:
    """Months, days and nanoseconds: an interval is 16 bytes, int32, int32, int64."""
    count = array.offset + len(array)
    data = array.buffers()[1]
    halves = pa.Array.from_buffers(pa.int32(), count * 4, [None, data])
    wholes = pa.Array.from_buffers(pa.int64(), count * 2, [None, data])
    rows = range(array.offset, count)
    return (
        halves.take(pa.array([4 * row for row in rows], pa.int64())),
        halves.take(pa.array([4 * row + 1 for row in rows], pa.int64())),
        wholes.take(pa.array([2 * row + 1 for row in rows], pa.int64())),
    )


def interval_struct(array: Any) -> Any:
    """Intervals as the struct that outside readers see."""
    fields = list(INTERVAL_STRUCT)
    return pa.StructArray.from_arrays(
        list(_interval_parts(array)), fields=fields, mask=array.is_null()
    )


def duration_of_interval(array: Any, column: str) -> Any:
    """Intervals without months as nanoseconds, a day being 24 hours."""
    months, days, nanos = _interval_parts(array)
    valid = array.is_valid()
    if pc.any(pc.and_(valid, pc.not_equal(months, pa.scalar(0, pa.int32())))).as_py():
        raise InvalidPayload(f"value does not fit the column: column={column}, expected no months")
    day = pa.scalar(86_400_000_000_000, pa.int64())
    total = pc.add_checked(pc.multiply_checked(pc.cast(days, pa.int64()), day), nanos)
    return pc.if_else(valid, total, pa.scalar(None, pa.int64())).view(pa.duration("ns"))


def interval_of_duration(array: Any) -> Any:
    """Durations as intervals of nanoseconds only."""
    nanos = pc.cast(array, pa.duration("ns")).view(pa.int64()).to_pylist()
    return pa.array([None if n is None else _interval(n) for n in nanos], INTERVAL)


def _interval(nanos: int) -> Any:
    make: Any = pa.MonthDayNano
    return make([0, 0, nanos])
