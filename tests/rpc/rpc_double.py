"""A core that keeps rows in lists and answers fixed statements: enough to try a door by itself."""

import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa

from flightdb import errors
from flightdb.coordinator.service import (
    Answer,
    CachedAnswer,
    Described,
    Health,
    IsGone,
    StatementKind,
    Status,
    TableInfo,
)
from flightdb.model.batches import BatchStream
from flightdb.model.put import Ack, Done
from flightdb.model.record import Record
from flightdb.model.statement import Statement
from flightdb.model.table import Table, TableKind, TableOptions, record_schema

FAILURES = {
    kind.__name__: kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.FlightdbError)
}


class FixedClock:
    def now_us(self) -> int:
        return 1_700_000_000_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()


class ListService:
    """Raises what a statement or table name asks for: `fail NotFound`, `failNotFound`."""

    def __init__(self) -> None:
        self.answers: dict[str, pa.Table] = {}
        self.cached: dict[str, CachedAnswer] = {}
        self.rows: dict[str, list[Record]] = {}
        self.infos: dict[str, TableInfo] = {}
        self.sequences: dict[str, int] = {}
        self.statements: list[Statement] = []
        self.stopped = threading.Event()
        self.status_text = "healthy"
        self._numbers = itertools.count(1)
        # One thread, so that what is queued first is written first.
        self._waiting: list[int] = []
        self.queue_max = 1000
        self.overload_count = 0
        self._committer = ThreadPoolExecutor(1)

    def new_query_id(self) -> str:
        return f"{next(self._numbers):032x}"

    def describe(self, sql: str) -> Described:
        kind = StatementKind.UPDATE if sql.startswith("insert") else StatementKind.QUERY
        return Described(kind, pa.schema([]), pa.schema([]))

    def cached_answer(self, statement: Statement) -> CachedAnswer | None:
        return self.cached.get(statement.sql)

    def update(self, statement: Statement, *, is_gone: IsGone | None = None) -> int:
        return 3

    def answer(
        self, statement: Statement, *, pin: str = "", is_gone: IsGone | None = None
    ) -> Answer:
        self.statements.append(statement)
        verb, _, rest = statement.sql.partition(" ")
        if verb == "fail":
            raise FAILURES[rest](f"it failed: kind={rest}")
        if verb == "break":
            raise ZeroDivisionError("a secret of the house")
        if verb == "hang":
            self._hang(is_gone or (lambda: False))
        if statement.sql not in self.answers:
            raise errors.NotFound(f"table not found: sql={statement.sql}")
        table = self.answers[statement.sql]
        return Answer(
            statement.query_id,
            BatchStream(table.schema, iter(table.to_batches()), self.stopped.set),
            False,
        )

    def _hang(self, is_gone: IsGone) -> None:
        for _ in range(1000):
            if is_gone():
                self.stopped.set()
                raise errors.Cancelled("query was stopped: the client has gone")
            time.sleep(0.01)

    def submit_records(
        self,
        tables: Mapping[str, Sequence[Record]],
        done: Done,
        *,
        producer: str = "",
        sequence: int = 0,
    ) -> bool:
        self._check(tables)
        if any(table not in self.infos for table in tables):
            return False
        if len(self._waiting) >= self.queue_max:
            self.overload_count += 1
            raise errors.Overloaded("write queue is full")
        self._waiting.append(1)
        self._committer.submit(self._commit, tables, done, producer, sequence)
        return True

    def _commit(self, tables, done, producer, sequence):
        time.sleep(0.001)
        self._waiting.pop()
        done(self._put(tables, producer, sequence))

    def write_records(
        self, tables: Mapping[str, Sequence[Record]], *, producer: str = "", sequence: int = 0
    ) -> Ack:
        self._check(tables)
        for table in tables:
            self.infos.setdefault(table, info(table))
        return self._put(tables, producer, sequence)

    def _check(self, tables: Mapping[str, Sequence[Record]]) -> None:
        for table, records in tables.items():
            if table.startswith("fail"):
                raise FAILURES[table.removeprefix("fail")](f"it failed: table={table}")
            for record in records:
                if not record.id:
                    raise errors.InvalidPayload(f"id is missing: table={table}")

    def _put(self, tables: Mapping[str, Sequence[Record]], producer: str, sequence: int) -> Ack:
        count = sum(len(records) for records in tables.values())
        if producer and sequence <= self.sequences.get(producer, 0):
            return Ack(1, count, is_repeat=True)
        self.sequences[producer] = sequence
        for table, records in tables.items():
            self.rows.setdefault(table, []).extend(records)
        return Ack(1, count)

    def create_table(
        self,
        name: str,
        *,
        kind: TableKind = TableKind.RECORD,
        schema: pa.Schema | None = None,
        options: TableOptions | None = None,
        if_not_exists: bool = False,
    ) -> TableInfo:
        if name in self.infos and not if_not_exists:
            raise errors.AlreadyExists(f"table exists: name={name}")
        made = info(name)
        made = replace(made, table=replace(made.table, options=options or TableOptions()))
        return self.infos.setdefault(name, made)

    def table(self, name: str) -> TableInfo:
        if name not in self.infos:
            raise errors.NotFound(f"table not found: name={name}")
        return self.infos[name]

    def tables(self, pattern: str = "") -> Sequence[TableInfo]:
        prefix = pattern.rstrip("*")
        return [self.infos[name] for name in sorted(self.infos) if name.startswith(prefix)]

    def drop_table(self, name: str, *, if_exists: bool = False) -> int:
        if name not in self.infos:
            if if_exists:
                return 0
            raise errors.NotFound(f"table not found: name={name}")
        del self.infos[name]
        return 2

    def health(self) -> Health:
        return Health(self.status_text, {"store": (self.status_text, "a line")})

    def status(self) -> Status:
        if self.status_text is None:
            raise ValueError("no status")
        return Status("node-1", "0.1.0", 0, 0, {}, [])


def info(name: str) -> TableInfo:
    table = Table(
        name, f"{name}-1", TableKind.RECORD, record_schema(), created_at_us=1_600_000_000_500_000
    )
    return TableInfo(
        table,
        version=1,
        record_count=7,
        file_count=2,
        size_bytes=1000,
        oldest_us=1_500_000_000_000_000,
        newest_us=1_600_000_000_000_000,
        last_write_us=0,
        last_flush_us=0,
    )
