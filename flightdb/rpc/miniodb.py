"""`miniodb.v1.MinIODBService`: the RPCs that are not here answer UNIMPLEMENTED."""

from collections.abc import AsyncIterator
from functools import partial

from flightdb.coordinator.service import Service
from flightdb.errors import InvalidRequest, Unsupported
from flightdb.model.clock import Clock
from flightdb.model.record import DEFAULT_TABLE
from flightdb.rpc.convert import record_of, timestamp_of
from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2 as miniodb
from flightdb.rpc.methods import Call
from flightdb.rpc.queries import Queries
from flightdb.rpc.tables import miniodb_info, options_with_ids_of
from flightdb.rpc.threads import Threads
from flightdb.rpc.writes import Group, StreamedWrite, Writes, producer_of

DESCRIPTOR = miniodb.DESCRIPTOR.services_by_name["MinIODBService"]
AUTH_DESCRIPTOR = miniodb.DESCRIPTOR.services_by_name["AuthService"]


class MinIODBService:
    """One async method an RPC; see `methods.handlers`."""

    def __init__(
        self, service: Service, *, writes: Writes, queries: Queries, threads: Threads, clock: Clock
    ) -> None:
        """`threads` take the short calls that block: tables and health."""
        self._service = service
        self._writes = writes
        self._queries = queries
        self._threads = threads
        self._clock = clock
        self._node_id = service.status().node_id

    async def WriteData(  # noqa: N802 - the RPC's name
        self, request: miniodb.WriteDataRequest, call: Call
    ) -> miniodb.WriteDataResponse:
        """One row, durable when answered. A repeat with the same `idempotency-key` is a no-op."""
        if not request.HasField("data"):
            raise InvalidRequest("record is missing: expected the field data")
        table = request.table or DEFAULT_TABLE
        record = record_of(request.data, self._clock.now_us())
        message = await self._writes.write_one(table, record, call.metadata("idempotency-key"))
        return miniodb.WriteDataResponse(success=True, message=message, node_id=self._node_id)

    async def StreamWrite(  # noqa: N802 - the RPC's name
        self, requests: AsyncIterator[miniodb.StreamWriteRequest], call: Call
    ) -> miniodb.StreamWriteResponse:
        """The records of each message together or not at all.

        The answer counts what is durable and names what was refused. With an `idempotency-key`
        message n of a repeated stream is a no-op when message n was written before.
        """
        producer = producer_of(call.metadata("idempotency-key"))

        def group_of(request: miniodb.StreamWriteRequest, number: int) -> Group:
            now_us = self._clock.now_us()
            records = [record_of(record, now_us) for record in request.records]
            return Group(request.table or DEFAULT_TABLE, records, producer, number)

        tally = await StreamedWrite(self._writes).write_all(requests, group_of)
        return miniodb.StreamWriteResponse(
            success=tally.refused_count == 0,
            records_count=tally.record_count,
            errors=tally.all_errors(),
        )

    async def QueryData(  # noqa: N802 - the RPC's name
        self, request: miniodb.QueryDataRequest, call: Call
    ) -> miniodb.QueryDataResponse:
        """The answer's first `limit` rows (0: all) as JSON, up to one message."""
        _refuse_cursor(request.cursor)
        if request.limit < 0:
            raise InvalidRequest(f"limit is negative: expected 0 or more, limit={request.limit}")
        text, has_more = await self._queries.result_json(request.sql, call, request.limit)
        return miniodb.QueryDataResponse(result_json=text, has_more=has_more)

    async def StreamQuery(self, request: miniodb.StreamQueryRequest, call: Call) -> None:  # noqa: N802 - the RPC's name
        """Every row of the answer, as records."""
        _refuse_cursor(request.cursor)
        await self._queries.stream(request.sql, call, request.batch_size)

    async def CreateTable(  # noqa: N802 - the RPC's name
        self, request: miniodb.CreateTableRequest, _call: Call
    ) -> miniodb.CreateTableResponse:
        """An empty record table."""
        create = partial(
            self._service.create_table,
            request.table_name,
            options=options_with_ids_of(request.config),
            if_not_exists=request.if_not_exists,
        )
        info = await self._threads.run(create)
        return miniodb.CreateTableResponse(
            success=True, message=f"Table {info.table.name} created successfully"
        )

    async def ListTables(  # noqa: N802 - the RPC's name
        self, request: miniodb.ListTablesRequest, _call: Call
    ) -> miniodb.ListTablesResponse:
        """All tables that match, by name."""
        infos = await self._threads.run(partial(self._service.tables, request.pattern))
        return miniodb.ListTablesResponse(
            tables=[miniodb_info(info) for info in infos], total=len(infos)
        )

    async def GetTable(  # noqa: N802 - the RPC's name
        self, request: miniodb.GetTableRequest, _call: Call
    ) -> miniodb.GetTableResponse:
        """One table with its figures."""
        info = await self._threads.run(partial(self._service.table, request.table_name))
        return miniodb.GetTableResponse(table_info=miniodb_info(info))

    async def DeleteTable(  # noqa: N802 - the RPC's name
        self, request: miniodb.DeleteTableRequest, _call: Call
    ) -> miniodb.DeleteTableResponse:
        """The table and its rows; nothing depends on a table, so `cascade` changes nothing."""
        drop = partial(self._service.drop_table, request.table_name, if_exists=request.if_exists)
        count = await self._threads.run(drop)
        return miniodb.DeleteTableResponse(
            success=True,
            message=f"Table {request.table_name} deleted successfully",
            files_deleted=count,
        )

    async def HealthCheck(  # noqa: N802 - the RPC's name
        self, _request: miniodb.HealthCheckRequest, _call: Call
    ) -> miniodb.HealthCheckResponse:
        """The whole, and one line of detail a component."""
        health = await self._threads.run(self._service.health)
        return miniodb.HealthCheckResponse(
            status=health.status,
            timestamp=timestamp_of(self._clock.now_us()),
            version=self._service.status().version,
            details={
                name: f"{status}: {message}" if message else status
                for name, (status, message) in health.components.items()
            },
        )


def _refuse_cursor(cursor: str) -> None:
    if cursor:
        raise Unsupported(
            "cursor is not implemented: StreamQuery without one gives the whole answer"
        )
