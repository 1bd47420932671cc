"""The catalog whose truth is a Delta Lake log a table, `NAME/_delta_log`, in an object store.

A process is the only committer to its tables as a rule; another writer (a compaction by Spark, a
second node later) is met by reading the log again, never assumed away.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from flightdb.catalog.drops import collect_files, delete_log, finish_drops, mark
from flightdb.catalog.log import (
    DROPPED,
    ENTRY,
    LOG,
    Files,
    checkpoint_path,
    entry_path,
    last_checkpoint_path,
)
from flightdb.catalog.positions import is_recorded
from flightdb.catalog.replay import replay
from flightdb.catalog.writer import LogWriter, landed
from flightdb.errors import (
    AlreadyExists,
    CommitUnknown,
    Conflict,
    Corruption,
    FlightdbError,
    NotFound,
    Unavailable,
)
from flightdb.model.clock import Clock
from flightdb.model.names import fold
from flightdb.model.schema import logical_of, physical_schema
from flightdb.model.segment import Segment
from flightdb.model.snapshot import Commit, Snapshot, apply
from flightdb.model.table import Table

log = structlog.get_logger()

SNAPSHOTS_KEPT = 64
"""Versions of a table in memory: a query that runs pins one of the last few."""

SWAP_ATTEMPTS = 5
"""Tries of a commit that lost the race for a version; with one committer the first one wins."""


class _Entry:
    """One table: its lock, its log's writer and its newest snapshots."""

    def __init__(self, snapshot: Snapshot, writer: LogWriter) -> None:
        self.lock = threading.Lock()
        self.writer = writer
        self.is_dropped = False
        self.snapshots: OrderedDict[int, Snapshot] = OrderedDict()
        self.newest = snapshot
        self.remember(snapshot)

    def remember(self, snapshot: Snapshot) -> Snapshot:
        self.snapshots[snapshot.version] = snapshot
        self.newest = snapshot
        while len(self.snapshots) > SNAPSHOTS_KEPT:
            self.snapshots.popitem(last=False)
        return snapshot


