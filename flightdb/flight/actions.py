"""Actions: prepare and close, cancel, session options, flush."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import flight

from flightdb.coordinator.service import Service, StatementKind
from flightdb.errors import InvalidRequest, Unsupported
from flightdb.flight import session
from flightdb.flight.call import Call
from flightdb.flight.commands import pack, parse, unpack
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.parameters import declared
from flightdb.flight.prepared import PreparedStatements
from flightdb.flight.queries import Queries, check_no_transaction

Run = Callable[[Call, bytes], Sequence[bytes]]

ABSENT = {
    "BeginTransaction": "transactions are not supported: every statement commits by itself",
    "EndTransaction": "transactions are not supported: every statement commits by itself",
    "BeginSavepoint": "savepoints are not supported",
    "EndSavepoint": "savepoints are not supported",
    "CreatePreparedSubstraitPlan": "substrait plans are not supported: expected SQL",
    "RenewFlightEndpoint": "endpoints cannot be renewed: run the query again",
}
"""Actions of the protocol that are not there, and what is said instead."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action: how it is described and what runs it."""

    description: str
    run: Run


class Actions:
    """All actions that exist."""

    def __init__(self, service: Service, prepared: PreparedStatements, queries: Queries) -> None:
        """Takes the parts that it works with."""
        self._service = service
        self._prepared = prepared
        self._queries = queries
        self._table = {
            "CreatePreparedStatement": Action(
                "prepares a statement: query in, handle and schemas out", self._prepare
            ),
            "ClosePreparedStatement": Action("ends a prepared statement", self._close),
            "CancelFlightInfo": Action("stops the query of a FlightInfo", self._cancel_info),
            "CancelQuery": Action(
                "stops the query of a FlightInfo (older form)", self._cancel_query
            ),
            "SetSessionOptions": Action(
                "sets catalog and schema", lambda _, body: [session.set_options(body)]
            ),
            "GetSessionOptions": Action(
                "gives catalog and schema", lambda _, body: [session.get_options(body)]
            ),
            "CloseSession": Action("ends the session", lambda _, body: [session.close(body)]),
            "flightdb.flush": Action(
                'writes buffered rows to Parquet: {"table": ""} for all; gives {"rows": n}',
                self._flush,
            ),
        }

    def types(self) -> list[flight.ActionType]:
        """What ListActions answers."""
        return [flight.ActionType(name, action.description) for name, action in self._table.items()]

    def run(self, call: Call, name: str, body: bytes) -> Sequence[bytes]:
        """The results of an action. Raises Unsupported naming an action that does not exist."""
        action = self._table.get(name)
        if action is None:
            raise Unsupported(ABSENT.get(name, f"action is not supported: name={name[:100]}"))
        return action.run(call, body)

    def _prepare(self, call: Call, body: bytes) -> Sequence[bytes]:
        request = unpack(pb.ActionCreatePreparedStatementRequest, body)
        check_no_transaction(request.transaction_id)
        described = self._service.describe(request.query)
        is_update = described.kind is StatementKind.UPDATE
        parameters = described.parameters
        result = pb.ActionCreatePreparedStatementResult(
            prepared_statement_handle=self._prepared.create(request.query, call.principal),
            # Drivers that do not know is_update take an absent schema for an update.
            dataset_schema=b"" if is_update else described.schema.serialize().to_pybytes(),
            parameter_schema=declared(parameters).serialize().to_pybytes()
            if len(parameters)
            else b"",
            is_update=is_update,
        )
        return [pack(result)]

    def _close(self, call: Call, body: bytes) -> Sequence[bytes]:
        request = unpack(pb.ActionClosePreparedStatementRequest, body)
        self._prepared.close(request.prepared_statement_handle, call.principal)
        return []

    def _cancel_info(self, call: Call, body: bytes) -> Sequence[bytes]:
        request = parse(pb.CancelFlightInfoRequest, body)
        is_stopped = self._queries.cancel(call, _info(request.info))
        status = pb.CANCEL_STATUS_CANCELLED if is_stopped else pb.CANCEL_STATUS_NOT_CANCELLABLE
        return [pb.CancelFlightInfoResult(status=status).SerializeToString()]

    def _cancel_query(self, call: Call, body: bytes) -> Sequence[bytes]:
        request = unpack(pb.ActionCancelQueryRequest, body)
        is_stopped = self._queries.cancel(call, _info(request.info))
        result = (
            pb.ActionCancelQueryResult.CANCEL_RESULT_CANCELLED
            if is_stopped
            else pb.ActionCancelQueryResult.CANCEL_RESULT_NOT_CANCELLABLE
        )
        return [pack(pb.ActionCancelQueryResult(result=result))]

    def _flush(self, _: Call, body: bytes) -> Sequence[bytes]:
        try:
            request = json.loads(body or b"{}")
        except ValueError:
            raise InvalidRequest("body is not JSON: action=flightdb.flush") from None
        table = request.get("table", "") if isinstance(request, dict) else None
        if not isinstance(table, str):
            raise InvalidRequest(
                'body is not a flush: expected {"table": name}, action=flightdb.flush'
            )
        return [json.dumps({"rows": self._service.flush(table)}).encode()]


def _info(serialized: bytes) -> flight.FlightInfo:
    try:
        return flight.FlightInfo.deserialize(serialized)
    except (pa.ArrowException, flight.FlightError, ValueError):
        raise InvalidRequest(
            f"FlightInfo is damaged: expected a whole message, size_bytes={len(serialized)}"
        ) from None
