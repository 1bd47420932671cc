"""How many parameters a statement has and which types to declare for them to drivers.

Types are a compromise (`reference/flightsql.md` G): integers are declared int64 and timestamps timestamp[ms], because
drivers send those whatever is declared; text where nothing says.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from flightdb.errors import InvalidQuery
from flightdb.planner.relations import Scope, lookup
from flightdb.planner.tree import Node, walk

_INTEGERS = (
    "tinyint", "smallint", "integer", "int", "int1", "int2", "int4", "int8", "bigint", "long",
    "short", "signed", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint",
)  # fmt: skip
_MOMENTS = (
    "timestamp", "datetime", "timestamptz", "timestamp_s", "timestamp_ms", "timestamp_us",
    "timestamp_ns",
)  # fmt: skip

_BY_SQL_NAME: dict[str, pa.DataType] = {
    **dict.fromkeys(_INTEGERS, pa.int64()),
    **dict.fromkeys(("float", "real", "double", "float4", "float8"), pa.float64()),
    **dict.fromkeys(("blob", "bytea", "binary", "varbinary"), pa.binary()),
    **dict.fromkeys(("boolean", "bool", "logical"), pa.bool_()),
    **dict.fromkeys(_MOMENTS, pa.timestamp("ms")),
    "date": pa.date32(),
    "time": pa.time64("us"),
}
"""Types to declare for `CAST(? AS name)`; text for all others."""

_SIBLINGS = frozenset({"COMPARISON", "BETWEEN"})
_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%"})
_LIKE = frozenset({"~~", "!~~", "~~*", "!~~*", "~~~", "like_escape", "ilike_escape"})


def declared(type_: Any) -> Any:
    """The type to declare for a parameter that meets a column of `type_`."""
    if type_ is None:
        return pa.string()
    if pa.types.is_integer(type_):
        return pa.int64()
    if pa.types.is_floating(type_):
        return pa.float64()
    if pa.types.is_timestamp(type_):
        return pa.timestamp("ms")
    is_same = pa.types.is_boolean(type_) or pa.types.is_decimal(type_) or pa.types.is_date(type_)
    if is_same or pa.types.is_binary(type_) or pa.types.is_time(type_):
        return type_
    return pa.string()


class ParameterTypes:
    """Gathers types while a statement is resolved; the first that says something wins."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._types: dict[str, Any] = {}

    def note(self, node: Node, scopes: Sequence[Scope]) -> None:
        """Takes from one expression what it says of parameters directly below it."""
        kind = node["class"]
        if kind == "CAST" and node["child"].get("class") == "PARAMETER":
            name = str((node.get("type_expr") or {}).get("type_name", "")).lower()
            self.expect(node["child"], _BY_SQL_NAME.get(name, pa.string()))
        operands = list(_operands(node))
        found = [operand for operand in operands if operand.get("class") == "PARAMETER"]
        if found:
            type_ = self._type(node, operands, scopes)
            for parameter in found:
                if type_ is not None:
                    self.expect(parameter, type_)

    def expect(self, parameter: Node, type_: Any) -> None:
        """`parameter` is to be declared as `type_`."""
        self._types.setdefault(str(parameter["identifier"]), type_)

    def _type(self, node: Node, operands: list[Node], scopes: Sequence[Scope]) -> Any:
        if node.get("function_name") in _LIKE:
            return pa.string()
        for operand in operands:
            if operand.get("class") == "COLUMN_REF":
                found = lookup(scopes, operand["column_names"])
                if found is not None and found[1].type is not None:
                    return declared(found[1].type)
            if operand.get("class") == "CONSTANT":
                kind = operand["literal"].get("kind")
                return {"INTEGER": pa.int64(), "NUMERIC": pa.float64()}.get(kind)
        return None

    def schema(self, statement: Node) -> pa.Schema:
        """One field a parameter, in order, named by its position; LIMIT and OFFSET take integers.

        Raises:
            InvalidQuery: parameters have names, or a position is left out.
        """
        for node, _ in walk(statement):
            if node.get("type") == "LIMIT_MODIFIER":
                for part in (node.get("limit"), node.get("offset")):
                    if part and part.get("class") == "PARAMETER":
                        self.expect(part, pa.int64())
        names = {str(n["identifier"]) for n, _ in walk(statement) if n.get("class") == "PARAMETER"}
        if any(not name.isdigit() for name in names):
            raise InvalidQuery(
                f"named parameters are not supported: expected ? or $1, name={min(names)}"
            )
        count = max((int(name) for name in names), default=0)
        if count != len(names):
            raise InvalidQuery(f"parameters have gaps: highest={count}, count={len(names)}")
        return pa.schema(
            [pa.field(str(i), self._types.get(str(i), pa.string())) for i in range(1, count + 1)]
        )


def _operands(node: Node) -> Iterator[Node]:
    kind = node["class"]
    if kind in _SIBLINGS:
        yield from (
            node[key] for key in ("left", "right", "input", "lower", "upper") if key in node
        )
    elif node["type"] in ("COMPARE_IN", "COMPARE_NOT_IN"):
        yield from node["children"]
    elif kind == "FUNCTION" and node["function_name"] in _ARITHMETIC | _LIKE:
        yield from (argument["expression"] for argument in node["arguments"])
