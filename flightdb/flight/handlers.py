"""From RPC to answer: which part answers which descriptor, ticket or action."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from google.protobuf.message import Message
from pyarrow import flight

from flightdb.coordinator.service import Service
from flightdb.errors import InvalidRequest, NotFound, Unsupported
from flightdb.flight import metadata
from flightdb.flight.actions import Actions
from flightdb.flight.append import Appends
from flightdb.flight.call import Call
from flightdb.flight.commands import decode
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.info import info_of, listing_of
from flightdb.flight.ingest import Ingests
from flightdb.flight.names import select_all, table_of
from flightdb.flight.prepared import PreparedStatements
from flightdb.flight.put import Puts
from flightdb.flight.queries import Queries
from flightdb.flight.reading import Incoming
from flightdb.flight.stream import table_stream
from flightdb.flight.ticket import Tickets
from flightdb.model.clock import Clock
from flightdb.model.statement import Statement

Descriptor = Any
"""A `flight.FlightDescriptor`; its stubs make path and command optional."""


class Handlers:
    """One method for each RPC; raises flightdb errors. Thread-safe."""

    def __init__(
        self,
        service: Service,
        *,
        prepared: PreparedStatements,
        tickets: Tickets,
        clock: Clock,
        auto_create: bool,
    ) -> None:
        """Puts the parts together."""
        self._service = service
        self._queries = Queries(service, prepared, tickets, clock)
        self._actions = Actions(service, prepared, self._queries)
        self._puts = Puts(self._queries, prepared, Ingests(service))
        self._appends = Appends(service, auto_create=auto_create)
        self._metadata = metadata.answers(service, statement_idle_ms=int(prepared.idle_s * 1000))

    def info(self, call: Call, descriptor: Descriptor) -> flight.FlightInfo:
        """GetFlightInfo."""
        command = _command(descriptor)
        listed = self._listed(command)
        if listed is not None:
            return info_of(listed.schema(command), descriptor, descriptor.command)
        return self._queries.info(call, descriptor, self._statement(call, descriptor, command))

    def _listed(self, command: Message | str | None) -> metadata.Metadata | None:
        return self._metadata.get(type(command)) if isinstance(command, Message) else None

    def schema(self, call: Call, descriptor: Descriptor) -> pa.Schema:
        """GetSchema."""
        command = _command(descriptor)
        listed = self._listed(command)
        if listed is not None:
            return listed.schema(command)
        return self._queries.schema(self._statement(call, descriptor, command))

    def _statement(
        self, call: Call, descriptor: Descriptor, command: Message | str | None
    ) -> Statement:
        if command is None:
            return self._queries.of_path(call, descriptor.path)
        statement = self._queries.named(call, command)
        if statement is None:
            raise Unsupported(f"command has no answer to fetch: name={type(command).__name__}")
        return statement

    def fetch(self, call: Call, ticket: bytes) -> flight.FlightDataStream:
        """DoGet. The stream ends the call where it needs it, otherwise it is ended here."""
        # Anything that cannot be read as a command is text to `decode`, and no ticket.
        command = decode(ticket)
        if isinstance(command, pb.TicketStatementQuery):
            return self._queries.fetch(call, command.statement_handle)
        if isinstance(command, pb.CommandPreparedStatementQuery):
            return self._queries.fetch_prepared(call, command.prepared_statement_handle)
        listed = self._listed(command)
        if listed is None:
            raise InvalidRequest("ticket is not known: expected one from GetFlightInfo")
        call.end()
        return table_stream(listed.rows(command))

    def put(
        self,
        call: Call,
        descriptor: Descriptor,
        incoming: Incoming,
        writer: flight.FlightMetadataWriter,
    ) -> None:
        """DoPut."""
        command = _command(descriptor)
        if command is None:
            self._appends.run(call, table_of(descriptor.path), incoming, writer)
        else:
            self._puts.run(call, command, incoming, writer)

    def act(self, call: Call, name: str, body: bytes) -> list[bytes]:
        """DoAction."""
        return list(self._actions.run(call, name, body))

    def action_types(self) -> list[flight.ActionType]:
        """ListActions."""
        return self._actions.types()

    def listing(self, criteria: bytes) -> Iterator[flight.FlightInfo]:
        """ListFlights: all tables, or those whose name matches the glob in `criteria`."""
        for info in self._service.tables(criteria.decode("utf-8", "replace")):
            name = info.table.name
            try:
                schema = self._service.describe(select_all(name)).schema
            except NotFound:
                continue  # dropped since the names were listed
            yield listing_of(schema, name, row_count=info.record_count, size_bytes=info.size_bytes)


def _command(descriptor: Descriptor) -> Message | str | None:
    """The command, or None for a path."""
    if descriptor.descriptor_type == flight.DescriptorType.PATH:
        return None
    return decode(descriptor.command)
