"""CREATE TABLE and DROP TABLE, read by sqlglot: its only use here."""

from dataclasses import dataclass
from typing import Any

from flightdb.errors import InvalidQuery, PermissionDenied, Unsupported
from flightdb.model.names import fold, quote


@dataclass(frozen=True, slots=True)
class CreateTable:
    """`ddl`: a CREATE TABLE of the columns alone, for the engine's `table_schema`; "" for AS SELECT.

    `select`: the text of the SELECT of an AS SELECT, "" otherwise; not checked yet. Exactly one of both is given.
    """

    name: str
    ddl: str
    select: str
    if_not_exists: bool
    or_replace: bool


@dataclass(frozen=True, slots=True)
class DropTable:
    """Removes a table."""

    name: str
    if_exists: bool


def read_ddl(sql: str) -> CreateTable | DropTable:
    """Reads one CREATE TABLE or DROP TABLE without a semicolon at its end; the caller knows that it is one.

    Raises:
        InvalidQuery: does not parse.
        PermissionDenied: the table is of another schema.
        Unsupported: a constraint, default or option that tables here do not have; it is named.
    """
    # sqlglot takes 0.1 s to import and only DDL needs it.
    import sqlglot
    from sqlglot import errors, expressions

    try:
        trees = sqlglot.parse(sql, read="duckdb")
    except (errors.SqlglotError, RecursionError) as error:
        raise _not_parsed(error) from None
    if len(trees) != 1 or trees[0] is None:
        raise InvalidQuery(f"expected one statement: count={len(trees)}")
    tree: Any = trees[0]
    if isinstance(tree, expressions.Create):
        return _create(tree, sql)
    if isinstance(tree, expressions.Drop):
        return _drop(tree)
    raise InvalidQuery("statement is not understood: expected CREATE TABLE or DROP TABLE")


def _not_parsed(error: Exception) -> InvalidQuery:
    details = getattr(error, "errors", None)
    what = details[0].get("description", "") if details else ""
    return InvalidQuery(f"parser error: {what or 'statement does not parse'}"[:500])


def _create(tree: Any, sql: str) -> CreateTable:
    from sqlglot import expressions

    _refuse_options(tree)
    is_listed = isinstance(tree.this, expressions.Schema)
    name = _name(tree.this.this if is_listed else tree.this)
    is_replace, is_lenient = bool(tree.args.get("replace")), bool(tree.args.get("exists"))
    if is_replace and is_lenient:
        raise InvalidQuery("CREATE TABLE takes OR REPLACE or IF NOT EXISTS, not both")
    if tree.expression is not None:
        if is_listed:
            raise Unsupported("CREATE TABLE with both columns and AS SELECT is not supported")
        return CreateTable(name, "", _after_as(sql), is_lenient, is_replace)
    if not is_listed:
        raise InvalidQuery(f"table has no columns: name={name}")
    columns = [_column(item) for item in tree.this.expressions]
    ddl = f"CREATE TABLE {quote(name)} ({', '.join(columns)})"
    return CreateTable(name, ddl, "", is_lenient, is_replace)


def _refuse_options(tree: Any) -> None:
    properties = tree.args.get("properties")
    if properties:
        what = type(properties.expressions[0]).__name__.removesuffix("Property")
        raise Unsupported(f"table option is not supported: option={what}")
    for key in ("indexes", "clone", "clustered", "no_schema_binding", "begin", "unique"):
        if tree.args.get(key):
            raise Unsupported(f"table option is not supported: option={key}")


def _column(item: Any) -> str:
    """One column as DDL of our own making."""
    from sqlglot import expressions

    if isinstance(item, expressions.Identifier):
        raise InvalidQuery(f"column has no type: column={item.name}")
    if not isinstance(item, expressions.ColumnDef):
        raise Unsupported(f"constraint is not supported: constraint={_constraint(item)}")
    name = item.name
    if item.args.get("kind") is None:
        raise InvalidQuery(f"column has no type: column={name}")
    text = f"{quote(name)} {item.args['kind'].sql(dialect='duckdb')}"
    for constraint in item.args.get("constraints") or ():
        kind = constraint.args.get("kind")
        if not isinstance(kind, expressions.NotNullColumnConstraint):
            raise Unsupported(
                f"constraint is not supported: constraint={_constraint(kind)}, column={name}"
            )
        if not kind.args.get("allow_null"):
            text += " NOT NULL"
    return text


def _constraint(node: Any) -> str:
    names = {
        "PrimaryKeyColumnConstraint": "PRIMARY KEY",
        "PrimaryKey": "PRIMARY KEY",
        "UniqueColumnConstraint": "UNIQUE",
        "CheckColumnConstraint": "CHECK",
        "DefaultColumnConstraint": "DEFAULT",
        "ForeignKey": "FOREIGN KEY",
        "Reference": "REFERENCES",
        "CollateColumnConstraint": "COLLATE",
        "ComputedColumnConstraint": "GENERATED",
        "GeneratedAsIdentityColumnConstraint": "GENERATED",
    }
    kind = type(node).__name__
    return names.get(kind, kind.removesuffix("ColumnConstraint").upper())


def _drop(tree: Any) -> DropTable:
    names = tree.args.get("tables") or [tree.this]
    if len(names) != 1 or tree.args.get("cascade") or tree.args.get("expressions"):
        raise Unsupported("DROP TABLE takes one name and no CASCADE")
    return DropTable(_name(names[0]), bool(tree.args.get("exists")))


def _name(table: Any) -> str:
    if table.args.get("catalog") or fold(table.db or "main") != "main":
        raise PermissionDenied(
            f"other catalogs and schemas are not allowed: table={table.sql()[:200]}"
        )
    name: str = table.name
    return name


def _after_as(sql: str) -> str:
    """The text behind the first AS outside brackets: sqlglot must not write the SELECT anew."""
    from sqlglot.tokens import Tokenizer

    depth = 0
    for token in Tokenizer(dialect="duckdb").tokenize(sql):
        if token.token_type.name == "L_PAREN":
            depth += 1
        elif token.token_type.name == "R_PAREN":
            depth -= 1
        elif token.token_type.name == "ALIAS" and depth == 0:
            return sql[token.end + 1 :]
    raise InvalidQuery("expected AS and a SELECT")
