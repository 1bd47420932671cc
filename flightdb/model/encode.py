"""A table's schema and settings as text in the Delta log: field metadata and `flightdb.*` table
properties.
"""

import base64
import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from flightdb.errors import Corruption
from flightdb.model.table import IdRules, IdStrategy, Table, TableKind, TableOptions
from flightdb.model.types import is_stored_as_is

TYPE_KEY = "flightdb.type"
"""Delta field metadata: the logical type, where it is not the physical one."""

PREFIX = "flightdb."
"""Of all our table properties."""


def encode_type(logical: pa.DataType) -> str:
    """The type as base64 of an Arrow IPC schema of one field: any Arrow library can read it."""
    message = pa.schema([pa.field("", logical)]).serialize()
    return base64.b64encode(message.to_pybytes()).decode()


def decode_type(text: str) -> pa.DataType:
    """The way back. Raises Corruption."""
    try:
        message = pa.py_buffer(base64.b64decode(text, validate=True))
        kind: pa.DataType = pa.ipc.read_schema(message).field(0).type
        return kind
    except (ValueError, pa.ArrowException, OSError) as error:
        raise Corruption(f"logical type cannot be read: text={text[:80]}, reason={error}") from None


def field_metadata(logical: pa.DataType) -> dict[str, str]:
    """What a Delta field of this column carries: nothing where the physical type says it all."""
    return {} if is_stored_as_is(logical) else {TYPE_KEY: encode_type(logical)}


def table_properties(table: Table) -> dict[str, str]:
    """Everything of a table that its Delta schema does not say."""
    return {
        f"{PREFIX}kind": str(table.kind),
        f"{PREFIX}id_column": table.id_column,
        f"{PREFIX}time_column": table.time_column,
        f"{PREFIX}created_at_us": str(table.created_at_us),
        f"{PREFIX}schema_version": str(table.schema_version),
        f"{PREFIX}options": json.dumps(_options(table.options), sort_keys=True),
    }


def decode_table(
    name: str, table_id: str, schema: pa.Schema, properties: Mapping[str, str]
) -> Table:
    """The table that `table_properties` described. Raises Corruption.

    A Delta table without our properties is a plain one with default options.
    """
    own = {key.removeprefix(PREFIX): value for key, value in properties.items()}
    try:
        return Table(
            name=name,
            id=table_id,
            kind=TableKind(own.get("kind", "plain")),
            schema=schema,
            options=_read_options(json.loads(own.get("options", "{}"))),
            schema_version=int(own.get("schema_version", "0")),
            created_at_us=int(own.get("created_at_us", "0")),
            id_column=own.get("id_column", ""),
            time_column=own.get("time_column", ""),
        )
    except (ValueError, TypeError) as error:
        raise Corruption(f"table settings cannot be read: name={name}, reason={error}") from None


def _options(options: TableOptions) -> dict[str, Any]:
    values = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
    values["properties"] = dict(options.properties)
    values["id_validation"] = dataclasses.asdict(options.id_validation)
    return values


def _read_options(values: dict[str, Any]) -> TableOptions:
    if not values:
        return TableOptions()
    values["id_strategy"] = IdStrategy(values["id_strategy"])
    values["id_validation"] = IdRules(**values["id_validation"])
    return TableOptions(**values)
