"""A table: its name, its columns and its settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa


class TableKind(StrEnum):
    """Record tables are the spec's (`id`, `timestamp`, one column a payload key); plain tables have any schema."""

    RECORD = "record"
    PLAIN = "plain"


class IdStrategy(StrEnum):
    """Where a record's id comes from when the writer gives none (`contract.md` 3.4)."""

    USER_PROVIDED = "user_provided"
    UUID = "uuid"
    SNOWFLAKE = "snowflake"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class IdRules:
    """What a record id may look like."""

    max_length: int = 255
    pattern: str = "^[a-zA-Z0-9_-]+$"
    allowed_chars: str = ""


@dataclass(frozen=True, slots=True)
class TableOptions:
    """Per-table settings of the spec. `buffer_size` is in rows, 0 means the server's default."""

    buffer_size: int = 0
    flush_interval_seconds: int = 0
    retention_days: int = 0
    backup_enabled: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)
    id_strategy: IdStrategy = IdStrategy.USER_PROVIDED
    id_prefix: str = ""
    auto_generate_id: bool = False
    id_validation: IdRules = IdRules()


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the catalog knows it at one version.

    `id` names the incarnation: a table dropped and created again has another one.
    `schema` is the logical schema, in Arrow types as the user declared them. `schema_version`
    grows by one with each change of it. `id_column` and `time_column` name the columns by which files are sorted and
    named: always `id` and `timestamp` in a record table, the loader's choice or "" in a plain one.
    """

    name: str
    id: str
    kind: TableKind
    schema: pa.Schema
    options: TableOptions = TableOptions()
    schema_version: int = 0
    created_at_us: int = 0
    id_column: str = ""
    time_column: str = ""


ID = "id"
TIMESTAMP = "timestamp"
RECORD_FIELDS = (
    pa.field(ID, pa.string(), nullable=False),
    pa.field(TIMESTAMP, pa.timestamp("us", tz="UTC"), nullable=False),
)


def record_schema(payload: pa.Schema | None = None) -> pa.Schema:
    """The schema of a record table: `id`, `timestamp` (UTC, microseconds), then one column a payload key."""
    return pa.schema([*RECORD_FIELDS, *(payload or ())])
