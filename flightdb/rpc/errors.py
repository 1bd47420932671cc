"""Our errors as gRPC status: one table of codes, and what goes along in the trailing metadata."""

import json

import grpc
import structlog

from flightdb import errors

log = structlog.get_logger()

ERROR_KEY = "x-flightdb-error"
QUERY_ID_KEY = "x-flightdb-query-id"

DETAILS_CHARS_MAX = 2000
"""Status and trailing metadata share HTTP/2 headers, which a gRPC client takes up to 8 KiB of."""

CODES: tuple[tuple[type[errors.FlightdbError], grpc.StatusCode], ...] = (
    (errors.TooLarge, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.InvalidRequest, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.NotFound, grpc.StatusCode.NOT_FOUND),
    (errors.AlreadyExists, grpc.StatusCode.ALREADY_EXISTS),
    (errors.Conflict, grpc.StatusCode.ABORTED),
    (errors.CommitUnknown, grpc.StatusCode.UNKNOWN),
    (errors.Overloaded, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (errors.Unavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.DeadlineExceeded, grpc.StatusCode.DEADLINE_EXCEEDED),
    (errors.Cancelled, grpc.StatusCode.CANCELLED),
    (errors.Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (errors.PermissionDenied, grpc.StatusCode.PERMISSION_DENIED),
    (errors.Unsupported, grpc.StatusCode.UNIMPLEMENTED),
    (errors.Corruption, grpc.StatusCode.DATA_LOSS),
    (errors.FlightdbError, grpc.StatusCode.INTERNAL),
)
"""First match wins, so a class stands before its base."""


def code_of(error: errors.FlightdbError) -> grpc.StatusCode:
    """The status code that `error` has in gRPC."""
    return next(code for kind, code in CODES if isinstance(error, kind))


def details_of(error: errors.FlightdbError) -> str:
    """`{"error": slug, ...}` as ASCII JSON, for the metadata key `x-flightdb-error`."""
    details: dict[str, object] = {"error": error.slug, "code": code_of(error).name}
    if error.position is not None:
        details["position"] = error.position
    if isinstance(error, errors.Overloaded):
        details["retry_after_s"] = error.retry_after_s
    return json.dumps(details, separators=(",", ":"))


def message_of(error: errors.FlightdbError) -> str:
    """The message, cut where headers would get too long."""
    text = error.message
    return text if len(text) <= DETAILS_CHARS_MAX else text[:DETAILS_CHARS_MAX] + "..."


def from_defect(error: Exception, query_id: str, rpc: str) -> errors.Internal:
    """Logs an exception that should not have reached the door and gives the error that hides it."""
    log.error("rpc failed by a defect", rpc=rpc, query_id=query_id, exc_info=error)
    where = f": query_id={query_id}" if query_id else ""
    return errors.Internal(f"internal error, see the server's log{where}")
