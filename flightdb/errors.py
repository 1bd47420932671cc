"""What can go wrong, named for what the caller can do about it.

Every error that reaches a client is one of these. A door maps the class to its own code by one table
(`flight/errors.py`, `rest/errors.py`, `rpc/errors.py`); an adapter maps its library's errors to one of
these, once. Message form: what, which, what was expected; lowercase, no full stop, values last.
The slugs extend `reference/contract.md` 1.3; `docs/errors.md` lists them, held to this file by a test.
"""


class FlightdbError(Exception):
    """Base of all errors meant for a client; `slug` is the stable name in REST bodies."""

    slug = "internal_error"

    def __init__(
        self, message: str, *, slug: str | None = None, position: int | None = None
    ) -> None:
        """`position` is the zero-based character offset in the SQL text, where one is known."""
        super().__init__(message)
        self.message = message
        self.position = position
        if slug is not None:
            self.slug = slug


class InvalidRequest(FlightdbError):
    """The request itself is wrong; sending it again cannot help. HTTP 400."""

    slug = "validation_error"


class InvalidPayload(InvalidRequest):
    """A row or batch does not fit the table or cannot be decoded; nothing of it is stored. HTTP 400."""

    slug = "payload_error"


class InvalidQuery(InvalidRequest):
    """The SQL does not parse, bind or evaluate. HTTP 400."""

    slug = "query_error"


class TooLarge(InvalidRequest):
    """A body, batch, statement or answer is over its limit; the message names the limit. HTTP 413."""

    slug = "too_large"


class UnsupportedMedia(InvalidRequest):
    """The content type or accept header names a format that is not served. HTTP 415."""

    slug = "unsupported_media_type"


class NotFound(FlightdbError):
    """A named thing does not exist: table, column, prepared statement, ticket. HTTP 404."""

    slug = "not_found"


class AlreadyExists(FlightdbError):
    """A thing of this name exists. HTTP 409."""

    slug = "already_exists"


class Conflict(FlightdbError):
    """Another writer was first; nothing was applied; trying again may help. HTTP 409."""

    slug = "conflict"


class CommitUnknown(FlightdbError):
    """The commit may or may not have been applied; ask again with the same idempotency key. HTTP 500."""

    slug = "commit_unknown"


class Overloaded(FlightdbError):
    """A queue or a memory bound is full; nothing was applied; try again after `retry_after_s`. HTTP 429."""

    slug = "overloaded"

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        """`retry_after_s`: seconds after which a retry is worth it."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(FlightdbError):
    """A part that is needed is not there now (draining, store down, disk full). HTTP 503."""

    slug = "service_unavailable"


class DeadlineExceeded(FlightdbError):
    """The time given was over; a query was stopped. HTTP 504."""

    slug = "deadline_exceeded"


class Cancelled(FlightdbError):
    """The caller, or its disconnect, stopped the query. HTTP 499."""

    slug = "cancelled"


class Unauthenticated(FlightdbError):
    """Who is asking is not known. HTTP 401."""

    slug = "unauthenticated"


class PermissionDenied(FlightdbError):
    """This may not be done through SQL or by this principal; the message says what. HTTP 403."""

    slug = "permission_denied"


class Unsupported(FlightdbError):
    """The protocol has it, this server does not, and says so. HTTP 501."""

    slug = "unsupported"


class Corruption(FlightdbError):
    """Stored bytes are damaged; the message names file and offset. HTTP 500."""

    slug = "corruption"


class Internal(FlightdbError):
    """A defect here. Its cause is in the server's log under the query id, never in the message. HTTP 500."""

    slug = "internal_error"


def out_of_memory() -> Overloaded:
    """What a door answers where Arrow or Python could not have the memory that a request needs."""
    return Overloaded(
        "server has no memory left for this: expected a smaller request, or try again later"
    )
