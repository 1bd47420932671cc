"""The write-ahead log: frames are durable when append returns, or the log says that it failed."""

import errno
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow as pa

from flightdb.errors import Internal, NotFound, Overloaded, TooLarge, Unavailable
from flightdb.wal import replay
from flightdb.wal.disk import Disk
from flightdb.wal.frames import (
    ALIGN,
    Frame,
    FrameKind,
    NewFrame,
    SegmentHeader,
    encode_group,
    frame_size_bytes,
)
from flightdb.wal.lock import DirectoryLock
from flightdb.wal.segment import Segment, SegmentWriter, create_segment, reserve_draft

_FREE_CHECK_BYTES = 1 << 20
"""The disk's free space is looked at once in so many bytes of appends: their blocks are reserved anyway."""


class WalFailed(Unavailable):
    """A write or an fsync failed. What was being appended may or may not be durable; the process has to end."""


class WalFull(Overloaded):
    """The log's quota or the disk is full. Nothing was written; room comes with the next flush."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes. `segment`: of one file, more where one append needs it. `total`: of all. `free`: left to others."""

    segment: int
    total: int
    free: int


@dataclass(slots=True)
class _Plan:
    """Frames to write as one group. `own`: indexes of the caller's among them."""

    frames: list[NewFrame]
    own: list[int]
    schemas: set[tuple[str, int]]
    size_bytes: int = 0


