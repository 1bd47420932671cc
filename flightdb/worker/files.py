"""Rows of a table as segments in its store: sorted, cut by id and day, written once under their final names."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import structlog

from flightdb.engine.mappings import Mappings
from flightdb.errors import AlreadyExists, Corruption, FlightdbError
from flightdb.model.clock import Clock
from flightdb.model.schema import conform, physical_schema, to_physical
from flightdb.model.segment import Segment
from flightdb.model.snapshot import Snapshot
from flightdb.model.source import BufferPart
from flightdb.model.table import Table
from flightdb.storage.layout import segment_path
from flightdb.storage.parquet import FileStats, ParquetSink
from flightdb.storage.read import read_batches
from flightdb.storage.store import ObjectStore, checksum_file
from flightdb.worker.names import NameClock
from flightdb.worker.sort import sorted_rows
from flightdb.worker.writer import FileWriter, finish, offer, raise_failure, row_group_rows

log = structlog.get_logger()

EXACT_DAYS_MAX = 8
"""A packed flush over more days than this is one file, not one a day."""

STAGE_THREADS = 2
"""Parquet encoding is one core a thread; the network and the checks take the rest."""

_QUEUE_BATCHES = 4


class SegmentFiles:
    """Writes and rewrites segments. Thread-safe."""

    def __init__(
        self, store: ObjectStore, scratch: Path, clock: Clock, *, exact_ids_max: int
    ) -> None:
        """`scratch`: a directory of its own for files on their way, emptied here.

        `exact_ids_max`: up to so many (id, day) pairs in one flush get a file each.
        """
        scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
        for leftover in scratch.iterdir():
            leftover.unlink()
        self._store = store
        self._scratch = scratch
        self._clock = clock
        self._exact_ids_max = exact_ids_max
        self._count = 0
        self._lock = threading.Lock()

    def temporary(self) -> Path:
        """A new path in the scratch directory."""
        with self._lock:
            self._count += 1
            return self._scratch / f"{self._count:012}.parquet"

    def write(
        self, snapshot: Snapshot, parts: Sequence[BufferPart], name_ns: int
    ) -> tuple[Segment, ...]:
        """Buffered rows as segments of the table; durable on return. The same rows and name give the same objects."""
        table = snapshot.table
        batches = [conform(batch, table.schema) for part in parts for batch in read_rows(part)]
        rows = sorted_rows(pa.Table.from_batches(batches, schema=table.schema), table)
        made = []
        for record_id, day, piece in self._cut(rows, table, _day(name_ns // 1000)):
            path = self.temporary()
            stats = _write(path, piece, table)
            try:
                place = segment_path(record_id, day, name_ns)
                made.append(self.publish(snapshot, path, stats, place))
            finally:
                path.unlink(missing_ok=True)
        return tuple(made)

    def _cut(
        self, rows: pa.Table, table: Table, sealed_day: str
    ) -> Iterator[tuple[str | None, str, pa.Table]]:
        """(id or None, day, rows) for each file; each row is in one."""
        if not rows.num_rows:
            return
        days = _days(rows, table)
        if days is None:
            yield None, sealed_day, rows
            return
        # Sorted by id, so that the groups are runs; a table of few ids and days gets a file each.
        keys = (
            pa.table({"day": days, "id": rows[table.id_column]}) if _has_ids(table, rows) else None
        )
        if keys is not None:
            groups = keys.group_by(["id", "day"], use_threads=False).aggregate([])
            if groups.num_rows <= self._exact_ids_max:
                for group in groups.to_pylist():
                    same_id = pc.equal(rows[table.id_column], group["id"])
                    wanted = pc.and_(same_id, pc.equal(days, group["day"]))
                    yield group["id"], group["day"], rows.filter(wanted)
                return
        distinct: list[Any] = sorted(pc.unique(days).to_pylist())
        if len(distinct) > EXACT_DAYS_MAX:
            yield None, distinct[0], rows
            return
        for day in distinct:
            yield None, day, rows.filter(pc.equal(days, day))

    def publish(self, snapshot: Snapshot, file: Path, stats: FileStats, path: str) -> Segment:
        """Puts the file into the store under its name; an equal object that is there already is right."""
        name = f"{snapshot.table.name}/{path}"
        checksum = checksum_file(file)
        try:
            self._store.put_file(name, file)
        except AlreadyExists:
            if self._store.checksum(name) != checksum:
                self._replace_orphan(snapshot, file, path)
            file.unlink(missing_ok=True)
        return Segment(path, stats.row_count, stats.size_bytes, stats.stats, self._clock.now_us())

    def _replace_orphan(self, snapshot: Snapshot, file: Path, path: str) -> None:
        """The name is ours and the log does not have it: what lies there is torn by a power loss, or of another version."""
        name = f"{snapshot.table.name}/{path}"
        if any(segment.path == path for segment in snapshot.segments):
            raise Corruption(f"object in use has another checksum than its rows: path={name}")
        self._store.delete([name])
        self._store.put_file(name, file)

    def delete(self, paths: Sequence[str]) -> None:
        """Deletes objects that no log names; what cannot be deleted stays as an orphan, and is logged."""
        try:
            self._store.delete(paths)
        except FlightdbError as error:
            log.warning("orphans left", paths=list(paths), reason=error.message)

    # --- large statements ---
    def stage(self, table: Table, batches: Iterable[pa.RecordBatch], names: NameClock) -> "Staged":
        """Writes a stream to files in the scratch directory; memory is bounded, whatever the stream's size."""
        staged = Staged(self, names)
        writers = [FileWriter(self.temporary, table) for _ in range(STAGE_THREADS)]
        queue: Queue[pa.RecordBatch | None] = Queue(maxsize=_QUEUE_BATCHES)
        threads = [
            threading.Thread(target=writer.run, args=(queue,), name="flightdb-stage", daemon=True)
            for writer in writers
        ]
        for thread in threads:
            thread.start()
        try:
            for batch in batches:
                offer(queue, batch, writers)
        except BaseException:
            for writer in writers:
                writer.is_abandoned = True
            raise
        finally:
            finish(queue, threads)
            staged.files = [file for writer in writers for file in writer.files]
            if any(writer.is_abandoned or writer.failure for writer in writers):
                staged.discard()
        raise_failure(writers)
        return staged

    def rewrite(self, snapshot: Snapshot, table: Table, names: NameClock) -> "Staged":
        """Every file of `snapshot` anew under `table`'s schema, row for row. Raises InvalidPayload where a value would change."""
        staged = Staged(self, names)
        physical = physical_schema(table.schema)
        try:
            for segment in snapshot.segments:
                path = self.temporary()
                source = self._store.openable(f"{snapshot.table.name}/{segment.path}")
                with ParquetSink(path, physical, row_group_rows=row_group_rows(table)) as sink:
                    for batch in read_batches(Path(source)):
                        sink.write_batch(conform(batch, physical))
                    staged.files.append((path, sink.close()))
        except BaseException:
            staged.discard()
            raise
        return staged


