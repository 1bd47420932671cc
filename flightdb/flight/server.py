"""The Flight door: a server, its middleware, and how both start and stop."""

import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pyarrow as pa
import structlog
from pyarrow import flight

from flightdb.coordinator.service import Service
from flightdb.errors import InvalidRequest, Unavailable
from flightdb.flight.auth import Handshake, Identity, OpenIdentity
from flightdb.flight.call import Call
from flightdb.flight.errors import close_traceback_leak, to_wire
from flightdb.flight.handlers import Handlers
from flightdb.flight.middleware import CallOpener, Opened, Traffic
from flightdb.flight.prepared import PreparedStatements
from flightdb.flight.reading import Incoming
from flightdb.flight.ticket import Tickets
from flightdb.model.clock import Clock, Ids

log = structlog.get_logger()

T = TypeVar("T")

STOP_WAIT_S = 5.0
"""How long `stop` waits for calls that it cannot end, such as a read from a silent client."""


class FlightDoor:
    """Flight SQL and plain Flight over one port."""

    def __init__(
        self,
        service: Service,
        *,
        host: str,
        port: int,
        secret: bytes,
        auto_create: bool,
        clock: Clock,
        ids: Ids,
        identity: Identity | None = None,
    ) -> None:
        """`port` 0 takes a free one.

        `secret` seals tickets and tokens. `identity` None: security is off.
        """
        self._host, self._wanted_port = host, port
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._traffic = Traffic()
        self._opener = CallOpener(identity or OpenIdentity(secret), self._traffic)
        self._handlers = Handlers(
            service,
            prepared=PreparedStatements(clock, ids),
            tickets=Tickets(secret, clock),
            clock=clock,
            auto_create=auto_create,
        )
        self._server: FlightServer | None = None

    def start(self) -> None:
        """Takes traffic from when it returns. Raises Unavailable when the port cannot be had."""
        close_traceback_leak()
        self._check_address()
        try:
            self._server = FlightServer(
                f"grpc://{self._address}", self._handlers, self._opener, self._traffic
            )
        except (pa.ArrowException, OSError, ValueError):
            raise InvalidRequest(
                f"flight cannot listen: expected a free port on an address of this machine, address={self._address}"
            ) from None

    def _check_address(self) -> None:
        """Tries the port first: gRPC's own refusal writes lines of its own to stderr, which cannot be turned off."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self._host, self._wanted_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen()
        except OSError as error:
            raise Unavailable(
                f"flight cannot listen: {error.strerror}, host={self._host}, flight_port={self._wanted_port}"
            ) from None

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._server is None:
            raise InvalidRequest("flight does not listen: expected start() before")
        return int(self._server.port)

    def drain(self, timeout_s: float) -> bool:
        """Refuses new calls (UNAVAILABLE, "draining") and waits for running ones.

        False when some still run.
        """
        return self._traffic.drain(timeout_s)

    def stop(self) -> None:
        """Stops what still runs and closes the port; waits `STOP_WAIT_S` at most. Idempotent."""
        self._traffic.stop()
        server, self._server = self._server, None
        if server is None:
            return
        # pyarrow waits for running calls without end, so it waits on a thread that may be left
        # behind.
        stopping = threading.Thread(target=server.shutdown, name="flight-stop", daemon=True)
        stopping.start()
        stopping.join(STOP_WAIT_S)
        if stopping.is_alive():
            log.warning("flight stopped with calls still open", calls=self._traffic.running_count)


class FlightServer(flight.FlightServerBase):
    """Translates between pyarrow.flight and `Handlers`: calls in, errors out."""

    def __init__(
        self, location: str, handlers: Handlers, opener: CallOpener, traffic: Traffic
    ) -> None:
        """Listens at once."""
        self._handlers = handlers
        self._traffic = traffic
        super().__init__(location, auth_handler=Handshake(), middleware={"call": opener})

    def get_flight_info(self, context: Any, descriptor: flight.FlightDescriptor) -> Any:
        """GetFlightInfo."""
        return self._run(context, lambda call: self._handlers.info(call, descriptor))

    def get_schema(self, context: Any, descriptor: flight.FlightDescriptor) -> Any:
        """GetSchema."""
        return self._run(
            context, lambda call: flight.SchemaResult(self._handlers.schema(call, descriptor))
        )

    def do_get(self, context: Any, ticket: flight.Ticket) -> Any:
        """DoGet."""
        call = self._call(context)
        try:
            # The stream ends the call: it outlives this method.
            return self._handlers.fetch(call, ticket.ticket)
        except Exception as error:  # noqa: BLE001  (the seam: every error is translated, none swallowed)
            call.end()
            raise to_wire(error, call.query_id) from None

    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        """DoPut."""
        self._run(
            context, lambda call: self._handlers.put(call, descriptor, Incoming(reader), writer)
        )

    def do_action(self, context: Any, action: flight.Action) -> Any:
        """DoAction."""
        body = action.body.to_pybytes()
        return iter(self._run(context, lambda call: self._handlers.act(call, action.type, body)))

    def list_actions(self, context: Any) -> Any:
        """ListActions."""
        return self._run(context, lambda _: self._handlers.action_types())

    def list_flights(self, context: Any, criteria: Any) -> Any:
        """ListFlights."""
        return iter(self._run(context, lambda _: list(self._handlers.listing(criteria or b""))))

    def _run(self, context: Any, work: Callable[[Call], T]) -> T:
        call = self._call(context)
        try:
            return work(call)
        except Exception as error:  # noqa: BLE001  (the seam, as above)
            raise to_wire(error, call.query_id) from None
        finally:
            call.end()

    def _call(self, context: Any) -> Call:
        opened: Opened = context.get_middleware("call")
        return Call(context, opened.principal, opened.headers, self._traffic.is_stopping)
