"""Metadata: catalogs, schemas, tables, keys, types, server facts, each of its exact schema.

Drivers compare these schemas, nullability included, between FlightInfo, GetSchema and the stream.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from google.protobuf.message import Message

from flightdb.coordinator.service import Service
from flightdb.errors import NotFound
from flightdb.flight import sqlinfo, types
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.names import CATALOG, SCHEMA, select_all

TABLE_TYPE = "TABLE"
TYPE_NAME = "ARROW:FLIGHT:SQL:TYPE_NAME"


def _text(name: str, *, nullable: bool = True) -> "pa.Field[Any]":
    return pa.field(name, pa.string(), nullable=nullable)


CATALOGS = pa.schema([_text("catalog_name", nullable=False)])
SCHEMAS = pa.schema([_text("catalog_name"), _text("db_schema_name", nullable=False)])
TABLES = pa.schema(
    [
        _text("catalog_name"),
        _text("db_schema_name"),
        _text("table_name", nullable=False),
        _text("table_type", nullable=False),
    ]
)
TABLES_WITH_SCHEMA = TABLES.append(pa.field("table_schema", pa.binary(), nullable=False))
TABLE_TYPES = pa.schema([_text("table_type", nullable=False)])
PRIMARY_KEYS = pa.schema(
    [
        _text("catalog_name"),
        _text("db_schema_name"),
        _text("table_name", nullable=False),
        _text("column_name", nullable=False),
        pa.field("key_sequence", pa.int32(), nullable=False),
        _text("key_name"),
    ]
)
FOREIGN_KEYS = pa.schema(
    [
        _text("pk_catalog_name"),
        _text("pk_db_schema_name"),
        _text("pk_table_name", nullable=False),
        _text("pk_column_name", nullable=False),
        _text("fk_catalog_name"),
        _text("fk_db_schema_name"),
        _text("fk_table_name", nullable=False),
        _text("fk_column_name", nullable=False),
        pa.field("key_sequence", pa.int32(), nullable=False),
        _text("fk_key_name"),
        _text("pk_key_name"),
        pa.field("update_rule", pa.uint8(), nullable=False),
        pa.field("delete_rule", pa.uint8(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Metadata:
    """How one command is answered: its schema, and its rows in a table of that schema."""

    schema: Callable[[Any], pa.Schema]
    rows: Callable[[Any], pa.Table]


def answers(service: Service, *, statement_idle_ms: int) -> Mapping[type[Message], Metadata]:
    """Every metadata command with its answer."""
    catalog = Listing(service)
    version = service.status().version
    known = sqlinfo.facts(version, statement_idle_ms=statement_idle_ms)
    return {
        pb.CommandGetCatalogs: _fixed(CATALOGS, lambda _: [{"catalog_name": CATALOG}]),
        pb.CommandGetDbSchemas: _fixed(SCHEMAS, catalog.schemas),
        pb.CommandGetTables: Metadata(tables_schema, catalog.tables),
        pb.CommandGetTableTypes: _fixed(TABLE_TYPES, lambda _: [{"table_type": TABLE_TYPE}]),
        pb.CommandGetPrimaryKeys: _fixed(PRIMARY_KEYS, lambda _: []),
        pb.CommandGetExportedKeys: _fixed(FOREIGN_KEYS, lambda _: []),
        pb.CommandGetImportedKeys: _fixed(FOREIGN_KEYS, lambda _: []),
        pb.CommandGetCrossReference: _fixed(FOREIGN_KEYS, lambda _: []),
        pb.CommandGetSqlInfo: Metadata(
            lambda _: sqlinfo.SCHEMA, lambda command: sqlinfo.table_of(known, command.info)
        ),
        pb.CommandGetXdbcTypeInfo: Metadata(
            lambda _: types.SCHEMA,
            lambda command: types.type_table(
                command.data_type if command.HasField("data_type") else None
            ),
        ),
    }


def _fixed(schema: pa.Schema, rows: Callable[[Any], list[dict[str, Any]]]) -> Metadata:
    return Metadata(
        lambda _: schema, lambda command: pa.Table.from_pylist(rows(command), schema=schema)
    )


def tables_schema(command: pb.CommandGetTables) -> pa.Schema:
    """The schema of GetTables, with or without the tables' schemas."""
    return TABLES_WITH_SCHEMA if command.include_schema else TABLES


class Listing:
    """Schemas and tables as rows."""

    def __init__(self, service: Service) -> None:
        """Takes the part that it asks."""
        self._service = service

    def schemas(self, command: pb.CommandGetDbSchemas) -> list[dict[str, Any]]:
        """The one schema, when catalog and pattern let it pass."""
        return [{"catalog_name": CATALOG, "db_schema_name": SCHEMA}] if is_here(command) else []

    def tables(self, command: pb.CommandGetTables) -> pa.Table:
        """Tables ordered by name."""
        rows: list[dict[str, Any]] = []
        if is_here(command) and (not command.table_types or TABLE_TYPE in command.table_types):
            pattern = (
                command.table_name_filter_pattern
                if command.HasField("table_name_filter_pattern")
                else None
            )
            names = [info.table.name for info in self._service.tables()]
            for name in names:
                if matches(pattern, name):
                    rows += self._table(name, with_schema=command.include_schema)
        return pa.Table.from_pylist(rows, schema=tables_schema(command))

    def _table(self, name: str, *, with_schema: bool) -> list[dict[str, Any]]:
        row: dict[str, Any] = {
            "catalog_name": CATALOG,
            "db_schema_name": SCHEMA,
            "table_name": name,
            "table_type": TABLE_TYPE,
        }
        if with_schema:
            try:
                schema = self._service.describe(select_all(name)).schema
            except NotFound:
                return []  # dropped since the names were listed
            row["table_schema"] = with_type_names(schema).serialize().to_pybytes()
        return [row]


def is_here(command: pb.CommandGetDbSchemas | pb.CommandGetTables) -> bool:
    """Whether filters on catalog and schema let our one schema pass.

    Catalog "" asks for what has no catalog.
    """
    if command.HasField("catalog") and command.catalog != CATALOG:
        return False
    pattern = (
        command.db_schema_filter_pattern if command.HasField("db_schema_filter_pattern") else None
    )
    return matches(pattern, SCHEMA)


def matches(pattern: str | None, name: str) -> bool:
    r"""SQL's LIKE, escaped by a backslash; None lets all pass.

    `user\_%` takes `user_1`, not `users`.
    """
    if pattern is None:
        return True
    parts = re.findall(r"\\.|\\\Z|.", pattern, flags=re.DOTALL)
    wild = {"%": ".*", "_": "."}
    text = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return re.fullmatch(text, name, flags=re.DOTALL) is not None


def with_type_names(schema: pa.Schema) -> pa.Schema:
    """The schema with each column's SQL type in its metadata, where reflection looks for it."""
    return pa.schema([_with_type_name(field) for field in schema])


def _with_type_name(field: "pa.Field[Any]") -> "pa.Field[Any]":
    known: Any = field.metadata or {}
    return field.with_metadata({**known, TYPE_NAME: types.name_of(field.type)})
