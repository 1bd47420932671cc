"""The ASGI application: finds the endpoint, and turns what it raises into an error body."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry
from starlette.exceptions import HTTPException
from starlette.routing import Route as PathRoute, Router
from starlette.types import Message, Receive, Scope, Send

from flightdb.coordinator.service import Service
from flightdb.errors import FlightdbError, Internal, TooLarge, Unavailable, out_of_memory
from flightdb.model.clock import Clock
from flightdb.model.record import DEFAULT_TABLE
from flightdb.rest.admin import Admin
from flightdb.rest.data import WriteRules, Writes
from flightdb.rest.errors import error_answer, retry_headers, route_answer
from flightdb.rest.exchange import ENCODER, Exchange
from flightdb.rest.openapi import document
from flightdb.rest.pages import Pages
from flightdb.rest.queries import Queries
from flightdb.rest.routes import Endpoint, Route, routes
from flightdb.rest.shapes import ErrorAnswer
from flightdb.rest.tables import Tables
from flightdb.rest.threads import Threads

Observe = Callable[[str, str, str, float], None]
"""Told of each request that ended: door, route, status word, seconds."""

UNKNOWN_ROUTE = "unknown"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Metering:
    """What `/metrics` shows, and who counts requests."""

    registry: CollectorRegistry
    observe: Observe | None = None


@dataclass(frozen=True, slots=True)
class RestLimits:
    """Bounds of the door.

    `query_threads` bounds the queries that run or stream at once from here, `write_threads` the
    large bodies and the writes that make a table. `stall_s_max`: how long a client may take nothing
    of a streamed answer. `request_count_max`: requests at once, of all kinds. `default_table`: of
    rows that name none.
    """

    body_bytes_max: int = 64 << 20
    query_threads: int = 64
    write_threads: int = 8
    stall_s_max: float = 60.0
    request_count_max: int = 4096
    default_table: str = DEFAULT_TABLE


STOPPED_MESSAGE = (
    "server is shutting down: the request was stopped; a write may or may not be stored"
)


class RestApp:
    """An ASGI application for one event loop."""

    def __init__(
        self, service: Service, clock: Clock, metering: Metering, limits: RestLimits
    ) -> None:
        """Asks `service` for its node and version once, here."""
        status = service.status()
        self._threads = (
            Threads("queries", limits.query_threads),
            Threads("writes", limits.write_threads),
            Threads("admin", 4),
        )
        queries, writes, admin = self._threads
        pages = Pages()
        served = routes(
            Writes(
                service,
                clock,
                writes,
                WriteRules(status.node_id, limits.body_bytes_max, limits.default_table),
            ),
            Queries(
                service,
                queries,
                body_bytes_max=limits.body_bytes_max,
                stall_s_max=limits.stall_s_max,
            ),
            Tables(service, admin),
            Admin(service, admin, metering.registry),
            pages,
        )
        pages.publish(document(served, status.version))
        self._exact = {
            (route.method, route.path): (route.path, route.endpoint)
            for route in served
            if "{" not in route.path
        }
        self._router = _router(served)
        self._observe = metering.observe
        self._request_count = 0
        self._request_count_max = limits.request_count_max
        # The start time makes ids of two runs differ; a counter costs less than random bits.
        self._request_prefix = b"%x-" % status.started_us
        self._request_numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            raise ValueError("only http is served")
        started_s = time.perf_counter()
        request_id = self._request_prefix + b"%d" % next(self._request_numbers)
        exchange = Exchange(scope, receive, send, request_id)
        # Exact paths by a dictionary: the router walks its patterns, 20 us more for the last one.
        path, endpoint = self._exact.get(
            (scope["method"], scope["path"]), (UNKNOWN_ROUTE, self._route)
        )
        self._request_count += 1
        try:
            await self._answer(exchange, endpoint)
        finally:
            self._request_count -= 1
            if self._observe is not None:
                method = f"{scope['method']} {exchange.route or path}"
                word = "ok" if exchange.status < 400 else exchange.slug or str(exchange.status)
                self._observe("rest", method, word, time.perf_counter() - started_s)

    async def _answer(self, exchange: Exchange, endpoint: Endpoint) -> None:
        try:
            if self._request_count > self._request_count_max:
                raise Unavailable("too many requests at once: try again soon")
            await endpoint(exchange)
        except FlightdbError as error:
            await _refuse(exchange, error)
        except HTTPException as error:
            allow = ((name.encode(), text.encode()) for name, text in (error.headers or {}).items())
            answer = route_answer(error)
            exchange.slug = answer.error
            await exchange.reply(answer.code, ENCODER.encode(answer), extra=tuple(allow))
        except MemoryError:
            await _refuse(exchange, out_of_memory())
        except asyncio.CancelledError:
            # The time to drain is over. Not raised on: the server would answer with a text of its own.
            await _refuse(exchange, Unavailable(STOPPED_MESSAGE))
        except Exception:
            log.exception(
                "request failed",
                query_id=exchange.query_id,
                request_id=exchange.request_id.decode(),
                path=exchange.scope["path"],
            )
            await _refuse(exchange, Internal("internal error: see the server's log"))

    async def _route(self, exchange: Exchange) -> None:
        exchange.scope["app"] = self  # makes the router raise for what it does not know
        exchange.scope["flightdb.exchange"] = exchange
        await self._router(exchange.scope, exchange.receive, _send_nothing)

    def close(self) -> None:
        """Ends the threads; call when no request runs."""
        for threads in self._threads:
            threads.close()


async def _refuse(exchange: Exchange, error: FlightdbError) -> None:
    if exchange.is_started:
        # The status is sent; a connection that ends early is all that can still tell the client.
        log.warning("answer broken off", query_id=exchange.query_id, reason=error.message)
        return
    answer: ErrorAnswer = error_answer(error, exchange.query_id)
    exchange.slug = answer.error
    body = ENCODER.encode(answer)
    if isinstance(error, TooLarge) and exchange.has_unread_body:
        await exchange.refuse_body(body)
        return
    extra = retry_headers(error)
    if exchange.query_id:
        extra = (*extra, (b"x-flightdb-query-id", exchange.query_id.encode()))
    await exchange.reply(answer.code, body, extra=extra)


def _router(served: Sequence[Route]) -> Router:
    """Finds paths with names in them, and says what is wrong with all others."""
    paths: dict[str, dict[str, Route]] = {}
    for route in served:
        paths.setdefault(route.path, {})[route.method] = route
    return Router(
        [
            PathRoute(path, _ByMethod(path, methods), methods=list(methods))
            for path, methods in paths.items()
        ],
        redirect_slashes=False,
        default=_unknown,
    )


async def _send_nothing(message: Message) -> None:
    raise AssertionError("the router raises or hands on; it never answers itself")


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    raise HTTPException(404)


class _ByMethod:
    """An ASGI application that hands the exchange to the endpoint for its method."""

    def __init__(self, path: str, methods: dict[str, Route]) -> None:
        self._path = path
        self._methods = methods

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        method = scope["method"]
        route = self._methods["GET" if method == "HEAD" else method]
        exchange: Exchange = scope["flightdb.exchange"]
        exchange.route = self._path
        return route.endpoint(exchange)
