"""DuckDB's syntax tree as nested dictionaries: walking it and making nodes of it.

The planner reads and writes trees of the shape that `json_serialize_sql` gives; nodes of expressions have a `class`,
all others only a `type`.
"""

from collections.abc import Callable, Iterator
from typing import Any

Node = dict[str, Any]
Parse = Callable[[str], Node]
"""SQL text of one SELECT to `{"node": ..., "named_param_map": ...}`; raises InvalidQuery."""
Render = Callable[[Node], str]


def walk(root: Any) -> Iterator[tuple[Node, int]]:
    """Every dictionary below `root` with its depth in nodes; iterative, so depth costs no stack."""
    stack: list[tuple[Any, int]] = [(root, 0)]
    while stack:
        value, depth = stack.pop()
        if isinstance(value, dict):
            yield value, depth
            below = depth + (1 if "type" in value else 0)
            stack.extend((child, below) for child in value.values())
        elif isinstance(value, list):
            stack.extend((child, depth) for child in value)


def is_expression(node: Any) -> bool:
    """Whether this is an expression's node."""
    return isinstance(node, dict) and "class" in node


def column(*names: str) -> Node:
    """A reference to a column: `column("t", "a")` is `t.a`."""
    return {
        "class": "COLUMN_REF",
        "type": "COLUMN_REF",
        "alias": "",
        "column_names": list(names),
    }


def text(value: str) -> Node:
    """A string literal."""
    return _constant("STRING", value)


def null() -> Node:
    """The literal NULL."""
    return {
        "class": "CONSTANT",
        "type": "VALUE_CONSTANT",
        "alias": "",
        "literal": {"kind": "NULL_LITERAL", "text": ""},
    }


def _constant(kind: str, value: str) -> Node:
    return {
        "class": "CONSTANT",
        "type": "VALUE_CONSTANT",
        "alias": "",
        "literal": {"kind": kind, "text": value},
    }


def function(name: str, *arguments: tuple[str, Node]) -> Node:
    """A call with named (or "") arguments."""
    return {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "alias": "",
        "function_name": name,
        "schema": "",
        "catalog": "",
        "filter": None,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": False,
        "is_operator": False,
        "export_state": False,
        "arguments": [{"name": key, "expression": value} for key, value in arguments],
        "qualified_name": {"path": [name]},
    }


def try_cast(child: Node, type_name: str) -> Node:
    """`TRY_CAST(child AS type_name)`, for a type without parameters."""
    return {
        "class": "CAST",
        "type": "OPERATOR_CAST",
        "alias": "",
        "child": child,
        "try_cast": True,
        "type_expr": {
            "class": "TYPE",
            "type": "TYPE",
            "alias": "",
            "type_name": type_name,
            "catalog": "",
            "schema": "",
            "children": [],
            "qualified_name": {"path": [type_name]},
        },
    }


def base_table(name: str, alias: str) -> Node:
    """A table in FROM."""
    return {
        "type": "BASE_TABLE",
        "alias": alias,
        "sample": None,
        "schema_name": "",
        "table_name": name,
        "column_name_alias": [],
        "catalog_name": "",
        "at_clause": None,
        "qualified_name": {"path": [name]},
    }


def star(relation: str, exclude: list[str]) -> Node:
    """`relation.* EXCLUDE (...)`."""
    return {
        "class": "STAR",
        "type": "STAR",
        "alias": "",
        "relation_name": relation,
        "exclude_list": exclude,
        "replace_list": [],
        "columns": False,
        "expr": None,
        "qualified_exclude_list": [],
        "rename_list": [],
    }


def ctes(node: Node) -> list[Node]:
    """The entries `{"key", "value"}` of a query node's WITH."""
    found: list[Node] = (node.get("cte_map") or {}).get("map", [])
    return found
