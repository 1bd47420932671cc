"""A table's schema and settings in the Delta log's own forms."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from flightdb.errors import Corruption
from flightdb.model.encode import TYPE_KEY, decode_type, field_metadata, table_properties
from flightdb.model.schema import physical_schema
from flightdb.model.table import Table

SETTINGS_KEY = "flightdb.table"
"""Metadata of the first field: table properties that came with a replaced schema.

Delta changes properties and schema in two commits; here they must change in one.
"""

_PRIMITIVES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "long": pa.int64(),
    "integer": pa.int32(),
    "short": pa.int16(),
    "byte": pa.int8(),
    "float": pa.float32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "timestamp_ntz": pa.timestamp("us"),
}


def delta_fields(table: Table, properties: Mapping[str, str] | None = None) -> pa.Schema:
    """The physical schema with our field metadata, to be handed to deltalake.

    `properties`: settings that go with it where they are not the table's Delta properties.

    Raises:
        InvalidRequest: a type without an exact physical form; the column is named.
    """
    physical = physical_schema(table.schema)
    fields = []
    for index, field in enumerate(physical):
        metadata: dict[Any, Any] = {**field_metadata(table.schema.field(index).type)}
        if index == 0 and properties is not None:
            metadata[SETTINGS_KEY] = json.dumps(dict(properties), sort_keys=True)
        fields.append(field.with_metadata(metadata) if metadata else field)
    return pa.schema(fields)


def settings_beside(table: Table, properties: Mapping[str, str]) -> dict[str, str] | None:
    """The table's settings where they are not what the Delta properties say, else None."""
    wanted = table_properties(table)
    wanted.pop("flightdb.schema_version")
    return wanted if any(properties.get(key) != value for key, value in wanted.items()) else None


def read_schema(schema_string: str) -> tuple[pa.Schema, dict[str, str]]:
    """The logical schema that a log's `schemaString` holds, and the settings beside it.

    Raises:
        Corruption: not a Delta schema, or a type that we do not know.
    """
    try:
        fields = json.loads(schema_string)["fields"]
        arrow = [_field(field) for field in fields]
        settings = fields[0]["metadata"].get(SETTINGS_KEY) if fields else None
        return pa.schema(arrow), json.loads(settings) if settings else {}
    except (ValueError, KeyError, TypeError) as error:
        raise Corruption(f"delta schema cannot be read: reason={error}") from None


def _field(field: dict[str, Any]) -> Any:
    text = (field.get("metadata") or {}).get(TYPE_KEY)
    kind = decode_type(text) if text else _type(field["type"])
    return pa.field(field["name"], kind, field["nullable"])


def _type(kind: Any) -> pa.DataType:
    if isinstance(kind, dict):
        if kind["type"] == "struct":
            return pa.struct([(f["name"], _type(f["type"])) for f in kind["fields"]])
        if kind["type"] == "array":
            return pa.list_(_type(kind["elementType"]))
        return pa.map_(_type(kind["keyType"]), _type(kind["valueType"]))
    if kind.startswith("decimal("):
        precision, scale = kind[len("decimal(") : -1].split(",")
        return pa.decimal128(int(precision), int(scale))
    return _PRIMITIVES[kind]
