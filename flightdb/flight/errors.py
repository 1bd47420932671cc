"""Our errors as Flight errors: one table, and no traceback in any of them.

pyarrow can send twelve gRPC codes. INVALID_ARGUMENT, NOT_FOUND and UNIMPLEMENTED only through
Arrow's own exceptions, to whose message it adds the server's traceback (`Detail: Python exception:
...`); the others through FlightErrors, which carry `extra_info`. ALREADY_EXISTS, ABORTED and
RESOURCE_EXHAUSTED cannot be sent: there the message begins with the slug.
"""

import json
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import structlog
from pyarrow import flight

from flightdb import errors

log = structlog.get_logger()

HEADER_BYTES_MAX = 1500
"""Of one message as percent-encoded.

It travels three times (status, Arrow status, detail) in headers of 8 KiB.
"""


class InvalidArgument(pa.ArrowInvalid):
    """Sent as INVALID_ARGUMENT, without a traceback."""


class Missing(pa.ArrowKeyError):
    """Sent as NOT_FOUND, without a traceback."""


class Unimplemented(pa.ArrowNotImplementedError):
    """Sent as UNIMPLEMENTED, without a traceback."""


BARE = (InvalidArgument, Missing, Unimplemented)
"""What `close_traceback_leak` keeps silent about."""

Kind = type[Exception]

TABLE: tuple[tuple[type[errors.FlightdbError], Kind, int], ...] = (
    (errors.TooLarge, InvalidArgument, 413),
    (errors.UnsupportedMedia, InvalidArgument, 415),
    (errors.InvalidRequest, InvalidArgument, 400),
    (errors.NotFound, Missing, 404),
    (errors.AlreadyExists, flight.FlightServerError, 409),
    (errors.Conflict, flight.FlightServerError, 409),
    (errors.CommitUnknown, flight.FlightServerError, 500),
    (errors.Overloaded, flight.FlightUnavailableError, 429),
    (errors.Unavailable, flight.FlightUnavailableError, 503),
    (errors.DeadlineExceeded, flight.FlightTimedOutError, 504),
    (errors.Cancelled, flight.FlightCancelledError, 499),
    (errors.Unauthenticated, flight.FlightUnauthenticatedError, 401),
    (errors.PermissionDenied, flight.FlightUnauthorizedError, 403),
    (errors.Unsupported, Unimplemented, 501),
    (errors.FlightdbError, flight.FlightInternalError, 500),
)
"""Ours, the Flight error, the HTTP status that REST gives for it.

First match wins, so a class stands before its base.
"""


def to_wire(error: Exception, query_id: str = "") -> Exception:
    """The exception that a Flight method raises for `error`.

    One that is no flightdb error is logged and hidden.
    """
    if isinstance(error, flight.FlightError):
        return error
    if isinstance(error, MemoryError):
        error = errors.out_of_memory()
    if not isinstance(error, errors.FlightdbError):
        log.error("flight call failed", query_id=query_id, exc_info=error)
        error = errors.Internal(
            f"internal error, the server's log has it: query={query_id or 'none'}"
        )
    kind, status = _row(error)
    if kind in BARE:
        return kind(cut(error.message))
    message = (
        f"{error.slug}: {error.message}" if kind is flight.FlightServerError else error.message
    )
    return kind(cut(message), describe(error, status, query_id))


def _row(error: errors.FlightdbError) -> tuple[Kind, int]:
    return next((kind, status) for ours, kind, status in TABLE if isinstance(error, ours))


def status_of(error: errors.FlightdbError) -> int:
    """The HTTP status that stands for `error` in documents."""
    return _row(error)[1]


def describe(error: errors.FlightdbError, status: int, query_id: str) -> bytes:
    """The error as the JSON document that REST answers; it goes into `extra_info`."""
    document: dict[str, object] = {
        "error": error.slug,
        "code": status,
        "message": cut(error.message),
    }
    if query_id:
        document["query_id"] = query_id
    if isinstance(error, errors.Overloaded):
        document["retry_after"] = error.retry_after_s
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def cut(message: str) -> str:
    """The message, cut to what headers can hold: `HEADER_BYTES_MAX` when percent-encoded."""
    # A character takes one to twelve bytes: only a long one needs to be measured.
    if len(message) * 12 <= HEADER_BYTES_MAX:
        return message
    text = message[:HEADER_BYTES_MAX]
    if len(message) == len(text) and len(quote(text, safe=PLAIN)) <= HEADER_BYTES_MAX:
        return message
    while len(quote(text, safe=PLAIN)) > HEADER_BYTES_MAX - 3:
        text = text[: len(text) * 9 // 10]
    return text + "..."


PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
"""What gRPC leaves as it is in a status message."""


def close_traceback_leak() -> None:
    """Makes pyarrow add no traceback to our own exceptions; others are formatted as before.

    pyarrow formats a Python exception by calling `traceback.format_exception` when it serialises
    the status, long after the method has returned, so there is no other place. Idempotent; for the
    life of the process.
    """
    plain: Callable[..., list[str]] = traceback.format_exception
    if getattr(plain, "is_silent_for_flight", False):
        return

    def format_exception(*args: Any, **kwargs: Any) -> list[str]:
        if any(isinstance(value, BARE) for value in args[:2]):
            return [""]
        return plain(*args, **kwargs)

    format_exception.is_silent_for_flight = True  # type: ignore[attr-defined]  # a mark on a function
    traceback.format_exception = format_exception
