"""Which conditions of a WHERE a table's rows must meet, in a form that files can be pruned by.

Only conjuncts `column op constant` with an operator that is never true of NULL: those may be applied to the table
before any join, outer joins included, because a row that a join fills with NULLs fails them too.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from flightdb.planner.relations import Relation, Scope, lookup
from flightdb.planner.tree import Node


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant. Integers and decimals are exact; moments are microseconds since the epoch, UTC."""

    value: int | Decimal | str


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, microseconds since the epoch, as a date or timestamp literal gives it."""

    value: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """The value bound to `$index`, counted from 1."""

    index: int


Constant = Literal | Moment | Parameter


@dataclass(frozen=True, slots=True)
class Condition:
    """`column operator values`; `in` has any number of values, all others one."""

    column: str
    operator: str
    values: tuple[Constant, ...]


Predicate = tuple[Condition, ...]
"""Conditions that all must hold; none of them holds for NULL."""

_COMPARISONS = {
    "COMPARE_EQUAL": "=",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_MIRRORED = {"=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_TIME_TYPES = frozenset({"date", "timestamp", "datetime", "timestamp_us", "timestamptz"})
_MOMENT = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?)?(Z|\+00(?::00)?)?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def predicates(where: Node | None, scope: Scope) -> dict[int, Predicate]:
    """For relations of `scope`, by `id()` of the relation, the conditions that WHERE puts on them."""
    found: dict[int, list[Condition]] = {}
    for conjunct in _conjuncts(where):
        for relation, condition in _conditions(conjunct, scope):
            found.setdefault(id(relation), []).append(condition)
    return {key: tuple(conditions) for key, conditions in found.items()}


def _conjuncts(where: Node | None) -> Iterator[Node]:
    stack = [] if where is None else [where]
    while stack:
        node = stack.pop()
        if node.get("type") == "CONJUNCTION_AND":
            stack.extend(reversed(node["children"]))
        else:
            yield node


def _conditions(node: Node, scope: Scope) -> Iterator[tuple[Relation, Condition]]:
    matcher = _MATCHERS.get(node.get("type", ""))
    for operand, operator, others in matcher(node) if matcher else ():
        if operand.get("class") != "COLUMN_REF":
            continue
        found = lookup([scope], operand["column_names"])
        values = tuple(constant(other) for other in others)
        if found is not None and all(value is not None for value in values):
            kept = tuple(value for value in values if value is not None)
            yield found[0], Condition(found[1].name, operator, kept)


_Match = Iterator[tuple[Node, str, list[Node]]]


def _comparison(node: Node) -> _Match:
    operator = _COMPARISONS[node["type"]]
    yield node["left"], operator, [node["right"]]
    yield node["right"], _MIRRORED[operator], [node["left"]]


def _between(node: Node) -> _Match:
    yield node["input"], ">=", [node["lower"]]
    yield node["input"], "<=", [node["upper"]]


def _in(node: Node) -> _Match:
    yield node["children"][0], "in", node["children"][1:]


_MATCHERS: dict[str, Callable[[Node], _Match]] = {
    **dict.fromkeys(_COMPARISONS, _comparison),
    "COMPARE_BETWEEN": _between,
    "COMPARE_IN": _in,
}


def constant(node: Node) -> Constant | None:
    """The constant that an expression is, or None."""
    kind = node.get("class")
    if kind == "PARAMETER":
        name = str(node.get("identifier", ""))
        return Parameter(int(name)) if name.isdigit() else None
    if kind == "CONSTANT":
        return _literal(node["literal"])
    if kind == "CAST":
        return _cast(node)
    if kind == "FUNCTION" and node["function_name"] == "-" and len(node["arguments"]) == 1:
        below = constant(node["arguments"][0]["expression"])
        is_number = isinstance(below, Literal) and not isinstance(below.value, str)
        return Literal(-below.value) if is_number else None  # type: ignore[union-attr,operator]  # tested in the line above
    return None


def _literal(literal: dict[str, Any]) -> Literal | None:
    kind, value = literal.get("kind"), str(literal.get("text", ""))
    if kind == "STRING":
        return Literal(value)
    if kind == "INTEGER" and value.isdigit():
        return Literal(int(value))
    if kind == "NUMERIC" and "e" not in value.lower():
        try:
            return Literal(Decimal(value))
        except InvalidOperation:
            return None
    return None


def _cast(node: Node) -> Moment | None:
    """A date or timestamp literal, `DATE '2024-01-01'`; no other cast is understood."""
    below = constant(node["child"])
    type_ = node.get("type_expr") or {}
    name = str(type_.get("type_name", "")).lower()
    if not isinstance(below, Literal) or not isinstance(below.value, str) or type_.get("children"):
        return None
    value = moment(below.value) if name in _TIME_TYPES else None
    if value is None or (name == "date" and len(below.value) != len("2024-01-01")):
        return None
    return Moment(value)


def moment(value: str) -> int | None:
    """Microseconds since the epoch of an ISO date or time in UTC or without a zone; None when in doubt."""
    match = _MOMENT.fullmatch(value)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, _ = match.groups()
    try:
        at = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return (at - _EPOCH) // timedelta(microseconds=1) + int((fraction or "").ljust(6, "0") or 0)
