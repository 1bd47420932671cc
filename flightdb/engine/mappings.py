"""Memory maps of buffer files, kept so that a query does not map again what the last one did."""

import threading
from collections import OrderedDict
from pathlib import Path

import pyarrow as pa

from flightdb.errors import Corruption, Unavailable
from flightdb.model.source import ArrowSegment

MAPS_MAX = 64
"""A worker has a handful of WAL segments open at once; a map costs address space only."""

_Key = tuple[str, int, int]


class Mappings:
    """Zero-copy buffers over ranges of files. Thread-safe.

    A map stays valid for whoever holds a buffer of it, also after it left the cache or the file was
    deleted. Keyed by inode as well as by path: `/proc/<pid>/fd/<n>` names other files over time.
    """

    def __init__(self, maps_max: int = MAPS_MAX) -> None:
        """`maps_max`: maps kept."""
        self._maps: OrderedDict[_Key, pa.Buffer] = OrderedDict()
        self._maps_max = maps_max
        self._lock = threading.Lock()

    def buffer(self, segment: ArrowSegment) -> pa.Buffer:
        """The bytes of `segment`.

        Raises:
            Unavailable: the file is gone.
            Corruption: the file is shorter than the segment.
        """
        if segment.body is not None:
            return segment.body
        end = segment.offset + segment.size_bytes
        return self._whole(segment.path, end).slice(segment.offset, segment.size_bytes)

    def _whole(self, path: str, end: int) -> pa.Buffer:
        try:
            status = Path(path).stat()
            key = (path, status.st_dev, status.st_ino)
            with self._lock:
                whole = self._maps.get(key)
                if whole is None or whole.size < end:
                    whole = self._maps[key] = pa.memory_map(path).read_buffer()
                self._maps.move_to_end(key)
                while len(self._maps) > self._maps_max:
                    self._maps.popitem(last=False)
        except OSError as error:
            raise Unavailable("buffered rows cannot be read: their file is gone") from error
        if whole.size < end:
            raise Corruption(f"buffer file is too short: expected_bytes={end}, bytes={whole.size}")
        return whole

    def close(self) -> None:
        """Lets go of all maps."""
        with self._lock:
            self._maps.clear()