class Log:
    """One worker's log in one directory.

    `append` is for one committer thread; `truncate`, `register_schema` and the properties may be called from any.
    `carry` gives frames that must open each new segment (the worker's table of producers), so that deleting old
    segments forgets none of them; `append` calls it.
    """

    carry: Callable[[], Sequence[NewFrame]]

    def __init__(
        self, directory: Path, worker_id: bytes, limits: Limits, disk: Disk, lock: DirectoryLock
    ) -> None:
        """`open` is the way in."""
        self.carry = tuple
        self._directory = directory
        self._worker_id = worker_id
        self._limits = limits
        self._disk = disk
        self._directory_lock = lock
        self._guard = threading.Lock()
        self._truncating = threading.Lock()
        recovery = replay.recover(disk, directory, worker_id)
        self._segments = recovery.segments
        self._schemas = recovery.schemas
        self._unfinished = recovery.unfinished
        self._epoch = recovery.epoch + 1
        self._next_lsn = recovery.segments[-1].last_lsn + 1 if recovery.segments else 1
        self._writer: SegmentWriter | None = None
        if recovery.segments:
            newest = recovery.segments[-1]
            self._writer = SegmentWriter(disk, newest, disk.open(newest.path))
        self._has_appended = self._is_failed = self._is_closed = False
        self._unchecked_bytes = _FREE_CHECK_BYTES

    @classmethod
    def open(
        cls,
        directory: Path,
        *,
        worker_id: uuid.UUID | bytes,
        max_bytes: int,
        disk: Disk,
        segment_bytes: int = 64 << 20,
        free_bytes_min: int = 64 << 20,
    ) -> Self:
        """The log in `directory`, which is made (mode 0700) if it is not there; every frame in it is verified first.

        A torn tail of the newest segment, never acknowledged, is cut. `max_bytes` bounds all segments together; segments
        are smaller than `segment_bytes` where four would not fit. Appends stop while the disk has less than
        `free_bytes_min` left.

        Raises:
            Conflict: another Log has the directory open, or it is another worker's.
            Corruption: damage; the message names file and offset. Nothing was changed.
            WalFailed: the disk refused.
        """
        limits = Limits(min(segment_bytes, max_bytes // 4), max_bytes, free_bytes_min)
        identity = worker_id.bytes if isinstance(worker_id, uuid.UUID) else worker_id
        try:
            _make_directory(disk, directory)
            lock = DirectoryLock(directory)
        except OSError as error:
            raise _failure(directory, error) from error
        try:
            return cls(directory, identity, limits, disk, lock)
        except OSError as error:
            lock.close()
            raise _failure(directory, error) from error
        except BaseException:
            lock.close()
            raise

    @property
    def next_lsn(self) -> int:
        """The lsn that the next frame gets; the first of all is 1."""
        return self._next_lsn

    @property
    def size_bytes(self) -> int:
        """Bytes that the segments take on disk, the newest with what is reserved."""
        with self._guard:
            return sum(segment.file_bytes for segment in self._segments)

    @property
    def is_failed(self) -> bool:
        """Whether a write or fsync failed, or was interrupted: nothing can be appended any more."""
        return self._is_failed

    def replay(self) -> Iterator[Frame]:
        """All frames in lsn order, but those of statements that have no COMMIT. Only before the first append."""
        if self._has_appended:
            raise Internal(f"write-ahead log was replayed after an append: path={self._directory}")
        return replay.frames(tuple(self._segments), self._unfinished)

    def schema(self, table_id: str, schema_version: int) -> pa.Schema:
        """A schema that a DATA frame of the log, or `register_schema`, named. Raises NotFound."""
        serialized = self._schemas.get(table_id, {}).get(schema_version)
        if serialized is None:
            raise NotFound(
                f"schema is not in the write-ahead log: table_id={table_id}, schema_version={schema_version}"
            )
        return pa.ipc.read_schema(serialized)

    def register_schema(self, table_id: str, schema_version: int, schema: pa.Schema) -> None:
        """Makes DATA frames of this table and schema version writable; SCHEMA frames follow by themselves. Idempotent.

        To be called before each append that may be the first of its kind: 0.2 us when known. A version means one schema
        for good. Forgotten with a DROP frame of the table.
        """
        versions = self._schemas.setdefault(table_id, {})
        if schema_version not in versions:
            versions[schema_version] = schema.serialize()

    def append(self, frames: Sequence[NewFrame]) -> list[Frame]:
        """The frames as they lie in the log, in order, once they are durable: one write, one fdatasync.

        Atomic it is not: after a crash before it returns, any first part of the frames may be there. Blocks.

        Raises:
            WalFull: quota or disk; nothing was written, and a later append may succeed.
            TooLarge, InvalidRequest: this can never be appended; nothing was written.
            WalFailed: a write or fsync failed, now or before; nothing is acknowledged any more.
        """
        self._check_usable()
        if not frames:
            return []
        writer = self._writer
        plan = self._plan(frames, writer.segment if writer else None)
        if writer is not None and writer.has_room(plan.size_bytes):
            self._check_free(plan.size_bytes)
        else:
            plan = self._plan(frames, None)
            writer = self._rotate(plan.size_bytes)
        return self._write(writer, plan)

    def truncate(self, flushed: Mapping[str, int], *, keep_from_lsn: int) -> int:
        """Deletes the oldest closed segments that nobody needs; gives the bytes freed.

        A segment goes when every table with DATA in it has its last DATA lsn there at or below `flushed[table_id]` (a
        table that is missing is not flushed), its last lsn is below `keep_from_lsn`, all older ones are gone, and what was
        carried is safe in a later one.

        Raises:
            WalFailed: the directory could not be made durable.
        """
        freed = 0
        with self._truncating:
            self._check_usable()
            while (oldest := self._deletable(flushed, keep_from_lsn)) is not None:
                with self._final_if_broken_off():
                    self._disk.unlink(oldest.path)
                    self._disk.sync_directory(self._directory)  # one by one: no gap after a crash
                with self._guard:
                    self._segments.remove(oldest)
                freed += oldest.file_bytes
        return freed

    def close(self) -> None:
        """Lets files and directory go; writes nothing. Idempotent."""
        if not self._is_closed:
            self._is_closed = True
            if self._writer is not None:
                self._writer.close()
            self._directory_lock.close()

    def _plan(self, frames: Sequence[NewFrame], segment: Segment | None) -> _Plan:
        """What to write into `segment`, None for a new one: what is carried into it first, each SCHEMA before its first DATA."""
        known = segment.schemas if segment else set()
        carried = () if segment and segment.is_carried else self.carry()
        plan = _Plan([], [], set())
        for frame in (*carried, *frames):
            key = (frame.table_id, frame.schema_version)
            if frame.kind == FrameKind.DATA and key not in known and key not in plan.schemas:
                plan.schemas.add(key)
                plan.frames.append(self._schema_frame(frame))
            plan.frames.append(frame)
            plan.own.append(len(plan.frames) - 1)
        del plan.own[: len(carried)]
        plan.size_bytes = sum(map(frame_size_bytes, plan.frames))
        return plan

    def _schema_frame(self, frame: NewFrame) -> NewFrame:
        serialized = self._schemas.get(frame.table_id, {}).get(frame.schema_version)
        if serialized is None:
            raise Internal(
                f"schema of a frame was not registered: table_id={frame.table_id}, schema_version={frame.schema_version}"
            )
        return NewFrame(FrameKind.SCHEMA, frame.table_id, frame.schema_version, body=serialized)

    def _write(self, writer: SegmentWriter, plan: _Plan) -> list[Frame]:
        segment = writer.segment
        first, start = self._next_lsn, segment.used_bytes
        salt = segment.header.salt
        group = encode_group(plan.frames, first_lsn=first, session=self._epoch & 0xFFFF, salt=salt)
        with self._final_if_broken_off():
            writer.append(group)
            self._note(segment, plan)
        path = str(segment.path)
        return [
            _placed(plan.frames[i], first + i, path, start + group.body_offsets[i])
            for i in plan.own
        ]

    def _note(self, segment: Segment, plan: _Plan) -> None:
        """Takes what is durable now into memory."""
        with self._guard:
            for lsn, frame in enumerate(plan.frames, self._next_lsn):
                if frame.kind == FrameKind.DATA:
                    segment.tables[frame.table_id] = lsn
                elif frame.kind == FrameKind.DROP:
                    self._schemas.pop(frame.table_id, None)
            segment.schemas |= plan.schemas
            self._next_lsn += len(plan.frames)
            segment.last_lsn = self._next_lsn - 1
            segment.is_carried = self._has_appended = True

    def _rotate(self, group_bytes: int) -> SegmentWriter:
        """A new newest segment with room for a group of this size."""
        needed = ALIGN + group_bytes
        if needed > self._limits.total // 2:
            raise TooLarge(
                f"append is too large for the write-ahead log: bytes={needed}, limit={self._limits.total // 2}"
            )
        size = max(self._limits.segment, needed)
        self._check_quota(size)
        self._check_free(size, is_now=True)
        header = SegmentHeader(self._worker_id, self._epoch, self._next_lsn, self._disk.salt())
        file = self._reserve(size)
        with self._final_if_broken_off():
            writer = create_segment(self._disk, self._directory, file, header, size)
            old, self._writer = self._writer, writer
            with self._guard:
                self._segments.append(writer.segment)
            if old is not None:
                old.finish()
        return writer

    def _reserve(self, size_bytes: int) -> int:
        with self._final_if_broken_off():
            try:
                return reserve_draft(self._disk, self._directory, size_bytes)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
        raise self._full("disk", size_bytes, self._disk.free_bytes(self._directory))

    def _check_quota(self, size_bytes: int) -> None:
        with self._guard:
            used = sum(segment.used_bytes for segment in self._segments)
        if used + size_bytes > self._limits.total:
            raise self._full("quota", used + size_bytes, self._limits.total)

    def _check_free(self, size_bytes: int, *, is_now: bool = False) -> None:
        """`size_bytes` counts where it is not reserved yet: with `is_now`, which looks at the disk in any case."""
        self._unchecked_bytes += size_bytes
        if self._unchecked_bytes < _FREE_CHECK_BYTES and not is_now:
            return
        free = self._disk.free_bytes(self._directory)
        if free - (size_bytes if is_now else 0) < self._limits.free:
            self._unchecked_bytes = _FREE_CHECK_BYTES
            raise self._full("free disk space", free, self._limits.free)
        self._unchecked_bytes = 0

    def _deletable(self, flushed: Mapping[str, int], keep_from_lsn: int) -> Segment | None:
        with self._guard:
            oldest, *later = self._segments or (None,)
            if oldest is None or not any(segment.is_carried for segment in later):
                return None
            return oldest if oldest.is_flushed(flushed, keep_from_lsn) else None

    def _check_usable(self) -> None:
        if self._is_failed:
            raise WalFailed(f"write-ahead log has failed: path={self._directory}")
        if self._is_closed:
            raise Unavailable(f"write-ahead log is closed: path={self._directory}")

    def _full(self, what: str, size_bytes: int, limit: int) -> WalFull:
        return WalFull(
            f"write-ahead log is full: path={self._directory}, which={what}, bytes={size_bytes}, limit={limit}"
        )

    @contextmanager
    def _final_if_broken_off(self) -> Iterator[None]:
        """Around what must not stop half-way: an error, or an interrupt, ends the log's life."""
        try:
            yield
        except OSError as error:
            self._is_failed = True
            raise _failure(self._directory, error) from error
        except BaseException:
            self._is_failed = True
            raise


def _failure(directory: Path, error: OSError) -> WalFailed:
    return WalFailed(f"write-ahead log failed: path={directory}, error={error.strerror}")


def _placed(frame: NewFrame, lsn: int, path: str, offset: int) -> Frame:
    fields = (
        frame.schema_version,
        frame.statement,
        frame.producer,
        frame.sequence,
        frame.row_count,
    )
    return Frame(frame.kind, frame.table_id, *fields, None, lsn, path, offset, len(frame.body))


def _make_directory(disk: Disk, directory: Path) -> None:
    """Makes the directory, and its name durable, up to the first parent that existed before."""
    missing = [path for path in (directory, *directory.parents) if not path.exists()]
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in missing:
        disk.sync_directory(path.parent)
