"""DoPut on a table's path: a stream whose batches are made durable and acknowledged one by one."""

import msgspec
import pyarrow as pa
from pyarrow import flight

from flightdb.coordinator.service import Service
from flightdb.errors import InvalidRequest, NotFound
from flightdb.flight.acks import Acks
from flightdb.flight.call import Call
from flightdb.flight.reading import Incoming, Sent
from flightdb.model.table import TableKind


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A batch's application metadata: `{"producer": "...", "seq": n}`.

    A repeat of both is a no-op.
    """

    producer: str = ""
    seq: int | None = None


MARKS = msgspec.json.Decoder(Mark)


class Appends:
    """Runs append streams."""

    def __init__(self, service: Service, *, auto_create: bool) -> None:
        """`auto_create`: a stream to an unknown table makes a plain one of its schema."""
        self._service = service
        self._auto_create = auto_create

    def run(
        self, call: Call, table: str, incoming: Incoming, writer: flight.FlightMetadataWriter
    ) -> None:
        """Reads batches to the end. The next is read while the ones before become durable.

        What was acknowledged stays, whatever happens later in the stream; a batch is stored whole
        or not at all.
        """
        call.query_id = self._service.new_query_id()
        schema = incoming.schema
        with Acks(writer, call.query_id) as acks:
            for number, sent in enumerate(incoming.sent(call)):
                if number == 0:
                    self._provide(table, schema)
                self._append(table, sent, _mark(sent.metadata, number), acks)

    def _append(self, table: str, sent: Sent, mark: tuple[str, int], acks: Acks) -> None:
        producer, sequence = mark
        acks.wait_for_room()
        done = acks.expect(sequence)
        try:
            is_queued = self._service.submit_batch(
                table, sent.batch, done, producer=producer, sequence=sequence
            )
            if not is_queued:
                self._append_alone(table, sent.batch, mark, acks)
        except Exception:
            acks.forget()
            raise

    def _append_alone(
        self, table: str, batch: pa.RecordBatch, mark: tuple[str, int], acks: Acks
    ) -> None:
        # A column has to be added: what was sent before must be in first.
        producer, sequence = mark
        acks.wait_for_others()
        acks.settle(self._service.write_batch(table, batch, producer=producer, sequence=sequence))

    def _provide(self, table: str, schema: pa.Schema) -> None:
        try:
            self._service.table(table)
        except NotFound:
            if not self._auto_create:
                raise
            self._service.create_table(
                table, kind=TableKind.PLAIN, schema=schema, if_not_exists=True
            )


def _mark(metadata: bytes, number: int) -> tuple[str, int]:
    """Producer and sequence of a batch.

    Without metadata the sequence is the batch's number from 0.
    """
    if not metadata:
        return "", number
    try:
        mark = MARKS.decode(metadata)
    except msgspec.MsgspecError as error:
        raise InvalidRequest(
            f"app metadata cannot be read: expected producer and seq as JSON, {error}, batch={number}"
        ) from None
    if mark.seq is None:
        if mark.producer:
            raise InvalidRequest(
                f"app metadata names a producer without seq: expected both, batch={number}"
            )
        return "", number
    if not 0 <= mark.seq < 1 << 63:
        raise InvalidRequest(
            f"seq is out of range: expected 0 to 2^63-1, seq={mark.seq}, batch={number}"
        )
    return mark.producer, mark.seq
