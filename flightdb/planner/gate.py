"""What SQL from outside may contain: an allow-list over the whole tree, before anything is resolved or run.

Query nodes, relations, expression classes and functions are allowed by name; what is not known is refused
(`reference/engine.md` 1.3, 4.2, 4.3). The engine's own lock is the second line, not the first.
"""

import re
from dataclasses import dataclass
from typing import Any

from flightdb.errors import InvalidQuery, PermissionDenied, TooLarge, Unsupported
from flightdb.model.names import RESERVED_PREFIX
from flightdb.planner.functions import CLOCK_WORDS, AllowList
from flightdb.planner.tree import Node, Parse, ctes, walk

SQL_BYTES_MAX = 256 * 1024
DEPTH_MAX = 250
NODES_MAX = 20_000
"""Literals are not counted: the text's length bounds them."""
SERIES_ROWS_MAX = 10_000_000
LIST_LENGTH_MAX = 1_000_000
GROWTH_MAX = {
    "repeat": 10_000,
    "lpad": 10_000,
    "rpad": 10_000,
    "list_resize": LIST_LENGTH_MAX,
    "array_resize": LIST_LENGTH_MAX,
    "bitstring": LIST_LENGTH_MAX,
}
"""Largest second argument: such memory is outside the engine's limit, and one call cannot be
interrupted."""

QUERY_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"})
RELATIONS = frozenset(
    {"BASE_TABLE", "SUBQUERY", "JOIN", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION", "SHOW_REF"}
)
MODIFIERS = frozenset(
    {"ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER", "LIMIT_PERCENT_MODIFIER"}
)
ORDERS = frozenset({"ORDER_DEFAULT", "ASCENDING", "DESCENDING"})
# fmt: off
CLASSES = frozenset(
    {
        "COLUMN_REF",
        "CONSTANT",
        "FUNCTION",
        "OPERATOR",
        "COMPARISON",
        "CONJUNCTION",
        "CAST",
        "CASE",
        "BETWEEN",
        "STAR",
        "SUBQUERY",
        "WINDOW",
        "PARAMETER",
        "LAMBDA",
        "LAMBDA_REF",
        "COLLATE",
        "POSITIONAL_REFERENCE",
        "TYPE",
    }
)
# fmt: on
TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})
REPEATING = frozenset({"repeat", "lpad", "rpad"})
PATTERNS = frozenset({"format", "printf"})
WIDE = re.compile(r"\d{5}")
"""A field width of five digits in a pattern."""
OTHER_CATALOGS = ("information_schema", "pg_catalog", "duckdb_", "sqlite_", "pragma_")


@dataclass(frozen=True, slots=True)
class Checked:
    """A tree that passed. `is_deterministic`: the same rows give the same answer at any time."""

    statement: Node
    is_deterministic: bool


def check_length(sql: str) -> None:
    """Refuses text that is too long before anything parses it.

    Raises:
        TooLarge: more than `SQL_BYTES_MAX` bytes of UTF-8.
        InvalidQuery: empty, not encodable as UTF-8, or with a NUL, at which the parser would cut texts off.
    """
    if len(sql) > SQL_BYTES_MAX:
        raise TooLarge(f"sql text is too long: limit_bytes={SQL_BYTES_MAX}, length={len(sql)}")
    try:
        size = len(sql.encode())
    except UnicodeEncodeError:
        raise InvalidQuery("sql text is not valid unicode") from None
    if "\0" in sql:
        raise InvalidQuery("sql text has a NUL character: use chr(0)", position=sql.index("\0"))
    if size > SQL_BYTES_MAX:
        raise TooLarge(f"sql text is too long: limit_bytes={SQL_BYTES_MAX}, bytes={size}")
    if not sql.strip():
        raise InvalidQuery("sql text is empty")


