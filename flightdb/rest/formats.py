"""Answers as bytes: JSON, or a stream of Arrow, CSV, NDJSON or Parquet."""

import io
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq  # noqa: TID251 - the answer's encoding for a client, not storage

from flightdb.errors import TooLarge, UnsupportedMedia
from flightdb.model.convert import to_physical_array
from flightdb.model.json_values import rows, unique_names, values
from flightdb.model.types import physical_of
from flightdb.rest.exchange import ENCODER

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
CSV = "text/csv"
LINES = "application/x-ndjson"
PARQUET = "application/vnd.apache.parquet"

JSON_ROWS_MAX = 100_000
"""Rows of a JSON answer without a limit; beyond it `has_more` is true."""

JSON_BYTES_MAX = 64 << 20
"""Bytes of its rows: a JSON answer is made in memory, two times over."""

ROWS_PER_STEP = 8_192
"""Rows encoded in one go: some 10 ms for which other Python threads wait."""

ROWS_PER_GROUP = 122_880
"""DuckDB's row group, by which it scans in parallel."""


class Encoder(Protocol):
    """Makes one format, piece by piece; used by one thread at a time."""

    def add(self, batch: pa.RecordBatch) -> bytes:
        """What can be sent after `batch`; may be empty."""
        ...

    def end(self) -> bytes:
        """The last bytes."""
        ...


