"""Small batches put together, in files that a query can map.

The WAL holds every acknowledged row already; these files only make many small rows one Arrow batch (100,000 one-row
batches make a GROUP BY 228 ms, 1,000-row batches 2.4 ms, measured), so nothing here is synced and nothing outlives the
process: the directory is emptied at start.
"""

import os
import weakref
from pathlib import Path

import pyarrow as pa

from flightdb.model.source import ArrowSegment

_CHUNK_BYTES = 16 << 20
_ALIGNMENT = 64


class Arena:
    """Places batches into chunk files of one directory. Called by one thread.

    A chunk's file is deleted when nothing refers to its `Chunk` any more: buffers and leases do.
    """

    def __init__(self, directory: Path) -> None:
        """Empties `directory`, or makes it."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for leftover in directory.iterdir():
            leftover.unlink()
        self._directory = directory
        self._count = 0

    def chunk(self, size_bytes: int) -> "Chunk":
        """A new chunk with room for at least `size_bytes`."""
        self._count += 1
        # A name is never used twice: the engine keeps maps of files by name.
        return Chunk(self._directory / f"{self._count:012}.arrow", max(size_bytes, _CHUNK_BYTES))


class Chunk:
    """One file of fixed size, filled from the front. The size is set at once, so that a map of it is never too short."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        """Creates the file, sparse."""
        self._path = str(path)
        self._size = size_bytes
        self._end = 0
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._file, size_bytes)
        weakref.finalize(self, _delete, self._file, self._path)

    def place(self, body: pa.Buffer, row_count: int) -> ArrowSegment | None:
        """Writes one IPC message; None when there is no room for it."""
        if self._end + body.size > self._size:
            return None
        offset = self._end
        view, at = memoryview(body), offset
        while view:
            written = os.pwrite(self._file, view, at)
            view, at = view[written:], at + written
        self._end = -(-at // _ALIGNMENT) * _ALIGNMENT
        return ArrowSegment(self._path, offset, body.size, row_count)


def _delete(file: int, path: str) -> None:
    os.close(file)
    Path(path).unlink(missing_ok=True)
