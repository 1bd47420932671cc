"""Who is asking: Basic and Bearer credentials in the headers of every call."""

import base64
import binascii
from typing import Any, Protocol

from pyarrow import flight

from flightdb.errors import InvalidRequest, Unauthenticated
from flightdb.flight.seal import Seal
from flightdb.model.principal import ANONYMOUS, Principal

PURPOSE = b"bearer"


class Identity(Protocol):
    """Turns credentials into principals and principals into bearer tokens.

    Thread-safe, does not block.
    """

    def by_password(self, user: str, password: str) -> Principal:
        """Raises Unauthenticated when the pair is wrong."""
        ...

    def by_token(self, token: str) -> Principal:
        """Raises Unauthenticated when the token is not known or has expired."""
        ...

    def by_nothing(self) -> Principal:
        """A call without credentials. Raises Unauthenticated where they are needed."""
        ...

    def token(self, principal: Principal) -> str:
        """A bearer token for `principal`, as ASCII."""
        ...


class OpenIdentity:
    """The identity of a server whose security is off: all are let in, under the name they give.

    Any password and any token are accepted. A token of ours gives back the name that it was made
    for, also after a restart with the same secret; any other token is anonymous.
    """

    def __init__(self, secret: bytes) -> None:
        """`secret`: what tokens are sealed with."""
        self._seal = Seal(secret)

    def by_password(self, user: str, password: str) -> Principal:
        """Everybody is who they say."""
        return Principal(user, ANONYMOUS.roles) if user else ANONYMOUS

    def by_token(self, token: str) -> Principal:
        """The name in a token of ours, else anonymous."""
        try:
            name = self._seal.open(
                PURPOSE, base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            )
        except (InvalidRequest, ValueError):
            return ANONYMOUS
        return self.by_password(name.decode(), "")

    def by_nothing(self) -> Principal:
        """Anonymous."""
        return ANONYMOUS

    def token(self, principal: Principal) -> str:
        """The sealed name."""
        sealed = self._seal.seal(PURPOSE, principal.name.encode())
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def authenticate(identity: Identity, authorization: str) -> Principal:
    """The principal that an `authorization` header names; "" is no header.

    Raises:
        Unauthenticated: the header is malformed, or `identity` refuses what it says.
    """
    if not authorization:
        return identity.by_nothing()
    scheme, _, value = authorization.partition(" ")
    value = value.strip()
    if scheme.lower() == "basic" and value:
        return identity.by_password(*_pair(value))
    if scheme.lower() == "bearer" and value:
        return identity.by_token(value)
    raise Unauthenticated("authorization header is malformed: expected Basic or Bearer and a value")


def _pair(encoded: str) -> tuple[str, str]:
    # Go's drivers send base64 without padding, all others with it.
    try:
        padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
        user, colon, password = base64.b64decode(padded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon, user, password = "", "", ""
    if not colon:
        raise Unauthenticated(
            "authorization header is malformed: expected Basic and base64 of user:password"
        )
    return user, password


class Handshake(flight.ServerAuthHandler):
    """Lets every Handshake pass: the headers were judged before it."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """Writes one empty message: some clients wait for one for ever."""
        outgoing.write(b"")

    def is_valid(self, token: Any) -> Any:
        """Nothing is said by Flight's own token."""
        return b""
