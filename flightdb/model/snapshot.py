"""A table at one version, and the only way from one version to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flightdb.errors import Conflict
from flightdb.model.segment import Segment
from flightdb.model.table import Table


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the log says of a table at `version`: its files and how far each worker's WAL is in them.

    `positions`: worker id to the last WAL lsn whose rows are contained in `segments` (or superseded by them).
    `is_evolved`: the schema changed since the first file, so files may lack columns.
    """

    table: Table
    version: int
    segments: tuple[Segment, ...] = ()
    positions: Mapping[str, int] = field(default_factory=dict)
    is_evolved: bool = False

    @property
    def row_count(self) -> int:
        """Rows in all segments."""
        return sum(segment.row_count for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Commit:
    """Segments to add and paths to remove, a new schema, and WAL positions: applied together or not at all.

    `table` names the table and, by its id, the incarnation that is meant; its schema is the new one when
    `changes_schema`. `replaces` removes every file that the table has at that moment.
    """

    table: Table
    added: tuple[Segment, ...] = ()
    removed: frozenset[str] = frozenset()
    positions: Mapping[str, int] = field(default_factory=dict)
    changes_schema: bool = False
    replaces: bool = False


def apply(snapshot: Snapshot, commit: Commit) -> Snapshot:
    """The snapshot that follows `commit`.

    Appends commute, so two writers that only add never conflict.

    Raises:
        Conflict: a segment to remove is gone already, or the table is another incarnation.
    """
    if commit.table.id != snapshot.table.id:
        raise Conflict(f"table was replaced while it was written: name={commit.table.name}")
    present = {segment.path for segment in snapshot.segments}
    gone = commit.removed - present
    if gone:
        raise Conflict(f"{commit.table.name}: segments already replaced: {', '.join(sorted(gone))}")
    kept = (
        ()
        if commit.replaces
        else tuple(segment for segment in snapshot.segments if segment.path not in commit.removed)
    )
    return replace(
        snapshot,
        table=commit.table if commit.changes_schema else snapshot.table,
        version=snapshot.version + 1,
        segments=kept + commit.added,
        positions={**snapshot.positions, **commit.positions},
        # Also without files: one that was written under the old schema may be committed later.
        is_evolved=not commit.replaces and (snapshot.is_evolved or commit.changes_schema),
    )
