"""The forms of an answer: a table for people, or a stream of CSV, JSON, Arrow or Parquet."""

import io
from typing import BinaryIO, Protocol, cast

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from flightdb.cli.form import Form
from flightdb.cli.readable import ENCODER, readable
from flightdb.model.json_values import rows, unique_names

SHOWN_ROWS_MAX = 1000
"""A person reads no more, and a table is laid out as a whole, in memory."""


class Writer(Protocol):
    """Takes an answer batch by batch; memory does not grow with it."""

    def write(self, batch: pa.RecordBatch) -> None:
        """The next rows."""
        ...

    def close(self) -> None:
        """Ends the form. The stream stays open."""
        ...


def writer(form: Form, schema: pa.Schema, stream: BinaryIO) -> Writer:
    """The writer of `form` onto `stream`."""
    if form is Form.ARROW:
        return _Arrow(schema, stream)
    if form is Form.PARQUET:
        return _Parquet(schema, stream)
    if form is Form.CSV:
        return _Csv(schema, stream)
    return _Json(schema, stream) if form is Form.JSON else _Table(schema, stream)


class _Arrow:
    def __init__(self, schema: pa.Schema, stream: BinaryIO) -> None:
        self._writer = pa.ipc.new_stream(pa.PythonFile(cast(io.IOBase, stream), "w"), schema)

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


class _Parquet:
    def __init__(self, schema: pa.Schema, stream: BinaryIO) -> None:
        self._writer = parquet.ParquetWriter(stream, schema, compression="zstd")

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


class _Csv:
    def __init__(self, schema: pa.Schema, stream: BinaryIO) -> None:
        header = io.BytesIO()
        names = pa.table({f"{i}": pa.array([], pa.string()) for i in range(len(schema))})
        csv.write_csv(names.rename_columns(schema.names), header)
        stream.write(header.getvalue())
        self._stream = stream
        self._options = csv.WriteOptions(include_header=False)

    def write(self, batch: pa.RecordBatch) -> None:
        lines = io.BytesIO()
        csv.write_csv(readable(batch), lines, self._options)
        self._stream.write(lines.getvalue())

    def close(self) -> None:
        pass


class _Json:
    """One array, one row a line."""

    def __init__(self, schema: pa.Schema, stream: BinaryIO) -> None:
        self._names = unique_names(schema)
        self._stream = stream
        self._separator = b"[\n"

    def write(self, batch: pa.RecordBatch) -> None:
        for row in rows(self._names, batch):
            self._stream.write(self._separator + ENCODER.encode(row))
            self._separator = b",\n"

    def close(self) -> None:
        self._stream.write(b"[]\n" if self._separator == b"[\n" else b"\n]\n")


class _Table:
    """Lays out the first rows and counts the others."""

    def __init__(self, schema: pa.Schema, stream: BinaryIO) -> None:
        from rich.table import Table

        self._stream = stream
        self._row_count = 0
        self._table = Table(header_style="bold")
        for field in schema:
            numeric = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
            self._table.add_column(
                field.name,
                justify="right" if numeric or pa.types.is_decimal(field.type) else "left",
                no_wrap=not stream.isatty(),
            )

    def write(self, batch: pa.RecordBatch) -> None:
        from rich.text import Text

        shown = readable(batch.slice(0, max(0, SHOWN_ROWS_MAX - self._row_count)))
        self._row_count += batch.num_rows
        columns = [column.to_pylist() for column in shown.columns]
        for row in zip(*columns, strict=True):
            self._table.add_row(*(Text("" if value is None else str(value)) for value in row))

    def close(self) -> None:
        from rich.console import Console

        text = io.TextIOWrapper(self._stream, encoding="utf-8", write_through=True)
        # Not a terminal: as wide as the rows are, so that nothing is cut.
        width = None if self._stream.isatty() else 100_000
        console = Console(file=text, width=width)
        console.print(self._table)
        more = self._row_count - SHOWN_ROWS_MAX
        note = f", {more:,} of them not shown (--output csv gives all)" if more > 0 else ""
        console.print(f"{self._row_count:,} row{'' if self._row_count == 1 else 's'}{note}")
        text.detach()
