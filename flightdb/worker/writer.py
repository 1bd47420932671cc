"""The threads of a large statement: batches off a queue, sorted piece by piece, into Parquet files."""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Full, Queue

import pyarrow as pa

from flightdb.model.schema import physical_schema, to_physical
from flightdb.model.table import Table
from flightdb.storage.parquet import POINT_ROW_GROUP_ROWS, ROW_GROUP_ROWS, FileStats, ParquetSink
from flightdb.worker.sort import sorted_rows

STAGE_FILE_BYTES = 256 << 20
"""A large statement begins another file at this size: engines read files of 64-256 MiB best (`engine.md` 5.3)."""

SORT_BYTES = 64 << 20
"""Rows sorted together while a large statement streams; bounds its memory."""


@dataclass(slots=True)
class _Chunk:
    batches: list[pa.RecordBatch]
    size_bytes: int = 0


class FileWriter:
    """One thread of a large statement: takes batches off the queue, sorts pieces, writes files."""

    def __init__(self, temporary: Callable[[], Path], table: Table) -> None:
        """`temporary` gives a new path for each file."""
        self._temporary = temporary
        self._table = table
        self._physical = physical_schema(table.schema)
        self._sink: ParquetSink | None = None
        self._path = Path()
        self._chunk = _Chunk([])
        self.files: list[tuple[Path, FileStats]] = []
        self.failure: BaseException | None = None
        self.is_abandoned = False

    def run(self, queue: "Queue[pa.RecordBatch | None]") -> None:
        """Takes batches until the None at the end, which it leaves for the others."""
        try:
            while (batch := queue.get()) is not None:
                self._take(batch)
            queue.put(None)
            if not self.is_abandoned:
                self._write_chunk()
            self._close()
        except BaseException as error:  # noqa: BLE001 - carried to the thread that waits, and raised there
            self.failure = error
            if self._sink is not None:
                self._sink.abort()
            # Others may wait for room in the queue: keep taking until the end of the stream.
            while queue.get() is not None:
                pass
            queue.put(None)

    def _take(self, batch: pa.RecordBatch) -> None:
        if self.is_abandoned:
            return
        if not self._table.id_column:
            self._write(to_physical(batch, self._table.schema))
            return
        self._chunk.batches.append(batch)
        self._chunk.size_bytes += batch.nbytes
        if self._chunk.size_bytes >= SORT_BYTES:
            self._write_chunk()

    def _write_chunk(self) -> None:
        if not self._chunk.batches:
            return
        rows = pa.Table.from_batches(self._chunk.batches)
        self._chunk = _Chunk([])
        for batch in sorted_rows(rows, self._table).to_batches(max_chunksize=ROW_GROUP_ROWS):
            self._write(to_physical(batch, self._table.schema))

    def _write(self, batch: pa.RecordBatch) -> None:
        if self._sink is None:
            self._path = self._temporary()
            self._sink = ParquetSink(
                self._path, self._physical, row_group_rows=row_group_rows(self._table)
            )
        self._sink.write_batch(batch)
        if self._sink.size_bytes >= STAGE_FILE_BYTES:
            self._close()

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is None:
            return
        if self.is_abandoned:
            sink.abort()
        else:
            self.files.append((self._path, sink.close()))


def offer(
    queue: "Queue[pa.RecordBatch | None]", batch: pa.RecordBatch, writers: Sequence[FileWriter]
) -> None:
    """Hands a batch over; raises a writer's error at once, not at the end of a long stream."""
    while True:
        raise_failure(writers)
        with contextlib.suppress(Full):
            queue.put(batch, timeout=0.5)
            return


def raise_failure(writers: Sequence[FileWriter]) -> None:
    for writer in writers:
        if writer.failure is not None:
            raise writer.failure


def finish(queue: "Queue[pa.RecordBatch | None]", threads: Sequence[threading.Thread]) -> None:
    queue.put(None)
    for thread in threads:
        thread.join()
    with contextlib.suppress(Empty):
        queue.get_nowait()


def row_group_rows(table: Table) -> int:
    return POINT_ROW_GROUP_ROWS if table.id_column else ROW_GROUP_ROWS
