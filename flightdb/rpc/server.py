"""The gRPC door: `olap.v1` and `miniodb.v1`, with health and reflection, on one port."""

import asyncio
import errno
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
import structlog
import uvloop
from google.protobuf.descriptor_pool import Default
from grpc_reflection.v1alpha import reflection

from flightdb.coordinator.service import Service
from flightdb.errors import Unavailable
from flightdb.model.clock import Clock
from flightdb.model.pending import Wakeups
from flightdb.rpc import health, miniodb, olap
from flightdb.rpc.methods import Observe, handlers, unobserved
from flightdb.rpc.queries import Queries
from flightdb.rpc.symbols import Symbols
from flightdb.rpc.threads import Threads
from flightdb.rpc.writes import Writes

log = structlog.get_logger()

SHORT_THREADS = 4
"""For table calls, health, and writes that make a table or column: they take milliseconds, so a
few suffice."""

SHORT_WAITING_MAX = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection and one message may do (`contract.md` 2.2, 3.1 `network.server.grpc`)."""

    receive_bytes_max: int = 4 * 1024 * 1024
    send_bytes_max: int = 4 * 1024 * 1024
    keepalive_ms: int = 30_000
    keepalive_timeout_ms: int = 5_000
    connection_idle_ms_max: int = 15 * 60_000
    connection_age_ms_max: int = 30 * 60_000
    connection_age_grace_ms: int = 5_000
    stall_s_max: float = 60.0
    """How long a client may take nothing of a streamed answer before it is stopped."""
    calls_max: int = 1000
    """Calls in progress at once; with a message each they hold at most 4 GB. One more gets
    RESOURCE_EXHAUSTED."""

    def options(self) -> list[tuple[str, int]]:
        """The same as gRPC channel arguments."""
        return [
            # Off, so that a port that is taken is an error and not a second listener.
            ("grpc.so_reuseport", 0),
            ("grpc.max_send_message_length", self.send_bytes_max),
            ("grpc.max_receive_message_length", self.receive_bytes_max),
            ("grpc.keepalive_time_ms", self.keepalive_ms),
            ("grpc.keepalive_timeout_ms", self.keepalive_timeout_ms),
            ("grpc.keepalive_permit_without_calls", 1),
            # A client may send keepalives as often as we do, not only every 5 minutes.
            ("grpc.http2.min_ping_interval_without_data_ms", self.keepalive_ms),
            ("grpc.max_connection_idle_ms", self.connection_idle_ms_max),
            ("grpc.max_connection_age_ms", self.connection_age_ms_max),
            ("grpc.max_connection_age_grace_ms", self.connection_age_grace_ms),
        ]


def check_free(host: str, port: int) -> None:
    """Raises Unavailable where gRPC could not listen, which it would say on stderr in its own way."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        what = "port is taken" if error.errno == errno.EADDRINUSE else "port cannot be used"
        raise Unavailable(
            f"{what}: grpc_port={port} host={host} reason={error.strerror or error}"
        ) from None


class RpcDoor:
    """A gRPC server with an event loop on a thread of its own; for any thread to call."""

    def __init__(
        self,
        service: Service,
        *,
        host: str,
        port: int,
        clock: Clock,
        query_threads: int = 16,
        limits: Limits | None = None,
        observe: Observe = unobserved,
    ) -> None:
        """`port` 0: any free one. `query_threads`: statements at once; four times as many wait."""
        self._service = service
        self._host = host
        self._wanted_port = port
        self._clock = clock
        self._limits = limits or Limits()
        self._observe = observe
        self._queries = Threads("query", query_threads, waiting_max=4 * query_threads)
        self._short = Threads("short", SHORT_THREADS, waiting_max=SHORT_WAITING_MAX)
        self._thread = threading.Thread(target=self._run, name="rpc", daemon=True)
        self._started: Future[int] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: grpc.aio.Server | None = None
        self._health: health.HealthService | None = None
        self._stop = asyncio.Event()

    @property
    def port(self) -> int:
        """The port that is listened on; after `start`."""
        return self._started.result(timeout=0)

    def start(self) -> None:
        """Returns when calls are taken.

        Raises:
            Unavailable: the port is taken, or the host is none of this machine.
        """
        self._thread.start()
        self._started.result()

    def drain(self, timeout_s: float) -> None:
        """Takes no new calls and waits for those that run; after `timeout_s` they are cancelled."""
        self._call(self._drain(timeout_s))

    def stop(self) -> None:
        """Cancels what still runs and frees the port. May be called more than once."""
        if self._thread.ident is None or not self._thread.is_alive():
            return
        self._call(self._end())
        self._thread.join()
        self._queries.close()
        self._short.close()

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        if self._loop is None or not self._thread.is_alive():
            work.close()
            return
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except Exception as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = self._make_server()
        address = f"[{self._host}]" if ":" in self._host else self._host
        try:
            check_free(self._host, self._wanted_port)
            port = self._server.add_insecure_port(f"{address}:{self._wanted_port}")
            await self._server.start()
        except (Unavailable, RuntimeError) as error:
            await self._server.stop(0)
            taken = Unavailable(f"port is taken: grpc_port={self._wanted_port} host={self._host}")
            self._started.set_exception(error if isinstance(error, Unavailable) else taken)
            return
        self._started.set_result(port)
        await self._stop.wait()
        await self._server.stop(0)

    def _make_server(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            options=self._limits.options(), maximum_concurrent_rpcs=self._limits.calls_max
        )
        writes = Writes(self._service, Wakeups(asyncio.get_running_loop()), self._short)
        queries = Queries(self._service, self._queries, stall_s_max=self._limits.stall_s_max)
        parts: dict[str, Any] = {
            "writes": writes,
            "queries": queries,
            "threads": self._short,
            "clock": self._clock,
        }
        services = {
            olap.DESCRIPTOR: olap.OlapService(self._service, **parts),
            miniodb.DESCRIPTOR: miniodb.MinIODBService(self._service, **parts),
            miniodb.AUTH_DESCRIPTOR: None,
        }
        names = [descriptor.full_name for descriptor in services]
        self._health = health.HealthService(self._service, self._short, names)
        services[health.DESCRIPTOR] = self._health
        server.add_generic_rpc_handlers(
            tuple(
                handlers(descriptor, part, self._observe) for descriptor, part in services.items()
            )
        )
        reflection.enable_server_reflection(
            [*names, health.DESCRIPTOR.full_name, reflection.SERVICE_NAME],
            server,
            Symbols(Default()),
        )
        return server

    async def _drain(self, timeout_s: float) -> None:
        assert self._health is not None
        assert self._server is not None
        self._health.drain()
        await self._server.stop(timeout_s)

    async def _end(self) -> None:
        self._stop.set()
