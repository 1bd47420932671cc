"""Schema changes of a table: columns are added by one commit; a wider type means its files are written anew."""

from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import structlog

from flightdb.catalog.catalog import Catalog
from flightdb.model.schema import conform, evolve, widens
from flightdb.model.snapshot import Commit, Snapshot
from flightdb.model.table import Table
from flightdb.worker.committer import Committer
from flightdb.worker.files import SegmentFiles, read_rows
from flightdb.worker.flush import Flusher, newest
from flightdb.worker.names import NameClock
from flightdb.worker.states import States, TableState

log = structlog.get_logger()


class Evolver:
    """Changes schemas; the table's commit lock makes changes of one table take turns."""

    def __init__(
        self,
        states: States,
        committer: Committer,
        flusher: Flusher,
        catalog: Catalog,
        files: SegmentFiles,
        names: NameClock,
    ) -> None:
        """Nothing happens yet."""
        self._states = states
        self._committer = committer
        self._flusher = flusher
        self._catalog = catalog
        self._files = files
        self._names = names

    def evolve(self, state: TableState, fields: Sequence[pa.Field]) -> Table:
        """Makes `fields` fit; see `Workers.evolve`."""
        with state.commit_lock:
            snapshot = newest(self._catalog, state.table)
            schema = evolve(snapshot.table.schema, fields)
            if schema.equals(snapshot.table.schema):
                return snapshot.table
            widened = widens(snapshot.table.schema, schema)
            table = replace(
                snapshot.table, schema=schema, schema_version=snapshot.table.schema_version + 1
            )
            if widened:
                after = self._widen(state, table, widened)
            else:
                after = self._adopted(
                    state, self._catalog.commit(Commit(table, changes_schema=True))
                )
        log.info("schema changed", table=table.name, columns=len(schema), widened=sorted(widened))
        return after.table

    def _adopted(self, state: TableState, snapshot: Snapshot) -> Snapshot:
        self._states.adopt(state, snapshot)
        return snapshot

    def _widen(self, state: TableState, table: Table, widened: frozenset[str]) -> Snapshot:
        """Writes every file anew with the wider columns, then swaps them in one commit."""
        self._flusher.flush_locked(state)
        snapshot = newest(self._catalog, state.table)
        staged = self._files.rewrite(snapshot, table, self._names)
        after: list[Snapshot] = []

        def swap() -> None:
            # Rows that came since the flush have to fit too, or they could never be flushed.
            for buffer in state.buffers:
                for part in buffer.frozen():
                    for batch in read_rows(part.as_source()):
                        conform(batch, table.schema)
            commit = Commit(
                table,
                added=staged.publish(snapshot),
                changes_schema=True,
                replaces=True,
            )
            after.append(self._adopted(state, self._catalog.commit(commit)))

        try:
            self._committer.run(swap)
        finally:
            staged.discard()
        log.info("columns widened", table=table.name, columns=sorted(widened))
        return after[0]
