"""DuckDB's side of logical types: its name for each, and SQL that makes one from its physical
form.
"""

from typing import Any

import pyarrow as pa

from flightdb.model.names import quote
from flightdb.model.types import KEPT, STORED, is_stored_as_is


def sql_name(logical: Any) -> str:
    """DuckDB's name for a logical type: `list<uint8>` gives `UTINYINT[]`."""
    if logical in KEPT:
        return KEPT[logical]
    if logical in STORED:
        return STORED[logical][1]
    if pa.types.is_decimal128(logical):
        return f"DECIMAL({logical.precision},{logical.scale})"
    if pa.types.is_struct(logical):
        return f"STRUCT({', '.join(f'{quote(f.name)} {sql_name(f.type)}' for f in logical)})"
    if pa.types.is_map(logical):
        return f"MAP({sql_name(logical.key_type)}, {sql_name(logical.item_type)})"
    size = str(logical.list_size) if pa.types.is_fixed_size_list(logical) else ""
    return f"{sql_name(logical.value_type)}[{size}]"


def sql_from_physical(logical: Any, value: str, level: int = 0) -> str:
    """SQL that gives the logical value of `value`, an SQL expression of the physical type. NULL
    gives NULL.
    """
    if is_stored_as_is(logical):
        return value
    if logical in STORED:
        return STORED[logical][2].format(value)
    if pa.types.is_struct(logical):
        return _struct(logical, value, level)
    item = f"x{level}"
    if pa.types.is_map(logical):
        key = sql_from_physical(logical.key_type, f"{item}.key", level + 1)
        of_key = sql_from_physical(logical.item_type, f"{item}.value", level + 1)
        pair = f"struct_pack(k := {key}, v := {of_key})"
        return f"map_from_entries(list_transform(map_entries({value}), lambda {item}: {pair}))"
    of_item = sql_from_physical(logical.value_type, item, level + 1)
    items = value if of_item == item else f"list_transform({value}, lambda {item}: {of_item})"
    return f"CAST({items} AS {sql_name(logical)})"


def _struct(logical: Any, value: str, level: int) -> str:
    fields = ", ".join(
        f"{quote(f.name)} := {sql_from_physical(f.type, f'{value}.{quote(f.name)}', level)}"
        for f in logical
    )
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE struct_pack({fields}) END"
