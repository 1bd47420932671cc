"""One file of the log: made, written, read back and verified.

How to make appends durable, measured here (ext4 on a virtual disk, fdatasync of each append, p50 of three runs;
spread in brackets):

                                              4 KiB                   4 MiB
    growing file                              0.21 ms (0.18-0.24)     2.7 ms (2.3-2.9)
    fallocate                                 0.22 ms (0.17-0.26)     2.1 ms (2.0-2.7)
    file full of zeros, written beforehand    0.14 ms (0.13-0.16)     1.4 ms (1.2-2.1)
    fallocate, zeros 1 MiB ahead              0.13 ms (0.12-0.13)     2.1 ms, as fallocate

A file of zeros beforehand doubles what the disk writes and takes 45 ms a segment. So the last: blocks are reserved
when the segment is made, and a small append that reaches unwritten blocks brings zeros for the next MiB with it, in
the same write: one append in 256 costs 0.4 ms more, and the others change no metadata, so their fdatasync waits for
no file system journal (p99 0.39 -> 0.24 ms). Ahead by 256 KiB p99 is 0.5 ms, by 4 MiB the mean is 0.16 instead of
0.14.

A name ending in `.wal` is given only after the header is durable, so a header that cannot be read is damage, always.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flightdb.errors import Corruption
from flightdb.wal.disk import Disk, Piece
from flightdb.wal.frames import (
    ALIGN,
    Group,
    Head,
    SegmentHeader,
    aligned,
    decode_head,
    decode_segment_header,
    decode_whole,
    encode_segment_header,
)

SUFFIX = ".wal"
_DRAFT = "draft"
"""The next segment before it has a header; remains of one are overwritten."""
_AHEAD_BYTES = 1 << 20
_AHEAD = bytes(_AHEAD_BYTES)
_SMALL_BYTES_MAX = 256 << 10
"""Larger appends gain nothing from zeros ahead: they are bound by the bytes themselves."""


@dataclass(slots=True)
class Segment:
    """What is known of one file.

    `file_bytes`: its length, reserved on disk. `used_bytes`: header and frames. `last_lsn`: of its frames, one less
    than its first where it has none. `is_carried`: its first append is whole, so it holds what had to be carried into
    it. `tables`: table id -> lsn of its last DATA frame here. `schemas`: (table id, schema version) of its SCHEMA
    frames.
    """

    path: Path
    header: SegmentHeader
    file_bytes: int
    used_bytes: int
    last_lsn: int
    is_carried: bool = False
    tables: dict[str, int] = field(default_factory=dict)
    schemas: set[tuple[str, int]] = field(default_factory=set)

    def is_flushed(self, flushed: Mapping[str, int], keep_from_lsn: int) -> bool:
        """Whether the store has every row of it and nobody needs its lsns: `truncate` has the rule."""
        return self.last_lsn < keep_from_lsn and all(
            last <= flushed.get(table, -1) for table, last in self.tables.items()
        )


class SegmentWriter:
    """Appends to one segment. Owned by the committer; errors are OSError and mean that what was written is unknown."""

    def __init__(self, disk: Disk, segment: Segment, file: int) -> None:
        """Takes `file`, open for writing."""
        self._disk = disk
        self._file = file
        self._written_bytes = segment.used_bytes
        self.segment = segment

    def has_room(self, size_bytes: int) -> bool:
        """Whether an append of this size fits."""
        return self.segment.used_bytes + size_bytes <= self.segment.file_bytes

    def append(self, group: Group) -> None:
        """One write, one fdatasync; the segment's position moves only after both."""
        segment = self.segment
        pieces: list[Piece] = group.pieces
        end = segment.used_bytes + group.size_bytes
        if end > self._written_bytes and group.size_bytes < _SMALL_BYTES_MAX:
            ahead = min(_AHEAD_BYTES, segment.file_bytes - end)
            pieces = [*pieces, _AHEAD if ahead == _AHEAD_BYTES else _AHEAD[:ahead]]
            self._written_bytes = end + ahead
        self._disk.write(self._file, pieces, segment.used_bytes)
        self._disk.sync(self._file)
        segment.used_bytes = end

    def cut(self, data: memoryview) -> None:
        """Overwrites all behind the last frame with zeros, durably, so that no later frame can be followed by an old one.

        `data`: the file's bytes as they are.
        """
        start, end = self.segment.used_bytes, _last_byte(data)
        for at in range(start, end, _AHEAD_BYTES):
            self._disk.write(self._file, [_AHEAD[: min(_AHEAD_BYTES, end - at)]], at)
        self._disk.sync(self._file)

    def finish(self) -> None:
        """Gives back the blocks behind the last frame; the segment is closed for good."""
        self._disk.trim(self._file, self.segment.used_bytes)
        self.segment.file_bytes = self.segment.used_bytes
        self.close()

    def close(self) -> None:
        """Lets the file go. Writes nothing."""
        self._disk.close(self._file)