def encoded(encoder: Encoder, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The pieces of the answer, none empty; work is done as they are taken."""
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS_PER_STEP):
            if piece := encoder.add(batch.slice(start, ROWS_PER_STEP)):
                yield piece
    if piece := encoder.end():
        yield piece


def first_rows(batches: Iterable[pa.RecordBatch], row_count: int) -> Iterator[pa.RecordBatch]:
    """The batches up to `row_count` rows; takes no more than it needs."""
    for batch in batches:
        if batch.num_rows >= row_count:
            yield batch.slice(0, row_count)
            return
        row_count -= batch.num_rows
        yield batch


def json_answer(schema: pa.Schema, batches: Iterable[pa.RecordBatch], row_count_max: int) -> bytes:
    """A `QueryAnswer` without its beginning, the query id, so that it can be kept and sent again.

    Raises:
        TooLarge: the rows are over `JSON_BYTES_MAX`.
    """
    names = unique_names(schema)
    pieces: list[bytes] = []
    size = count = 0
    for batch in first_rows(batches, row_count_max + 1):
        for start in range(0, batch.num_rows, ROWS_PER_STEP):
            part = batch.slice(start, min(ROWS_PER_STEP, row_count_max - count))
            count += min(ROWS_PER_STEP, batch.num_rows - start)
            if part.num_rows:
                pieces.append(ENCODER.encode(rows(names, part))[1:-1])
                size += len(pieces[-1])
        if size > JSON_BYTES_MAX:
            raise TooLarge(
                f"answer is too large for json: expected at most {JSON_BYTES_MAX} bytes of rows, "
                f"give a limit or accept {LINES} or {ARROW}"
            )
    text = b"[" + b",".join(pieces) + b"]"
    return b'"result_json":%b,"rows":%b,"has_more":%b,"next_cursor":""}' % (
        ENCODER.encode(text.decode()),
        text,
        b"true" if count > row_count_max else b"false",
    )


class ArrowEncoder:
    """An Arrow IPC stream."""

    def __init__(self, schema: pa.Schema) -> None:
        """Writes the schema."""
        self._sink = io.BytesIO()
        self._writer = pa.ipc.new_stream(self._sink, schema)

    def add(self, batch: pa.RecordBatch) -> bytes:
        """One message, with its dictionaries before it."""
        self._writer.write_batch(batch)
        return _taken(self._sink)

    def end(self) -> bytes:
        """The end marker."""
        self._writer.close()
        return _taken(self._sink)


class LinesEncoder:
    """NDJSON: an object a row, as in a JSON answer."""

    def __init__(self, schema: pa.Schema) -> None:
        """Nothing is written before the first row."""
        self._names = unique_names(schema)

    def add(self, batch: pa.RecordBatch) -> bytes:
        """A line a row."""
        return ENCODER.encode_lines(rows(self._names, batch))

    def end(self) -> bytes:
        """Nothing."""
        return b""


class CsvEncoder:
    """CSV by RFC 4180 with a header line: null is empty, empty text is `""`, nested is JSON."""

    def __init__(self, schema: pa.Schema) -> None:
        """Writes the header line."""
        kinds = [field.type if _is_plain(field.type) else pa.string() for field in schema]
        self._schema = pa.schema(list(zip(schema.names, kinds, strict=True)))
        self._sink = io.BytesIO()
        self._writer = pa_csv.CSVWriter(self._sink, self._schema)

    def add(self, batch: pa.RecordBatch) -> bytes:
        """A line a row."""
        columns = [
            column if _is_plain(column.type) else pa.array(_texts(column), pa.string())
            for column in batch.columns
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))
        return _taken(self._sink)

    def end(self) -> bytes:
        """The header line, when there was no row."""
        self._writer.close()
        return _taken(self._sink)


class ParquetEncoder:
    """A Parquet file of row groups of `ROWS_PER_GROUP` rows; intervals are as in a table's own files."""

    def __init__(self, schema: pa.Schema) -> None:
        """Writes the magic bytes."""
        self._given = schema
        self._schema = pa.schema([field.with_type(_in_parquet(field.type)) for field in schema])
        self._sink = _Tail()
        file = pa.PythonFile(self._sink, mode="w")
        try:
            self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            reason = str(error).partition("\n")[0][:200]
            raise UnsupportedMedia(
                f"parquet cannot hold this answer: expected types that it has, reason={reason}"
            ) from None
        self._waiting: list[pa.RecordBatch] = []
        self._row_count = 0

    def add(self, batch: pa.RecordBatch) -> bytes:
        """A row group, when enough rows have gathered."""
        self._waiting.append(self._fitted(batch))
        self._row_count += batch.num_rows
        if self._row_count >= ROWS_PER_GROUP:
            self._write()
        return self._sink.taken()

    def end(self) -> bytes:
        """The last row group and the footer."""
        self._write()
        self._writer.close()
        return self._sink.taken()

    def _fitted(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self._given.equals(self._schema):
            return batch
        columns = [
            column
            if column.type.equals(field.type)
            else to_physical_array(column, column.type, field.name)
            for column, field in zip(batch.columns, self._schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)

    def _write(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting, schema=self._schema))
        self._waiting, self._row_count = [], 0


ENCODERS: dict[str, Callable[[pa.Schema], Encoder]] = {
    ARROW: ArrowEncoder,
    CSV: CsvEncoder,
    LINES: LinesEncoder,
    PARQUET: ParquetEncoder,
}


@lru_cache(maxsize=256)
def accepted(accept: bytes) -> str:
    """The media type to answer with for an `Accept` header: JSON where anything will do.

    Raises:
        UnsupportedMedia: none that it names is served.
    """
    wanted = [_quality(part) for part in accept.decode("latin-1").lower().split(",")]
    for quality, media in sorted(wanted, key=lambda pair: -pair[0]):
        if quality > 0 and (served := _WILDCARDS.get(media, media)) in (JSON, *ENCODERS):
            return served
    raise UnsupportedMedia(
        f"accept names no format that is served: expected one of {', '.join((JSON, *ENCODERS))}"
    )


_WILDCARDS = {"": JSON, "*/*": JSON, "application/*": JSON, "text/*": CSV}


def _quality(part: str) -> tuple[float, str]:
    media, *parameters = (text.strip() for text in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:]), media
            except ValueError:
                return 0.0, media
    return 1.0, media


class _Tail(io.RawIOBase):
    """A file of which only what was not yet taken is kept."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        self._position += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        return self._position

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def _taken(sink: io.BytesIO) -> bytes:
    piece = sink.getvalue()
    sink.seek(0)
    sink.truncate()
    return piece


def _in_parquet(kind: Any) -> Any:
    """The type itself; of one with an interval somewhere in it what tables store."""
    return physical_of(kind) if "interval" in str(kind) else kind


def _is_plain(kind: Any) -> bool:
    """Whether CSV and JSON write it the same way."""
    return (
        pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_string(kind)
        or pa.types.is_decimal128(kind)
        or pa.types.is_date32(kind)
    )


def _texts(column: Any) -> list[str | None]:
    return [_text(value) for value in values(column)]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    text = ENCODER.encode(value).decode()
    return None if text == "null" else text.strip('"') if text.startswith('"') else text
