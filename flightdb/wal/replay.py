"""Reading a whole log back: what its files hold, verified, and its frames in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from flightdb.errors import Conflict, Corruption
from flightdb.wal.disk import Disk
from flightdb.wal.frames import Frame, FrameKind, Head, decode_frames, table_text
from flightdb.wal.segment import (
    SUFFIX,
    Segment,
    SegmentWriter,
    check_closed,
    has_torn_tail,
    read_segment,
    walk_verified,
)

Statement = tuple[int, int]
"""Session and number of a statement: numbers begin anew with each opening of the log."""


@dataclass(slots=True)
class _Pending:
    """A statement whose COMMIT was not seen yet: its first lsn, and the DATA that counts once it is."""

    first_lsn: int
    rows: list[tuple[Segment, str, int]] = field(default_factory=list)


@dataclass(slots=True)
class Recovery:
    """What the files of a log hold. Built by `recover`.

    `schemas`: table id -> schema version -> serialized schema. `epoch`: of the last opening that wrote; a frame keeps its
    lower 16 bits as session.
    """

    segments: list[Segment] = field(default_factory=list)
    schemas: dict[str, dict[int, pa.Buffer]] = field(default_factory=dict)
    epoch: int = 0
    _pending: dict[Statement, _Pending] = field(default_factory=dict)

    @property
    def unfinished(self) -> dict[Statement, int]:
        """Statements without COMMIT, with the first lsn that does not count."""
        return {statement: pending.first_lsn for statement, pending in self._pending.items()}

    def read(self, segment: Segment, data: memoryview) -> None:
        """Reads the frames of the next segment up to the first that is not whole."""
        self.segments.append(segment)
        session = segment.header.epoch
        for offset, head in walk_verified(segment, data):
            session = head.session
            if head.kind == FrameKind.SCHEMA:
                self._note_schema(segment, data, offset, head)
            elif head.kind == FrameKind.COMMIT:
                self._note_commit(head)
            elif head.statement or head.kind == FrameKind.DATA:
                self._note_rows(segment, head)
        self.epoch = segment.header.epoch + ((session - segment.header.epoch) & 0xFFFF)

    def _note_schema(self, segment: Segment, data: memoryview, offset: int, head: Head) -> None:
        table = table_text(head.table_id)
        body = bytes(data[offset + head.body_start : offset + head.length])
        self.schemas.setdefault(table, {})[head.schema_version] = pa.py_buffer(body)
        segment.schemas.add((table, head.schema_version))

    def _note_commit(self, head: Head) -> None:
        pending = self._pending.pop((head.session, head.statement), None)
        for segment, table, lsn in pending.rows if pending else ():
            segment.tables[table] = max(lsn, segment.tables.get(table, 0))

    def _note_rows(self, segment: Segment, head: Head) -> None:
        table = table_text(head.table_id)
        if not head.statement:
            segment.tables[table] = head.lsn
            return
        pending = self._pending.setdefault((head.session, head.statement), _Pending(head.lsn))
        if head.kind == FrameKind.DATA:
            pending.rows.append((segment, table, head.lsn))


def recover(disk: Disk, directory: Path, worker_id: bytes) -> Recovery:
    """Reads and verifies every segment, oldest first, and cuts a torn tail of the newest, durably. Safe to repeat.

    Raises:
        Corruption: damage, a gap, or a file that cannot be read; the message names file and offset.
        Conflict: the log is of another worker.
        OSError: the cut failed.
    """
    recovery = Recovery()
    paths = sorted(directory.glob(f"*{SUFFIX}"))
    for path in paths:
        data = memoryview(_read(disk, path))
        segment = read_segment(path, data)
        if segment.header.worker_id != worker_id:
            raise Conflict(
                f"write-ahead log is of another worker: file={path}, worker={segment.header.worker_id.hex()}"
            )
        if recovery.segments:
            _check_order(recovery.segments[-1], segment)
        recovery.read(segment, data)
        if path != paths[-1]:
            check_closed(segment, data, _first_lsn(paths[paths.index(path) + 1]))
        elif has_torn_tail(segment, data):
            _cut(disk, segment, data)
    return recovery


def frames(segments: Sequence[Segment], unfinished: dict[Statement, int]) -> Iterator[Frame]:
    """All frames of verified segments in lsn order, but those of unfinished statements. Bodies are slices of memory maps."""
    for segment in segments:
        path = str(segment.path)
        with pa.memory_map(path) as file:
            buffer = file.read_buffer(segment.used_bytes)
        for head, frame in decode_frames(buffer, path):
            first = unfinished.get((head.session, head.statement)) if head.statement else None
            if first is None or head.lsn < first:
                yield frame


def _read(disk: Disk, path: Path) -> bytes:
    try:
        return disk.read(path)
    except OSError as error:
        raise Corruption(
            f"write-ahead log cannot be read: file={path}, offset=0, error={error.strerror}"
        ) from error


def _first_lsn(path: Path) -> int:
    """The lsn in a segment's name; whether the header agrees is checked when that segment is read."""
    if not path.stem.isdecimal():
        raise Corruption(
            f"write-ahead log holds a file that is not a segment: file={path}, offset=0"
        )
    return int(path.stem)


def _check_order(before: Segment, after: Segment) -> None:
    if after.header.epoch < before.header.epoch:
        raise Corruption(
            f"write-ahead log is damaged: segment is older than the one before it: "
            f"file={after.path}, offset=0, epoch={after.header.epoch}, epoch_before={before.header.epoch}"
        )


def _cut(disk: Disk, segment: Segment, data: memoryview) -> None:
    writer = SegmentWriter(disk, segment, disk.open(segment.path))
    try:
        writer.cut(data)
    finally:
        writer.close()
