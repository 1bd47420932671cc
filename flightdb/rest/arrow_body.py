"""An Arrow stream from a body as one record batch, with memory bounded before anything is made."""

import struct
from collections.abc import Iterator

import pyarrow as pa

from flightdb.errors import InvalidPayload, TooLarge
from flightdb.model.foreign import check_foreign_schema

_END_MARKERS = (b"\xff\xff\xff\xff\0\0\0\0", b"\0\0\0\0")  # since Arrow 0.15, and before
_OPTIONS = pa.ipc.IpcReadOptions(use_threads=False)  # threads cost more than a small batch


def batch_from_stream(body: bytes | bytearray, size_max: int) -> pa.RecordBatch:
    """All batches of the stream as one, over the memory of `body` where there is only one.

    The service looks at the values. `size_max` bounds the decompressed buffers, in bytes.

    Raises:
        InvalidPayload: it is no Arrow stream, is cut off, says untrue things about itself, or has a
            column of a type that no table can hold.
        TooLarge: its compressed buffers say that they are larger than `size_max` together.
    """
    buffer = pa.py_buffer(body)
    try:
        check_stream(buffer, size_max)
        with pa.ipc.open_stream(buffer, options=_OPTIONS) as reader:
            check_foreign_schema(reader.schema)
            return _as_one(reader.schema, list(reader))
    except (pa.ArrowException, OSError, struct.error, ValueError) as error:
        text = str(error).partition("\n")[0]
        raise InvalidPayload(f"body is not a whole arrow stream: {text[:200]}") from None


def _as_one(schema: pa.Schema, batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    whole = pa.Table.from_batches(batches, schema=schema).combine_chunks().to_batches()
    if not whole:
        columns = [pa.array([], field.type) for field in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)
    return whole[0]


def check_stream(buffer: pa.Buffer, size_max: int) -> None:
    """Refuses a stream without its end, and one that would take more than `size_max` bytes.

    Arrow allocates what the first 8 bytes of a compressed buffer say before it decompresses, and
    fails when that turns out untrue; so their sum bounds the memory. Reads metadata only. A stream
    that stops between two batches reads like a whole one, so its end marker is asked for.

    Raises:
        TooLarge: it would.
        InvalidPayload: it has no end marker, or bytes after it.
    """
    source = pa.BufferReader(buffer)
    size = 0
    end = 0
    for message in pa.ipc.MessageReader.open_stream(source):
        end = source.tell()
        size += sum(_expanded_sizes(message))
        if size > size_max:
            raise TooLarge(
                f"arrow stream is too large: expected at most {size_max} bytes decompressed, "
                "send it in parts"
            )
    if buffer.slice(end).to_pybytes() not in _END_MARKERS:
        raise InvalidPayload(
            "body is not a whole arrow stream: expected its end marker and nothing after it"
        )


def _expanded_sizes(message: pa.ipc.Message) -> Iterator[int]:
    """The decompressed sizes of a message's compressed buffers; none when it is not compressed.

    Reads the flatbuffer by hand (Arrow's Message.fbs: header_type is field 1, header 2;
    DictionaryBatch: data is 1; RecordBatch: buffers is 2, compression 3), since pyarrow shows
    none of it. Arrow has verified its offsets when it made `message`.
    """
    metadata = memoryview(message.metadata)
    root = struct.unpack_from("<I", metadata, 0)[0]
    kind_at = _field(metadata, root, 1)
    header = _child(metadata, root, 2)
    kind = metadata[kind_at] if kind_at else 0
    if kind == _DICTIONARY_BATCH and header:
        header = _child(metadata, header, 1)
    elif kind != _RECORD_BATCH:
        return
    if not header or not _field(metadata, header, 3):
        return
    vector = _child(metadata, header, 2)
    body = memoryview(message.body) if message.body is not None else memoryview(b"")
    for index in range(struct.unpack_from("<I", metadata, vector)[0] if vector else 0):
        offset, length = struct.unpack_from("<qq", metadata, vector + 4 + 16 * index)
        if length >= 8 and 0 <= offset <= len(body) - 8:
            # -1 stands for "left as it was", whose size is part of the body
            yield max(0, struct.unpack_from("<q", body, offset)[0])


_DICTIONARY_BATCH = 2
_RECORD_BATCH = 3


def _field(metadata: memoryview, table: int, index: int) -> int:
    """Where field `index` of the flatbuffer table at `table` stands; 0 when it is not there."""
    vtable = table - struct.unpack_from("<i", metadata, table)[0]
    if 4 + 2 * index >= struct.unpack_from("<H", metadata, vtable)[0]:
        return 0
    offset = struct.unpack_from("<H", metadata, vtable + 4 + 2 * index)[0]
    return table + offset if offset else 0


def _child(metadata: memoryview, table: int, index: int) -> int:
    """What the reference in field `index` points to; 0 when it is not there."""
    at = _field(metadata, table, index)
    return at + struct.unpack_from("<I", metadata, at)[0] if at else 0
