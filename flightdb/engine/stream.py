"""An answer on its way out of DuckDB: lazily, in batches of bounded size, stopped from outside."""

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from flightdb.engine.errors import EngineError, translate
from flightdb.engine.running import Running
from flightdb.engine.types import relabel

BATCH_BYTES_MAX = 1 << 20
"""Some clients take messages of at most 4 MiB, and streams are fastest at 1 to 2 MiB a message
(`reference/flightsql.md` C.6.6)."""


class Stream:
    """The batches of one running query. Iterated by one thread; closed by any, at any time."""

    def __init__(
        self,
        running: Running,
        reader: pa.RecordBatchReader,
        schema: pa.Schema,
        files: Sequence[str],
    ) -> None:
        """Owns `running` from here on; `files` are the paths that the query reads."""
        self._running = running
        self._reader: Any = reader
        self._schema = schema
        self._is_relabelled = not reader.schema.equals(schema, check_metadata=True)
        self._files = files
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Batches of at most about 1 MiB, or one row."""
        try:
            while (batch := self._next()) is not None:
                yield from sliced(batch)
        finally:
            self.close()

    def _next(self) -> pa.RecordBatch | None:
        with self._lock:
            self._running.cancellation.check()
            if self._reader is None:
                return None
            try:
                batch = self._reader.read_next_batch()
            except StopIteration:
                return None
            except EngineError as error:
                raise translate(error, self._running.cancellation, self._files) from error
            return relabel(batch, self._schema) if self._is_relabelled else batch

    def close(self) -> None:
        """Stops the query if it still runs and frees its memory."""
        if self._lock.acquire(blocking=False):
            self._free()
            return
        # A thread is inside `_next`: make it come out.
        self._running.stop()
        self._lock.acquire()
        self._free()

    def _free(self) -> None:
        try:
            self._reader = None
            self._running.close()
        finally:
            self._lock.release()


def sliced(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """`batch` in zero-copy slices of about equal rows and at most about 1 MiB each."""
    size = batch.nbytes
    if size <= BATCH_BYTES_MAX or batch.num_rows <= 1:
        yield batch
        return
    count = min(-(-size // BATCH_BYTES_MAX), batch.num_rows)
    rows = -(-batch.num_rows // count)
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)
