"""What happens around every call: who asks, and how many calls run."""

import threading
from typing import Any

from pyarrow import flight

from flightdb.errors import FlightdbError, Unavailable
from flightdb.flight.auth import Identity, authenticate
from flightdb.flight.call import Headers
from flightdb.flight.errors import to_wire
from flightdb.model.principal import Principal


class Traffic:
    """Counts running calls, and refuses new ones when the server is going down. Thread-safe."""

    def __init__(self) -> None:
        """Open for traffic."""
        self._state = threading.Condition()
        self._is_draining = False
        self._is_stopping = False
        self.running_count = 0

    def enter(self) -> None:
        """Counts a call in. Raises Unavailable when draining."""
        with self._state:
            if self._is_draining:
                raise Unavailable(
                    "server is draining: expected another node to be asked, or this one later"
                )
            self.running_count += 1

    def leave(self) -> None:
        """Counts a call out."""
        with self._state:
            self.running_count -= 1
            self._state.notify_all()

    def drain(self, timeout_s: float) -> bool:
        """Refuses new calls and waits for running ones.

        False when some still run after `timeout_s`.
        """
        with self._state:
            self._is_draining = True
            return self._state.wait_for(lambda: self.running_count == 0, timeout_s)

    def stop(self) -> None:
        """Tells running calls that nobody waits for them any more."""
        self._is_draining = True
        self._is_stopping = True

    def is_stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._is_stopping


class Opened(flight.ServerMiddleware):
    """One call, let in."""

    def __init__(
        self, principal: Principal, headers: Headers, traffic: Traffic, token: str
    ) -> None:
        """`token`: a bearer token to hand to the client, "" for none."""
        self.principal = principal
        self.headers = headers
        self._traffic = traffic
        self._token = token

    def sending_headers(self) -> Any:
        """The token, where there is one."""
        return {"authorization": f"Bearer {self._token}"} if self._token else {}

    def call_completed(self, exception: Any) -> None:
        """Counts the call out."""
        self._traffic.leave()


class CallOpener(flight.ServerMiddlewareFactory):
    """Lets calls in."""

    def __init__(self, identity: Identity, traffic: Traffic) -> None:
        """Takes the parts that it asks."""
        self._identity = identity
        self._traffic = traffic

    def start_call(self, info: Any, headers: Headers) -> Opened:
        """Establishes who asks; a Handshake is answered with a bearer token."""
        values = headers.get("authorization") or ("",)
        value = values[0] if isinstance(values[0], str) else values[0].decode("latin-1")
        try:
            principal = authenticate(self._identity, value)
            is_handshake = info.method == flight.FlightMethod.HANDSHAKE
            token = self._identity.token(principal) if is_handshake else ""
            self._traffic.enter()
        except FlightdbError as error:
            raise to_wire(error) from None
        return Opened(principal, headers, self._traffic, token)
