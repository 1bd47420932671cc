"""Which functions SQL from outside may call: an allow-list made from the engine's own catalog.

What an engine upgrade adds is in no family below unless it is an ordinary scalar, aggregate or window function;
`tests/planner` holds the list against a recorded one, so that each addition is looked at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class FunctionLike(Protocol):
    """A function as `engine.Function` lists it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def kind(self) -> str:
        """`scalar`, `aggregate`, `window`, `macro`, `table`, ..."""
        ...

    @property
    def stability(self) -> str:
        """`CONSISTENT`, `CONSISTENT_WITHIN_QUERY`, `VOLATILE` or ""."""
        ...


# fmt: off
DENIED = frozenset(
    {
        "alias",
        "assert_true",
        "can_cast_implicitly",
        "cast_to_type",
        "checkpoint",
        "col_description",
        "combine",
        "create_sort_key",
        "current_catalog",
        "current_connection_id",
        "current_database",
        "current_query",
        "current_query_id",
        "current_role",
        "current_schema",
        "current_schemas",
        "current_setting",
        "current_transaction_id",
        "currval",
        "error",
        "finalize",
        "format_pg_type",
        "format_type",
        "get_block_size",
        "get_type",
        "getenv",
        "getvariable",
        "in_search_path",
        "index_key",
        "invoke",
        "json_deserialize_sql",
        "json_execute_serialized_sql",
        "json_serialize_plan",
        "json_serialize_sql",
        "make_type",
        "map_to_pg_oid",
        "nextval",
        "obj_description",
        "parse_duckdb_log_message",
        "query",
        "query_table",
        "remap_struct",
        "replace_type",
        "setseed",
        "setval",
        "shobj_description",
        "sleep_ms",
        "stats",
        "to_aggregate_state",
        "txid_current",
        "vector_type",
        "which_secret",
        "write_log",
    }
)
# fmt: on
"""Read the catalog, settings or other sessions, run text as SQL, wait, fail at will, or take states
and types that only the engine itself should make (`reference/engine.md` 4.3)."""

DENIED_PREFIXES = (
    "__internal",
    "__postfix",
    "duckdb_",
    "has_",
    "inet_",
    "parquet_",
    "pg_",
    "pragma_",
    "query",
    "read_",
    "variant_to_parquet",
)

ALLOWED_DESPITE_PREFIX = frozenset({"pg_typeof", "pg_size_pretty"})

_KINDS = frozenset({"scalar", "aggregate", "macro", "window"})

SPECIAL = frozenset(
    {"unnest", "count_star", "list_value", "struct_pack", "coalesce", "nullif", "if"}
)
"""Made by the parser itself; not all of them are in the catalog under these names."""

CLOCK_WORDS = frozenset(
    {"current_date", "current_timestamp", "current_time", "localtime", "localtimestamp"}
)
"""Function calls without parentheses: they look like columns in the tree."""


@dataclass(frozen=True, slots=True)
class AllowList:
    """Names in lower case. `unstable`: the answer may differ from call to call."""

    allowed: frozenset[str]
    unstable: frozenset[str]

    def permits(self, name: str) -> bool:
        """Whether SQL from outside may call it."""
        return name in self.allowed


def allow_list(functions: Iterable[FunctionLike]) -> AllowList:
    """What of the engine's functions may be called."""
    listed = tuple(functions)
    ordinary = {f.name.lower() for f in listed if f.kind in _KINDS}
    allowed = {name for name in ordinary if _is_ordinary(name)} | SPECIAL
    unstable = {f.name.lower() for f in listed if f.stability not in ("CONSISTENT", "")}
    clocks = {"ago", "current_localtime", "current_localtimestamp", "age"} | CLOCK_WORDS
    return AllowList(frozenset(allowed), frozenset(unstable | clocks))


def _is_ordinary(name: str) -> bool:
    if name in ALLOWED_DESPITE_PREFIX:
        return True
    return name not in DENIED and not name.startswith(DENIED_PREFIXES)
