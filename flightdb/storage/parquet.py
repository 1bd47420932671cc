"""Parquet files of physical rows: written in a stream, synced, with their Delta statistics.

The same rows, settings and footer give the same bytes, so a flush that is tried again makes the
same object. Settings are measured on TPC-H lineitem (2 cores, `bench/`): snappy writes 440 MB/s a
core, zstd 1 325 MB/s and 0.6 of the size; dictionaries of high-cardinality columns cost 25 %.
"""

import contextlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flightdb.errors import Corruption, Internal, NotFound, Unavailable
from flightdb.storage.statistics import NanColumns, delta_statistics

ROW_GROUP_ROWS = 122_880
"""DuckDB's own default: it reads a row group a thread."""

POINT_ROW_GROUP_ROWS = 32_768
"""For tables with an id column: a point query reads one row group; smaller ones cost scans 10 %."""

ROW_GROUP_BYTES_MAX = 128 << 20
"""A row group ends early at this size in Arrow, so that wide rows do not fill the memory."""

Compression = Literal["snappy", "zstd", "lz4", "none"]

COMPRESSION: Compression = "snappy"
"""For files written as rows arrive; compaction may take `zstd`."""

SAMPLE_ROWS = 8_192
"""Rows looked at to decide on dictionaries: 1 ms a text column."""

DISTINCT_SHARE_MAX = 0.1
"""Above this share of distinct values in the sample a dictionary costs more than it saves."""


@dataclass(frozen=True, slots=True)
class FileStats:
    """A written file. `stats`: Delta statistics document as JSON text; `size_bytes`: on disk."""

    row_count: int
    size_bytes: int
    stats: str


@dataclass(frozen=True, slots=True)
class Footer:
    """What a file says of itself. `metadata`: the mapping it was written with."""

    schema: pa.Schema
    row_count: int
    row_group_count: int
    metadata: Mapping[str, str]


