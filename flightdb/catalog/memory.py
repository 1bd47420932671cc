"""The catalog in memory: the protocol's meaning without its durability."""

import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

from flightdb.catalog.positions import is_recorded
from flightdb.errors import AlreadyExists, NotFound
from flightdb.model.clock import Clock
from flightdb.model.names import fold
from flightdb.model.schema import logical_of, physical_schema
from flightdb.model.segment import Segment
from flightdb.model.snapshot import Commit, Snapshot, apply
from flightdb.model.table import Table


class MemoryCatalog:
    """Tables and all their snapshots, gone with the process."""

    def __init__(self, clock: Clock) -> None:
        """Empty. `clock` dates new tables."""
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._tables: dict[str, list[Snapshot]] = {}

    def tables(self) -> Sequence[Table]:
        """All tables."""
        with self._lock:
            newest = [snapshots[-1].table for snapshots in self._tables.values()]
        return sorted(newest, key=lambda table: table.name)

    def create(
        self,
        table: Table,
        added: Sequence[Segment] = (),
        positions: Mapping[str, int] | None = None,
    ) -> Snapshot:
        """Version 0."""
        schema = logical_of(table.schema)
        physical_schema(schema)
        with self._lock:
            if fold(table.name) in self._tables:
                raise AlreadyExists(f"table already exists: name={table.name}")
            made = replace(
                table,
                id=f"memory-{next(self._numbers)}",
                schema=schema,
                created_at_us=table.created_at_us or self._clock.now_us(),
            )
            snapshot = Snapshot(made, 0, tuple(added), dict(positions or {}))
            self._tables[fold(table.name)] = [snapshot]
            return snapshot

    def load(self, name: str) -> Snapshot:
        """The newest."""
        with self._lock:
            return self._snapshots(name)[-1]

    def at(self, table: Table, version: int) -> Snapshot:
        """Any, as long as the table is there."""
        with self._lock:
            snapshots = self._snapshots(table.name)
            is_same = snapshots[-1].table.id == table.id
            if not is_same or not 0 <= version < len(snapshots):
                raise NotFound(f"version not found: name={table.name}, version={version}")
            return snapshots[version]

    def commit(self, commit: Commit) -> Snapshot:
        """Applies it."""
        with self._lock:
            snapshots = self._snapshots(commit.table.name)
            if snapshots[-1].table.id == commit.table.id and is_recorded(snapshots[-1], commit):
                return snapshots[-1]
            snapshots.append(apply(snapshots[-1], commit))
            return snapshots[-1]

    def drop(self, table: Table) -> Snapshot:
        """Forgets it."""
        with self._lock:
            snapshots = self._snapshots(table.name)
            if snapshots[-1].table.id != table.id:
                raise NotFound(f"table not found: name={table.name}, id={table.id}")
            del self._tables[fold(table.name)]
            return snapshots[-1]

    def collect(self, snapshot: Snapshot) -> int:
        """Has no files; tells how many there were."""
        return len(snapshot.segments)

    def close(self) -> None:
        """Nothing to free."""

    def _snapshots(self, name: str) -> list[Snapshot]:
        found = self._tables.get(fold(name))
        if found is None:
            raise NotFound(f"table not found: name={name}")
        return found
