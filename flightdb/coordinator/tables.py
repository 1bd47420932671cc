"""Tables: making, finding, listing and dropping them, and their true figures."""

import fnmatch
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event

import pyarrow as pa
import structlog

from flightdb.catalog.catalog import Catalog
from flightdb.cluster.workers import TableLoad, Workers
from flightdb.coordinator.service import TableInfo
from flightdb.errors import AlreadyExists, Conflict, InvalidRequest, NotFound, Unsupported
from flightdb.model.clock import Clock
from flightdb.model.names import TABLE_NAME_PATTERN, check_table_name, fold
from flightdb.model.schema import logical_of
from flightdb.model.snapshot import Snapshot
from flightdb.model.table import IdStrategy, Table, TableKind, TableOptions, record_schema

log = structlog.get_logger()

_LOOKS, _LOOK_S = 200, 0.01
"""Making a table takes some ms on a local disk."""


@dataclass(frozen=True, slots=True)
class TableRules:
    """What the server's settings say of tables."""

    auto_create: bool = True
    default_table: str = "default"
    tables_max: int = 1000
    name_pattern: str = TABLE_NAME_PATTERN
    options: TableOptions = field(default_factory=TableOptions)


class Tables:
    """Thread-safe."""

    def __init__(self, catalog: Catalog, workers: Workers, clock: Clock, rules: TableRules) -> None:
        """`rules`: limits and defaults."""
        self._catalog = catalog
        self._workers = workers
        self._clock = clock
        self.rules = rules
        self._pause = Event()

    def find(self, name: str) -> Table:
        """The table of that name, compared without case; from memory.

        Raises:
            NotFound: there is none.
        """
        return self._catalog.load(name).table

    def planned(
        self,
        name: str,
        kind: TableKind,
        schema: pa.Schema | None,
        options: TableOptions | None = None,
        *,
        id_column: str = "",
        time_column: str = "",
    ) -> Table:
        """A table as it would be made: checked, but not in the catalog yet.

        Raises:
            InvalidRequest: bad name, too many tables, a column that cannot be stored, bad options.
        """
        check_table_name(name, self.rules.name_pattern)
        tables = self._catalog.tables()
        is_there = any(fold(table.name) == fold(name) for table in tables)
        if len(tables) >= self.rules.tables_max and not is_there:
            raise InvalidRequest(
                f"too many tables: at most {self.rules.tables_max}"
                f" (table_management.max_tables), name={name}"
            )
        chosen = _checked(options or self.rules.options)
        is_record = kind is TableKind.RECORD
        full = record_schema(schema) if is_record else logical_of(schema or pa.schema([]))
        for column in (id_column, time_column):
            if column and column not in full.names:
                raise InvalidRequest(
                    f"no such column: expected one of {', '.join(full.names[:20])}, column={column!r}"
                )
        if time_column and not _is_moment(full.field(time_column).type):
            raise InvalidRequest(
                f"column cannot be the time column: expected timestamps or dates, column={time_column!r},"
                f" type={full.field(time_column).type}"
            )
        return Table(
            name,
            "",
            kind,
            logical_of(full),
            chosen,
            created_at_us=self._clock.now_us(),
            id_column="id" if is_record else id_column,
            time_column="timestamp" if is_record else time_column,
        )

    def create(self, table: Table, *, if_not_exists: bool = False) -> Table:
        """Makes a planned table.

        Raises:
            AlreadyExists: unless `if_not_exists`, where the present one is given.
        """
        try:
            made = self._catalog.create(table).table
        except AlreadyExists:
            if if_not_exists:
                return self._being_made(table.name)
            raise
        log.info("table created", table=made.name, kind=str(made.kind), columns=len(made.schema))
        return made

    def _being_made(self, name: str) -> Table:
        """The table of a name that is taken: another writer may be at making it this moment.

        Raises:
            Conflict: it was not there in the end.
        """
        for _ in range(_LOOKS):
            with suppress(NotFound):
                return self.find(name)
            self._pause.wait(_LOOK_S)
        raise Conflict(f"table is being made or dropped: name={name}; try again")

    def drop(self, name: str, *, if_exists: bool = False) -> tuple[Snapshot | None, int]:
        """Removes a table; gives its last snapshot (None when there was none) and how many files it had.

        The files stay until `collect`.
        """
        try:
            table = self.find(name)
        except NotFound:
            if if_exists:
                return None, 0
            raise
        for node in self._workers.owners(table):
            self._workers.forget(node, table)
        snapshot = self._catalog.drop(table)
        log.info("table dropped", table=table.name, files=len(snapshot.segments))
        return snapshot, len(snapshot.segments)

    def collect(self, snapshot: Snapshot) -> None:
        """Deletes the files of a dropped table."""
        self._catalog.collect(snapshot)

    def info(self, name: str) -> TableInfo:
        """One table with its figures."""
        loads = (
            self._loads()
        )  # First: what is pending in them is in no older version than they say.
        return self._info(self._catalog.load(name), loads)

    def matching(self, pattern: str = "") -> Sequence[TableInfo]:
        """All tables whose name matches the glob, sorted by name."""
        loads = self._loads()
        found = []
        for table in self._catalog.tables():
            if pattern and not fnmatch.fnmatchcase(fold(table.name), fold(pattern)):
                continue
            try:
                found.append(self._info(self._catalog.load(table.name), loads))
            except NotFound:
                continue  # Dropped while the list was made.
        return found

    def _loads(self) -> dict[str, list[TableLoad]]:
        loads: dict[str, list[TableLoad]] = {}
        for node in self._workers.nodes():
            for table_id, load in self._workers.status(node).tables.items():
                loads.setdefault(table_id, []).append(load)
        return loads

    def _info(self, snapshot: Snapshot, loads: dict[str, list[TableLoad]]) -> TableInfo:
        table = snapshot.table
        here = loads.get(table.id, [])
        seen = max((load.version for load in here), default=-1)
        if 0 <= seen < snapshot.version:
            # A commit that its worker has not taken in yet: its rows still count as pending there.
            snapshot = self._catalog.at(table, seen)
        oldest, newest = _time_bounds(snapshot)
        # Large statements write files without a buffer, and a restart forgets: the newest file knows.
        filed_us = max((segment.modified_us for segment in snapshot.segments), default=0)
        return TableInfo(
            table,
            snapshot.version,
            snapshot.row_count + sum(load.pending_rows for load in here),
            len(snapshot.segments),
            sum(segment.size_bytes for segment in snapshot.segments)
            + sum(load.pending_bytes for load in here),
            oldest,
            newest,
            max([filed_us, *(load.last_write_us for load in here)]),
            max([filed_us, *(load.last_flush_us for load in here)]),
        )