def check_sql(sql: str, parse: Parse, functions: AllowList) -> Checked:
    """Parses one SELECT and checks it.

    Raises:
        InvalidQuery: does not parse, or is not one SELECT.
        PermissionDenied: contains what SQL from outside may not use; the message says which.
        TooLarge: text, depth or number of nodes is over its limit.
    """
    check_length(sql)
    return check_tree(parse(sql), functions)


def check_tree(statement: Node, functions: AllowList) -> Checked:
    """Checks a parsed statement; raises as `check_sql`."""
    count = 0
    is_deterministic = True
    relations: set[int] = set()
    for node, depth in walk(statement):
        if "class" in node:
            count += node["class"] != "CONSTANT"
            # A list is one value in memory; a relation's rows come one after the other.
            length_max = SERIES_ROWS_MAX if id(node) in relations else LIST_LENGTH_MAX
            is_deterministic &= _expression(node, functions, length_max)
        elif isinstance(node.get("type"), str):
            count += 1
            _structure(node, functions)
            relations.add(id(node.get("function")))
            is_deterministic &= not node.get("sample")
        if count > NODES_MAX:
            raise TooLarge(f"statement has too many parts: limit_nodes={NODES_MAX}")
        if depth > DEPTH_MAX:
            raise TooLarge(f"statement is nested too deeply: limit_depth={DEPTH_MAX}")
    return Checked(statement, is_deterministic)


# --- query nodes and relations ---


def _structure(node: Node, functions: AllowList) -> None:
    kind = node["type"]
    if kind.endswith("_NODE"):
        _query_node(node)
    elif kind in _RELATION_CHECKS:
        _RELATION_CHECKS[kind](node, functions)
    elif kind not in RELATIONS and kind not in MODIFIERS and kind not in ORDERS:
        raise PermissionDenied(f"part of the statement is not allowed: type={kind}")


def _query_node(node: Node) -> None:
    kind = node["type"]
    if kind not in QUERY_NODES:
        what = kind.removesuffix("_NODE").removesuffix("_QUERY")
        raise PermissionDenied(f"statement inside a query is not allowed: statement={what}")
    for entry in ctes(node):
        if entry["key"].lower().startswith(RESERVED_PREFIX):
            raise PermissionDenied(f"reserved name: relation={entry['key'][:100]}")


def _base_table(node: Node, functions: AllowList) -> None:
    name, schema, catalog = node["table_name"], node["schema_name"], node["catalog_name"]
    shown = ".".join(part for part in (catalog, schema, name) if part)[:200]
    if _looks_like_file(name):
        raise PermissionDenied(f"reading files from SQL is not allowed: relation='{shown}'")
    if schema.lower() in ("information_schema", "pg_catalog") or name.lower().startswith(
        OTHER_CATALOGS
    ):
        raise PermissionDenied(f"reading the engine's catalog is not allowed: relation={shown}")
    if catalog or schema.lower() not in ("", "main"):
        raise PermissionDenied(
            f"other catalogs and schemas are not allowed: expected a table's name, relation={shown}"
        )
    if name.lower().startswith(RESERVED_PREFIX):
        raise PermissionDenied(f"reserved name: relation={shown}")
    if node.get("at_clause"):
        raise Unsupported(f"reading an older version with AT is not supported: relation={shown}")


def _looks_like_file(name: str) -> bool:
    return any(mark in name for mark in "/\\:*?[]\x00") or "." in name or name.startswith("~")


def _table_function(node: Node, functions: AllowList) -> None:
    call = node["function"]
    name = str(call.get("function_name", "")).lower()
    if name not in TABLE_FUNCTIONS:
        raise PermissionDenied(f"table function is not allowed: function={name}")
    if name != "unnest":
        _check_series(name, [argument["expression"] for argument in call["arguments"]])


def _check_series(name: str, bounds: list[Node]) -> None:
    for bound in bounds:
        for node, _ in walk(bound):
            if node.get("class") in ("COLUMN_REF", "PARAMETER", "SUBQUERY"):
                raise PermissionDenied(
                    f"bounds of a table function must be constants: function={name}"
                )
    _check_length(name, bounds, SERIES_ROWS_MAX)