def reserve_draft(disk: Disk, directory: Path, size_bytes: int) -> int:
    """A file of `size_bytes` to become a segment by `create_segment`, open for writing, its blocks reserved.

    Raises:
        OSError: no room; what was taken is given back.
    """
    file = disk.create(directory / _DRAFT)
    try:
        disk.allocate(file, size_bytes)
    except OSError:
        disk.close(file)
        disk.unlink(directory / _DRAFT)
        raise
    return file


def create_segment(
    disk: Disk, directory: Path, file: int, header: SegmentHeader, size_bytes: int
) -> SegmentWriter:
    """Makes the draft a segment, itself and its name durable before this returns. Takes `file`."""
    path = directory / f"{header.first_lsn:020d}{SUFFIX}"
    try:
        disk.write(file, [encode_segment_header(header)], 0)
        disk.sync(file)
        disk.rename(directory / _DRAFT, path)
        disk.sync_directory(directory)
    except OSError:
        disk.close(file)
        raise
    return SegmentWriter(disk, Segment(path, header, size_bytes, ALIGN, header.first_lsn - 1), file)


def read_segment(path: Path, data: memoryview) -> Segment:
    """The segment whose whole file is `data`, its frames not read yet.

    Raises:
        Corruption: the header is not as it was written.
    """
    header = decode_segment_header(data)
    if header is None:
        raise Corruption(f"write-ahead log is damaged: its segment header: file={path}, offset=0")
    if path.name != f"{header.first_lsn:020d}{SUFFIX}":
        raise Corruption(
            f"write-ahead log is damaged: segment is not the one that its name says: "
            f"file={path}, offset=0, first_lsn={header.first_lsn}"
        )
    return Segment(path, header, len(data), ALIGN, header.first_lsn - 1)


def walk_verified(segment: Segment, data: memoryview) -> Iterator[tuple[int, Head]]:
    """Offset and header of each whole frame in order; ends at the first that is not whole or not the next lsn.

    Moves the segment's `used_bytes`, `last_lsn` and `is_carried` along.
    """
    salt = segment.header.salt
    while (head := decode_whole(data, segment.used_bytes, salt)) is not None:
        offset = segment.used_bytes
        if head.lsn != segment.last_lsn + 1:
            return
        segment.used_bytes += head.size_bytes
        segment.last_lsn = head.lsn
        segment.is_carried = segment.is_carried or head.is_last
        yield offset, head


def check_closed(segment: Segment, data: memoryview, next_first_lsn: int) -> None:
    """Holds a segment that is not the newest, walked to its end, to its promise: whole, and nothing missing.

    Raises:
        Corruption: it ends before the next one begins, or bytes lie behind its last frame.
    """
    if segment.last_lsn + 1 != next_first_lsn or _last_byte(data) > segment.used_bytes:
        raise Corruption(
            f"write-ahead log is damaged: file={segment.path}, offset={segment.used_bytes}, "
            f"expected_lsn={segment.last_lsn + 1}, next_segment_begins={next_first_lsn}"
        )


def has_torn_tail(segment: Segment, data: memoryview) -> bool:
    """Whether the newest segment, walked to its end, goes on with the remains of a write that never finished.

    The rule. Behind the last whole frame there may be: zeros alone, a clean end; or the remains of one append (the committer
    starts no append before the last is durable), of which the disk may have kept any part, later frames too. A whole frame of a
    *later* append proves that what is not whole before it was acknowledged: damage, never cut. Damage within the very last append
    cannot be told from a torn write, and is cut.

    Raises:
        Corruption: a frame of a later append follows.
    """
    end = _last_byte(data)
    if end <= segment.used_bytes:
        return False
    expected = segment.last_lsn + 1
    for offset in range(segment.used_bytes, aligned(end), ALIGN):
        head = decode_head(data, offset, segment.header.salt)
        if (
            head is not None
            and _is_of_later_append(head, expected)
            and decode_whole(data, offset, segment.header.salt)
        ):
            raise Corruption(
                f"write-ahead log is damaged: file={segment.path}, offset={segment.used_bytes}, "
                f"expected_lsn={expected}, whole_frame_at={offset}, its_lsn={head.lsn}"
            )
    return True


def _is_of_later_append(head: Head, expected_lsn: int) -> bool:
    return head.nth is not None and head.lsn - head.nth > expected_lsn


def _last_byte(data: memoryview) -> int:
    """Where the last byte that is not zero ends, 0 if there is none."""
    end = len(data)
    while end:
        start = max(0, end - _AHEAD_BYTES)
        piece = bytes(data[start:end])
        if piece != _AHEAD[: end - start]:
            return start + len(piece.rstrip(b"\0"))
        end = start
    return 0
