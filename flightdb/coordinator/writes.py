"""Rows from a door to their table's owner: name, codec, schema change where it is needed, then the queue."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Event

import pyarrow as pa

from flightdb.cluster.workers import Ingest, IngestMode, Workers
from flightdb.coordinator.service import WriteMode
from flightdb.coordinator.tables import Tables
from flightdb.errors import (
    AlreadyExists,
    FlightdbError,
    InvalidRequest,
    NotFound,
    Unavailable,
)
from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.clock import Ids
from flightdb.model.codec import Misfit, RecordCodec
from flightdb.model.ids import check_ids
from flightdb.model.names import fold
from flightdb.model.put import Ack, Done, Put, Rows, TablePut
from flightdb.model.record import Record
from flightdb.model.schema import check_foreign, check_foreign_schema, conform
from flightdb.model.table import Table, TableKind
from flightdb.model.waiter import Waiter

_TRIES = 8
"""Schema changes by other writers that one write follows before it gives up."""

_SLOW_PRESSURE = 0.75
"""From here on writers wait for flushes instead of running into the refusal at 1."""

_SLOW_S_MAX = 20.0
_SLOW_STEP_S = 0.02


class Writes:
    """Thread-safe."""

    def __init__(self, tables: Tables, workers: Workers, ids: Ids) -> None:
        """`tables` finds and makes tables; `workers` own their rows."""
        self._tables = tables
        self._workers = workers
        self._ids = ids
        self._codecs: dict[str, RecordCodec] = {}
        self._pause = Event()

    # --- records ---
    def submit_records(
        self,
        tables: Mapping[str, Sequence[Record]],
        done: Done,
        producer: str = "",
        sequence: int = 0,
    ) -> bool:
        """Queues the records when nothing has to be made first; see `Service.submit_records`."""
        if not tables:
            raise InvalidRequest("no rows: expected at least one record")
        if self._is_crowded():
            return False
        puts = []
        for name, records in tables.items():
            try:
                codec = self._codec(name)
            except NotFound:
                return False
            rows = codec.encode(records)
            if isinstance(rows, Misfit):
                return False
            puts.append(TablePut(codec.table, rows))
        self._send(Put(tuple(puts), producer, sequence), done)
        return True

    def write_records(
        self,
        tables: Mapping[str, Sequence[Record]],
        producer: str = "",
        sequence: int = 0,
    ) -> Ack:
        """As `submit_records`, but makes tables and columns as needed, and waits."""
        if not tables or not any(tables.values()):
            raise InvalidRequest("no rows: expected at least one record")
        puts = tuple(self._fitted(name, records) for name, records in tables.items())
        return self._wait(Put(puts, producer, sequence))

    def _fitted(self, name: str, records: Sequence[Record]) -> TablePut:
        """The records as rows of their table, which is made, and gets new columns, where it has to."""
        for _ in range(_TRIES):
            codec = self._codec_or_new_table(name, records)
            rows = codec.encode(records)
            if isinstance(rows, Rows):
                return TablePut(codec.table, rows)
            node = self._workers.owner(codec.table, None)
            self._workers.evolve(node, codec.table, rows.fields)
        raise Unavailable(
            f"table changes faster than this write can follow: name={name}; try again"
        )

    def _codec(self, name: str) -> RecordCodec:
        table = self._tables.find(name or self._tables.rules.default_table)
        codec = self._codecs.get(table.id)
        if codec is None or codec.table.schema_version != table.schema_version:
            codec = RecordCodec(table, self._ids.record_id)
            self._codecs[table.id] = codec
        return codec

    def _codec_or_new_table(self, name: str, records: Sequence[Record]) -> RecordCodec:
        try:
            return self._codec(name)
        except NotFound:
            if not self._tables.rules.auto_create:
                raise
        planned = self._tables.planned(
            name or self._tables.rules.default_table, TableKind.RECORD, None
        )
        # Tried on the planned table first: a write that is refused leaves no empty table behind.
        fields = RecordCodec(planned, self._ids.record_id).encode(records)
        if isinstance(fields, Misfit):
            planned = replace(planned, schema=pa.schema([*planned.schema, *fields.fields]))
            RecordCodec(planned, self._ids.record_id).encode(records)
        self._tables.create(planned, if_not_exists=True)
        return self._codec(name)

    # --- batches ---
    def submit_batch(
        self, name: str, batch: pa.RecordBatch, done: Done, producer: str = "", sequence: int = 0
    ) -> bool:
        """Queues a batch when it fits the table as it is; see `Service.submit_batch`."""
        table = self._tables.find(name)
        check_foreign(batch)
        if self._is_crowded() or self._lacks(table, batch.schema):
            return False
        rows = _conformed(batch, table)
        self._send(Put((TablePut(table, rows),), producer, sequence), done)
        return True

    def write_batch(
        self, name: str, batch: pa.RecordBatch, producer: str = "", sequence: int = 0
    ) -> Ack:
        """As `submit_batch`, but adds columns to a record table as needed, and waits."""
        check_foreign(batch)
        table = self._tables.find(name)
        for _ in range(_TRIES):
            if not self._lacks(table, batch.schema):
                break
            node = self._workers.owner(table, None)
            table = self._workers.evolve(node, table, list(batch.schema))
        rows = _conformed(batch, table)
        return self._wait(Put((TablePut(table, rows),), producer, sequence))

    @staticmethod
    def _lacks(table: Table, schema: pa.Schema) -> bool:
        """Whether the table has to change for the batch: only record tables grow by themselves."""
        if table.kind is not TableKind.RECORD or schema.equals(table.schema):
            return False
        known = {fold(field.name): field.type for field in table.schema}
        for field in schema:
            have = known.get(fold(field.name))
            if have is None:
                if pa.types.is_null(field.type):
                    continue
                return True
            if pa.types.is_integer(have) and pa.types.is_floating(field.type):
                return True
        return False

    def _send(self, put: Put, done: Done) -> None:
        made = tuple(
            record_id
            for part in put.tables
            if isinstance(part.rows, Rows)
            for record_id in part.rows.made_ids
        )
        node = self._workers.owner(put.tables[0].table, None)
        self._workers.put(node, put, _telling(made, done) if made else done)

    def _is_crowded(self) -> bool:
        return any(self._workers.pressure(node) > _SLOW_PRESSURE for node in self._workers.nodes())

    def _wait(self, put: Put) -> Ack:
        """Sends and waits. Where the store takes rows slower than they come this is where writers are slowed."""
        waited_s = 0.0
        while self._is_crowded() and waited_s < _SLOW_S_MAX:
            self._pause.wait(_SLOW_STEP_S)
            waited_s += _SLOW_STEP_S
        waiter = Waiter()
        self._send(put, waiter.done)
        return waiter.answer()

    # --- statements ---
    def ingest(
        self,
        name: str,
        batches: BatchStream,
        mode: WriteMode,
        cancellation: Cancellation,
        options: "IngestOptions",
    ) -> Ack:
        """One atomic statement; see `Service.ingest`."""
        check_foreign_schema(batches.schema)
        ingest = self._ingest_of(name, batches.schema, mode, options)
        schema = ingest.table.schema
        stream = BatchStream(schema, _fitting(batches, ingest.table), batches.close)
        node = self._workers.owner(ingest.table, None)
        return self._workers.ingest(node, ingest, stream, cancellation)

    def _ingest_of(
        self, name: str, schema: pa.Schema, mode: WriteMode, options: "IngestOptions"
    ) -> Ingest:
        make = partial(Ingest, idempotency_key=options.idempotency_key)
        try:
            present = self._tables.find(name)
        except NotFound:
            if mode is WriteMode.APPEND:
                raise
            return make(self._planned(name, schema, options), mode=IngestMode.CREATE)
        if mode is WriteMode.CREATE:
            if options.idempotency_key:
                return make(
                    present, mode=IngestMode.CREATE
                )  # The worker knows whether it is a repeat.
            raise AlreadyExists(f"table already exists: name={present.name}")
        if mode is WriteMode.REPLACE:
            planned = self._planned(name, schema, options)
            table = replace(
                planned,
                id=present.id,
                name=present.name,
                options=present.options,
                created_at_us=present.created_at_us,
                schema_version=present.schema_version,
            )
            return make(table, mode=IngestMode.REPLACE)
        if self._lacks(present, schema):
            node = self._workers.owner(present, None)
            present = self._workers.evolve(node, present, list(schema))
        return make(present, mode=IngestMode.APPEND)

    def _planned(self, name: str, schema: pa.Schema, options: "IngestOptions") -> Table:
        return self._tables.planned(
            name,
            TableKind.PLAIN,
            schema,
            id_column=options.id_column,
            time_column=options.time_column,
        )


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """What a writer says of an ingest statement beside its rows."""

    idempotency_key: str = ""
    id_column: str = ""
    time_column: str = ""


def _telling(made_ids: tuple[str, ...], done: Done) -> Done:
    """`done`, told of the ids that were made."""

    def tell(answer: Ack | FlightdbError) -> None:
        done(answer._replace(made_ids=made_ids) if isinstance(answer, Ack) else answer)

    return tell


def _conformed(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    rows = conform(batch, table.schema)
    check_ids(rows, table)
    return rows


def _fitting(batches: BatchStream, table: Table) -> Iterator[pa.RecordBatch]:
    rows = 0
    for batch in batches:
        check_foreign(batch)
        try:
            yield _conformed(batch, table)
        except InvalidRequest as error:
            raise type(error)(f"{error.message} (in the batch from row {rows})") from None
        rows += len(batch)
