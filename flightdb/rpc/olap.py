"""`olap.v1.OlapService`: the RPCs that are not here answer UNIMPLEMENTED."""

from collections.abc import Sequence
from functools import partial

from flightdb.coordinator.service import Service, TableInfo
from flightdb.errors import InvalidRequest
from flightdb.model.clock import Clock
from flightdb.model.record import DEFAULT_TABLE
from flightdb.rpc.convert import record_of
from flightdb.rpc.generated.olap.v1 import olap_pb2 as olap
from flightdb.rpc.methods import Call
from flightdb.rpc.queries import Queries
from flightdb.rpc.tables import olap_info, olap_stats, options_of
from flightdb.rpc.threads import Threads
from flightdb.rpc.writes import Writes

DESCRIPTOR = olap.DESCRIPTOR.services_by_name["OlapService"]


class OlapService:
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

    async def Write(self, request: olap.WriteRequest, call: Call) -> olap.WriteResponse:  # noqa: N802 - the RPC's name
        """One row, durable when answered. A repeat with the same `idempotency-key` is a no-op."""
        table = request.table or DEFAULT_TABLE
        record = record_of(request, self._clock.now_us())
        message = await self._writes.write_one(table, record, call.metadata("idempotency-key"))
        return olap.WriteResponse(success=True, message=message)

    async def Query(self, request: olap.QueryRequest, call: Call) -> olap.QueryResponse:  # noqa: N802 - the RPC's name
        """The whole answer as JSON, up to one message."""
        text, _ = await self._queries.result_json(request.sql, call)
        return olap.QueryResponse(result_json=text)

    async def CreateTable(  # noqa: N802 - the RPC's name
        self, request: olap.CreateTableRequest, _call: Call
    ) -> olap.CreateTableResponse:
        """An empty record table."""
        create = partial(
            self._service.create_table,
            request.table_name,
            options=options_of(request.config),
            if_not_exists=request.if_not_exists,
        )
        info = await self._threads.run(create)
        return olap.CreateTableResponse(
            success=True, message=f"Table {info.table.name} created successfully"
        )

    async def DropTable(  # noqa: N802 - the RPC's name
        self, request: olap.DropTableRequest, _call: Call
    ) -> olap.DropTableResponse:
        """The table and its rows; nothing depends on a table, so `cascade` changes nothing."""
        drop = partial(self._service.drop_table, request.table_name, if_exists=request.if_exists)
        count = await self._threads.run(drop)
        return olap.DropTableResponse(
            success=True,
            message=f"Table {request.table_name} deleted successfully",
            files_deleted=count,
        )

    async def ListTables(  # noqa: N802 - the RPC's name
        self, request: olap.ListTablesRequest, _call: Call
    ) -> olap.ListTablesResponse:
        """Tables by name, a page of them."""
        page = request.page or 1
        infos = await self._threads.run(partial(self._service.tables, request.pattern))
        return olap.ListTablesResponse(
            tables=[olap_info(info) for info in _page(infos, page, request.limit)],
            total=len(infos),
            page=page,
            limit=request.limit,
        )

    async def DescribeTable(  # noqa: N802 - the RPC's name
        self, request: olap.DescribeTableRequest, _call: Call
    ) -> olap.DescribeTableResponse:
        """One table with its figures."""
        info = await self._threads.run(partial(self._service.table, request.table_name))
        return olap.DescribeTableResponse(table_info=olap_info(info), stats=olap_stats(info))

    async def HealthCheck(  # noqa: N802 - the RPC's name
        self, request: olap.HealthCheckRequest, _call: Call
    ) -> olap.HealthCheckResponse:
        """The whole and each component asked for; one that does not exist is `unknown`."""
        health = await self._threads.run(self._service.health)
        names = request.components or sorted(health.components)
        missing = ("unknown", "there is no such component")
        found = {name: health.components.get(name, missing) for name in names}
        return olap.HealthCheckResponse(
            overall_status=health.status,
            component_status={
                name: olap.ComponentHealth(status=status, message=message)
                for name, (status, message) in found.items()
            },
        )


def _page(infos: Sequence[TableInfo], page: int, limit: int) -> Sequence[TableInfo]:
    if page < 1 or limit < 0:
        raise InvalidRequest(
            f"no such page: expected page and limit of 0 or more, page={page} limit={limit}"
        )
    if limit == 0:
        return infos if page == 1 else ()
    return infos[(page - 1) * limit : page * limit]
