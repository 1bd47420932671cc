"""Rows of an answer as encoded `miniodb.v1.DataRecord` messages, column by column.

The messages are put together as bytes: building Struct objects value by value takes three times as
long (`tests/rpc/test_wire.py` holds the bytes to what protobuf's own encoder gives for the same
rows).
"""

from collections.abc import Callable, Iterable, Iterator
from struct import Struct as Packing
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import to_builtins
from msgspec.json import decode

from flightdb.errors import TooLarge
from flightdb.model.json_values import unique_names, values
from flightdb.model.table import ID, TIMESTAMP

MAX_EXACT = 2**53
"""An integer beyond this is not exact as a double, so it goes as text, as protobuf's own JSON form
does."""

RESPONSE_BYTES_MAX = 4 * 1024 * 1024 - 1024
"""A message of 4 MiB, less the fields around the records."""

RECORD_OVERHEAD = 6
"""Tag and length of a record in its response, at most."""

_NULL = b"\x12\x02\x08\x00"
_BOOLS = (b"\x12\x02\x20\x00", b"\x12\x02\x20\x01")
_DOUBLE = Packing("<d").pack

Encoder = Callable[[object], bytes]


def encoded_records(batch: pa.RecordBatch) -> list[bytes]:
    """One encoded DataRecord a row, in order.

    The first column named `id` is the record's id as text, the first named `timestamp` that has a
    moment is its timestamp; every other column, and these where they are of another kind or a
    repeat, are in the payload.
    """
    id_column, time_column = record_columns(batch.schema)
    entries = [
        list(_entries(name, batch.column(index)))
        for index, name in enumerate(unique_names(batch.schema))
        if index not in (id_column, time_column)
    ]
    payloads: Iterable[bytes] = (
        map(b"".join, zip(*entries, strict=True)) if entries else [b""] * batch.num_rows
    )
    ids = _ids(batch, id_column)
    moments = _moments(batch, time_column)
    return [
        id_ + moment + _prefixed(b"\x1a", payload)
        for id_, moment, payload in zip(ids, moments, payloads, strict=True)
    ]


def record_columns(schema: pa.Schema) -> tuple[int, int]:
    """The indices of the columns that are a record's id and timestamp, -1 for none."""
    id_column = schema.names.index(ID) if ID in schema.names else -1
    time_column = schema.names.index(TIMESTAMP) if TIMESTAMP in schema.names else -1
    if id_column >= 0 and not _is_key(schema.field(id_column).type):
        id_column = -1
    if time_column >= 0 and not pa.types.is_timestamp(schema.field(time_column).type):
        time_column = -1
    return id_column, time_column


class Responses:
    """Records cut into encoded `miniodb.v1.StreamQueryResponse` messages."""

    def __init__(self, batch_size: int) -> None:
        """`batch_size`: records a response; fewer where they would be over `RESPONSE_BYTES_MAX`."""
        self._batch_size = batch_size
        self._records: list[bytes] = []
        self._size = 0

    def add(self, records: Iterable[bytes]) -> list[bytes]:
        """The responses that are full and known not to be the last."""
        full = []
        for record in records:
            size = self._size + len(record) + RECORD_OVERHEAD
            if len(self._records) == self._batch_size or (
                self._records and size > RESPONSE_BYTES_MAX
            ):
                full.append(self._cut(has_more=True))
                size = len(record) + RECORD_OVERHEAD
            if size > RESPONSE_BYTES_MAX:
                raise TooLarge(
                    f"row is too large for one message: expected at most 4 MiB, size_bytes={size}"
                )
            self._records.append(record)
            self._size = size
        return full

    def last(self) -> bytes:
        """The response that ends the stream: what is left, `has_more` false."""
        return self._cut(has_more=False)

    def _cut(self, *, has_more: bool) -> bytes:
        body = b"".join([_prefixed(b"\x0a", record) for record in self._records])
        self._records, self._size = [], 0
        return body + b"\x10\x01" if has_more else body


