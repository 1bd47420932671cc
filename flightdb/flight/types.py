"""SQL types: what GetXdbcTypeInfo lists, and the name that an Arrow type has in SQL."""

from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

FIELDS: "list[pa.Field[Any]]" = [
    pa.field("type_name", pa.string(), nullable=False),
    pa.field("data_type", pa.int32(), nullable=False),
    pa.field("column_size", pa.int32()),
    pa.field("literal_prefix", pa.string()),
    pa.field("literal_suffix", pa.string()),
    pa.field("create_params", pa.list_(pa.field("item", pa.string(), nullable=False))),
    pa.field("nullable", pa.int32(), nullable=False),
    pa.field("case_sensitive", pa.bool_(), nullable=False),
    pa.field("searchable", pa.int32(), nullable=False),
    pa.field("unsigned_attribute", pa.bool_()),
    pa.field("fixed_prec_scale", pa.bool_(), nullable=False),
    pa.field("auto_increment", pa.bool_()),
    pa.field("local_type_name", pa.string()),
    pa.field("minimum_scale", pa.int32()),
    pa.field("maximum_scale", pa.int32()),
    pa.field("sql_data_type", pa.int32(), nullable=False),
    pa.field("datetime_subcode", pa.int32()),
    pa.field("num_prec_radix", pa.int32()),
    pa.field("interval_precision", pa.int32()),
]
SCHEMA = pa.schema(FIELDS)


@dataclass(frozen=True, slots=True)
class SqlType:
    """A type as ODBC and JDBC describe it.

    `code` is their number for it, `subcode` that of a date or time.
    """

    name: str
    code: int
    size: int | None = None
    quote: str | None = None
    radix: int | None = None
    is_unsigned: bool | None = None
    scale_max: int | None = None
    subcode: int | None = None
    params: tuple[str, ...] | None = None


TYPES = (
    SqlType("BOOLEAN", -7, 1),
    SqlType("TINYINT", -6, 8, radix=2, is_unsigned=False, scale_max=0),
    SqlType("UTINYINT", -6, 8, radix=2, is_unsigned=True, scale_max=0),
    SqlType("BIGINT", -5, 64, radix=2, is_unsigned=False, scale_max=0),
    SqlType("UBIGINT", -5, 64, radix=2, is_unsigned=True, scale_max=0),
    SqlType("BLOB", -3, quote="'"),
    SqlType(
        "DECIMAL", 3, 38, radix=10, is_unsigned=False, scale_max=38, params=("precision", "scale")
    ),
    SqlType("INTEGER", 4, 32, radix=2, is_unsigned=False, scale_max=0),
    SqlType("UINTEGER", 4, 32, radix=2, is_unsigned=True, scale_max=0),
    SqlType("SMALLINT", 5, 16, radix=2, is_unsigned=False, scale_max=0),
    SqlType("USMALLINT", 5, 16, radix=2, is_unsigned=True, scale_max=0),
    SqlType("FLOAT", 7, 24, radix=2, is_unsigned=False),
    SqlType("DOUBLE", 8, 53, radix=2, is_unsigned=False),
    SqlType("VARCHAR", 12, quote="'"),
    SqlType("DATE", 91, 10, quote="'", subcode=1),
    SqlType("TIME", 92, 15, quote="'", scale_max=6, subcode=2),
    SqlType("TIMESTAMP", 93, 26, quote="'", scale_max=6, subcode=3),
    SqlType("TIMESTAMP WITH TIME ZONE", 93, 32, quote="'", scale_max=6, subcode=3),
)
"""Ordered by code, as the protocol wants it."""

NULLABLE, SEARCHABLE = 1, 3
DATETIME = 9


def type_table(code: int | None) -> pa.Table:
    """All types, or those with the number `code`."""
    rows = [_row(kind) for kind in TYPES if code is None or kind.code == code]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _row(kind: SqlType) -> dict[str, object]:
    return {
        "type_name": kind.name,
        "data_type": kind.code,
        "column_size": kind.size,
        "literal_prefix": kind.quote,
        "literal_suffix": kind.quote,
        "create_params": kind.params,
        "nullable": NULLABLE,
        "case_sensitive": kind.name == "VARCHAR",
        "searchable": SEARCHABLE,
        "unsigned_attribute": kind.is_unsigned,
        "fixed_prec_scale": False,
        "auto_increment": None if kind.radix is None else False,
        "local_type_name": kind.name,
        "minimum_scale": None if kind.scale_max is None else 0,
        "maximum_scale": kind.scale_max,
        "sql_data_type": kind.code if kind.subcode is None else DATETIME,
        "datetime_subcode": kind.subcode,
        "num_prec_radix": kind.radix,
        "interval_precision": None,
    }


NAMES: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.uint8(): "UTINYINT",
    pa.uint16(): "USMALLINT",
    pa.uint32(): "UINTEGER",
    pa.uint64(): "UBIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.large_string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.large_binary(): "BLOB",
    pa.date32(): "DATE",
    pa.month_day_nano_interval(): "INTERVAL",
}

TIMESTAMPS = {"s": "TIMESTAMP_S", "ms": "TIMESTAMP_MS", "us": "TIMESTAMP", "ns": "TIMESTAMP_NS"}


def name_of(kind: pa.DataType) -> str:
    """The SQL name of an Arrow type: `list<int64>` gives `BIGINT[]`.

    VARCHAR where SQL has no such type.
    """
    if kind in NAMES:
        return NAMES[kind]
    if kinds.is_timestamp(kind):
        return "TIMESTAMP WITH TIME ZONE" if kind.tz else TIMESTAMPS[kind.unit]
    if kinds.is_time(kind):
        return "TIME"
    if kinds.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    return _nested(kind)


def _nested(kind: pa.DataType) -> str:
    if kinds.is_list(kind) or kinds.is_large_list(kind):
        return f"{name_of(kind.value_type)}[]"
    if kinds.is_fixed_size_list(kind):
        return f"{name_of(kind.value_type)}[{kind.list_size}]"
    if kinds.is_map(kind):
        return f"MAP({name_of(kind.key_type)}, {name_of(kind.item_type)})"
    if kinds.is_struct(kind):
        return "STRUCT(" + ", ".join(f"{field.name} {name_of(field.type)}" for field in kind) + ")"
    return "VARCHAR"
