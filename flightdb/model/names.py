"""Names of tables and columns: what is allowed, and how they compare."""

import re

from flightdb.errors import InvalidRequest

TABLE_NAME_PATTERN = r"^[a-zA-Z][a-zA-Z0-9_]{0,63}$"
"""The spec's rule (`contract.md` 3.1 table_management.table_name_pattern)."""

RESERVED_PREFIX = "__flightdb"
"""Names that the planner makes for its own relations; refused from outside."""


def check_table_name(name: str, pattern: str = TABLE_NAME_PATTERN) -> str:
    """Gives `name` back when it may name a table.

    Raises:
        InvalidRequest: the name does not match `pattern`.
    """
    if not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), name):
        raise InvalidRequest(
            f"invalid table name: expected a match of {pattern}, name={name[:80]!r}"
        )
    return name


def fold(name: str) -> str:
    """The form under which two names are the same: SQL identifiers compare without case."""
    return name.lower()


def quote(identifier: str) -> str:
    """The identifier as SQL text: `a"b` gives `"a""b"`."""
    return '"' + identifier.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """The text as an SQL string literal: `it's` gives `'it''s'`."""
    return "'" + text.replace("'", "''") + "'"