class ParquetSink:
    """Writes batches of one physical schema to one file. Not thread-safe; needs `close` or `abort`.

    As a context manager it aborts on an exception and closes otherwise.
    """

    def __init__(
        self,
        path: Path,
        schema: pa.Schema,
        *,
        row_group_rows: int = ROW_GROUP_ROWS,
        footer: Mapping[str, str] | None = None,
        compression: Compression = COMPRESSION,
    ) -> None:
        """Nothing is written before the first row group is full. `path` must not exist."""
        self._path = path
        self._schema = schema
        self._row_group_rows = row_group_rows
        self._footer = dict(footer or {})
        self._compression = compression
        self._writer: Any = None
        self._pending: list[pa.RecordBatch] = []
        self._pending_rows = 0
        self._pending_bytes = 0
        self._row_count = 0
        self._nan_columns = NanColumns(schema)
        self._closed: FileStats | None = None

    @property
    def row_count(self) -> int:
        """Rows taken so far."""
        return self._row_count + self._pending_rows

    @property
    def size_bytes(self) -> int:
        """Bytes in the file plus bytes in memory: an upper estimate while writing."""
        written = self._path.stat().st_size if self._writer is not None else 0
        return written + self._pending_bytes

    def __enter__(self) -> "ParquetSink":
        """Gives itself."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Closes, or aborts on an exception."""
        if kind is None:
            self.close()
        else:
            self.abort()

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Takes a batch of exactly the schema; writes whole row groups.

        Raises:
            Unavailable: the disk refused (full).
        """
        if not batch.num_rows:
            return
        self._pending.append(batch)
        self._pending_rows += batch.num_rows
        self._pending_bytes += batch.nbytes
        if self._pending_rows >= self._row_group_rows or self._pending_bytes >= ROW_GROUP_BYTES_MAX:
            self._write_groups(is_last=False)

    def close(self) -> FileStats:
        """Writes what is left and the footer, syncs the file. Asked again, gives the same.

        Raises:
            Unavailable: the disk refused; the file is gone.
        """
        if self._closed is None:
            if self._pending or self._writer is None:
                self._write_groups(is_last=True)
            self._closed = self._finish()
        return self._closed

    def abort(self) -> None:
        """Drops everything; the file is gone. After `close` it does nothing."""
        if self._closed is not None:
            return
        self._pending.clear()
        if self._writer is not None:
            # The disk that refused the rows refuses the footer too; the file goes anyway.
            with contextlib.suppress(OSError):
                self._writer.close()
        self._path.unlink(missing_ok=True)

    def _finish(self) -> FileStats:
        try:
            self._writer.add_key_value_metadata(self._footer)
            self._writer.close()
            with self._path.open("rb+") as file:
                os.fsync(file.fileno())
            size_bytes = self._path.stat().st_size
        except OSError as error:
            self._path.unlink(missing_ok=True)
            raise _refused(self._path, error) from None
        metadata = pq.read_metadata(self._path)
        stats = delta_statistics(metadata, self._schema, self._nan_columns.found)
        return FileStats(self._row_count, size_bytes, stats)

    def _write_groups(self, *, is_last: bool) -> None:
        table = pa.Table.from_batches(self._pending, schema=self._schema)
        is_wide = self._pending_bytes >= ROW_GROUP_BYTES_MAX
        whole = table.num_rows - (
            0 if is_last or is_wide else table.num_rows % self._row_group_rows
        )
        self._open(table)
        now, rest = table.slice(0, whole), table.slice(whole)
        self._nan_columns.look(now)
        try:
            self._writer.write_table(now, row_group_size=self._row_group_rows)
        except OSError as error:
            raise _refused(self._path, error) from None
        self._row_count += now.num_rows
        self._pending = rest.to_batches()
        self._pending_rows = rest.num_rows
        self._pending_bytes = rest.nbytes if rest.num_rows else 0

    def _open(self, first: pa.Table) -> None:
        if self._writer is not None:
            return
        try:
            self._writer = pq.ParquetWriter(
                self._path,
                self._schema,
                compression=self._compression,
                compression_level=1 if self._compression == "zstd" else None,
                use_dictionary=cast(bool, dictionary_columns(first)),  # the stub forgot lists
                store_decimal_as_integer=True,
                write_page_checksum=True,
                store_schema=False,
            )
        except OSError as error:
            raise _refused(self._path, error) from None


def write_parquet(
    path: Path,
    batches: Iterable[pa.RecordBatch] | pa.Table,
    *,
    schema: pa.Schema | None = None,
    row_group_rows: int = ROW_GROUP_ROWS,
    footer: Mapping[str, str] | None = None,
) -> FileStats:
    """Writes one file of physical rows; `schema` is needed where `batches` is no table.

    Raises:
        Unavailable: the disk refused; the file is gone.
    """
    if isinstance(batches, pa.Table):
        schema, batches = batches.schema, batches.to_batches()
    if schema is None:
        raise Internal("parquet needs a schema: batches came without one")
    with ParquetSink(path, schema, row_group_rows=row_group_rows, footer=footer) as sink:
        for batch in batches:
            sink.write_batch(batch)
        return sink.close()


def read_footer(path: Path) -> Footer:
    """What the file says of itself; reads its last bytes only.

    Raises:
        NotFound: no such file.
        Corruption: not a whole Parquet file.
    """
    try:
        metadata = pq.read_metadata(path)
    except FileNotFoundError:
        raise NotFound(f"file not found: path={path}") from None
    except (pa.ArrowInvalid, OSError) as error:
        raise Corruption(f"parquet footer is damaged: path={path}, reason={error}") from None
    texts = {key.decode(): value.decode() for key, value in (metadata.metadata or {}).items()}
    schema = metadata.schema.to_arrow_schema().remove_metadata()
    return Footer(schema, metadata.num_rows, metadata.num_row_groups, texts)


def dictionary_columns(first: pa.Table) -> list[str]:
    """Text columns whose first rows repeat: only there a dictionary pays."""
    sample = first.slice(0, SAMPLE_ROWS)
    limit = sample.num_rows * DISTINCT_SHARE_MAX
    return [
        field.name
        for field in sample.schema
        if pa.types.is_string(field.type) and pc.count_distinct(sample[field.name]).as_py() <= limit
    ]


def _refused(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"file cannot be written: path={path}, reason={error.strerror or error}")