def _checked(options: TableOptions) -> TableOptions:
    if options.id_strategy in (IdStrategy.SNOWFLAKE, IdStrategy.CUSTOM):
        raise Unsupported(
            f"id strategy is not available yet: expected user_provided or uuid,"
            f" id_strategy={options.id_strategy}"
        )
    checks = (
        ("buffer_size", options.buffer_size, 0, 100_000_000),
        ("flush_interval_seconds", options.flush_interval_seconds, 0, 3600),
        ("retention_days", options.retention_days, 0, 3650),
    )
    for name, value, low, high in checks:
        if not low <= value <= high:
            raise InvalidRequest(f"bad table option: expected {low} to {high}, {name}={value}")
    if options.id_strategy is IdStrategy.UUID and not options.auto_generate_id:
        return replace(options, auto_generate_id=True)
    return options


def _is_moment(type_: pa.DataType) -> bool:
    return pa.types.is_timestamp(type_) or pa.types.is_date(type_)


def _time_bounds(snapshot: Snapshot) -> tuple[int, int]:
    """Oldest and newest moment in the files, from their statistics (to the millisecond); 0 where none is known."""
    column = snapshot.table.time_column
    bounds = [segment.bounds[column] for segment in snapshot.segments if column in segment.bounds]
    if not column or not bounds:
        return 0, 0
    try:
        return (
            min(_as_us(low) for low, _ in bounds),
            max(_as_us(high) for _, high in bounds),
        )
    except ValueError:
        return 0, 0  # The time column of a plain table may be of another type.


def _as_us(text: object) -> int:
    moment = datetime.fromisoformat(str(text))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000)
