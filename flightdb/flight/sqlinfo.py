"""GetSqlInfo: what this server can do, by the codes of the protocol.

A value in the wrong child of the union makes the Go driver panic and others read garbage, so a
value says its child by its kind: `text`, `flag`, `big`, `bits`, `names`, `pairs`. Which code takes
which child was read in the drivers.
"""

from collections.abc import Collection
from typing import Any

import pyarrow as pa

VALUE = pa.dense_union(
    [
        pa.field("string_value", pa.string(), nullable=False),
        pa.field("bool_value", pa.bool_(), nullable=False),
        pa.field("bigint_value", pa.int64(), nullable=False),
        pa.field("int32_bitmask", pa.int32(), nullable=False),
        pa.field("string_list", pa.list_(pa.string()), nullable=False),
        pa.field(
            "int32_to_int32_list_map", pa.map_(pa.int32(), pa.list_(pa.int32())), nullable=False
        ),
    ]
)
SCHEMA = pa.schema(
    [pa.field("info_name", pa.uint32(), nullable=False), pa.field("value", VALUE, nullable=False)]
)

TEXT, FLAG, BIG, BITS, NAMES, PAIRS = range(6)

KEYWORDS = (
    "ANTI", "ASOF", "EXCLUDE", "GLOB", "ILIKE", "LIMIT", "OFFSET", "PIVOT", "POSITIONAL", "QUALIFY",
    "SEMI", "SUMMARIZE", "UNPIVOT", "WINDOW",
)  # fmt: skip
NUMERIC = (
    "ABS", "ACOS", "ASIN", "ATAN", "ATAN2", "CBRT", "CEIL", "CEILING", "COS", "COT", "DEGREES", "EXP",
    "FLOOR", "LN", "LOG", "LOG10", "LOG2", "MOD", "PI", "POW", "POWER", "RADIANS", "RANDOM", "ROUND",
    "SIGN", "SIN", "SQRT", "TAN", "TRUNC",
)  # fmt: skip
STRING = (
    "ASCII", "CHR", "CONCAT", "CONTAINS", "LEFT", "LENGTH", "LOWER", "LPAD", "LTRIM", "POSITION",
    "REGEXP_MATCHES", "REGEXP_REPLACE", "REPEAT", "REPLACE", "REVERSE", "RIGHT", "RPAD", "RTRIM",
    "STARTS_WITH", "STRPOS", "SUBSTRING", "TRIM", "UPPER",
)  # fmt: skip
SYSTEM = ("COALESCE", "IFNULL", "NULLIF")
DATETIME = (
    "CURRENT_DATE", "CURRENT_TIMESTAMP", "DATE_DIFF", "DATE_PART", "DATE_TRUNC", "DAYNAME", "DAYOFMONTH",
    "DAYOFWEEK", "DAYOFYEAR", "EXTRACT", "HOUR", "MINUTE", "MONTH", "MONTHNAME", "NOW", "QUARTER",
    "SECOND", "WEEK", "YEAR",
)  # fmt: skip

IDENTIFIER_CHARS_MAX = 64

Facts = dict[int, tuple[int, Any]]
"""Code to (child, value)."""


def facts(version: str, *, statement_idle_ms: int) -> Facts:
    """All codes with what is true of this server.

    `statement_idle_ms`: life of an unused prepared statement.
    """
    return SYNTAX | {
        0: (TEXT, "flightdb"),
        1: (TEXT, version),
        2: (TEXT, pa.__version__),
        3: (FLAG, False),
        4: (FLAG, True),
        5: (FLAG, False),
        6: (TEXT, ""),
        7: (TEXT, ""),
        8: (BITS, 0),
        9: (FLAG, True),
        10: (FLAG, True),
        11: (FLAG, False),
        100: (BITS, statement_idle_ms),
        101: (BITS, 0),
    }


SYNTAX: Facts = {
    500: (FLAG, False),
    501: (FLAG, False),
    502: (FLAG, True),
    503: (BIG, 1),  # identifiers compare without case
    504: (TEXT, '"'),
    505: (BIG, 1),
    506: (FLAG, True),
    507: (BIG, 3),  # nulls last, in both directions
    508: (NAMES, KEYWORDS),
    509: (NAMES, NUMERIC),
    510: (NAMES, STRING),
    511: (NAMES, SYSTEM),
    512: (NAMES, DATETIME),
    513: (TEXT, "\\"),
    514: (TEXT, ""),
    515: (FLAG, True),
    516: (FLAG, True),
    517: (PAIRS, []),
    518: (FLAG, True),
    519: (FLAG, False),
    520: (FLAG, True),
    521: (FLAG, True),
    522: (BITS, 3),
    523: (FLAG, True),
    524: (FLAG, True),
    525: (BITS, 4),  # extended grammar; one bit only, ODBC takes the lowest
    526: (BITS, 2),
    527: (FLAG, False),
    528: (BITS, 6),  # full and limited outer joins
    529: (TEXT, "schema"),
    530: (TEXT, "procedure"),
    531: (TEXT, "catalog"),
    532: (FLAG, True),
    533: (BITS, 0),
    534: (BITS, 0),
    535: (BITS, 0),
    536: (FLAG, False),
    537: (FLAG, False),
    538: (BITS, 15),
    539: (FLAG, True),
    540: (BITS, 3),
    **dict.fromkeys((*range(541, 556), 557, 558, 560, 561), (BIG, 0)),  # no limit, or not known
    556: (FLAG, False),
    559: (BIG, IDENTIFIER_CHARS_MAX),
    562: (BIG, 0),  # no transactions
    563: (FLAG, False),
    564: (BITS, 1),
    565: (FLAG, False),
    566: (FLAG, False),
    567: (BITS, 2),  # forward only
    568: (BITS, 0),
    569: (BITS, 2),  # read only
    570: (BITS, 0),
    571: (BITS, 0),
    572: (FLAG, True),
    573: (FLAG, False),
    574: (FLAG, False),
    575: (FLAG, False),
    576: (FLAG, False),
}


def table_of(known: Facts, codes: Collection[int]) -> pa.Table:
    """The facts of `codes`, all for none.

    Codes that are not known are left out, as drivers like it.
    """
    chosen = [code for code in (sorted(set(codes)) if codes else sorted(known)) if code in known]
    children: list[list[Any]] = [[] for _ in range(VALUE.num_fields)]
    kinds, offsets = bytearray(), []
    for code in chosen:
        child, value = known[code]
        kinds.append(child)
        offsets.append(len(children[child]))
        children[child].append(value)
    # UnionArray.from_dense would make the children nullable, which strict drivers refuse.
    values = pa.Array.from_buffers(
        VALUE,
        len(chosen),
        [None, pa.py_buffer(bytes(kinds)), pa.array(offsets, pa.int32()).buffers()[1]],
        children=[pa.array(child, VALUE.field(n).type) for n, child in enumerate(children)],
    )
    return pa.Table.from_arrays([pa.array(chosen, pa.uint32()), values], schema=SCHEMA)