class Staged:
    """Files that are written but have no name in the store yet. `discard` in every case; after `publish` it is empty."""

    def __init__(self, owner: SegmentFiles, names: NameClock) -> None:
        """Made by `SegmentFiles`."""
        self._owner = owner
        self._names = names
        self.files: list[tuple[Path, FileStats]] = []
        self._published: list[str] = []

    @property
    def row_count(self) -> int:
        """Rows in all files."""
        return sum(stats.row_count for _, stats in self.files)

    def publish(self, snapshot: Snapshot) -> tuple[Segment, ...]:
        """Moves the files into the table's folder; they count from the commit that names them."""
        made = []
        try:
            while self.files:
                path, stats = self.files[-1]
                name_ns = self._names.next_ns()
                place = segment_path(None, _day(name_ns // 1000), name_ns)
                if stats.row_count:
                    self._published.append(f"{snapshot.table.name}/{place}")
                    made.append(self._owner.publish(snapshot, path, stats, place))
                path.unlink(missing_ok=True)
                self.files.pop()
        except FlightdbError:
            self.withdraw()
            raise
        return tuple(made)

    def withdraw(self) -> None:
        """Deletes what was published: only where it is known that no commit names it. Best effort."""
        published, self._published = self._published, []
        if published:
            self._owner.delete(published)

    def discard(self) -> None:
        """Deletes what was not published."""
        for path, _ in self.files:
            path.unlink(missing_ok=True)
        self.files.clear()


def read_rows(part: BufferPart) -> Iterator[pa.RecordBatch]:
    """The rows of a buffer part, mapped, not copied."""
    mappings = Mappings()
    for segment in part.segments:
        yield pa.ipc.read_record_batch(mappings.buffer(segment), part.schema)


def _write(path: Path, rows: pa.Table, table: Table) -> FileStats:
    with ParquetSink(
        path, physical_schema(table.schema), row_group_rows=row_group_rows(table)
    ) as sink:
        for batch in rows.to_batches():
            sink.write_batch(to_physical(batch, table.schema))
        return sink.close()


def _has_ids(table: Table, rows: pa.Table) -> bool:
    """Whether every row has an id that can name a folder."""
    if not table.id_column:
        return False
    ids = rows[table.id_column]
    return pa.types.is_string(ids.type) and not ids.null_count


def _days(rows: pa.Table, table: Table) -> Any:
    """The UTC day of each row as text; None where the table has no time column, or nulls in it."""
    if not table.time_column:
        return None
    moments: Any = rows[table.time_column]
    if not pa.types.is_timestamp(moments.type) or moments.null_count:
        return None
    return pc.strftime(moments.cast(pa.timestamp("us"), safe=False), format="%Y-%m-%d")


def _day(moment_us: int) -> str:
    return datetime.fromtimestamp(moment_us / 1e6, UTC).strftime("%Y-%m-%d")
