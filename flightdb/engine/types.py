"""The one schema function: which Arrow type a client sees for a DuckDB type.

Clients get types that all drivers know (`reference/flightsql.md` C.6.2 and G): no dictionaries,
views, unions, decimal32 or extension types, zones named UTC. All fields are nullable: a query
promises nothing else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flightdb.model.names import quote

_SAME: dict[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "tinyint": pa.int8(),
    "smallint": pa.int16(),
    "integer": pa.int32(),
    "bigint": pa.int64(),
    "utinyint": pa.uint8(),
    "usmallint": pa.uint16(),
    "uinteger": pa.uint32(),
    "ubigint": pa.uint64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "varchar": pa.string(),
    "blob": pa.binary(),
    "date": pa.date32(),
    "time": pa.time64("us"),
    "time_ns": pa.time64("ns"),
    "timestamp": pa.timestamp("us"),
    "timestamp_s": pa.timestamp("s"),
    "timestamp_ms": pa.timestamp("ms"),
    "timestamp_ns": pa.timestamp("ns"),
    "timestamp with time zone": pa.timestamp("us", tz="UTC"),
    "timestamptz_ns": pa.timestamp("ns", tz="UTC"),
    "interval": pa.month_day_nano_interval(),
    "hugeint": pa.decimal128(38, 0),
    "uuid": pa.string(),
}
"""Types whose Arrow form from DuckDB has this layout already."""

_CAST: dict[str, tuple[pa.DataType, str]] = {
    # The type of a bare NULL or `[]`: drivers know no null type; INTEGER is DuckDB's choice too.
    "null": (pa.int32(), "INTEGER"),
    # Has 39 digits, decimal128 has 38.
    "uhugeint": (pa.string(), "VARCHAR"),
    "enum": (pa.string(), "VARCHAR"),
    "bit": (pa.string(), "VARCHAR"),
    "bignum": (pa.string(), "VARCHAR"),
    # Arrow has no time with an offset.
    "time with time zone": (pa.string(), "VARCHAR"),
    "union": (pa.string(), "VARCHAR"),
    "variant": (pa.string(), "VARCHAR"),
}
"""Types that are cast in SQL first."""

_NESTED = ("list", "array", "struct", "map")


@dataclass(frozen=True, slots=True)
class ClientType:
    """`arrow` is what the client sees; `cast`, if not "", is the SQL type to cast to first."""

    arrow: Any
    cast: str


def client_types(types: Sequence[Any]) -> list[ClientType]:
    """One for each DuckDB type of an answer."""
    return [client_type(type_) for type_ in types]


def client_type(type_: Any) -> ClientType:
    """What a client sees of a `DuckDBPyType`; a type that is not known becomes text."""
    kind = type_.id
    if kind in _SAME:
        return ClientType(_SAME[kind], "")
    if kind == "decimal":
        size = dict(type_.children)
        return ClientType(pa.decimal128(size["precision"], size["scale"]), "")
    if kind in _NESTED:
        arrow, name, is_cast = _nested(type_)
        return ClientType(arrow, name if is_cast else "")
    arrow, cast = _CAST.get(kind, (pa.string(), "VARCHAR"))
    return ClientType(arrow, cast)


def _nested(type_: Any) -> tuple[Any, str, bool]:
    """Arrow type, SQL name after casts, and whether anything inside is cast."""
    parts = [(name, *_part(child)) for name, child in _children(type_)]
    is_cast = any(part[3] for part in parts)
    kind = type_.id
    if kind == "struct":
        fields = [pa.field(name, arrow) for name, arrow, _, _ in parts]
        text = ", ".join(f"{quote(name)} {sql}" for name, _, sql, _ in parts)
        return pa.struct(fields), f"STRUCT({text})", is_cast
    if kind == "map":
        (_, key, key_sql, _), (_, value, value_sql, _) = parts
        return pa.map_(key, value), f"MAP({key_sql}, {value_sql})", is_cast
    _, item, item_sql, _ = parts[0]
    if kind == "array":
        size = dict(type_.children)["size"]
        return pa.list_(item, size), f"{item_sql}[{size}]", is_cast
    return pa.list_(item), f"{item_sql}[]", is_cast


def _children(type_: Any) -> Iterator[tuple[str, Any]]:
    return (
        (name, child) for name, child in type_.children if name != "size" or type_.id == "struct"
    )


def _part(type_: Any) -> tuple[Any, str, bool]:
    if type_.id in _NESTED:
        return _nested(type_)
    found = client_type(type_)
    return found.arrow, found.cast or str(type_), bool(found.cast)


class _Relabelled:
    """A batch's arrays under another schema of the same layout, by the Arrow C interface: no copy."""

    def __init__(self, batch: pa.RecordBatch, schema: pa.Schema) -> None:
        self._batch = batch
        self._schema = schema

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        """The protocol's pair of capsules."""
        arrays: Any = self._batch
        return self._schema.__arrow_c_schema__(), arrays.__arrow_c_array__()[1]


def relabel(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """`batch` as one of `schema`, whose types must have the same layout.

    Zones, names of fields and nullability may differ.
    """
    return pa.record_batch(_Relabelled(batch, schema))