class DeltaCatalog:
    """Tables in a store. One process at a time owns the store's folder."""

    def __init__(self, store: Files, clock: Clock) -> None:
        """Reads nothing yet: see `open`. `clock` dates new tables."""
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._entries: dict[str, _Entry] = {}
        self._reserved: set[str] = set()

    @classmethod
    def open(cls, store: Files, clock: Clock) -> "DeltaCatalog":
        """A catalog with all tables of the store; finishes drops that a crash interrupted.

        Raises:
            Corruption: a log entry, checkpoint or marker is damaged; the file is named.
        """
        catalog = cls(store, clock)
        catalog._load_all()
        log.info("catalog opened", table_count=len(catalog._entries))
        return catalog

    def _load_all(self) -> None:
        logs: set[str] = set()
        markers: dict[str, list[str]] = {}
        sizes: dict[str, int] = {}
        for meta in self._store.list(""):
            sizes[meta.path] = meta.size_bytes
            folder, _, rest = meta.path.partition("/")
            inner, _, name = rest.partition("/")
            if inner == LOG and ENTRY.fullmatch(name):
                logs.add(folder)
            elif inner == DROPPED:
                markers.setdefault(folder, []).append(meta.path)
        for folder, paths in markers.items():
            finish_drops(self._store, folder, paths)
        for folder in sorted(logs):
            if folder not in markers or self._store.exists(entry_path(folder, 0)):
                self._load(folder, sizes)

    def _load(self, folder: str, sizes: Mapping[str, int]) -> None:
        snapshot = replay(self._store, folder)
        _check_sizes(snapshot, folder, sizes)
        key = fold(snapshot.table.name)
        if key in self._entries:
            raise Corruption(f"two tables of one name: name={folder}")
        self._entries[key] = _Entry(snapshot, self._writer(folder))

    def _writer(self, folder: str) -> LogWriter:
        return LogWriter(f"{self._store.url}/{folder}")

    def tables(self) -> Sequence[Table]:
        """All tables."""
        with self._lock:
            newest = [entry.newest.table for entry in self._entries.values()]
        return sorted(newest, key=lambda table: table.name)

    def create(
        self,
        table: Table,
        added: Sequence[Segment] = (),
        positions: Mapping[str, int] | None = None,
    ) -> Snapshot:
        """Writes version 0 and syncs it."""
        schema = logical_of(table.schema)
        physical_schema(schema)
        key = fold(table.name)
        with self._settled:
            # Of a create under way nobody knows yet whether it succeeds; of one that has, `load` must find the table.
            self._settled.wait_for(lambda: key not in self._reserved)
            if key in self._entries:
                raise AlreadyExists(f"table already exists: name={table.name}")
            self._reserved.add(key)
        try:
            created_at_us = table.created_at_us or self._clock.now_us()
            wanted = replace(table, schema=schema, created_at_us=created_at_us)
            entry = self._create(wanted, added, positions or {})
            with self._lock:
                self._entries[key] = entry
            return entry.newest
        finally:
            with self._settled:
                self._reserved.discard(key)
                self._settled.notify_all()

    def _create(
        self, table: Table, added: Sequence[Segment], positions: Mapping[str, int]
    ) -> _Entry:
        writer = self._writer(table.name)
        try:
            writer.create(table, added, positions)
        except Conflict:
            raise AlreadyExists(f"table already exists: name={table.name}") from None
        self._sync(table.name, 0, 0)
        return _Entry(replay(self._store, table.name), writer)

    def load(self, name: str) -> Snapshot:
        """The newest."""
        return self._entry(name).newest

    def at(self, table: Table, version: int) -> Snapshot:
        """From memory, else from the log."""
        entry = self._entry(table.name)
        if entry.newest.table.id != table.id:
            raise NotFound(f"table was replaced: name={table.name}, id={table.id}")
        found = entry.snapshots.get(version)
        if found is not None:
            return found
        try:
            return replay(self._store, entry.newest.table.name, version)
        except Corruption:
            # Old entries are cleaned up after a checkpoint: what cannot be replayed is not known.
            raise NotFound(
                f"version is not in the log: name={table.name}, version={version}"
            ) from None

    def commit(self, commit: Commit) -> Snapshot:
        """Writes it, looks again where the answer was lost, syncs.

        New columns together with files are two versions: Delta has no single entry for them.
        """
        if commit.changes_schema and not commit.replaces and (commit.added or commit.removed):
            if self._entry(commit.table.name).newest.table.schema != commit.table.schema:
                self.commit(replace(commit, added=(), removed=frozenset(), positions={}))
            commit = replace(commit, changes_schema=False)
        entry = self._entry(commit.table.name)
        with entry.lock:
            for _ in range(SWAP_ATTEMPTS):
                if entry.is_dropped:
                    raise NotFound(f"table was dropped: name={commit.table.name}")
                done = self._try(entry, commit)
                if done is not None:
                    return done
        raise Conflict(
            f"commit lost the race for a version: name={commit.table.name}, "
            f"attempts={SWAP_ATTEMPTS}"
        )

    def _try(self, entry: _Entry, commit: Commit) -> Snapshot | None:
        """One attempt; None after a lost race, with the newest snapshot reloaded."""
        before = entry.newest
        if before.table.id == commit.table.id and is_recorded(before, commit):
            return before
        after = apply(before, commit)
        try:
            if entry.writer.refresh_for(commit) != before.version or entry.writer.prepare(commit):
                self._sync(commit.table.name, before.version + 1, self._reload(entry).version)
                return None
            version = entry.writer.write(before, commit)
        except (Conflict, Unavailable) as error:
            return self._look(entry, commit, error)
        return self._finish(entry, after, version)

    def _finish(self, entry: _Entry, after: Snapshot, version: int) -> Snapshot:
        self._sync(after.table.name, entry.newest.version + 1, version)
        if version != after.version:
            # Another writer's entries lie between.
            return self._reload(entry)
        return entry.remember(after)

    def _look(self, entry: _Entry, commit: Commit, error: FlightdbError) -> Snapshot | None:
        """After a failure: applied, not applied (None), or not known."""
        try:
            before = entry.newest.version
            snapshot = self._reload(entry)
        except FlightdbError:
            raise CommitUnknown(
                f"commit may have been applied: name={commit.table.name}, reason={error.message}"
            ) from None
        if is_recorded(snapshot, commit) or landed(snapshot, commit.added):
            self._sync(commit.table.name, before + 1, snapshot.version)
            return snapshot
        if isinstance(error, Unavailable):
            raise CommitUnknown(
                f"commit may still be applied: name={commit.table.name}, reason={error.message}"
            ) from None
        return None

    def _reload(self, entry: _Entry) -> Snapshot:
        return entry.remember(replay(self._store, entry.newest.table.name))

    def drop(self, table: Table) -> Snapshot:
        """Marks it dropped, then frees the name."""
        entry = self._entry(table.name)
        key = fold(table.name)
        with entry.lock:
            if entry.is_dropped or entry.newest.table.id != table.id:
                raise NotFound(f"table not found: name={table.name}, id={table.id}")
            mark(self._store, entry.newest)
            entry.is_dropped = True
            with self._lock:
                del self._entries[key]
                self._reserved.add(key)
            try:
                delete_log(self._store, entry.newest.table.name)
            finally:
                with self._settled:
                    self._reserved.discard(key)
                    self._settled.notify_all()
            return entry.newest

    def collect(self, snapshot: Snapshot) -> int:
        """Deletes the files, then the marker."""
        paths = [segment.path for segment in snapshot.segments]
        return collect_files(self._store, snapshot.table.name, snapshot.table.id, paths)

    def close(self) -> None:
        """Forgets all tables."""
        with self._lock:
            self._entries.clear()

    def _entry(self, name: str) -> _Entry:
        with self._lock:
            entry = self._entries.get(fold(name))
        if entry is None:
            raise NotFound(f"table not found: name={name}")
        return entry

    def _sync(self, name: str, first: int, last: int) -> None:
        """Makes what deltalake wrote durable: entries, and a checkpoint with its hint."""
        paths = [entry_path(name, version) for version in range(first, last + 1)]
        checkpoints = [checkpoint_path(name, version) for version in range(first, last + 1)]
        made = [path for path in checkpoints if self._store.exists(path)]
        self._store.sync(paths + ([*made, last_checkpoint_path(name)] if made else []))


def _check_sizes(snapshot: Snapshot, folder: str, sizes: Mapping[str, int]) -> None:
    """A data file cut short is damage to name; one that is gone breaks its own queries only."""
    for segment in snapshot.segments:
        path = f"{folder}/{segment.path}"
        found = sizes.get(path)
        if found is None:
            log.error("data file missing", table=snapshot.table.name, path=path)
        elif found != segment.size_bytes:
            raise Corruption(
                f"data file is damaged: path={path}, expected {segment.size_bytes} bytes, "
                f"bytes={found}"
            )
