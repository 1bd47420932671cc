"""Atomic ingest statements of any size: small ones through the WAL, large ones straight to Parquet and one commit."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from flightdb.catalog.catalog import Catalog
from flightdb.cluster.workers import Ingest, IngestMode
from flightdb.errors import AlreadyExists, CommitUnknown, Conflict, FlightdbError, Unavailable
from flightdb.model.batches import BatchStream, concat
from flightdb.model.cancellation import Cancellation
from flightdb.model.put import Ack, Put, TablePut
from flightdb.model.segment import Segment
from flightdb.model.snapshot import Commit, Snapshot
from flightdb.model.table import Table
from flightdb.model.waiter import Waiter
from flightdb.worker.committer import Committer
from flightdb.worker.files import SegmentFiles, Staged
from flightdb.worker.flush import Flusher, newest
from flightdb.worker.names import NameClock
from flightdb.worker.states import States, TableState

_WAL_BATCH_BYTES = 8 << 20
"""Batches of a small statement are put together up to this: one WAL frame each."""


class Intake:
    """Runs ingest statements; any number at once."""

    def __init__(
        self,
        states: States,
        committer: Committer,
        flusher: Flusher,
        catalog: Catalog,
        files: SegmentFiles,
        *,
        names: NameClock,
        direct_bytes: int,
    ) -> None:
        """A statement of more than `direct_bytes` of Arrow data writes Parquet as it streams."""
        self._states = states
        self._committer = committer
        self._flusher = flusher
        self._catalog = catalog
        self._files = files
        self._names = names
        self._direct_bytes = direct_bytes

    def ingest(self, ingest: Ingest, batches: BatchStream, cancellation: Cancellation) -> Ack:
        """Reads `batches` to the end, and makes them visible together or not at all."""
        known = self._repeat_of(ingest)
        if known is not None:
            return known
        if ingest.mode is IngestMode.CREATE and ingest.table.id:
            raise AlreadyExists(f"table already exists: name={ingest.table.name}")
        stream = _watched(iter(batches), cancellation)
        head, size = [], 0
        for batch in stream:
            head.append(batch)
            size += batch.get_total_buffer_size()
            if size > self._direct_bytes:
                break
        if ingest.mode is IngestMode.APPEND and size <= self._direct_bytes:
            return self._append(ingest, head)
        return self._stage(ingest, itertools.chain(head, stream), cancellation)

    def _append(self, ingest: Ingest, batches: list[pa.RecordBatch]) -> Ack:
        filled = [batch for batch in batches if len(batch)]
        if not filled:
            return Ack(0, 0)
        put = Put(
            tuple(TablePut(ingest.table, batch) for batch in _grouped(filled)),
            producer=ingest.idempotency_key and f"key:{ingest.idempotency_key}",
            sequence=1,
        )
        waiter = Waiter()
        self._committer.submit(put, waiter.done)
        return waiter.answer()

    def _stage(
        self,
        ingest: Ingest,
        batches: Iterator[pa.RecordBatch],
        cancellation: Cancellation,
    ) -> Ack:
        staged = self._files.stage(ingest.table, batches, self._names)
        try:
            cancellation.check()
            rows = staged.row_count
            if ingest.mode is IngestMode.APPEND:
                snapshot = self._commit_append(ingest, staged)
            elif ingest.mode is IngestMode.REPLACE:
                snapshot = self._commit_replace(ingest, staged)
            else:
                snapshot = self._commit_create(ingest, staged)
        except (CommitUnknown, Unavailable):
            raise  # May be applied: the files stay.
        except FlightdbError:
            staged.withdraw()
            raise
        finally:
            staged.discard()
        state = self._states.ensure(snapshot)
        self._states.adopt(state, snapshot)
        return Ack(state.mark[1], rows)

    def _commit_append(self, ingest: Ingest, staged: Staged) -> Snapshot:
        state = self._states.ensure(newest(self._catalog, ingest.table))
        with state.commit_lock:
            snapshot = newest(self._catalog, ingest.table)
            _check_still_fits(ingest.table, snapshot)
            added = staged.publish(snapshot)
            commit = Commit(
                snapshot.table, added=added, positions=_key_position(ingest, _row_count(added))
            )
            return self._catalog.commit(commit)

    def _commit_replace(self, ingest: Ingest, staged: Staged) -> Snapshot:
        state = self._states.ensure(newest(self._catalog, ingest.table))
        with state.commit_lock:
            snapshot = newest(self._catalog, ingest.table)
            added = staged.publish(snapshot)
            table = replace(
                ingest.table,
                id=snapshot.table.id,
                schema_version=snapshot.table.schema_version + 1,
            )
            return self._replace(state, table, added, ingest)

    def _replace(
        self, state: TableState, table: Table, added: tuple[Segment, ...], ingest: Ingest
    ) -> Snapshot:
        after: list[Snapshot] = []

        def swap() -> None:
            # On the committer's thread: no row can slip in between the position and the commit.
            positions = _key_position(ingest, _row_count(added))
            if state.last_lsn > state.flushed_lsn:
                positions[self._states.worker_id] = state.last_lsn
            commit = Commit(
                table, added=added, positions=positions, changes_schema=True, replaces=True
            )
            after.append(self._catalog.commit(commit))
            self._states.adopt(state, after[0])

        self._committer.run(swap)
        return after[0]

    def _commit_create(self, ingest: Ingest, staged: Staged) -> Snapshot:
        added = staged.publish(Snapshot(ingest.table, 0))
        return self._catalog.create(ingest.table, added, _key_position(ingest, _row_count(added)))

    def _repeat_of(self, ingest: Ingest) -> Ack | None:
        """What a large statement with this key was answered with, when it was made already."""
        if not ingest.idempotency_key or not ingest.table.id:
            return None
        positions = newest(self._catalog, ingest.table).positions
        found = [positions[key] for key in _key_position(ingest, 0) if key in positions]
        return Ack(0, found[0] - 1, is_repeat=True) if found else None


def _watched(
    batches: Iterator[pa.RecordBatch], cancellation: Cancellation
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        cancellation.check()
        yield batch


def _grouped(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Neighbours put together, up to `_WAL_BATCH_BYTES` each."""
    gathered: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if gathered and size + batch.get_total_buffer_size() > _WAL_BATCH_BYTES:
            yield concat(gathered)
            gathered, size = [], 0
        gathered.append(batch)
        size += batch.get_total_buffer_size()
    yield concat(gathered)


