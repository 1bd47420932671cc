"""docs/errors.md: every error, and what each door makes of it."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from flightdb import errors
from flightdb.flight.errors import TABLE as FLIGHT
from flightdb.rest.errors import ROUTE_ERRORS, STATUSES as REST
from flightdb.rpc.errors import CODES as GRPC

T = TypeVar("T")

FLIGHT_NAMES = {
    "InvalidArgument": "INVALID_ARGUMENT",
    "Missing": "NOT_FOUND",
    "Unimplemented": "UNIMPLEMENTED",
    "FlightServerError": "UNKNOWN",
    "FlightUnavailableError": "UNAVAILABLE",
    "FlightTimedOutError": "DEADLINE_EXCEEDED",
    "FlightCancelledError": "CANCELLED",
    "FlightUnauthenticatedError": "UNAUTHENTICATED",
    "FlightUnauthorizedError": "PERMISSION_DENIED",
    "FlightInternalError": "INTERNAL",
}
"""The gRPC code that pyarrow sends for each of its exceptions."""


def errors_document() -> str:
    """A row an error class, from `errors.py` and the doors' tables."""
    lines = [
        _HEAD,
        "| error | slug | REST | gRPC | Flight | what it means |",
        "|---|---|---|---|---|---|",
    ]
    lines += (_row(kind) for kind in _kinds(errors.FlightdbError))
    lines += [
        "",
        "REST's router answers for itself:",
        "",
        "| status | slug | message |",
        "|---|---|---|",
    ]
    lines += (f"| {code} | `{slug}` | {text} |" for code, (slug, text) in ROUTE_ERRORS.items())
    return "\n".join(lines) + "\n"


def _row(kind: type[errors.FlightdbError]) -> str:
    flight = FLIGHT_NAMES[_first((pair[:2] for pair in FLIGHT), kind).__name__]
    cells = (
        f"`{kind.__name__}`",
        f"`{kind.slug}`",
        str(_first(REST, kind)),
        _first(GRPC, kind).name,
        flight,
        " ".join((kind.__doc__ or "").split()).partition(" HTTP ")[0],
    )
    return "| " + " | ".join(cells) + " |"


def _first(table: Iterable[tuple[type, T]], kind: type) -> T:
    return next(value for base, value in table if issubclass(kind, base))


def _kinds(base: type[errors.FlightdbError]) -> Iterator[type[errors.FlightdbError]]:
    for kind in base.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from _kinds(kind)


_HEAD = """# Errors

<!-- Written by `flightdb config docs docs`; a test holds it to the code. -->

Every door says the same thing in its own words. The message has the form
"what: which, what was expected, name=value".

- **REST**: `{"error": slug, "code": HTTP status, "message": text, "query_id"?}`, with `Retry-After`
  where trying again may help.
- **gRPC**: the status code, the message as its details; slug and more as JSON in the trailing
  metadata `x-flightdb-error`.
- **Flight**: the status code and the message. pyarrow cannot send ALREADY_EXISTS, ABORTED and
  RESOURCE_EXHAUSTED: where gRPC has them, Flight has another code, and the message begins with the
  slug.
"""
