"""The truth about tables, as a protocol; its guarantees in words.

- A commit is applied whole or not at all, and is durable when `commit` returns.
- Versions of a table grow by one a commit. A snapshot never changes.
- `commit` with a position at or below the one already recorded for that worker adds nothing and gives the current
  snapshot: a retry whose first answer was lost is a no-op.
- Thread-safe; calls for one table are serialised inside, calls for different tables are not.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from flightdb.model.segment import Segment
from flightdb.model.snapshot import Commit, Snapshot
from flightdb.model.table import Table


class Catalog(Protocol):
    """Tables, their snapshots and commits."""

    def tables(self) -> Sequence[Table]:
        """All tables, sorted by name; from memory, no I/O."""
        ...

    def create(
        self,
        table: Table,
        added: Sequence[Segment] = (),
        positions: Mapping[str, int] | None = None,
    ) -> Snapshot:
        """Makes a table at version 0, with first files and positions, whole or not at all.

        `table.id` is given by the catalog, the argument's is ignored. The files lie in the table's folder already.

        Raises:
            AlreadyExists: a table of that name (without regard to case) exists.
            InvalidRequest: a column's type has no exact physical form; the column is named.
        """
        ...

    def load(self, name: str) -> Snapshot:
        """The newest snapshot that this catalog knows of; from memory, no I/O.

        Raises:
            NotFound: no table of that name (compared without case).
        """
        ...

    def at(self, table: Table, version: int) -> Snapshot:
        """The snapshot of this incarnation at `version`; recent ones from memory.

        Raises:
            NotFound: dropped, or the version is not known.
        """
        ...

    def commit(self, commit: Commit) -> Snapshot:
        """Applies `commit` to the newest snapshot; durable on return.

        Raises:
            Conflict: see `model.snapshot.apply`; nothing was applied.
            CommitUnknown: the store did not answer; may have been applied.
            NotFound: the table was dropped.
        """
        ...

    def drop(self, table: Table) -> Snapshot:
        """Removes the table from the catalog for good, durable on return; gives its last snapshot.

        The data files stay until `collect`, so that running queries finish.

        Raises:
            NotFound: no such table or another incarnation.
        """
        ...

    def collect(self, snapshot: Snapshot) -> int:
        """Deletes the data files of a dropped table's last snapshot; gives how many. Idempotent."""
        ...

    def close(self) -> None:
        """Frees handles."""
        ...
