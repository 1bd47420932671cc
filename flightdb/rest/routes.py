"""What is served where: the one list from which the router and the OpenAPI document are made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from flightdb.rest.admin import Admin
from flightdb.rest.data import Writes
from flightdb.rest.exchange import Exchange
from flightdb.rest.formats import ENCODERS
from flightdb.rest.pages import Pages
from flightdb.rest.queries import Queries
from flightdb.rest.shapes import (
    CreateTableBody,
    Done,
    Dropped,
    FlushAnswer,
    FlushBody,
    HealthAnswer,
    QueryAnswer,
    QueryBody,
    StatusAnswer,
    TableAnswer,
    TableList,
    WriteAnswer,
    WriteBody,
)
from flightdb.rest.tables import Tables

Endpoint = Callable[[Exchange], Awaitable[None]]

TEXT = "text/plain"
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter or header; path parameters are read off the path."""

    name: str
    kind: type
    doc: str
    place: str = "query"


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one path.

    `body` and `answer` are the JSON shapes; `media` names other forms of the body, `answer_media`
    those of the answer. `errors`: statuses beyond 400, 413 and 500, which all may have.
    """

    method: str
    path: str
    endpoint: Endpoint
    summary: str
    body: Any = None
    media: tuple[str, ...] = ()
    answer: type[msgspec.Struct] | None = None
    answer_media: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    is_hidden: bool = False


IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key", str, "a repeat of this write is stored once; up to 255 characters", "header"
)
NO_CACHE = Parameter("Cache-Control", str, "no-cache passes the result cache by", "header")


def routes(
    writes: Writes, queries: Queries, tables: Tables, admin: Admin, pages: Pages
) -> tuple[Route, ...]:
    """All routes, by the objects that answer them."""
    return (
        *_data_routes(writes, queries),
        *_table_routes(tables),
        Route(
            "POST",
            "/v1/flush",
            admin.flush,
            "Write buffered rows to the store",
            body=FlushBody,
            answer=FlushAnswer,
            parameters=(Parameter("table", str, "one table; all without it"),),
            errors=(404, 503),
        ),
        Route("GET", "/v1/health", admin.health, "How each part is", answer=HealthAnswer),
        Route("GET", "/v1/status", admin.status, "Figures and nodes", answer=StatusAnswer),
        Route("GET", "/v1/stats", admin.status, "The same as status", answer=StatusAnswer),
        Route("GET", "/metrics", admin.metrics, "Prometheus metrics", answer_media=(TEXT,)),
        Route("GET", "/openapi.json", pages.openapi, "This document", is_hidden=True),
        Route("GET", "/docs", pages.docs, "A page to try the API", is_hidden=True),
    )


def _data_routes(writes: Writes, queries: Queries) -> tuple[Route, ...]:
    return (
        Route(
            "POST",
            "/v1/data",
            writes.write,
            "Write one row or an atomic batch; answered when durable",
            body=WriteBody | list[WriteBody],
            media=("application/x-ndjson", "application/vnd.apache.arrow.stream"),
            answer=WriteAnswer,
            parameters=(Parameter("table", str, "table of an Arrow stream"), IDEMPOTENCY_KEY),
            errors=(404, 415, 429, 503),
        ),
        Route("PUT", "/v1/data", writes.refuse, "Not served yet", errors=(501,)),
        Route("DELETE", "/v1/data", writes.refuse, "Not served yet", errors=(501,)),
        Route(
            "POST",
            "/v1/query",
            queries.query,
            "Run SQL; the Accept header chooses the form of the answer",
            body=QueryBody,
            answer=QueryAnswer,
            answer_media=tuple(ENCODERS),
            parameters=(NO_CACHE,),
            errors=(403, 404, 415, 429, 499, 503, 504),
        ),
    )


def _table_routes(tables: Tables) -> tuple[Route, ...]:
    return (
        Route(
            "POST",
            "/v1/tables",
            tables.create,
            "Create a record table",
            body=CreateTableBody,
            answer=Done,
            errors=(409, 415),
        ),
        Route(
            "GET",
            "/v1/tables",
            tables.list,
            "List tables",
            answer=TableList,
            parameters=(
                Parameter("pattern", str, "glob on the name, as user*"),
                Parameter("page", int, "from 1"),
                Parameter("limit", int, "tables a page"),
            ),
        ),
        Route(
            "GET",
            "/v1/tables/{name}",
            tables.describe,
            "Describe a table",
            answer=TableAnswer,
            errors=(404,),
        ),
        Route(
            "DELETE",
            "/v1/tables/{name}",
            tables.drop,
            "Drop a table and its rows",
            answer=Dropped,
            parameters=(
                Parameter("if_exists", bool, "a table that is not there is no error"),
                Parameter("cascade", bool, "taken and without effect: rows always go too"),
            ),
            errors=(404,),
        ),
    )
