"""One request and its answer: reading a body within a bound, sending a reply."""

import asyncio
from collections.abc import Awaitable

import msgspec
from starlette.types import Message, Receive, Scope, Send

from flightdb.errors import Cancelled, InvalidRequest, TooLarge
from flightdb.rest.errors import Headers

JSON = b"application/json"
ENCODER = msgspec.json.Encoder(decimal_format="number")

NO_SNIFFING = (b"x-content-type-options", b"nosniff")
"""On every answer. Headers that only mean something for pages are on the page: each costs 1 us."""

DISCARD_BYTES_MAX = 256 << 20
"""Of a refused body so much is read and dropped: most clients read an answer after sending all."""

DISCARD_S_MAX = 5.0


class Exchange:
    """A request with its headers at hand and a `send` that knows what was sent.

    Made once a request, so it does little: no parsing before it is asked for.
    """

    __slots__ = (
        "_send",
        "has_unread_body",
        "headers",
        "is_started",
        "query_id",
        "receive",
        "request_id",
        "route",
        "scope",
        "slug",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: bytes) -> None:
        """`request_id`: used when the client sends none of its own."""
        self.scope = scope
        self.receive = receive
        self._send = send
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        own = self.headers.get(b"x-request-id")
        self.request_id = own if own is not None and _is_safe(own) else request_id
        self.query_id = ""
        self.route = ""
        self.slug = ""
        self.has_unread_body = False
        self.is_started = False
        self.status = 0

    async def reply(
        self, status: int, body: bytes, media: bytes = JSON, extra: Headers = ()
    ) -> None:
        """A whole answer at once."""
        await self.start(status, media, ((b"content-length", b"%d" % len(body)), *extra))
        await self._send({"type": "http.response.body", "body": body})

    def start(self, status: int, media: bytes, extra: Headers = ()) -> Awaitable[None]:
        """The head of an answer that follows in pieces; without a length it is sent chunked."""
        self.is_started = True
        self.status = status
        head = [(b"content-type", media), (b"x-request-id", self.request_id), NO_SNIFFING, *extra]
        return self._send({"type": "http.response.start", "status": status, "headers": head})

    async def send_piece(self, piece: bytes) -> None:
        """A piece of it; waits while the client does not read."""
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def end(self) -> None:
        """The end of it; without it the client sees that the answer was broken off."""
        await self._send({"type": "http.response.body", "body": b""})

    async def reply_json(self, answer: msgspec.Struct, status: int = 200) -> None:
        """A whole answer from one of `shapes`."""
        await self.reply(status, ENCODER.encode(answer))

    def path_text(self, name: str) -> str:
        """A part of the path, as the route names it."""
        return str(self.scope["path_params"][name])

    def media(self) -> bytes:
        """The content type without its parameters, lower case; empty when there is none."""
        given = self.headers.get(b"content-type", b"")
        return given if given == JSON else given.partition(b";")[0].strip().lower()

    async def body(self, size_max: int) -> bytes | bytearray:
        """The whole body.

        Raises:
            TooLarge: it is, or says it is, over `size_max` bytes; no more than that was held.
            InvalidRequest: `content-length` is no number.
            Cancelled: the client left before its end.
        """
        self.has_unread_body = True
        _check_length(self.headers.get(b"content-length", b"0"), size_max)
        message = await self.receive()
        first: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            self.has_unread_body = False
            _check_here(message, len(first), size_max)
            return first
        whole = bytearray(first)
        while message.get("more_body", False):
            message = await self.receive()
            whole += message.get("body", b"")
            _check_here(message, len(whole), size_max)
        self.has_unread_body = False
        return whole

    async def refuse_body(self, body: bytes) -> None:
        """Answers 413 at once, then discards what the client still sends so that it can read that.

        Closing at once would reset the connection under a client that is still sending.
        """
        length = (b"content-length", b"%d" % len(body))
        await self.start(413, JSON, (length, (b"connection", b"close")))
        await self.send_piece(body)
        # Reading on would invite a client that waits for "100 Continue" to send all of it.
        if b"expect" not in self.headers:
            await self._discard()
        await self.end()

    async def _discard(self) -> None:
        size = 0
        try:
            async with asyncio.timeout(DISCARD_S_MAX):
                while size < DISCARD_BYTES_MAX:
                    message = await self.receive()
                    size += len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return


def _check_length(text: bytes, size_max: int) -> None:
    if not text.isdigit():
        raise InvalidRequest("content-length is not a number")
    if int(text) > size_max:
        raise _too_large(size_max)


def _check_here(message: Message, size: int, size_max: int) -> None:
    if message["type"] == "http.disconnect":
        raise Cancelled("client left before the end of its body")
    if size > size_max:
        raise _too_large(size_max)


def _too_large(size_max: int) -> TooLarge:
    return TooLarge(
        f"body is too large: expected at most {size_max} bytes (network.server.rest.max_body_size)"
    )


def _is_safe(text: bytes) -> bool:
    return 0 < len(text) <= 128 and text.isascii() and text.decode("ascii").isprintable()
