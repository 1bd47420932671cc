"""DoPut of a command: parameters, updates and ingest statements."""

import pyarrow as pa
from google.protobuf.message import Message
from pyarrow import flight

from flightdb.errors import Unsupported
from flightdb.flight.call import Call
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.ingest import Ingests
from flightdb.flight.parameters import read_parameters
from flightdb.flight.prepared import PreparedStatements
from flightdb.flight.queries import Queries, check_no_transaction
from flightdb.flight.reading import Incoming


class Puts:
    """Answers DoPut by what the descriptor commands."""

    def __init__(self, queries: Queries, prepared: PreparedStatements, ingests: Ingests) -> None:
        """Takes the parts that it works with."""
        self._queries = queries
        self._prepared = prepared
        self._ingests = ingests

    def run(
        self,
        call: Call,
        command: Message | str,
        incoming: Incoming,
        writer: flight.FlightMetadataWriter,
    ) -> None:
        """Reads what the client sends, does it, and writes the one result."""
        result = self._result(call, command, incoming)
        writer.write(pa.py_buffer(result.SerializeToString()))

    def _result(self, call: Call, command: Message | str, incoming: Incoming) -> Message:
        if isinstance(command, pb.CommandPreparedStatementQuery):
            return self._bind(call, command, incoming)
        if isinstance(command, pb.CommandPreparedStatementUpdate):
            return pb.DoPutUpdateResult(record_count=self._update_prepared(call, command, incoming))
        if isinstance(command, pb.CommandStatementIngest):
            return pb.DoPutUpdateResult(record_count=self._ingests.run(call, command, incoming))
        if isinstance(command, str | pb.CommandStatementUpdate):
            return pb.DoPutUpdateResult(record_count=self._update(call, command))
        raise Unsupported(f"command cannot be put: name={command.DESCRIPTOR.name}")

    def _bind(
        self, call: Call, command: pb.CommandPreparedStatementQuery, incoming: Incoming
    ) -> Message:
        handle = command.prepared_statement_handle
        self._prepared.get(handle, call.principal)
        self._prepared.bind(handle, call.principal, read_parameters(incoming, call))
        # JDBC takes whatever handle comes back, an absent one too.
        return pb.DoPutPreparedStatementResult(prepared_statement_handle=handle)

    def _update_prepared(
        self, call: Call, command: pb.CommandPreparedStatementUpdate, incoming: Incoming
    ) -> int:
        prepared = self._prepared.get(command.prepared_statement_handle, call.principal)
        sent = read_parameters(incoming, call)
        parameters = prepared.parameters if sent is None else sent
        statement = self._queries.statement(call, prepared.sql, parameters)
        return self._queries.update(call, statement)

    def _update(self, call: Call, command: str | pb.CommandStatementUpdate) -> int:
        sql = command if isinstance(command, str) else command.query
        if not isinstance(command, str):
            check_no_transaction(command.transaction_id)
        return self._queries.update(call, self._queries.statement(call, sql))
