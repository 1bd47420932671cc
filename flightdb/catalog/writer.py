"""Commits to one table's Delta log by deltalake, which is loaded here and nowhere else.

What deltalake does and does not (`reference/store_facts.md`): a handle never advances by its own
commit, so it is refreshed before each; commits that remove are compare-and-swaps on the next
version, because an append that names files already gone is accepted otherwise; an answer may be
lost after the commit was applied, so the caller looks before it tries again.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from flightdb.catalog.replay import APP, SCHEMA_APP
from flightdb.catalog.schemas import delta_fields, settings_beside
from flightdb.errors import Conflict, InvalidRequest, Unavailable
from flightdb.model.encode import table_properties
from flightdb.model.schema import widens
from flightdb.model.segment import Segment
from flightdb.model.snapshot import Commit, Snapshot
from flightdb.model.table import Table

CHECKPOINT_INTERVAL = 100
"""Commits between checkpoints: one costs 15-40 ms, reading 100 entries at start about as much."""

APPEND_RETRIES = 50
"""Appends commute; 15 were not enough for 8 writers (`store_facts.md`)."""


class LogWriter:
    """One table's handle. Not thread-safe: its owner holds the table's lock."""

    def __init__(self, url: str) -> None:
        """Opens the table lazily, at its first commit. `url`: of the table's folder."""
        self._url = url
        self._handle: Any = None

    def create(
        self,
        table: Table,
        added: Sequence[Segment] = (),
        positions: Mapping[str, int] | None = None,
    ) -> None:
        """Writes version 0 with schema, settings, first files and positions.

        Raises:
            Conflict: a log is there.
        """
        import deltalake

        interval = {"delta.checkpointInterval": str(CHECKPOINT_INTERVAL)}
        if added or positions:
            self._create_with_files(table, added, positions or {}, interval)
            return
        configuration = {**interval, **table_properties(table)}
        with _translated(self._url):
            self._handle = deltalake.DeltaTable.create(
                self._url,
                deltalake.Schema.from_arrow(delta_fields(table)),
                mode="error",
                name=table.name,
                configuration=configuration,
                raise_if_key_not_exists=False,
            )

    def _create_with_files(
        self,
        table: Table,
        added: Sequence[Segment],
        positions: Mapping[str, int],
        configuration: dict[str, str],
    ) -> None:
        """One log entry. deltalake takes no property of ours here, so the settings go beside the schema."""
        import deltalake
        from deltalake.transaction import create_table_with_add_actions

        fields = delta_fields(table, settings_beside(table, configuration))
        try:
            with _translated(self._url):
                create_table_with_add_actions(
                    self._url,
                    deltalake.Schema.from_arrow(fields),
                    [_add(segment) for segment in added],
                    mode="error",
                    name=table.name,
                    configuration=configuration,
                    commit_properties=_properties(0, positions),
                )
        except Unavailable:
            # It has no error of its own for a log that is there.
            if deltalake.DeltaTable.is_deltatable(self._url):
                raise Conflict(f"log is there already: url={self._url}") from None
            raise

    def refresh(self) -> int:
        """Brings the handle to the newest version; gives it."""
        import deltalake

        with _translated(self._url):
            if self._handle is None:
                self._handle = deltalake.DeltaTable(self._url)
            else:
                self._handle.update_incremental()
            return int(self._handle.version())

    def refresh_for(self, commit: Commit) -> int:
        """As `refresh`; a plain append takes the handle as the last commit left it.

        Appends commute, and one that meets a position of its own worker fails, so only commits
        that remove or change the schema must see the newest version first.
        """
        if self._handle is None or commit.removed or commit.changes_schema or commit.replaces:
            return self.refresh()
        return int(self._handle.version())

    def prepare(self, commit: Commit) -> bool:
        """Turns on what a replacing schema needs of the protocol; whether that took a version.

        An overwrite does not do it by itself, and readers would refuse the table.
        """
        import deltalake

        if not commit.replaces:
            return False
        features = self._handle.protocol().reader_features or []
        schema = deltalake.Schema.from_arrow(delta_fields(commit.table)).to_json()
        if '"timestamp_ntz"' not in schema or "timestampNtz" in features:
            return False
        with _translated(self._url):
            self._handle.alter.add_feature(
                deltalake.TableFeatures.TimestampWithoutTimezone,
                allow_protocol_versions_increase=True,
                commit_properties=_properties(0, {}),
            )
        return True

    def write(self, snapshot: Snapshot, commit: Commit) -> int:
        """Writes `commit` on top of `snapshot`, which is the handle's version; gives the new version.

        Raises:
            Conflict: another writer was first; look at the log and try again.
            Unavailable: the store failed; it may have been applied.
        """
        with _translated(self._url):
            if commit.replaces:
                self._replace(commit)
            elif commit.changes_schema:
                self._add_columns(snapshot, commit)
            else:
                self._append(snapshot, commit)
        return self.refresh()

    def _append(self, snapshot: Snapshot, commit: Commit) -> None:
        present = {segment.path: segment for segment in snapshot.segments}
        removed = [present[path] for path in sorted(commit.removed)]
        actions = [*map(_add, commit.added), *map(_remove, removed)]
        retries = 0 if removed else APPEND_RETRIES
        self._handle.create_write_transaction(
            actions,
            "append",
            self._handle.schema(),
            commit_properties=_properties(retries, commit.positions),
        )

    def _replace(self, commit: Commit) -> None:
        """One overwrite: removes all files, brings the new ones, the schema and its settings."""
        import deltalake

        beside = settings_beside(commit.table, self._handle.metadata().configuration)
        schema = deltalake.Schema.from_arrow(delta_fields(commit.table, beside))
        versions = {SCHEMA_APP: commit.table.schema_version}
        self._handle.create_write_transaction(
            [_add(segment) for segment in commit.added],
            "overwrite",
            schema,
            commit_properties=_properties(0, commit.positions, versions),
        )

    def _add_columns(self, snapshot: Snapshot, commit: Commit) -> None:
        """Adds the columns at the end; files come in a commit of their own."""
        import deltalake

        old, new = snapshot.table.schema, commit.table.schema
        if widens(old, new) or new.names[: len(old)] != old.names:
            raise InvalidRequest(
                f"a column's type changes only with its files: name={commit.table.name}, "
                f"columns={', '.join(sorted(widens(old, new)))}"
            )
        fields = deltalake.Schema.from_arrow(delta_fields(commit.table)).fields[len(old) :]
        versions = {SCHEMA_APP: commit.table.schema_version}
        properties = _properties(0, commit.positions, versions)
        if fields:
            self._handle.alter.add_columns(fields, commit_properties=properties)
        else:
            self._handle.create_write_transaction(
                [], "append", self._handle.schema(), commit_properties=properties
            )


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """Turns deltalake's errors into ours: lost races into Conflict, the rest into Unavailable."""
    from deltalake.exceptions import CommitFailedError, DeltaError

    try:
        yield
    except CommitFailedError as error:
        raise Conflict(f"another writer was first: reason={_first_line(error)}") from None
    except (DeltaError, OSError) as error:
        raise Unavailable(
            f"table log cannot be written: url={url}, reason={_first_line(error)}"
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0][:300]


def _properties(
    retries: int, positions: Mapping[str, int], versions: Mapping[str, int] | None = None
) -> Any:
    from deltalake import CommitProperties, Transaction

    numbers = {f"{APP}{worker}": lsn for worker, lsn in positions.items()} | dict(versions or {})
    transactions = [Transaction(app, number) for app, number in numbers.items()]
    return CommitProperties(max_commit_retries=retries, app_transactions=transactions)


def _add(segment: Segment) -> Any:
    from deltalake.transaction import AddAction

    return AddAction(
        segment.path, segment.size_bytes, {}, segment.modified_us // 1_000, True, segment.stats
    )


def _remove(segment: Segment) -> Any:
    from deltalake.transaction import RemoveAction

    return RemoveAction(segment.path, True, segment.modified_us // 1_000, segment.size_bytes, {})


def landed(snapshot: Snapshot, added: Iterable[Segment]) -> bool:
    """Whether files of a commit whose answer was lost are in `snapshot`: names are used once."""
    present = {segment.path for segment in snapshot.segments}
    return any(segment.path in present for segment in added)
