"""An INSERT to a query that yields the rows to write, and the columns they are for.

Parsed as the body of a CTE: DuckDB serialises an INSERT there, and only there (`reference/engine.md` 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from flightdb.errors import InvalidQuery, NotFound, PermissionDenied, Unsupported
from flightdb.model.names import RESERVED_PREFIX, fold, quote
from flightdb.model.schema import conform, logical_of, sql_name
from flightdb.model.source import ArrowSegment, BufferPart, TableSource
from flightdb.model.table import Table, TableKind
from flightdb.planner.functions import AllowList
from flightdb.planner.gate import check_length, check_tree
from flightdb.planner.parameters import declared
from flightdb.planner.plan import PlannedQuery, plan_tree
from flightdb.planner.relations import Relation
from flightdb.planner.resolve import Tables
from flightdb.planner.tree import Node, Parse, Render, base_table, column, ctes, null, walk

PARAMETERS_ALIAS = f"{RESERVED_PREFIX}_parameters"
"""The relation that stands for the rows of parameters of an INSERT ... VALUES."""

_HOLDER = f"{RESERVED_PREFIX}_statement"


@dataclass(frozen=True, slots=True)
class PlannedInsert:
    """Rows for `table`.

    `query` yields them with the columns `columns` in that order, cast to the table's types; columns of the table that
    are left out are to be filled with nulls. The schema of its answer must have exactly as many columns as `columns`:
    one more means that the statement gave too many values. `takes_rows`: the query reads all rows of parameters at
    once, as the source named `PARAMETERS_ALIAS` (see `parameter_source`), which is not among `query.sources`, and
    takes no parameters itself; otherwise it is run once a row of parameters. `parameters`: types to declare.
    """

    table: Table
    columns: tuple[str, ...]
    query: PlannedQuery
    parameters: pa.Schema
    takes_rows: bool


def parameter_source(batch: pa.RecordBatch) -> TableSource:
    """The source of a `takes_rows` insert: the rows of parameters, columns named `1`, `2`..."""
    names = [str(index + 1) for index in range(batch.num_columns)]
    named = batch.rename_columns(names)
    fields = [
        pa.field(field.name, pa.int32()) if pa.types.is_null(field.type) else field
        for field in named.schema
    ]
    schema = logical_of(pa.schema([field.with_nullable(True) for field in fields]))
    rows = conform(named, schema)
    body = rows.serialize()
    segment = ArrowSegment("", 0, body.size, rows.num_rows, body)
    return TableSource(PARAMETERS_ALIAS, schema, (), (BufferPart(schema, (segment,)),))


def plan_insert(
    sql: str, tables: Tables, parse: Parse, render: Render, functions: AllowList
) -> PlannedInsert:
    """Plans one INSERT; `sql` has no semicolon at its end.

    Raises:
        InvalidQuery: does not parse, is not one INSERT, or values and columns do not match.
        PermissionDenied, TooLarge: see `gate`.
        Unsupported: RETURNING, ON CONFLICT, OR REPLACE, DEFAULT VALUES.
        NotFound: the table, or a column that is named, is not there.
    """
    check_length(sql)
    node = _insert_node(parse(f"WITH {_HOLDER} AS (\n{sql}\n) SELECT 1"))
    _refuse_options(node)
    table = tables(_target(node))
    statement = _source_statement(node)
    checked = check_tree(statement, functions)
    columns = _columns(node, table)
    count = _values_width(statement["node"])
    if count is not None and count != len(columns):
        raise InvalidQuery(
            f"wrong number of values: expected {len(columns)} (one a column), count={count}, table={table.name}"
        )
    types = _parameter_types(statement, table, columns)
    takes_rows = bool(types) and count is not None
    if takes_rows:
        statement["node"] = _over_rows(statement["node"])
    query = plan_tree(
        statement,
        tables,
        render,
        is_deterministic=checked.is_deterministic,
        given={PARAMETERS_ALIAS: Relation(PARAMETERS_ALIAS, None)},
    )
    parameters = query.parameters if not takes_rows else _schema(types)
    if not takes_rows and types:
        parameters = pa.schema([pa.field(f.name, types.get(f.name, f.type)) for f in parameters])
    return PlannedInsert(table, columns, _cast(query, table, columns), parameters, takes_rows)


def _insert_node(statement: Node) -> Node:
    """The one INSERT that the text is; anything else about the statement means that it was more than that."""
    root = statement["node"]
    held = ctes(root)
    is_ours = (
        root["type"] == "SELECT_NODE"
        and [entry["key"] for entry in held] == [_HOLDER]
        and not root.get("where_clause")
        and not root.get("modifiers")
        and root["from_table"]["type"] == "EMPTY"
        and len(root["select_list"]) == 1
    )
    if not is_ours:
        raise InvalidQuery("expected one INSERT statement")
    node: Node = held[0]["value"]["query_node"]
    if node["type"] != "INSERT_QUERY_NODE":
        what = node["type"].removesuffix("_NODE").removesuffix("_QUERY")
        raise PermissionDenied(f"statement is not allowed: statement={what}")
    return node


def _refuse_options(node: Node) -> None:
    options = {
        "RETURNING": node.get("returning_list"),
        "ON CONFLICT and OR REPLACE": node.get("on_conflict_info"),
        "DEFAULT VALUES": node.get("default_values"),
    }
    for name, is_used in options.items():
        if is_used:
            raise Unsupported(f"INSERT with this option is not supported: option={name}")


def _target(node: Node) -> str:
    schema, catalog = node.get("schema") or "", node.get("catalog") or ""
    name: str = node["table"]
    if catalog or schema.lower() not in ("", "main"):
        shown = ".".join(part for part in (catalog, schema, name) if part)
        raise PermissionDenied(f"other catalogs and schemas are not allowed: table={shown}")
    return name


def _source_statement(node: Node) -> Node:
    """The SELECT or VALUES of the INSERT as a statement, with the CTEs that stood before the INSERT."""
    source: Node = node["select_statement"]["node"]
    before = ctes(node)
    if before:
        source["cte_map"] = {"map": [*before, *ctes(source)]}
    for entry, _ in walk(source):
        if entry.get("class") == "DEFAULT":
            # No column has a default here, so DEFAULT is NULL.
            made = null()
            entry.clear()
            entry.update(made)
    return {"node": source, "named_param_map": node["select_statement"].get("named_param_map", [])}


def _columns(node: Node, table: Table) -> tuple[str, ...]:
    by_name = {fold(name): name for name in table.schema.names}
    given = node.get("columns") or []
    if node.get("column_order") == "INSERT_BY_NAME":
        given = _output_names(node["select_statement"]["node"])
    columns = []
    for name in given:
        key = _without_payload(name, table)
        if key not in by_name:
            raise NotFound(f"column not found: name={name[:100]}, table={table.name}")
        if by_name[key] in columns:
            raise InvalidQuery(f"column is there twice: name={name}, table={table.name}")
        columns.append(by_name[key])
    return tuple(columns) if given else tuple(table.schema.names)


def _without_payload(name: str, table: Table) -> str:
    folded = fold(name)
    is_record = table.kind is TableKind.RECORD
    return folded.removeprefix("payload.") if is_record else folded


def _output_names(source: Node) -> list[str]:
    items = source.get("select_list") or []
    names = [item.get("alias") or (item.get("column_names") or [""])[-1] for item in items]
    if not names or not all(names):
        raise Unsupported(
            "INSERT BY NAME is not supported here: expected a name for each column of the SELECT"
        )
    return names


def _values(node: Node) -> list[list[Node]] | None:
    """The rows of a bare VALUES list."""
    source = node.get("from_table") or {}
    is_bare = source.get("type") == "EXPRESSION_LIST" and not node.get("modifiers")
    is_bare = is_bare and not node.get("where_clause") and not ctes(node)
    rows: list[list[Node]] | None = source["values"] if is_bare else None
    return rows


def _values_width(node: Node) -> int | None:
    rows = _values(node)
    return len(rows[0]) if rows else None


def _parameter_types(
    statement: Node, table: Table, columns: Sequence[str]
) -> dict[str, pa.DataType]:
    """Types by position for parameters that stand for a column directly; the others of VALUES are text."""
    rows = _values(statement["node"])
    if rows is None and statement["node"].get("select_list"):
        rows = [statement["node"]["select_list"]]
    found: dict[str, pa.DataType] = {}
    for row in rows or []:
        for item, name in zip(row, columns, strict=False):
            if item.get("class") == "PARAMETER":
                type_ = declared(table.schema.field(name).type)
                found.setdefault(str(item["identifier"]), type_)
        for node, _ in walk(row):
            if node.get("class") == "PARAMETER" and _values(statement["node"]) is not None:
                found.setdefault(str(node["identifier"]), pa.string())
    return found


def _schema(types: dict[str, pa.DataType]) -> pa.Schema:
    if any(not name.isdigit() for name in types):
        raise InvalidQuery(
            f"named parameters are not supported: expected ? or $1, name={min(types)}"
        )
    ordered = sorted(types, key=int)
    if [int(name) for name in ordered] != list(range(1, len(ordered) + 1)):
        raise InvalidQuery(f"parameters have gaps: highest={ordered[-1]}, count={len(ordered)}")
    return pa.schema([pa.field(name, types[name]) for name in ordered])


def _over_rows(node: Node) -> Node:
    """VALUES (?, ...) as a SELECT over the rows of parameters; several rows of VALUES as its UNION ALL."""
    selects = [_select_over_rows(node, row) for row in _values(node) or []]
    if len(selects) == 1:
        return selects[0]
    return {
        "type": "SET_OPERATION_NODE",
        "modifiers": [],
        "cte_map": {"map": []},
        "setop_type": "UNION",
        "setop_all": True,
        "children": selects,
    }


def _select_over_rows(node: Node, row: list[Node]) -> Node:
    for item, _ in walk(row):
        if item.get("class") == "PARAMETER":
            made = column(PARAMETERS_ALIAS, str(item["identifier"]))
            item.clear()
            item.update(made)
    return {**node, "select_list": row, "from_table": base_table(PARAMETERS_ALIAS, "")}


def _cast(query: PlannedQuery, table: Table, columns: Sequence[str]) -> PlannedQuery:
    """The same rows with the names and types of the columns they are for; one column too many stays visible."""
    names = ", ".join(quote(name) for name in columns)
    casts = ", ".join(
        f"CAST({quote(name)} AS {sql_name(table.schema.field(name).type)}) AS {quote(name)}"
        for name in columns
    )
    rows = f"({query.sql}) AS {RESERVED_PREFIX}_rows({names})"
    return query.with_sql(f"SELECT * REPLACE ({casts}) FROM {rows}")  # noqa: S608  # names are quoted
