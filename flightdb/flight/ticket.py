"""Tickets: a query, sealed, for one principal and a limited time."""

import hashlib
import threading
from collections import OrderedDict

import msgspec
import pyarrow as pa

from flightdb.errors import Cancelled, InvalidRequest, NotFound, PermissionDenied
from flightdb.flight.commands import pack, unpack
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.seal import Seal
from flightdb.model.clock import Clock
from flightdb.model.principal import Principal
from flightdb.model.statement import Statement

PURPOSE = b"ticket"

WITHDRAWN_MAX = 4096
"""Cancelled queries that are remembered.

Beyond it the oldest could be fetched again until their tickets expire.
"""


class Ticket(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What DoGet needs to run a query, or, with `sql` "", to tell that a statement was run already.

    `parameters`: one IPC stream, or empty. `pin`: the snapshot to read. `schema_hash`: of the
    schema that was promised. `expires_us`: wall clock, microseconds since the epoch.
    """

    sql: str
    parameters: bytes
    pin: str
    principal: str
    query_id: str
    schema_hash: bytes
    expires_us: int


class Tickets:
    """Makes tickets and opens them. Thread-safe."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        """`secret`: shared by all nodes at which a ticket may be redeemed."""
        self._seal = Seal(secret)
        self._clock = clock
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(Ticket)
        self._withdrawn: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def seal(self, statement: Statement, schema: pa.Schema, *, pin: str, expires_us: int) -> bytes:
        """A ticket for `statement`, whose answer has `schema`."""
        return self._sealed(
            Ticket(
                sql=statement.sql,
                parameters=encode_parameters(statement.parameters),
                pin=pin,
                principal=statement.principal.name,
                query_id=statement.query_id,
                schema_hash=hash_of(schema),
                expires_us=expires_us,
            )
        )

    def seal_done(self, statement: Statement, *, expires_us: int) -> bytes:
        """A ticket for a statement that was run: fetching it gives no rows, changes nothing."""
        name, query_id = statement.principal.name, statement.query_id
        return self._sealed(Ticket("", b"", "", name, query_id, b"", expires_us))

    def _sealed(self, ticket: Ticket) -> bytes:
        return self._seal.seal(PURPOSE, self._encoder.encode(ticket))

    def open(self, sealed: bytes, principal: Principal) -> Ticket:
        """The ticket.

        Raises:
            InvalidRequest: made elsewhere or changed.
            PermissionDenied: made for another principal.
            NotFound: it has expired.
            Cancelled: it was withdrawn.
        """
        try:
            ticket = self._decoder.decode(self._seal.open(PURPOSE, sealed))
        except msgspec.DecodeError:
            raise InvalidRequest(
                "ticket is not valid: expected one of this version of the server"
            ) from None
        if ticket.principal != principal.name:
            raise PermissionDenied(f"ticket was made for somebody else: principal={principal.name}")
        late_us = self._clock.now_us() - ticket.expires_us
        if late_us > 0:
            raise NotFound(
                f"ticket has expired: run the query again, expired_ms_ago={late_us // 1000}"
            )
        if ticket.query_id in self._withdrawn:
            raise Cancelled(f"query was stopped: cancelled by the client, query={ticket.query_id}")
        return ticket

    def withdraw(self, query_id: str) -> None:
        """Refuses the tickets of this query from now on."""
        with self._lock:
            self._withdrawn[query_id] = None
            if len(self._withdrawn) > WITHDRAWN_MAX:
                self._withdrawn.popitem(last=False)


def packed(sealed: bytes) -> bytes:
    """A sealed ticket as drivers expect it: a TicketStatementQuery."""
    return pack(pb.TicketStatementQuery(statement_handle=sealed))


def unpacked(ticket: bytes) -> bytes:
    """The inverse of `packed`. Raises InvalidRequest for anything else."""
    return unpack(pb.TicketStatementQuery, ticket).statement_handle


def hash_of(schema: pa.Schema) -> bytes:
    """A short name for a schema: columns, types and nullability."""
    text = schema.remove_metadata().serialize()
    return hashlib.blake2b(text, digest_size=8).digest()


def encode_parameters(batch: pa.RecordBatch | None) -> bytes:
    """A batch as bytes, b"" for None."""
    if batch is None:
        return b""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def decode_parameters(encoded: bytes) -> pa.RecordBatch | None:
    """What `encode_parameters` was given."""
    if not encoded:
        return None
    with pa.ipc.open_stream(encoded) as reader:
        return reader.read_next_batch()
