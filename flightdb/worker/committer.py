"""The one thread that writes the WAL: group commit, then rows become visible, then every waiting caller is told."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import structlog

from flightdb.errors import (
    CommitUnknown,
    FlightdbError,
    Internal,
    Overloaded,
    Unavailable,
)
from flightdb.model.clock import Clock
from flightdb.model.put import Ack, Done, Put
from flightdb.model.source import ArrowSegment
from flightdb.wal.frames import FrameKind, NewFrame
from flightdb.wal.log import Log, WalFailed, WalFull
from flightdb.worker.arena import Arena
from flightdb.worker.buffer import SMALL_BATCH_BYTES, Buffer
from flightdb.worker.group import Group, Piece, Resolve, frames, gather, rows_of
from flightdb.worker.producers import Producers, Seen
from flightdb.worker.queue import CommitQueue, Entry
from flightdb.worker.states import States, TableState

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CommitLimits:
    """`queue_entries`: writes that may wait. `buffered_bytes`: unflushed rows of all tables; more are refused."""

    queue_entries: int = 100_000
    buffered_bytes: int = 1 << 30


class Committer:
    """Takes groups off the queue and commits them. `start` it once; `stop` ends it when the queue is empty.

    A WAL write that fails ends everything: nothing is acknowledged any more and `on_failure` is called, which must end
    the process (a failed fsync may have dropped the dirty pages; trying again would acknowledge what is lost).
    """

    def __init__(
        self,
        wal: Log,
        states: States,
        arena: Arena,
        producers: Producers,
        clock: Clock,
        *,
        resolve: Resolve,
        limits: CommitLimits,
        wal_bytes_max: int,
    ) -> None:
        """`resolve` finds a table's state; it may read the catalog's memory but does no I/O."""
        self._wal = wal
        self._states = states
        self._arena = arena
        self._producers = producers
        self._clock = clock
        self._resolve = resolve
        self._queue = CommitQueue(limits.queue_entries)
        self._limits = limits
        self._wal_bytes_max = wal_bytes_max
        self._thread = threading.Thread(target=self._run, name="flightdb-committer", daemon=True)
        self.on_failure: Callable[[], None] = lambda: None
        self.on_growth: Callable[[TableState], None] = lambda state: None
        self.on_refusal: Callable[[], None] = lambda: None
        self._has_appended = False
        self.fullness = self.pressure = 0.0
        self.group_count = 0
        self.row_count = 0
        wal.carry = self._carried

    def start(self) -> None:
        """Begins to commit."""
        self._thread.start()

    def stop(self) -> None:
        """Refuses new writes, commits what waits, ends."""
        self._queue.close()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Writes in the queue."""
        return len(self._queue)

    def _measure(self) -> None:
        """How full buffers and log are, what a flush makes less, and the queue. Once a group: every write asks."""
        self.fullness = max(
            self._states.buffered_bytes / self._limits.buffered_bytes,
            self._wal.size_bytes / self._wal_bytes_max,
        )
        self.pressure = max(self.fullness, len(self._queue) / self._limits.queue_entries)

    def submit(self, put: Put, done: Done) -> None:
        """Queues a write; a refusal goes to `done` before this returns."""
        try:
            self._check_room()
            self._queue.offer(put, done)
        except FlightdbError as error:
            done(error)

    def _check_room(self) -> None:
        if self._states.buffered_bytes > self._limits.buffered_bytes:
            self.on_refusal()
            raise Overloaded(
                f"buffers are full: expected at most {self._limits.buffered_bytes >> 20} MiB of unflushed rows"
                " (buffer.max_bytes); the store takes them slower than they come, retry later",
                retry_after_s=1.0,
            )

    def run(self, job: Callable[[], None]) -> None:
        """Runs `job` on the committer's thread between two groups, and waits for it; its error is raised here.

        Nothing is acknowledged meanwhile, so a job must be short.
        """
        if threading.current_thread() is self._thread:
            job()
            return
        finished = threading.Event()
        failure: list[BaseException] = []

        def guarded() -> None:
            try:
                job()
            except BaseException as error:  # noqa: BLE001 - carried to the thread that waits, and raised there
                failure.append(error)
            finally:
                finished.set()

        self._queue.offer_job(guarded)
        while not finished.wait(1.0):
            if not self._thread.is_alive():
                raise Unavailable("server has stopped taking writes")
        if failure:
            raise failure[0]

    def _run(self) -> None:
        while True:
            self._measure()
            entries, job = self._queue.take()
            if job is not None:
                job()
            elif entries:
                self._commit_or_answer(entries)
            else:
                return

    def _commit_or_answer(self, entries: list[Entry]) -> None:
        """Commits a group; a defect in it is answered, so that nobody waits and the next group is taken."""
        try:
            self._commit(entries)
        except Exception:
            log.exception("group could not be committed", writes=len(entries))
            waiting = [entry for entry in entries if not entry.is_answered]
            if self._has_appended:
                # Rows are durable that no query sees: only a replay puts that right.
                for entry in waiting:
                    entry.done(
                        CommitUnknown("write may be stored: the server ends and starts anew")
                    )
                self.on_failure()
            elif len(waiting) > 1:
                for entry in waiting:
                    self._commit_or_answer([entry])
            else:
                for entry in waiting:
                    entry.done(Internal("internal error: the write was not stored"))

    def _commit(self, entries: list[Entry]) -> None:
        self._has_appended = False
        fresh, repeats = self._without_repeats(entries)
        group = gather(fresh, self._resolve)
        try:
            batches = [piece.batch() for piece in group.pieces]
            last_lsn = self._write(group, batches) if group.entries else 0
        except (WalFull, WalFailed) as error:
            self._refuse([*group.entries, *repeats], error)
            return
        except FlightdbError as error:
            self._commit_apart(group.entries, repeats, error)
            return
        for entry in group.entries:
            entry.done(self._acknowledgement(entry, last_lsn))
        self._answer_repeats(repeats)
        self.group_count += 1
        for state in {id(piece.state): piece.state for piece in group.pieces}.values():
            self.on_growth(state)

    def _without_repeats(self, entries: list[Entry]) -> tuple[list[Entry], list[Entry]]:
        """Writes to make, and repeats of what was made or is being made in this group."""
        fresh: list[Entry] = []
        repeats: list[Entry] = []
        now: dict[tuple[str, str], int] = {}
        for entry in entries:
            put = entry.put
            if not put.producer:
                fresh.append(entry)
                continue
            key = (put.tables[0].table.id, put.producer)
            seen = self._producers.last(*key)
            last = max(now.get(key, -1), seen.sequence if seen is not None else -1)
            if put.sequence <= last:
                repeats.append(entry)
            else:
                now[key] = put.sequence
                fresh.append(entry)
        return fresh, repeats

    def _answer_repeats(self, repeats: list[Entry]) -> None:
        for entry in repeats:
            seen = self._producers.last(entry.put.tables[0].table.id, entry.put.producer)
            if seen is None or seen.sequence < entry.put.sequence:
                # The first one of this group was refused: the repeat is a first one then.
                self.submit(entry.put, entry.told)
            else:
                entry.done(Ack(seen.lsn, seen.row_count, is_repeat=True))

    def _refuse(self, entries: list[Entry], error: WalFull | WalFailed) -> None:
        for entry in entries:
            entry.done(error)
        if isinstance(error, WalFailed):
            log.error("wal failed", error=str(error))
            self.on_failure()
        else:
            self.on_refusal()

    def _commit_apart(
        self, entries: list[Entry], repeats: list[Entry], error: FlightdbError
    ) -> None:
        """Some write of a group cannot be written: halves, down to that one, which gets the error."""
        if len(entries) == 1:
            entries[0].done(error)
        else:
            half = len(entries) // 2
            self._commit(entries[:half])
            self._commit(entries[half:])
        if repeats:
            self._commit(repeats)

    def _write(self, group: Group, batches: list[pa.RecordBatch]) -> int:
        """Makes the group durable, then visible; gives its last lsn."""
        for piece in group.pieces:
            table = piece.table
            self._wal.register_schema(table.id, table.schema_version, table.schema)
        # A statement's number is the next lsn: it differs from all that lie in the log, of earlier runs too.
        new = frames(group, batches, self._wal.next_lsn)
        self._has_appended = True
        placed = self._wal.append(new)
        if not placed:
            return self._wal.next_lsn - 1  # Writes of no rows.
        now_us = self._clock.now_us()
        with self._states.lock:
            for piece, batch, frame in zip(group.pieces, batches, placed, strict=False):
                segment = ArrowSegment(frame.path, frame.offset, frame.size_bytes, len(batch))
                self._add(piece, batch, segment, frame.lsn)
                piece.state.last_write_us = now_us
        self.row_count += sum(map(len, batches))
        return placed[-1].lsn

    def _add(self, piece: Piece, batch: pa.RecordBatch, segment: ArrowSegment, lsn: int) -> None:
        state = piece.state
        if state.open is None:
            state.open = Buffer(lsn, self._clock.monotonic_s())
        buffer = state.open
        part = buffer.part(piece.table)
        if segment.size_bytes >= SMALL_BATCH_BYTES:
            part.add_placed(segment, self._arena)
        else:
            part.add_small(batch, self._arena)
        buffer.last_lsn = lsn
        buffer.row_count += len(batch)
        buffer.size_bytes += segment.size_bytes
        self._states.buffered_bytes += segment.size_bytes
        state.touch()

    def _acknowledgement(self, entry: Entry, lsn: int) -> Ack:
        ack = Ack(lsn, rows_of(entry))
        put = entry.put
        if put.producer:
            seen = Seen(put.sequence, lsn, ack.row_count)
            self._producers.note(put.tables[0].table.id, put.producer, seen)
        return ack

    def append(self, frame: NewFrame) -> None:
        """Makes one frame of upkeep durable; from a job only."""
        try:
            self._wal.append([frame])
        except WalFailed:
            self.on_failure()
            raise

    def _carried(self) -> list[NewFrame]:
        """What a new WAL segment has to begin with, so that older ones may go."""
        return [
            NewFrame(FrameKind.PRODUCER, table_id=table_id, body=body)
            for table_id, body in self._producers.bodies()
        ]
