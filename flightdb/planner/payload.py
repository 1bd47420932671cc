"""`payload.x` over record tables, whose payload keys are plain columns: rewritten on the tree.

`payload.age`, `u.payload.age` -> `u.age`; `payload` -> a struct of all payload columns; `payload.address.city`, where
`address` holds JSON text, -> the scalar as text, or the object or list as JSON. A real column or relation named
`payload` comes first.
"""

import json
from collections.abc import Sequence

import pyarrow as pa

from flightdb.errors import InvalidQuery
from flightdb.model.names import fold
from flightdb.model.table import ID, TIMESTAMP
from flightdb.planner.relations import Relation, Scope
from flightdb.planner.tree import Node, column, function, star, text, try_cast

PAYLOAD = "payload"


def rewritten(node: Node, scopes: Sequence[Scope]) -> Node | None:
    """What stands for a COLUMN_REF, or None where it means itself.

    Raises:
        InvalidQuery: a bare `payload` could be that of several tables.
    """
    names = node["column_names"]
    if fold(names[0]) == PAYLOAD:
        found = _record_in_scope(names[1:], scopes)
        rest = names[1:]
    elif len(names) > 1 and fold(names[1]) == PAYLOAD:
        found = _named_record(names[0], scopes)
        rest = names[2:]
    else:
        return None
    if found is None:
        return None
    made = _value(found, rest)
    made["alias"] = node.get("alias", "")
    return made


def rewritten_star(node: Node, scopes: Sequence[Scope]) -> Node | None:
    """What stands for `payload.*`, or None where it means itself."""
    if fold(node.get("relation_name") or "") != PAYLOAD or not scopes:
        return None
    found = _record_in_scope([], scopes[-1:])
    return None if found is None else star(found.name, [ID, TIMESTAMP])


def _named_record(name: str, scopes: Sequence[Scope]) -> Relation | None:
    for scope in reversed(scopes):
        relation = scope.named(name)
        if relation is not None:
            is_payload = relation.is_record and relation.column(PAYLOAD) is None
            return relation if is_payload else None
    return None


def _record_in_scope(rest: Sequence[str], scopes: Sequence[Scope]) -> Relation | None:
    for scope in reversed(scopes):
        if PAYLOAD in scope.hidden or scope.having(PAYLOAD):
            return None
        if rest and scope.named(PAYLOAD) is not None:
            return None
        records = [relation for relation in scope.relations if relation.is_record]
        if records:
            return _choose(records, rest)
        if any(relation.columns is None for relation in scope.relations):
            return None
    return None


def _choose(records: list[Relation], rest: Sequence[str]) -> Relation:
    if len(records) == 1:
        return records[0]
    having = [relation for relation in records if rest and relation.column(rest[0]) is not None]
    if len(having) == 1:
        return having[0]
    tables = ", ".join(relation.name for relation in records)
    key = ".".join([PAYLOAD, *rest])
    raise InvalidQuery(
        f"ambiguous reference: expected a table's name before it, name={key}, tables={tables}"
    )


def _value(relation: Relation, rest: Sequence[str]) -> Node:
    if not rest:
        return _struct(relation)
    known = relation.column(rest[0])
    head = _of(relation, rest[0] if known is None else known.name)
    if known is not None and len(rest) > 1 and pa.types.is_string(known.type):
        return _json(head, rest[1:])
    head["column_names"].extend(rest[1:])
    return head


def _of(relation: Relation, name: str) -> Node:
    return column(relation.name, name) if relation.name else column(name)


def _struct(relation: Relation) -> Node:
    columns = (relation.columns or {}).values()
    keys = [item.name for item in columns if fold(item.name) not in (ID, TIMESTAMP)]
    if not keys:
        raise InvalidQuery(f"table has no payload columns: name={relation.name}")
    return function("struct_pack", *((key, _of(relation, key)) for key in keys))


def _json(document: Node, path: Sequence[str]) -> Node:
    keys = "".join(f".{json.dumps(key, ensure_ascii=False)}" for key in path)
    return function("json_extract_string", ("", try_cast(document, "JSON")), ("", text(f"${keys}")))
