"""A SELECT to a plan: checked, resolved, rewritten; a value that can be kept as long as its tables' schemas stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import pyarrow as pa

from flightdb.model.names import quote
from flightdb.model.source import Fragment
from flightdb.planner.functions import AllowList
from flightdb.planner.gate import check_sql
from flightdb.planner.predicate import Predicate
from flightdb.planner.relations import Relation
from flightdb.planner.resolve import PlannedSource, Resolver, Tables
from flightdb.planner.tree import Node, Parse, Render, ctes

__all__ = [
    "Plan",
    "PlanKind",
    "PlannedFragment",
    "PlannedQuery",
    "PlannedSource",
    "Predicate",
    "Tables",
    "plan_query",
    "plan_tree",
]


class PlanKind(StrEnum):
    """How a query is run. SINGLE: as one fragment on one node, which is always right."""

    SINGLE = "single"


@dataclass(frozen=True, slots=True)
class PlannedFragment:
    """SQL over the aliases of its sources."""

    sql: str
    sources: tuple[PlannedSource, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """`fragments` run on nodes; `final`, if any, over their answers. SINGLE: one fragment, no final."""

    kind: PlanKind
    fragments: tuple[PlannedFragment, ...]
    final: PlannedFragment | None = None


@dataclass(frozen=True, slots=True)
class PlannedQuery:
    """A checked query.

    `parameters`: one field a parameter, named `1`, `2`..., with the type to declare to drivers.
    `is_deterministic`: the same table versions and parameters give the same answer (it calls no clock, no random).
    `count_column`: not "": the query is `SELECT count(*)` of its one source, without conditions; the answer is one
    row of one BIGINT column of that name, and may be given from known row counts by `count_fragment`.
    """

    plan: Plan
    parameters: pa.Schema
    is_deterministic: bool
    count_column: str = ""

    @property
    def sql(self) -> str:
        """The SQL of a SINGLE plan."""
        return self.plan.fragments[0].sql

    @property
    def sources(self) -> tuple[PlannedSource, ...]:
        """The sources of all fragments."""
        return tuple(source for fragment in self.plan.fragments for source in fragment.sources)

    @property
    def parameter_count(self) -> int:
        """Number of parameters."""
        return len(self.parameters)

    @property
    def table_names(self) -> tuple[str, ...]:
        """Names of the tables it reads, each once, sorted."""
        return tuple(sorted({source.table.name for source in self.sources}))

    def with_sql(self, sql: str) -> "PlannedQuery":
        """The same sources under other SQL, for a SINGLE plan."""
        fragment = replace(self.plan.fragments[0], sql=sql)
        return replace(self, plan=replace(self.plan, fragments=(fragment,)), count_column="")

    def count_fragment(self, row_count: int) -> Fragment:
        """The fragment that answers a query with a `count_column` from the source's number of rows."""
        sql = f"SELECT CAST($1 AS BIGINT) AS {quote(self.count_column)}"
        return Fragment(sql, (), (pa.scalar(row_count, pa.int64()),))


def plan_query(
    sql: str, tables: Tables, parse: Parse, render: Render, functions: AllowList
) -> PlannedQuery:
    """Plans one SELECT.

    Raises:
        InvalidQuery: does not parse, is not one SELECT, or a name is ambiguous.
        PermissionDenied, TooLarge, Unsupported: see `gate`.
        NotFound: a table is not there (raised by `tables`).
    """
    checked = check_sql(sql, parse, functions)
    return plan_tree(checked.statement, tables, render, is_deterministic=checked.is_deterministic)


def plan_tree(
    statement: Node,
    tables: Tables,
    render: Render,
    *,
    is_deterministic: bool,
    given: Mapping[str, Relation] | None = None,
) -> PlannedQuery:
    """Plans a checked tree, which it changes. `given`: relations that the caller brings, by folded name."""
    resolver = Resolver(tables)
    count_column = _count_column(statement["node"])
    resolver.query(statement["node"], given)
    parameters = resolver.parameters.schema(statement)
    sources = resolver.sources
    plan = Plan(PlanKind.SINGLE, (PlannedFragment(render(statement), sources),))
    is_count = bool(count_column) and len(sources) == 1
    return PlannedQuery(plan, parameters, is_deterministic, count_column if is_count else "")


_EMPTY_PARTS: Sequence[str] = (
    "where_clause",
    "group_expressions",
    "group_sets",
    "having",
    "qualify",
    "sample",
    "modifiers",
)


def _count_column(node: Node) -> str:
    """The name of the column when the node is `SELECT count(*) FROM name` and nothing else, else ""."""
    if node["type"] != "SELECT_NODE" or ctes(node) or any(node.get(p) for p in _EMPTY_PARTS):
        return ""
    source, items = node["from_table"], node["select_list"]
    if source["type"] != "BASE_TABLE" or source.get("sample") or len(items) != 1:
        return ""
    call = items[0]
    is_plain = not any(call.get(part) for part in ("filter", "distinct", "arguments"))
    if call.get("function_name") != "count_star" or call["class"] != "FUNCTION" or not is_plain:
        return ""
    return str(call.get("alias") or "count_star()")
