"""Data files as streams of record batches: Parquet, CSV, NDJSON, Arrow."""

import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.json as ndjson
import pyarrow.parquet as parquet

from flightdb.cli.bytestream import data_suffix, open_bytes
from flightdb.cli.failure import USAGE, Failure

ROWS_PER_BATCH = 65_536
CSV_BLOCK_BYTES = 4 << 20
"""Types are inferred over the first block, so a large one; pyarrow reads some 32 blocks ahead, so not too large."""

NDJSON_BLOCK_BYTES = 4 << 20

UNREADABLE = (pa.ArrowException, OSError, EOFError, ValueError, zlib.error)
"""What libraries raise for a file that is not what it should be."""

Types = Mapping[str, pa.DataType]


@dataclass(frozen=True, slots=True)
class Rows:
    """A file being read, once. `position()`: how many of the file's bytes are behind us."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    position: Callable[[], int]
    opened: ExitStack

    def close(self) -> None:
        """Closes the file; it does so by itself when it cannot be read."""
        self.opened.close()


def open_rows(path: Path, types: Types) -> Rows:
    """Opens a file by its suffix. `types`: of columns of text formats, over what is inferred.

    Raises:
        Failure: no file, an unknown suffix, or its head is not what the suffix says. While
            reading: what does not parse, with line and column where the format has them.
    """
    suffix = data_suffix(path)
    opener = _OPENERS.get(suffix)
    if opener is None:
        known = " ".join(sorted(_OPENERS))
        raise Failure(f"unknown kind of file: expected a name in {known}, file={path}", USAGE)
    if not path.is_file():
        raise Failure(f"cannot read: no such file, file={path}", USAGE)
    with ExitStack() as opened:
        try:
            rows = opener(path, types, opened)
        except UNREADABLE as error:
            raise Failure(_line(path, error, 0), USAGE) from None
        keep = opened.pop_all()
    return replace(rows, batches=_guarded(path, rows, keep), opened=keep)


def _parquet(path: Path, _: Types, opened: ExitStack) -> Rows:
    file = opened.enter_context(parquet.ParquetFile(path, memory_map=True))
    size, total = path.stat().st_size, max(1, file.metadata.num_rows)
    seen = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal seen
        for batch in file.iter_batches(ROWS_PER_BATCH):
            seen += batch.num_rows
            yield batch

    schema = file.schema_arrow.remove_metadata()
    return Rows(schema, batches(), lambda: size * seen // total, opened)


def _csv(path: Path, types: Types, opened: ExitStack, delimiter: str = ",") -> Rows:
    file, stream = open_bytes(path, opened)
    reader = csv.open_csv(
        stream,
        # One thread: with more, an error does not know its row.
        read_options=csv.ReadOptions(block_size=CSV_BLOCK_BYTES, use_threads=False),
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=csv.ConvertOptions(column_types=dict(types), strings_can_be_null=False),
    )
    empty = [field.name for field in reader.schema if pa.types.is_null(field.type)]
    if empty:  # nothing but nulls in the first block; text takes whatever comes
        opened.close()
        return _csv(path, {**types, **dict.fromkeys(empty, pa.string())}, opened, delimiter)
    # pyarrow takes for bytes what is not UTF-8.
    bytes_ = [f.name for f in reader.schema if pa.types.is_binary(f.type) and f.name not in types]
    if bytes_:
        opened.close()
        raise Failure(
            f"not UTF-8 text: expected another encoding of the file, or --type {bytes_[0]}=binary,"
            f" column={bytes_[0]}, file={path}",
            USAGE,
        )
    return Rows(
        reader.schema,
        iter(reader),
        lambda: file.position,
        opened,
    )


def _tsv(path: Path, types: Types, opened: ExitStack) -> Rows:
    return _csv(path, types, opened, "\t")


def _ndjson(path: Path, types: Types, opened: ExitStack) -> Rows:
    file, stream = open_bytes(path, opened)
    known = pa.schema([pa.field(name, kind) for name, kind in types.items()])
    reader = ndjson.open_json(
        stream,
        read_options=ndjson.ReadOptions(block_size=NDJSON_BLOCK_BYTES, use_threads=False),
        parse_options=ndjson.ParseOptions(explicit_schema=known if types else None),
    )
    empty = [field.name for field in reader.schema if pa.types.is_null(field.type)]
    if empty:
        opened.close()
        return _ndjson(path, {**types, **dict.fromkeys(empty, pa.string())}, opened)
    return Rows(reader.schema, iter(reader), lambda: file.position, opened)


def _arrow(path: Path, _: Types, opened: ExitStack) -> Rows:
    file, stream = open_bytes(path, opened)
    if stream.read(6) == b"ARROW1":
        opened.close()
        return _arrow_file(path, opened)
    stream.seek(0)
    reader = pa.ipc.open_stream(cast(io.IOBase, stream))
    return Rows(
        reader.schema.remove_metadata(),
        iter(reader),
        lambda: file.position,
        opened,
    )


def _arrow_file(path: Path, opened: ExitStack) -> Rows:
    source = opened.enter_context(pa.memory_map(str(path)))
    reader = pa.ipc.open_file(source)
    size, count, seen = path.stat().st_size, max(1, reader.num_record_batches), 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal seen
        for index in range(reader.num_record_batches):
            seen = index + 1
            yield reader.get_batch(index)

    schema = reader.schema.remove_metadata()
    return Rows(schema, batches(), lambda: size * seen // count, opened)


def _guarded(path: Path, rows: Rows, opened: ExitStack) -> Iterator[pa.RecordBatch]:
    row_count = 0
    try:
        for batch in rows.batches:
            row_count += batch.num_rows
            yield batch
    except UNREADABLE as error:
        opened.close()
        raise Failure(_line(path, error, row_count, rows.schema), USAGE) from None


def _line(path: Path, error: Exception, rows_before: int, schema: pa.Schema | None = None) -> str:
    """What does not parse, where: pyarrow numbers columns from 0, and JSON rows within a block."""
    text = " ".join(str(error).split())
    column = re.match(r"In CSV column #(\d+): (.*)", text)
    if column:
        index, text = int(column[1]), column[2]
        name = schema.names[index] if schema is not None else f"number {index + 1}"
        text = f"column {name}: {text}; --type {name}=string takes any text"
    text = re.sub(r"(CSV parse error: )?Row #(\d+): ", r"line \2: ", text)
    row = re.search(r" in row (\d+)$", text)
    if row:
        text = f"line {rows_before + int(row[1]) + 1}: {text[: row.start()]}"
    elif text == "JSON parse error: unexpected field":
        text = f"a field after line {rows_before} that no line before it has; --type NAME=string"
    return f"cannot read the file: {text}, file={path}"


_OPENERS: Mapping[str, Callable[[Path, Types, ExitStack], Rows]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".tsv": _tsv,
    ".ndjson": _ndjson,
    ".jsonl": _ndjson,
    ".json": _ndjson,
    ".arrow": _arrow,
    ".arrows": _arrow,
    ".ipc": _arrow,
    ".feather": _arrow,
}
