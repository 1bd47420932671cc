"""From the WAL back to buffers: what the log of the tables does not contain yet is readable again at once."""

import json
from dataclasses import replace

import pyarrow as pa
import structlog

from flightdb.catalog.catalog import Catalog
from flightdb.errors import Corruption
from flightdb.model.clock import Clock
from flightdb.model.source import ArrowSegment
from flightdb.wal.frames import Frame, FrameKind
from flightdb.wal.log import Log
from flightdb.worker.arena import Arena
from flightdb.worker.buffer import SMALL_BATCH_BYTES, Buffer
from flightdb.worker.producers import Producers
from flightdb.worker.states import States, TableState

log = structlog.get_logger()


class Recovery:
    """Replays the WAL into `states` and `producers`, once, before anything else runs. A crash in it repeats safely."""

    def __init__(
        self, wal: Log, states: States, arena: Arena, producers: Producers, clock: Clock
    ) -> None:
        """Nothing happens yet."""
        self._wal = wal
        self._states = states
        self._arena = arena
        self._producers = producers
        self._clock = clock
        self._ownerless: dict[str, Frame] = {}
        self._dropped: set[str] = set()
        self._rows = 0

    def run(self, catalog: Catalog) -> int:
        """Gives the number of rows recovered.

        Raises:
            Corruption: the WAL holds rows of a table that the catalog does not have and that nobody dropped.
        """
        for table in catalog.tables():
            self._states.ensure(catalog.load(table.name))
        for frame in self._wal.replay():
            self._apply(frame)
        for table_id, frame in self._ownerless.items():
            if table_id not in self._dropped:
                raise Corruption(
                    "wal holds rows of a table that is not in the store: expected its folder or a record of its drop,"
                    f" table_id={table_id}, file={frame.path}, offset={frame.offset}"
                )
        self._finish_drops(catalog)
        if self._rows:
            log.info("wal replayed", rows=self._rows)
        return self._rows

    def _finish_drops(self, catalog: Catalog) -> None:
        """Also those that were cut off between their record here and the catalog: half of a drop must not stay."""
        for table in catalog.tables():
            if table.id in self._dropped:
                catalog.collect(catalog.drop(table))
        for table_id in self._dropped:
            self._states.forget(table_id)

    def _apply(self, frame: Frame) -> None:
        if frame.kind is FrameKind.DATA:
            state = self._states.get(frame.table_id)
            if state is None:
                self._ownerless.setdefault(frame.table_id, frame)
            elif frame.lsn > state.flushed_lsn:
                self._add(state, frame)
        elif frame.kind is FrameKind.PRODUCER:
            self._producers.read(frame.table_id, _bytes(frame), frame.lsn)
        elif frame.kind is FrameKind.SEAL:
            self._seal(frame)
        elif frame.kind is FrameKind.DROP:
            self._dropped.add(frame.table_id)
            self._producers.forget(frame.table_id)

    def _add(self, state: TableState, frame: Frame) -> None:
        schema = self._wal.schema(frame.table_id, frame.schema_version)
        table = replace(state.table, schema=schema, schema_version=frame.schema_version)
        if state.open is None:
            state.open = Buffer(frame.lsn, self._clock.monotonic_s())
        part = state.open.part(table)
        segment = ArrowSegment(frame.path, frame.offset, frame.size_bytes, frame.row_count)
        if frame.size_bytes >= SMALL_BATCH_BYTES:
            part.add_placed(segment, self._arena)
        else:
            assert frame.body is not None
            part.add_small(pa.ipc.read_record_batch(frame.body, schema), self._arena)
        state.open.last_lsn = frame.lsn
        state.open.row_count += frame.row_count
        state.open.size_bytes += frame.size_bytes
        self._states.buffered_bytes += frame.size_bytes
        state.touch()
        self._rows += frame.row_count

    def _seal(self, frame: Frame) -> None:
        state = self._states.get(frame.table_id)
        sealed = json.loads(_bytes(frame))
        if state is None or state.open is None or state.open.last_lsn > sealed["last_lsn"]:
            return
        # The same range gets the same name again, so a flush that was cut off finds its own files.
        state.open.name_ns = sealed["name_ns"]
        state.sealed.append(state.open)
        state.open = None


def seal_body(buffer: Buffer) -> bytes:
    """The body of a SEAL frame: JSON of the range's end and the name of its files."""
    return json.dumps({"last_lsn": buffer.last_lsn, "name_ns": buffer.name_ns}).encode()


def _bytes(frame: Frame) -> bytes:
    return bytes(frame.body) if frame.body is not None else b""
