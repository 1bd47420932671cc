"""Rows of a table as segments in its store: sorted, cut by id and day, written once under their final names."""

import contextlib
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Full, Queue
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
from flightdb.storage.parquet import POINT_ROW_GROUP_ROWS, ROW_GROUP_ROWS, FileStats, ParquetSink
from flightdb.storage.read import read_batches
from flightdb.storage.store import ObjectStore, checksum_file
from flightdb.worker.names import NameClock

log = structlog.get_logger()

EXACT_DAYS_MAX = 8
"""A packed flush over more days than this is one file, not one a day."""

STAGE_THREADS = 2
"""Parquet encoding is one core a thread; the network and the checks take the rest."""

STAGE_FILE_BYTES = 256 << 20
"""A large statement begins another file at this size: engines read files of 64-256 MiB best (`engine.md` 5.3)."""

SORT_BYTES = 64 << 20
"""Rows sorted together while a large statement streams; bounds its memory."""

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
        writers = [_Writer(self, table) for _ in range(STAGE_THREADS)]
        queue: Queue[pa.RecordBatch | None] = Queue(maxsize=_QUEUE_BATCHES)
        threads = [
            threading.Thread(target=writer.run, args=(queue,), name="flightdb-stage", daemon=True)
            for writer in writers
        ]
        for thread in threads:
            thread.start()
        try:
            for batch in batches:
                _offer(queue, batch, writers)
        except BaseException:
            for writer in writers:
                writer.is_abandoned = True
            raise
        finally:
            _finish(queue, threads)
            staged.files = [file for writer in writers for file in writer.files]
            if any(writer.is_abandoned or writer.failure for writer in writers):
                staged.discard()
        _raise_failure(writers)
        return staged

    def rewrite(self, snapshot: Snapshot, table: Table, names: NameClock) -> "Staged":
        """Every file of `snapshot` anew under `table`'s schema, row for row. Raises InvalidPayload where a value would change."""
        staged = Staged(self, names)
        physical = physical_schema(table.schema)
        try:
            for segment in snapshot.segments:
                path = self.temporary()
                source = self._store.openable(f"{snapshot.table.name}/{segment.path}")
                with ParquetSink(path, physical, row_group_rows=_row_group_rows(table)) as sink:
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


@dataclass(slots=True)
class _Chunk:
    batches: list[pa.RecordBatch]
    size_bytes: int = 0


class _Writer:
    """One thread of a large statement: takes batches off the queue, sorts pieces, writes files."""

    def __init__(self, owner: SegmentFiles, table: Table) -> None:
        self._owner = owner
        self._table = table
        self._physical = physical_schema(table.schema)
        self._sink: ParquetSink | None = None
        self._path = Path()
        self._chunk = _Chunk([])
        self.files: list[tuple[Path, FileStats]] = []
        self.failure: BaseException | None = None
        self.is_abandoned = False

    def run(self, queue: "Queue[pa.RecordBatch | None]") -> None:
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
            self._path = self._owner.temporary()
            self._sink = ParquetSink(
                self._path, self._physical, row_group_rows=_row_group_rows(self._table)
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


def read_rows(part: BufferPart) -> Iterator[pa.RecordBatch]:
    """The rows of a buffer part, mapped, not copied."""
    mappings = Mappings()
    for segment in part.segments:
        yield pa.ipc.read_record_batch(mappings.buffer(segment), part.schema)


def sorted_rows(rows: pa.Table, table: Table) -> pa.Table:
    """Sorted by the table's id and time columns, rows that are equal in them in order of arrival."""
    columns = [
        name
        for name in (table.id_column, table.time_column)
        if name and _is_sortable(rows.schema.field(name).type)
    ]
    if not columns or rows.num_rows < 2:
        return rows
    # One chunk: sorting a chunked table takes 400 ns a row, one batch 171, ranks of few ids 77 (bench).
    [whole] = rows.combine_chunks().to_batches()
    keys: dict[str, Any] = {name: _ranks(whole[name]) for name in columns}
    if len(columns) > 1 and _ascends(keys[columns[-1]]):
        del keys[columns[-1]]  # The sort is stable.
    order = pc.sort_indices(
        pa.RecordBatch.from_pydict(keys), sort_keys=[(name, "ascending") for name in keys]
    )
    return pa.Table.from_batches([whole.take(order)])


def _ranks(column: Any) -> Any:
    """Numbers that sort as the texts do, where few texts stand for many rows; else the column."""
    if not pa.types.is_string(column.type) or column.null_count:
        return column
    coded = column.dictionary_encode()
    if len(coded.dictionary) * 4 > len(column):
        return column
    places = pc.rank(coded.dictionary, sort_keys="ascending", tiebreaker="first")
    return places.take(coded.indices)


def _ascends(column: Any) -> bool:
    is_plain = pa.types.is_timestamp(column.type) or pa.types.is_integer(column.type)
    if not is_plain or column.null_count:
        return False
    return bool(pc.all(pc.less_equal(column.slice(0, len(column) - 1), column.slice(1))).as_py())


def _is_sortable(type_: Any) -> bool:
    """Arrow has no order for the rest; a plain table may name any column as its id."""
    return not (
        pa.types.is_nested(type_)
        or pa.types.is_interval(type_)
        or isinstance(type_, pa.BaseExtensionType)
    )


def _write(path: Path, rows: pa.Table, table: Table) -> FileStats:
    with ParquetSink(
        path, physical_schema(table.schema), row_group_rows=_row_group_rows(table)
    ) as sink:
        for batch in rows.to_batches():
            sink.write_batch(to_physical(batch, table.schema))
        return sink.close()


def _row_group_rows(table: Table) -> int:
    return POINT_ROW_GROUP_ROWS if table.id_column else ROW_GROUP_ROWS


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


def _offer(
    queue: "Queue[pa.RecordBatch | None]", batch: pa.RecordBatch, writers: Sequence[_Writer]
) -> None:
    """Hands a batch over; raises a writer's error at once, not at the end of a long stream."""
    while True:
        _raise_failure(writers)
        with contextlib.suppress(Full):
            queue.put(batch, timeout=0.5)
            return


def _raise_failure(writers: Sequence[_Writer]) -> None:
    for writer in writers:
        if writer.failure is not None:
            raise writer.failure


def _finish(queue: "Queue[pa.RecordBatch | None]", threads: Sequence[threading.Thread]) -> None:
    queue.put(None)
    for thread in threads:
        thread.join()
    with contextlib.suppress(Empty):
        queue.get_nowait()
