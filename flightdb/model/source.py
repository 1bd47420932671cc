"""What a fragment reads, as values: file paths and mappable Arrow segments, never live objects.

So that the engine can run in another process: everything here can be pickled.
"""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ArrowSegment:
    """One IPC-encapsulated record batch message: a range of a mappable file, or its bytes inline.

    `path` may be a WAL segment file or a memory file (`/proc/<pid>/fd/<n>`); `offset` is 64-byte aligned, so that
    reading is zero-copy. With `body` set, path is "" and the message is in `body`.
    """

    path: str
    offset: int
    size_bytes: int
    row_count: int
    body: pa.Buffer | None = None


@dataclass(frozen=True, slots=True)
class BufferPart:
    """Unflushed rows of one schema, in order of arrival."""

    schema: pa.Schema
    segments: tuple[ArrowSegment, ...]

    @property
    def row_count(self) -> int:
        """Rows in all segments."""
        return sum(segment.row_count for segment in self.segments)


@dataclass(frozen=True, slots=True)
class TableSource:
    """One table of a fragment: the relation that `alias` stands for in its SQL.

    `schema` is the logical schema the relation must show. `files` are absolute paths or URLs that the engine can open.
    `is_evolved`: some files may lack columns or have a narrower type; read them by name.
    """

    alias: str
    schema: pa.Schema
    files: tuple[str, ...] = ()
    buffers: tuple[BufferPart, ...] = ()
    is_evolved: bool = False


@dataclass(frozen=True, slots=True)
class Fragment:
    """SQL over sources: one statement whose relations are the sources' aliases only.

    `parameters` are positional values for `?`/`$1` or None.
    """

    sql: str
    sources: tuple[TableSource, ...]
    parameters: tuple[object, ...] | None = None
