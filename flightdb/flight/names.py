"""The one catalog and the one schema that clients see."""

from flightdb.errors import InvalidRequest, NotFound
from flightdb.model.names import quote

CATALOG = "flightdb"
SCHEMA = "main"


def check_place(catalog: str, schema: str) -> None:
    """Passes "" (the default) and the names that exist. Raises NotFound for any other."""
    if catalog not in ("", CATALOG):
        raise NotFound(f"catalog not found: expected {CATALOG}, name={catalog[:80]}")
    if schema not in ("", SCHEMA):
        raise NotFound(f"schema not found: expected {SCHEMA}, name={schema[:80]}")


def select_all(table: str) -> str:
    """The SQL that reads all of `table`."""
    return f"SELECT * FROM {quote(table)}"  # noqa: S608  (the name is quoted)


def table_of(path: list[bytes]) -> str:
    """The table of a path descriptor: `[table]`, `[schema, table]` or all three."""
    try:
        parts = [part.decode() for part in path]
    except UnicodeDecodeError:
        raise InvalidRequest(
            "path of the descriptor is not UTF-8: expected a table's name"
        ) from None
    if not 1 <= len(parts) <= 3 or not parts[-1]:
        raise InvalidRequest(
            f"path of the descriptor does not name a table: expected [table], parts={len(parts)}"
        )
    catalog, schema, table = ["", ""][: 3 - len(parts)] + parts
    check_place(catalog, schema)
    return table