def _check_length(name: str, bounds: list[Node], limit: int) -> None:
    """Where all bounds are integer literals."""
    numbers = [number for bound in bounds if (number := _integer(bound)) is not None]
    if not numbers or len(numbers) != len(bounds):
        return
    start, stop = (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
    step = abs(numbers[2]) if len(numbers) > 2 else 1
    if step == 0 or abs(stop - start) // step > limit:
        raise PermissionDenied(f"series is too long: limit={limit}, function={name}")


def _show(node: Node, functions: AllowList) -> None:
    if node.get("show_type") not in ("DESCRIBE", "SUMMARY") or not node.get("query"):
        what = str(node.get("table_name") or "").strip('"')
        raise PermissionDenied(
            f"SHOW is not allowed, only DESCRIBE and SUMMARIZE of a table: {what}"
        )


_RELATION_CHECKS = {
    "BASE_TABLE": _base_table,
    "TABLE_FUNCTION": _table_function,
    "SHOW_REF": _show,
}


# --- expressions ---


def _expression(node: Node, functions: AllowList, length_max: int) -> bool:
    """Checks one expression's own node; gives whether it is deterministic."""
    kind = node["class"]
    if kind not in CLASSES:
        raise PermissionDenied(f"part of the statement is not allowed: class={kind}")
    if kind in ("FUNCTION", "WINDOW"):
        return _function(node, functions, length_max)
    if kind == "COLUMN_REF" and len(node["column_names"]) == 1:
        return node["column_names"][0].lower() not in CLOCK_WORDS
    return True


def _function(node: Node, functions: AllowList, length_max: int) -> bool:
    name = str(node.get("function_name", "")).lower()
    if node.get("catalog") or node.get("schema", "").lower() not in ("", "main"):
        raise PermissionDenied(f"functions of other schemas are not allowed: function={name}")
    if node.get("export_state"):
        raise PermissionDenied(f"EXPORT_STATE is not allowed: function={name}")
    if not functions.permits(name) and name not in TABLE_FUNCTIONS:
        raise PermissionDenied(f"function is not allowed: function={name[:100]}")
    arguments = [argument["expression"] for argument in node.get("arguments") or ()]
    _check_growth(name, arguments)
    if name in ("range", "generate_series"):
        _check_length(name, arguments, length_max)
    return name not in functions.unstable


def _check_growth(name: str, arguments: list[Node]) -> None:
    """Refuses calls that one row can make as large as it likes."""
    if name in GROWTH_MAX and len(arguments) > 1:
        count = _integer(arguments[1])
        if count is None or count > GROWTH_MAX[name]:
            limit = GROWTH_MAX[name]
            raise PermissionDenied(
                f"second argument must be a constant of at most {limit}: function={name}"
            )
    if name in REPEATING and any(
        str(below.get("function_name", "")).lower() in REPEATING for below, _ in walk(arguments)
    ):
        raise PermissionDenied(f"repetition inside a repetition is not allowed: function={name}")
    if name in PATTERNS and arguments:
        pattern = arguments[0]
        is_constant = pattern.get("class") == "CONSTANT"
        if not is_constant or WIDE.search(str(pattern["literal"].get("text", ""))):
            raise PermissionDenied(
                f"first argument must be a constant without widths over 9999: function={name}"
            )


def _integer(node: Any) -> int | None:
    """The value of an integer literal, a negated one included."""
    if node.get("class") == "CONSTANT" and node["literal"].get("kind") == "INTEGER":
        try:
            return int(node["literal"]["text"].replace("_", ""), 0)
        except ValueError:
            return None
    if (
        node.get("class") == "FUNCTION"
        and node["function_name"] == "-"
        and len(node["arguments"]) == 1
    ):
        below = _integer(node["arguments"][0]["expression"])
        return None if below is None else -below
    return None
