"""SQL text from outside to what is to be done: a query, rows to insert, a table to make or drop."""

from dataclasses import dataclass

from flightdb.errors import InvalidQuery, PermissionDenied, Unsupported
from flightdb.planner.ddl import CreateTable, DropTable, read_ddl
from flightdb.planner.functions import AllowList
from flightdb.planner.gate import check_length
from flightdb.planner.insert import PlannedInsert, plan_insert
from flightdb.planner.plan import PlannedQuery, plan_query
from flightdb.planner.resolve import Tables
from flightdb.planner.tree import Parse, Render
from flightdb.planner.words import first_word, made_object, one_statement

__all__ = [
    "CreateTable",
    "DropTable",
    "PlannedCreate",
    "PlannedInsert",
    "PlannedQuery",
    "PlannedStatement",
    "plan_statement",
]


@dataclass(frozen=True, slots=True)
class PlannedCreate:
    """A table to make; `query`, of an AS SELECT, yields its schema and first rows."""

    create: CreateTable
    query: PlannedQuery | None = None


PlannedStatement = PlannedQuery | PlannedInsert | PlannedCreate | DropTable

_LATER = {
    "UPDATE": "UPDATE is not supported yet",
    "DELETE": "DELETE is not supported yet",
    "TRUNCATE": "TRUNCATE is not supported yet",
    "MERGE": "MERGE is not supported yet",
    "ALTER": "ALTER TABLE is not supported yet",
    "EXPLAIN": "EXPLAIN is not supported yet",
    "REPLACE": "REPLACE INTO is not supported",
    "BEGIN": "transactions are not supported: each statement is one",
    "START": "transactions are not supported: each statement is one",
    "COMMIT": "transactions are not supported: each statement is one",
    "END": "transactions are not supported: each statement is one",
    "ROLLBACK": "transactions are not supported: each statement is one",
    "ABORT": "transactions are not supported: each statement is one",
    "SAVEPOINT": "transactions are not supported: each statement is one",
    "UNPIVOT": "UNPIVOT is not supported yet",
    "PIVOT": "PIVOT is not supported yet",
    "PIVOT_WIDER": "PIVOT is not supported yet",
    "PIVOT_LONGER": "UNPIVOT is not supported yet",
}
_DENIED = frozenset(
    (
        "ANALYZE",
        "ATTACH",
        "CALL",
        "CHECKPOINT",
        "COMMENT",
        "COPY",
        "DEALLOCATE",
        "DETACH",
        "EXECUTE",
        "EXPORT",
        "FORCE",
        "GRANT",
        "IMPORT",
        "INSTALL",
        "LOAD",
        "PRAGMA",
        "PREPARE",
        "REFRESH",
        "RESET",
        "REVOKE",
        "SET",
        "USE",
        "VACUUM",
    )
)


def plan_statement(
    sql: str, tables: Tables, parse: Parse, render: Render, functions: AllowList
) -> PlannedStatement:
    """Plans one statement; a semicolon at its end is fine.

    Raises:
        InvalidQuery: does not parse, is empty or more than one statement.
        PermissionDenied: a statement, or a part of one, that SQL from outside may not use; it is named.
        Unsupported: a statement, or a part of one, that is not here (yet); it is named.
        TooLarge: over a limit, which is named.
        NotFound: a table or column is not there.
    """
    check_length(sql)
    text = one_statement(sql)
    word = first_word(text)
    if word in _LATER:
        raise Unsupported(_LATER[word])
    if word in _DENIED:
        raise PermissionDenied(f"statement is not allowed: statement={word}")
    if word == "INSERT":
        return plan_insert(text, tables, parse, render, functions)
    if word in ("CREATE", "DROP"):
        return _plan_ddl(text, tables, parse, render, functions)
    try:
        return plan_query(text, tables, parse, render, functions)
    except InvalidQuery:
        if word == "WITH" and "insert" in text.lower() and _is_insert(text, parse):
            return plan_insert(text, tables, parse, render, functions)
        raise


def _is_insert(text: str, parse: Parse) -> bool:
    """Whether an INSERT hides behind its WITH, which the parser takes for no SELECT."""
    try:
        parse(text)
    except InvalidQuery:
        return True
    return False


def _plan_ddl(
    text: str, tables: Tables, parse: Parse, render: Render, functions: AllowList
) -> PlannedCreate | DropTable:
    word, made = first_word(text), made_object(text)
    if made != "TABLE":
        raise PermissionDenied(f"only tables can be created and dropped: statement={word} {made}")
    read = read_ddl(text)
    if isinstance(read, DropTable):
        return read
    if not read.select:
        return PlannedCreate(read)
    return PlannedCreate(read, plan_query(read.select, tables, parse, render, functions))
