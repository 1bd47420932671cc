"""Batches from outside, checked before anything touches their values."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flightdb.errors import InvalidPayload, InvalidRequest, TooLarge
from flightdb.model.types import logical_type

ROWS_MAX = 1_048_576
"""Rows a batch: above it a batch stops fitting caches and one lock holds too long; clients send
64k."""

BATCH_BYTES_MAX = 64 << 20
"""Bytes a batch, decompressed and with dictionaries decoded: what one WAL group and one buffer step
may hold."""


def check_foreign(
    batch: pa.RecordBatch, *, rows_max: int = ROWS_MAX, bytes_max: int = BATCH_BYTES_MAX
) -> None:
    """Checks an untrusted batch in full: offsets, UTF-8, counts, sizes; cheap tests first.

    Raises:
        InvalidPayload: a column that cannot be (see `check_foreign_schema`), or damaged buffers.
        TooLarge: too many rows or bytes.
    """
    check_foreign_schema(batch.schema)
    if batch.num_rows > rows_max:
        raise TooLarge(
            f"batch has too many rows: expected at most {rows_max}, rows={batch.num_rows}"
        )
    _validate(batch, full=False)
    _check_size(batch.nbytes, bytes_max)
    _validate(batch, full=True)
    expanded = sum(_expanded_bytes(column) for column in batch.columns)
    _check_size(batch.nbytes + expanded, bytes_max)


def _validate(batch: pa.RecordBatch, *, full: bool) -> None:
    try:
        batch.validate(full=full)
    except (pa.ArrowInvalid, pa.ArrowIndexError) as error:
        reason = str(error).split("\n")[0][:200]
        raise InvalidPayload(f"batch is damaged: expected valid Arrow, reason={reason}") from None


def check_foreign_schema(schema: pa.Schema) -> None:
    """Refuses columns that cost nothing to claim and everything to expand, at any depth: null,
    run-end-encoded, union and zero-width types; and types that no table can hold.

    Raises:
        InvalidPayload: the column is named.
    """
    for field in schema:
        try:
            logical_type(field.type, field.name)
        except InvalidRequest as error:
            raise InvalidPayload(error.message) from None


def _check_size(size_bytes: int, bytes_max: int) -> None:
    if size_bytes > bytes_max:
        raise TooLarge(
            f"batch is too large: expected at most {bytes_max} bytes decompressed, "
            f"bytes={size_bytes}"
        )


def _expanded_bytes(column: Any) -> int:
    """Bytes beyond the buffers' own once dictionaries are decoded and views, which may overlap, are
    copied.
    """
    if isinstance(column, pa.ExtensionArray):
        return _expanded_bytes(column.storage)
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _decoded_bytes(column)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        return _view_bytes(column)
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        return _list_view_bytes(column)
    return sum(_expanded_bytes(child) for child in _children(column))


def _children(column: Any) -> list[Any]:
    kind = column.type
    if pa.types.is_struct(kind):
        return [column.field(index) for index in range(kind.num_fields)]
    if pa.types.is_map(kind):
        return [column.keys, column.items]
    return [column.values] if pa.types.is_nested(kind) else []


def _decoded_bytes(column: Any) -> int:
    values = column.dictionary
    if not len(values):
        return 0
    if pa.types.is_string_view(values.type) or pa.types.is_binary_view(values.type):
        return len(column) * max((len(v) for v in values.to_pylist() if v is not None), default=0)
    if _is_fixed(values.type):
        return int(len(column) * max(values.type.bit_width // 8, 1))
    lengths = pc.binary_length(values)
    return _sum(pc.cast(lengths.take(column.indices), pa.int64()))


def _is_fixed(kind: Any) -> bool:
    return (
        pa.types.is_primitive(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_decimal(kind)
    )


def _view_bytes(column: Any) -> int:
    """The first four bytes of each sixteen-byte view are its length."""
    count = column.offset + len(column)
    words = pa.Array.from_buffers(pa.int32(), count * 4, [None, column.buffers()[1]])
    views: Any = pa.FixedSizeListArray.from_arrays(words, 4)
    lengths = pc.list_element(views.slice(column.offset), 0)
    own = pc.if_else(column.is_valid(), lengths, pa.scalar(0, pa.int32()))
    return _sum(pc.cast(own, pa.int64()))


def _list_view_bytes(column: Any) -> int:
    elements = _sum(pc.cast(column.sizes, pa.int64()))
    child = column.values
    inner = child.nbytes + _expanded_bytes(child)
    return int(elements * max(inner // max(len(child), 1), 1))


def _sum(numbers: Any) -> int:
    total: Any = pc.sum(numbers).as_py()
    return int(total or 0)