def varint(number: int) -> bytes:
    """A non-negative number as a base 128 varint."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


_LENGTHS = tuple(varint(number) for number in range(4096))


def _prefixed(tag: bytes, body: bytes) -> bytes:
    size = len(body)
    return tag + (_LENGTHS[size] if size < 4096 else varint(size)) + body


def _is_key(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)


def _ids(batch: pa.RecordBatch, index: int) -> Iterator[bytes]:
    if index < 0:
        yield from [b""] * batch.num_rows
        return
    for value in batch.column(index).to_pylist():
        # proto3 leaves out an empty text, and a null id is none.
        yield _prefixed(b"\x0a", str(value).encode()) if value not in (None, "") else b""


def _moments(batch: pa.RecordBatch, index: int) -> Iterator[bytes]:
    if index < 0:
        yield from [b""] * batch.num_rows
        return
    column = batch.column(index)
    # As a wide number of nanoseconds, since any unit may stand here.
    per_second = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}[column.type.unit]
    to_nanos = 1_000_000_000 // per_second
    for ticks in pc.cast(column, pa.int64()).to_pylist():
        yield b"" if ticks is None else _moment(*divmod(ticks, per_second), to_nanos)


def _moment(seconds: int, ticks: int, to_nanos: int) -> bytes:
    body = b"\x08" + varint(seconds % 2**64) if seconds else b""
    if ticks:
        body += b"\x10" + varint(ticks * to_nanos)
    return _prefixed(b"\x12", body)


def _entries(name: str, column: Any) -> Iterator[bytes]:
    """One encoded entry of `Struct.fields` a row."""
    key = _prefixed(b"\x0a", name.encode())
    encode = _encoder(column.type)
    if encode is _number:
        # All of one length, the most frequent kind: only the eight bytes differ.
        start = b"\x0a" + varint(len(key) + 11) + key + b"\x12\x09\x11"
        null = _prefixed(b"\x0a", key + _NULL)
        doubles = pc.cast(column, pa.float64()).to_pylist()
        return (null if value is None else start + _DOUBLE(value) for value in doubles)
    null = _prefixed(b"\x0a", key + _NULL)
    return (
        null if value is None else _prefixed(b"\x0a", key + encode(value))
        for value in _builtins(column)
    )


def _builtins(column: Any) -> list[Any]:
    """The values as a Struct can say them: what JSON has no form of its own for is text."""
    kind = column.type
    if isinstance(kind, pa.JsonType):
        return [None if text is None else decode(text) for text in column.storage.to_pylist()]
    if pa.types.is_decimal(kind) and kind.scale == 0:
        return [None if value is None else int(value) for value in column.to_pylist()]
    plain = values(column)
    if pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_boolean(kind):
        return plain
    converted: list[Any] = to_builtins(plain, str_keys=True)
    return converted


def _encoder(kind: pa.DataType) -> Encoder:
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and kind.bit_width <= 32):
        return _number
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text
    if pa.types.is_boolean(kind):
        return _bool
    return _any


def _number(value: object) -> bytes:
    return b"\x12\x09\x11" + _DOUBLE(value)


def _text(value: object) -> bytes:
    return _prefixed(b"\x12", _prefixed(b"\x1a", str(value).encode()))


def _bool(value: object) -> bytes:
    return _BOOLS[bool(value)]


def _any(value: object) -> bytes:
    """The field `value` of a map entry: a Value message behind tag 2."""
    return _prefixed(b"\x12", _value(value))


def _value(value: object) -> bytes:
    """An encoded Value message."""
    if isinstance(value, dict):
        fields = [
            _prefixed(b"\x0a", _prefixed(b"\x0a", str(key).encode()) + _any(item))
            for key, item in value.items()
        ]
        return _prefixed(b"\x2a", b"".join(fields))
    if isinstance(value, list):
        return _prefixed(b"\x32", b"".join([_prefixed(b"\x0a", _value(item)) for item in value]))
    return _scalar(value)


def _scalar(value: object) -> bytes:
    if value is None:
        return b"\x08\x00"
    if isinstance(value, bool):
        return b"\x20\x01" if value else b"\x20\x00"
    if isinstance(value, float) or (isinstance(value, int) and -MAX_EXACT <= value <= MAX_EXACT):
        return b"\x11" + _DOUBLE(value)
    return _prefixed(b"\x1a", str(value).encode())
