"""Names to relations: finds each real table, gives it a source's name, and rewrites `payload`.

Every reference to a real table gets a name of ours, so that no CTE of the statement can clash with a source; the
name that the statement uses for it stays as its alias. The tree is changed in place.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flightdb.model.names import RESERVED_PREFIX, fold
from flightdb.model.table import Table
from flightdb.planner import payload
from flightdb.planner.parameters import ParameterTypes
from flightdb.planner.predicate import Predicate, predicates
from flightdb.planner.relations import Column, Relation, Scope, lookup, of_table
from flightdb.planner.tree import Node, ctes, is_expression

Tables = Callable[[str], Table]
"""A name to the table; raises NotFound."""

_PLAIN_JOINS = frozenset({"REGULAR", "CROSS", "NATURAL"})
_FILTERING_JOINS = frozenset({"SEMI", "ANTI", "RIGHT_SEMI", "RIGHT_ANTI", "MARK", "SINGLE"})


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """A table that a statement reads: `alias` stands for it in the SQL, `predicate` is what its rows must meet."""

    alias: str
    table: Table
    predicate: Predicate = ()


@dataclass(slots=True)
class _Reference:
    node: Node
    table: Table
    relation: Relation
    is_prunable: bool


@dataclass(slots=True)
class _From:
    """What one FROM brings: relations in scope and its references to real tables."""

    ctes: "Mapping[str, Relation]"
    outer: "tuple[Scope, ...]"
    scope: Scope = field(default_factory=Scope)
    references: "list[_Reference]" = field(default_factory=list)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Scopes for what stands inside this block."""
        return (*self.outer, self.scope)


class Resolver:
    """Resolves one statement; then `sources` and `parameters` tell what was found."""

    def __init__(self, tables: Tables) -> None:
        """`tables` finds a table by the name that the statement uses."""
        self._tables = tables
        self._aliases: dict[tuple[str, Predicate], PlannedSource] = {}
        self.parameters = ParameterTypes()

    @property
    def sources(self) -> tuple[PlannedSource, ...]:
        """The tables found, each with each of its predicates once."""
        return tuple(self._aliases.values())

    def query(
        self, node: Node, known: Mapping[str, Relation] | None = None, outer: Sequence[Scope] = ()
    ) -> Relation:
        """Resolves a query node below CTEs `known` and scopes `outer`; gives what it yields, without a name."""
        known = self._with(node, known or {}, outer)
        kind = node["type"]
        if kind == "SELECT_NODE":
            return self._select(node, known, outer)
        if kind == "RECURSIVE_CTE_NODE":
            left = self.query(node["left"], known, outer)
            itself = {**known, fold(node["cte_name"]): _plain(left)}
            self.query(node["right"], itself, outer)
            return _plain(left)
        if kind == "CTE_NODE":
            body = self.query(node["query"], known, outer)
            return self.query(node["child"], {**known, fold(node["cte_name"]): body}, outer)
        shapes = [self.query(child, known, outer) for child in node["children"]]
        self._expressions(node.get("modifiers"), known, outer)
        return _plain(shapes[0])

    def _with(
        self, node: Node, known: Mapping[str, Relation], outer: Sequence[Scope]
    ) -> Mapping[str, Relation]:
        visible = dict(known)
        for entry in ctes(node):
            value = entry["value"]
            shape = self.query(value["query_node"], visible, outer)
            visible[fold(entry["key"])] = _renamed(shape, "", value.get("aliases") or ())
        return visible

    # --- one SELECT ---

    def _select(
        self, node: Node, known: Mapping[str, Relation], outer: Sequence[Scope]
    ) -> Relation:
        block = _From(known, tuple(outer))
        self._from(node["from_table"], block, is_prunable=not node.get("sample"))
        for part in ("select_list", "where_clause", "group_expressions", "having", "qualify"):
            self._expressions(node.get(part), known, block.scopes, part == "select_list")
        self._expressions(node.get("modifiers"), known, block.scopes)
        conditions = predicates(node.get("where_clause"), block.scope)
        for reference in block.references:
            wanted = conditions.get(id(reference.relation), ()) if reference.is_prunable else ()
            self._name(reference, wanted)
        return _yields(node["select_list"], block)

    def _name(self, reference: _Reference, predicate: Predicate) -> None:
        table = reference.table
        key = (fold(table.name), predicate)
        if key not in self._aliases:
            alias = f"{RESERVED_PREFIX}_{len(self._aliases)}"
            self._aliases[key] = PlannedSource(alias, table, predicate)
        name = self._aliases[key].alias
        reference.node.update(table_name=name, schema_name="", qualified_name={"path": [name]})

    def _from(self, node: Node, block: _From, *, is_prunable: bool) -> None:
        kind = node["type"]
        is_prunable = is_prunable and not node.get("sample")
        if kind == "BASE_TABLE":
            self._base_table(node, block, is_prunable)
        elif kind == "JOIN":
            self._join(node, block, is_prunable)
        elif kind == "SUBQUERY":
            shape = self.query(node["subquery"]["node"], block.ctes, block.scopes)
            block.scope.relations.append(_renamed(shape, node["alias"], _aliases(node)))
        elif kind == "SHOW_REF":
            self.query(node["query"], block.ctes)
            block.scope.relations.append(Relation(fold(node.get("alias") or ""), None))
        elif kind != "EMPTY":
            self._made(node, block)

    def _made(self, node: Node, block: _From) -> None:
        """VALUES and table functions."""
        call = node.get("function")
        self._expressions(node, block.ctes, block.scopes)
        name = node.get("alias") or (call["function_name"] if call else "")
        given = _aliases(node)
        if call:
            names = [*(given or [name]), call["function_name"], "ordinality"]
        else:
            names = [*given, *(f"col{index}" for index in range(len(node["values"][0])))]
        columns = {fold(item): Column(item, None) for item in names}
        block.scope.relations.append(Relation(fold(name), columns))

    def _join(self, node: Node, block: _From, is_prunable: bool) -> None:
        is_plain = node["ref_type"] in _PLAIN_JOINS
        is_left = is_prunable and (is_plain or node["ref_type"] == "ASOF")
        self._from(node["left"], block, is_prunable=is_left)
        is_right = is_prunable and is_plain and node["join_type"] not in _FILTERING_JOINS
        self._from(node["right"], block, is_prunable=is_right)
        self._expressions(node.get("condition"), block.ctes, block.scopes)
        self._expressions(node.get("duplicate_eliminated_columns"), block.ctes, block.scopes)

    def _base_table(self, node: Node, block: _From, is_prunable: bool) -> None:
        written = node["table_name"]
        shown = node["alias"] or written
        shape = None if node["schema_name"] else block.ctes.get(fold(written))
        if shape is not None:
            block.scope.relations.append(_renamed(shape, shown, _aliases(node)))
            return
        table = self._tables(written)
        relation = of_table(shown, table, _aliases(node))
        node["alias"] = shown
        block.scope.relations.append(relation)
        is_prunable = is_prunable and not _aliases(node)
        block.references.append(_Reference(node, table, relation, is_prunable))

    # --- expressions ---

    def _expressions(
        self,
        root: Any,
        known: Mapping[str, Relation],
        scopes: Sequence[Scope],
        is_output: bool = False,
    ) -> None:
        for node in _nearest(root):
            name = node["column_names"][-1] if node["class"] == "COLUMN_REF" else ""
            self._expression(node, known, scopes)
            if is_output and node["class"] == "FUNCTION" and name and not node.get("alias"):
                node["alias"] = name

    def _expression(
        self, node: Node, known: Mapping[str, Relation], scopes: Sequence[Scope]
    ) -> None:
        kind = node["class"]
        if kind == "COLUMN_REF":
            _column(node, scopes)
            return
        if kind == "STAR":
            _replace(node, payload.rewritten_star(node, scopes))
        if kind == "SUBQUERY":
            self.query(node["subquery"]["node"], known, scopes)
        if kind == "LAMBDA":
            hidden = _lambda_names(node)
            scopes = (*scopes, Scope(hidden=hidden)) if hidden else scopes
        for child in _nearest([value for key, value in node.items() if key != "subquery"]):
            self._expression(child, known, scopes)
        self.parameters.note(node, scopes)


