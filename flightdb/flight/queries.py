"""Statements: SELECT is answered from its schema and runs when fetched, all else at once."""

import pyarrow as pa
from google.protobuf.message import Message
from pyarrow import flight

from flightdb.coordinator.service import Service, StatementKind
from flightdb.errors import Conflict, InvalidRequest, Unsupported
from flightdb.flight.call import Call
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.info import info_of
from flightdb.flight.names import select_all, table_of
from flightdb.flight.prepared import PreparedStatements
from flightdb.flight.stream import answer_stream, table_stream
from flightdb.flight.ticket import (
    Ticket,
    Tickets,
    decode_parameters,
    hash_of,
    packed,
    unpacked,
)
from flightdb.model.clock import Clock
from flightdb.model.statement import Statement

DONE_TTL_US = 3600 * 1_000_000
"""How long the empty answer of a statement that was run may be fetched."""

NOTHING = pa.schema([])
"""The schema of a statement without an answer."""


class Queries:
    """Runs the statements that descriptors, prepared handles and tickets name. Thread-safe."""

    def __init__(
        self, service: Service, prepared: PreparedStatements, tickets: Tickets, clock: Clock
    ) -> None:
        """Takes the parts that it works with."""
        self._service = service
        self._prepared = prepared
        self._tickets = tickets
        self._clock = clock

    def statement(
        self, call: Call, sql: str, parameters: pa.RecordBatch | None = None
    ) -> Statement:
        """A statement of this call, under a new query id."""
        call.query_id = self._service.new_query_id()
        return Statement(
            sql,
            parameters=parameters,
            principal=call.principal,
            query_id=call.query_id,
            bypass_cache="no-cache" in call.header("cache-control"),
        )

    def named(self, call: Call, command: Message | str) -> Statement | None:
        """The statement that a command is, None where it is another kind of command."""
        if isinstance(command, str):
            return self.statement(call, command)
        if isinstance(command, pb.CommandStatementQuery | pb.CommandStatementUpdate):
            check_no_transaction(command.transaction_id)
            return self.statement(call, command.query)
        if isinstance(
            command, pb.CommandPreparedStatementQuery | pb.CommandPreparedStatementUpdate
        ):
            prepared = self._prepared.get(command.prepared_statement_handle, call.principal)
            return self.statement(call, prepared.sql, prepared.parameters)
        return None

    def of_path(self, call: Call, path: list[bytes]) -> Statement:
        """All of a table."""
        return self.statement(call, select_all(table_of(path)))

    def schema(self, statement: Statement) -> pa.Schema:
        """What GetSchema answers: nothing runs."""
        return self._service.describe(statement.sql).schema

    def info(
        self, call: Call, descriptor: flight.FlightDescriptor, statement: Statement
    ) -> flight.FlightInfo:
        """What GetFlightInfo answers.

        A statement that is no query is run here, once, whether its answer is read or not.
        """
        if self._service.describe(statement.sql).kind is StatementKind.UPDATE:
            return self._info_of_update(call, descriptor, statement)
        check_one_row(statement.parameters)
        pin = self._service.pin(statement)
        ticket = self._tickets.seal(statement, pin.schema, pin=pin.id, expires_us=pin.expires_us)
        return info_of(
            pin.schema,
            descriptor,
            packed(ticket),
            expires_us=pin.expires_us,
            query_id=statement.query_id,
        )

    def _info_of_update(
        self, call: Call, descriptor: flight.FlightDescriptor, statement: Statement
    ) -> flight.FlightInfo:
        row_count = self._service.update(statement, is_gone=call.is_gone)
        expires_us = self._clock.now_us() + DONE_TTL_US
        ticket = packed(self._tickets.seal_done(statement, expires_us=expires_us))
        # Drivers show total_records as the number of rows changed.
        return info_of(
            NOTHING,
            descriptor,
            ticket,
            expires_us=expires_us,
            row_count=row_count,
            query_id=statement.query_id,
        )

    def update(self, call: Call, statement: Statement) -> int:
        """Runs a statement for its effect; gives the rows changed.

        Raises InvalidRequest for a query.
        """
        if self._service.describe(statement.sql).kind is StatementKind.QUERY:
            raise InvalidRequest(
                "statement is a query: expected INSERT, CREATE TABLE or the like to be run as an update"
            )
        return self._service.update(statement, is_gone=call.is_gone)

    def fetch(self, call: Call, sealed: bytes) -> flight.FlightDataStream:
        """The rows of a ticket."""
        ticket = self._tickets.open(sealed, call.principal)
        call.query_id = ticket.query_id
        if not ticket.sql:
            call.end()
            return table_stream(NOTHING.empty_table())
        return self._run(call, ticket)

    def fetch_prepared(self, call: Call, handle: bytes) -> flight.FlightDataStream:
        """The rows of a prepared query whose handle came as a ticket."""
        prepared = self._prepared.get(handle, call.principal)
        check_one_row(prepared.parameters)
        statement = self.statement(call, prepared.sql, prepared.parameters)
        if self._service.describe(statement.sql).kind is StatementKind.UPDATE:
            raise InvalidRequest(
                "prepared statement is no query: expected it to be run as an update"
            )
        return answer_stream(self._service.answer(statement, is_gone=call.is_gone), call)

    def _run(self, call: Call, ticket: Ticket) -> flight.FlightDataStream:
        statement = Statement(
            ticket.sql,
            parameters=decode_parameters(ticket.parameters),
            principal=call.principal,
            query_id=ticket.query_id,
            bypass_cache="no-cache" in call.header("cache-control"),
        )
        answer = self._service.answer(statement, pin=ticket.pin, is_gone=call.is_gone)
        if hash_of(answer.batches.schema) != ticket.schema_hash:
            answer.batches.close()
            raise Conflict(
                "answer has another schema than was promised: a table was changed, run the query again"
            )
        return answer_stream(answer, call)

    def cancel(self, call: Call, info: flight.FlightInfo) -> bool:
        """Stops the queries of a FlightInfo and refuses their tickets.

        False when there was nothing to stop.
        """
        is_stopped = False
        for endpoint in info.endpoints:
            ticket = self._tickets.open(unpacked(endpoint.ticket.ticket), call.principal)
            call.query_id = ticket.query_id
            if ticket.sql:
                self._tickets.withdraw(ticket.query_id)
                self._service.cancel(ticket.query_id)
                is_stopped = True
        return is_stopped


def check_no_transaction(transaction_id: bytes) -> None:
    """Refuses a statement that says it is part of a transaction: there are none."""
    if transaction_id:
        raise Unsupported(
            "transactions are not supported: expected a statement without transaction_id"
        )


def check_one_row(parameters: pa.RecordBatch | None) -> None:
    """Refuses several rows of parameters for a query."""
    if parameters is not None and parameters.num_rows != 1:
        raise InvalidRequest(
            f"parameters do not fit: expected one row for a query, rows={parameters.num_rows}"
        )
