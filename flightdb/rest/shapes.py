"""JSON bodies of the door, in and out; the OpenAPI document is made from these."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

Timestamp = Annotated[
    datetime,
    Meta(tz=True, description="RFC 3339 with a zone; kept in UTC, rounded to microseconds"),
]
Payload = Annotated[dict[str, Any], Meta(description="one column a key; nested values stay JSON")]


class ErrorAnswer(Struct, frozen=True, omit_defaults=True):
    """What every failed request is answered with."""

    error: Annotated[str, Meta(description="stable name of the kind of error")]
    code: Annotated[int, Meta(description="the HTTP status")]
    message: Annotated[str, Meta(description="what, which, and what was expected")]
    query_id: str | UnsetType = UNSET
    position: Annotated[int, Meta(description="offset in the SQL text")] | UnsetType = UNSET


class NestedRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The record of the nested write form."""

    payload: Payload
    id: str | None = None
    timestamp: Timestamp | None = None


class WriteBody(Struct, frozen=True, forbid_unknown_fields=True):
    """One row: flat with `payload`, or nested with `data`."""

    table: str | None = None
    id: str | None = None
    timestamp: Timestamp | None = None
    payload: Payload | UnsetType = UNSET
    data: NestedRecord | UnsetType = UNSET


class WriteAnswer(Struct, frozen=True):
    """The rows are durable and visible to the next query."""

    success: bool
    message: str
    node_id: str
    id: Annotated[str, Meta(description="of the only row; empty for a batch")]
    rows: int
    is_repeat: Annotated[bool, Meta(description="an Idempotency-Key seen before; stored once")]


class QueryBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A statement and how to run it."""

    sql: Annotated[str, Meta(min_length=1)]
    params: Annotated[list[Any] | None, Meta(description="values for ? or $1, in order")] = None
    limit: Annotated[int, Meta(ge=1, description="at most so many rows")] | None = None
    timeout_ms: Annotated[int, Meta(ge=1)] | None = None
    cursor: Annotated[str, Meta(description="not served yet; must be empty")] | None = None


class QueryAnswer(Struct, frozen=True):
    """An answer: the rows twice, as a list and as the text of that list.

    Numbers are exact as text, whatever their width: 64-bit integers, HUGEINT and DECIMAL. NaN and
    infinity are null. Timestamps are RFC 3339, in UTC where they have a zone; binary is base64.
    """

    query_id: str
    result_json: str
    rows: list[dict[str, Any]]
    has_more: Annotated[bool, Meta(description="there are rows beyond the limit")]
    next_cursor: str


class IdValidation(Struct, frozen=True, forbid_unknown_fields=True):
    """What ids may look like."""

    required: bool = False
    max_length: Annotated[int, Meta(ge=1)] = 255
    pattern: str = "^[a-zA-Z0-9_-]+$"
    allowed_chars: str = ""


class TableConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of one table; 0 means the server's default."""

    buffer_size: Annotated[int, Meta(ge=0)] = 0
    flush_interval_seconds: Annotated[int, Meta(ge=0)] = 0
    retention_days: Annotated[int, Meta(ge=0)] = 0
    backup_enabled: bool = False
    properties: dict[str, str] = msgspec.field(default_factory=dict)
    id_strategy: str = "user_provided"
    id_prefix: str = ""
    auto_generate_id: bool = False
    id_validation: IdValidation = IdValidation()


class CreateTableBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A record table to make."""

    table_name: str
    config: TableConfig | None = None
    if_not_exists: bool = False


class Done(Struct, frozen=True):
    """It is done; the message says what."""

    success: bool
    message: str


class Dropped(Struct, frozen=True):
    """A table is gone, with its rows."""

    success: bool
    message: str
    files_deleted: int


class TableStats(Struct, frozen=True):
    """True figures from log and buffers; times are null while there is no row."""

    record_count: int
    file_count: int
    size_bytes: int
    oldest_record: str | None
    newest_record: str | None


class TableEntry(Struct, frozen=True):
    """A table in a list."""

    name: str
    kind: str
    config: TableConfig
    created_at: str | None
    last_write: str | None
    last_flush: str | None
    status: str
    stats: TableStats


class TableList(Struct, frozen=True):
    """A page of tables; `total` counts all that match."""

    tables: list[TableEntry]
    total: int
    page: int


class Column(Struct, frozen=True):
    """A column; `type` is its Arrow type."""

    name: str
    type: str
    nullable: bool


class TableDetail(Struct, frozen=True):
    """A table, with its columns."""

    name: str
    kind: str
    config: TableConfig
    created_at: str | None
    last_write: str | None
    last_flush: str | None
    status: str
    stats: TableStats
    columns: list[Column]
    version: int
    schema_version: int


class TableAnswer(Struct, frozen=True):
    """One table; its figures also stand beside it."""

    table_info: TableDetail
    stats: TableStats


class FlushBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which table; none means all."""

    table: str | None = None


class FlushStats(Struct, frozen=True):
    """What went to the store."""

    rows: int


class FlushAnswer(Struct, frozen=True):
    """The buffered rows are in the store."""

    success: bool
    message: str
    stats: FlushStats


class Component(Struct, frozen=True):
    """A part of the server and how it is."""

    status: str
    message: str


class HealthAnswer(Struct, frozen=True):
    """`status` is healthy, degraded or unhealthy (then with 503)."""

    status: str
    timestamp: str
    version: str
    details: dict[str, str]
    components: dict[str, Component]


class NodeEntry(Struct, frozen=True):
    """A node of the service."""

    id: str
    status: str
    type: str
    address: str
    last_seen: str | None
    active_queries: int


class StatusAnswer(Struct, frozen=True):
    """Figures of the service; groups hold the spec's names, null where one is not measured here,
    `figures` all that is known.
    """

    timestamp: str
    node_id: str
    version: str
    uptime_seconds: float
    health_status: str
    buffer_stats: dict[str, int | float | None]
    redis_stats: dict[str, int | float | None]
    minio_stats: dict[str, int | float | None]
    query_metrics: dict[str, int | float | None]
    cache_metrics: dict[str, int | float | None]
    query_engine_stats: dict[str, int | float | None]
    memory_usage: dict[str, int | float | None]
    connection_pool_metrics: dict[str, int | float | None]
    metrics_collection_stats: dict[str, int | float | None]
    figures: dict[str, int | float]
    components: dict[str, Component]
    nodes: list[NodeEntry]
    total_nodes: int