def _nearest(root: Any) -> list[Node]:
    """The topmost expressions at or below `root`, in no order; query nodes inside are not entered."""
    found: list[Node] = []
    stack = [root]
    while stack:
        value = stack.pop()
        if is_expression(value):
            found.append(value)
        elif isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return found


def _column(node: Node, scopes: Sequence[Scope]) -> None:
    names = node["column_names"]
    is_qualified = len(names) > 2 and fold(names[0]) == "main"
    if is_qualified and not any(scope.named("main") or scope.having("main") for scope in scopes):
        node["column_names"] = names[1:]
    _replace(node, payload.rewritten(node, scopes))


def _replace(node: Node, made: Node | None) -> None:
    if made is not None:
        node.clear()
        node.update(made)


def _lambda_names(node: Node) -> frozenset[str]:
    """Parameters of a lambda; `a.b -> 'x'` is JSON's arrow in the same clothes."""
    left = node["lhs"]
    if left["class"] == "COLUMN_REF":
        names = left["column_names"]
        return frozenset({fold(names[0])}) if len(names) == 1 else frozenset()
    if left["class"] == "FUNCTION" and left["function_name"] == "row":
        parts = [argument["expression"] for argument in left["arguments"]]
        return frozenset(fold(part["column_names"][0]) for part in parts if "column_names" in part)
    return frozenset()


# --- what a query yields ---


def _yields(items: list[Node], block: _From) -> Relation:
    relations = block.scope.relations
    if len(items) == 1 and _is_plain_star(items[0]) and len(relations) == 1:
        return Relation("", relations[0].columns, relations[0].is_record)
    columns: dict[str, Column] = {}
    for item in items:
        if item["class"] == "STAR":
            if not _is_plain_star(item) or any(r.columns is None for r in relations):
                return Relation("", None)
            for relation in relations:
                columns.update(relation.columns or {})
            continue
        name = item.get("alias") or (item.get("column_names") or [""])[-1]
        if name:
            found = lookup(block.scopes, item["column_names"]) if "column_names" in item else None
            columns[fold(name)] = Column(name, None if found is None else found[1].type)
    return Relation("", columns)


def _is_plain_star(item: Node) -> bool:
    parts = (
        "exclude_list",
        "replace_list",
        "rename_list",
        "qualified_exclude_list",
        "columns",
        "expr",
    )
    return item["class"] == "STAR" and not any(item.get(part) for part in parts)


def _renamed(shape: Relation, name: str, given: Sequence[str]) -> Relation:
    if not given or shape.columns is None:
        return Relation(fold(name), shape.columns, shape.is_record)
    kept = list(shape.columns.values())[len(given) :]
    columns = [*(Column(item, None) for item in given), *kept]
    return Relation(fold(name), {fold(item.name): item for item in columns})


def _plain(shape: Relation) -> Relation:
    return Relation("", shape.columns)


def _aliases(node: Node) -> list[str]:
    found: list[str] = node.get("column_name_alias") or []
    return found
