"""Small JSON bodies and query parameters, checked."""

from typing import TypeVar
from urllib.parse import parse_qs

import msgspec

from flightdb.errors import InvalidRequest, UnsupportedMedia
from flightdb.rest.errors import json_message
from flightdb.rest.exchange import Exchange

BODY_BYTES_MAX = 1 << 20
"""Of bodies that only name things."""

T = TypeVar("T")


async def json_body(exchange: Exchange, shape: type[T], *, is_optional: bool = False) -> T:
    """The body as `shape`; with `is_optional` no body stands for `{}`.

    Raises:
        InvalidRequest: no body, not JSON, or not of the shape; the message says where.
        UnsupportedMedia: another content type.
        TooLarge: over 1 MiB.
    """
    body = await exchange.body(BODY_BYTES_MAX)
    if not body.strip():
        if is_optional:
            return shape()
        raise InvalidRequest("body is empty: expected a json object")
    check_json(exchange)
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"body is not as expected: {json_message(error)}") from None


def check_json(exchange: Exchange) -> None:
    """Refuses a body that does not call itself JSON, which a web page may send without asking.

    Raises:
        UnsupportedMedia: its content type is missing or another.
    """
    media = exchange.media()
    if media != b"application/json":
        raise UnsupportedMedia(
            "content type is not served: expected application/json, "
            f"content-type={media.decode('latin-1')[:80]}"
        )


def text(exchange: Exchange, name: str, default: str = "") -> str:
    """A query parameter; the last one where there are several."""
    query = exchange.scope["query_string"].decode("latin-1")
    given: list[str] = parse_qs(query, keep_blank_values=True).get(name, [default])
    return given[-1]


def number(exchange: Exchange, name: str, default: int, most: int) -> int:
    """A query parameter that is a whole number from 1 to `most`.

    Raises:
        InvalidRequest: it is not.
    """
    given = text(exchange, name, str(default))
    if not (given.isascii() and given.isdigit() and len(given) < 12 and 1 <= int(given) <= most):
        raise InvalidRequest(
            f"query parameter is not usable: expected a whole number from 1 to {most}, "
            f"{name}={given[:80]}"
        )
    return int(given)


def flag(exchange: Exchange, name: str) -> bool:
    """A query parameter that is true or false; without a value it is true, when missing false.

    Raises:
        InvalidRequest: it is neither.
    """
    given = text(exchange, name, "false").lower()
    if given not in ("true", "false", "1", "0", ""):
        raise InvalidRequest(
            f"query parameter is not usable: expected true or false, {name}={given[:80]}"
        )
    return given in ("true", "1", "")