def _key_position(ingest: Ingest, row_count: int) -> dict[str, int]:
    """An idempotency key as a position in the log: there means made; its value is one more than the rows."""
    if not ingest.idempotency_key:
        return {}
    digest = hashlib.sha256(ingest.idempotency_key.encode()).hexdigest()[:32]
    return {f"key-{digest}": row_count + 1}


def _row_count(segments: Sequence[Segment]) -> int:
    return sum(segment.row_count for segment in segments)


def _check_still_fits(staged: Table, snapshot: Snapshot) -> None:
    """Columns that came meanwhile read as null where the log says that files may lack them.

    A column that changed makes the staged files wrong, and so does a table that was replaced by a wider one.
    """
    now = snapshot.table
    lacking = [field for field in now.schema if staged.schema.get_field_index(field.name) < 0]
    if lacking and not (snapshot.is_evolved and all(field.nullable for field in lacking)):
        raise Conflict(
            f"table was changed while rows were on their way: table={now.name},"
            f" column={lacking[0].name!r}; try again"
        )
    for field in staged.schema:
        index = now.schema.get_field_index(field.name)
        if index < 0 or not now.schema.field(index).type.equals(field.type):
            raise Conflict(
                f"table was changed while rows were on their way: table={now.name},"
                f" column={field.name!r}; try again"
            )
