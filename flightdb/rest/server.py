"""The REST door: the application on uvicorn, in a thread and an event loop of its own."""

import asyncio
import logging
import socket
import threading
from concurrent.futures import Future

import uvicorn
import uvloop
from prometheus_client import CollectorRegistry

from flightdb.coordinator.service import Service
from flightdb.errors import Unavailable
from flightdb.model.clock import Clock
from flightdb.rest.app import Metering, Observe, RestApp, RestLimits

BACKLOG = 2048
"""Connections that may wait to be accepted: a burst of clients that start together."""

IDLE_CONNECTION_S = 75
"""Longer than the 60 s that proxies keep a connection, so that they close it, not we under them."""

START_S_MAX = 30.0


class RestDoor:
    """Serves REST on one port. `start`, then `drain`, then `stop`; each once, from any thread."""

    def __init__(
        self,
        service: Service,
        *,
        host: str,
        port: int,
        clock: Clock,
        registry: CollectorRegistry,
        limits: RestLimits | None = None,
    ) -> None:
        """`port` 0 takes any free one; `registry` is what `/metrics` shows.

        The service is not closed by this.
        """
        self._service = service
        self._clock = clock
        self._registry = registry
        self._limits = limits or RestLimits()
        self._observe: Observe | None = None
        self._host = host
        self._wanted_port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    def watch(self, observe: Observe) -> None:
        """Tells `observe` of each request that ended; call before `start`."""
        self._observe = observe

    def start(self) -> None:
        """Takes connections when it returns; `port` is the real one then.

        Raises:
            Unavailable: the port is taken, or the host is not one of this machine.
        """
        listener = _listen(self._host, self._wanted_port)
        self.port = listener.getsockname()[1]
        metering = Metering(self._registry, self._observe)
        app = RestApp(self._service, self._clock, metering, self._limits)
        server = _Server(_config(app))
        self._server = server
        self._thread = threading.Thread(
            target=_serve, args=(server, app, listener), name="rest", daemon=True
        )
        self._thread.start()
        server.listening.result(START_S_MAX)

    def drain(self, timeout_s: float) -> None:
        """Takes no new calls, gives running ones `timeout_s`, then stops them; waits for that."""
        if self._server is None or self._thread is None:
            return
        # uvicorn asks for whole seconds at its start, but reads the setting when it shuts down.
        self._server.config.timeout_graceful_shutdown = max(1, round(timeout_s))
        self._server.should_exit = True
        self._thread.join(timeout_s + 5)

    def stop(self) -> None:
        """Stops at once what `drain` left; safe to call twice and before `start`."""
        if self._server is None or self._thread is None:
            return
        self._server.force_exit = True
        self._server.should_exit = True
        self._thread.join(5)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Unavailable(f"rest cannot listen: {error.strerror}, host={host}") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"rest cannot listen: {error.strerror}, host={host}, rest_port={port}"
        ) from None
    listener.setblocking(False)
    return listener


def _config(app: RestApp) -> uvicorn.Config:
    # Its lines say nothing that ours do not, but for refusals of what is not HTTP.
    for name in ("uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return uvicorn.Config(
        app,
        loop="none",
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        interface="asgi3",
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_CONNECTION_S,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, which tells another thread when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening: Future[None] = Future()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set_result(None)


def _serve(server: _Server, app: RestApp, listener: socket.socket) -> None:
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(server.serve(sockets=[listener]))
    except Exception as error:
        if server.listening.done():
            raise
        server.listening.set_exception(error)
    finally:
        app.close()
        listener.close()
