"""The one table from error classes to HTTP, and the one shape of an error body."""

import math
import re

import msgspec
from starlette.exceptions import HTTPException

from flightdb.errors import (
    AlreadyExists,
    Cancelled,
    CommitUnknown,
    Conflict,
    Corruption,
    DeadlineExceeded,
    FlightdbError,
    Internal,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unsupported,
    UnsupportedMedia,
)
from flightdb.rest.shapes import ErrorAnswer

STATUSES: tuple[tuple[type[FlightdbError], int], ...] = (
    (TooLarge, 413),
    (UnsupportedMedia, 415),
    (InvalidRequest, 400),
    (Unauthenticated, 401),
    (PermissionDenied, 403),
    (NotFound, 404),
    (AlreadyExists, 409),
    (Conflict, 409),
    (Overloaded, 429),
    (Cancelled, 499),
    (CommitUnknown, 500),
    (Corruption, 500),
    (Internal, 500),
    (Unsupported, 501),
    (Unavailable, 503),
    (DeadlineExceeded, 504),
)
"""The first class that fits decides; sub-classes stand before their base."""

ROUTE_ERRORS = {
    404: ("not_found", "no such endpoint: see /openapi.json"),
    405: ("method_not_allowed", "method is not served here: see the allow header"),
}
"""What the router itself refuses: status to slug and message."""

UNAVAILABLE_RETRY_S = 1
"""Seconds a client should wait after a 503: a restart or a store's hiccup is seldom shorter."""

Headers = tuple[tuple[bytes, bytes], ...]


def status_of(error: FlightdbError) -> int:
    """The HTTP status for `error`; 500 for a class that the table does not know."""
    return next((status for known, status in STATUSES if isinstance(error, known)), 500)


def error_answer(error: FlightdbError, query_id: str = "") -> ErrorAnswer:
    """The body for `error`."""
    return ErrorAnswer(
        error=error.slug,
        code=status_of(error),
        message=error.message,
        query_id=query_id or msgspec.UNSET,
        position=msgspec.UNSET if error.position is None else error.position,
    )


def retry_headers(error: FlightdbError) -> Headers:
    """`Retry-After`, in whole seconds rounded up, for what is worth trying again."""
    if isinstance(error, Overloaded):
        return ((b"retry-after", b"%d" % max(1, math.ceil(error.retry_after_s))),)
    if isinstance(error, Unavailable):
        return ((b"retry-after", b"%d" % UNAVAILABLE_RETRY_S),)
    return ()


def route_answer(error: HTTPException) -> ErrorAnswer:
    """The body for what the router refuses."""
    slug, message = ROUTE_ERRORS.get(error.status_code, ("validation_error", error.detail))
    return ErrorAnswer(error=slug, code=error.status_code, message=message)


def json_message(error: Exception) -> str:
    """A JSON library's complaint in our form: `Expected X - at `$.id`` gives `expected X at id`.

    The word `str`, a Python name, becomes `string`, and so on, since it goes to clients.
    """
    if isinstance(error, UnicodeDecodeError):
        return f"text is not UTF-8 (byte {error.object[error.start]:#04x})"
    text = str(error) or "not valid json"
    text = re.sub(r"(Expected|got) `([^`]+)`", lambda m: f"{m[1]} {_json_types(m[2])}", text)
    text = re.sub(r" - at `\$`", "", text)
    text = re.sub(r" - at `\$\.?([^`]+)`", r" at \1", text)
    return text if text.startswith("JSON") else text[:1].lower() + text[1:]


def _json_types(names: str) -> str:
    words = {
        "str": "string",
        "int": "integer",
        "float": "number",
        "bool": "boolean",
        "dict": "object",
        "array": "list",
        "datetime": "RFC 3339 timestamp",
    }
    return " or ".join(words.get(name.strip(), name.strip()) for name in names.split("|"))
