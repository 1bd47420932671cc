"""`grpc.health.v1`: whether each service of this door can take calls."""

import asyncio
from collections.abc import Collection
from typing import Any

from grpc_health.v1 import health_pb2 as health

from flightdb.coordinator.service import Service
from flightdb.errors import NotFound
from flightdb.rpc.methods import Call
from flightdb.rpc.threads import Threads

DESCRIPTOR = health.DESCRIPTOR.services_by_name["Health"]

WATCH_INTERVAL_S = 5.0
"""How soon a watcher hears of a component that fails; draining is told at once."""

Serving = health.HealthCheckResponse


class HealthService:
    """The core's health in gRPC's own words: serving unless unhealthy or draining."""

    def __init__(self, service: Service, threads: Threads, names: Collection[str]) -> None:
        """`names`: the services that can be asked for, besides "" for all."""
        self._service = service
        self._threads = threads
        self._names = frozenset((*names, DESCRIPTOR.full_name, ""))
        self._drained = asyncio.Event()

    def drain(self) -> None:
        """From now on nothing is serving; on the loop's thread."""
        self._drained.set()

    async def Check(self, request: Any, _call: Call) -> Any:  # noqa: N802 - the RPC's name
        """The state now. Raises NotFound for a service that is not here."""
        if request.service not in self._names:
            raise NotFound(f"service not found: name={request.service[:80]}")
        return Serving(status=await self._status())

    async def Watch(self, request: Any, call: Call) -> None:  # noqa: N802 - the RPC's name
        """The state now and at each change, until the client leaves or the server drains."""
        last = None
        while True:
            is_known = request.service in self._names
            status = await self._status() if is_known else Serving.SERVICE_UNKNOWN
            if status != last:
                await call.context.write(Serving(status=status).SerializeToString())
            if self._drained.is_set():
                return
            last = status
            try:
                await asyncio.wait_for(self._drained.wait(), WATCH_INTERVAL_S)
            except TimeoutError:
                continue

    async def _status(self) -> int:
        if self._drained.is_set():
            return int(Serving.NOT_SERVING)
        found = await self._threads.run(self._service.health)
        return int(Serving.NOT_SERVING if found.status == "unhealthy" else Serving.SERVING)
