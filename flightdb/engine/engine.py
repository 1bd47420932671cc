"""SQL inside one process, as a protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.source import Fragment

Ast = dict[str, Any]
"""DuckDB's own syntax tree of one statement, as `json_serialize_sql` gives it:
`{"node": ..., "named_param_map": ...}`."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the engine as its own catalog lists it. `kind`: scalar, aggregate, macro, ..."""

    name: str
    kind: str
    stability: str


class Engine(Protocol):
    """Parses, describes and runs SQL over sources that are values.

    Thread-safe; every call may block.
    """

    @property
    def version(self) -> str:
        """The engine's name and version: `duckdb 2.0.0`."""
        ...

    def parse(self, sql: str) -> Ast:
        """The tree of one SELECT.

        Raises:
            InvalidQuery: does not parse (with position), is empty, is more than one statement, or
                not a SELECT.
        """
        ...

    def render(self, ast: Ast) -> str:
        """The SQL text of a tree."""
        ...

    def functions(self) -> Sequence[Function]:
        """All functions the engine has; asked once."""
        ...

    def describe(self, fragment: Fragment) -> pa.Schema:
        """The schema of the answer, normalised for clients, without running it.

        Parameters that are None count as NULL.

        Raises:
            InvalidQuery: does not bind.
        """
        ...

    def run(
        self, fragment: Fragment, cancellation: Cancellation, *, rows_per_batch: int = 65_536
    ) -> BatchStream:
        """Runs it; batches arrive as they are made, of the schema that `describe` gives.

        Raises, here or while streaming:
            InvalidQuery: does not bind, or a value cannot be computed (cast, overflow).
            DeadlineExceeded, Cancelled: see `Cancellation`; within a second.
            Overloaded: over the memory limit.
        """
        ...

    def table_schema(self, ddl: str) -> pa.Schema:
        """The Arrow schema of the one table that `CREATE TABLE` text (the planner's) would make."""
        ...

    def statistics(self) -> Mapping[str, int]:
        """Memory and temporary bytes in use."""
        ...

    def close(self) -> None:
        """Stops running queries and frees everything."""
        ...
