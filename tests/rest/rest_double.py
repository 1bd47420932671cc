"""A small core for the door's own tests: DuckDB for SQL, lists for tables, one committer thread."""

import queue
import threading
import time

import duckdb
import pyarrow as pa

from flightdb.coordinator.service import (
    Answer,
    CachedAnswer,
    Described,
    Health,
    NodeState,
    StatementKind,
    Status,
    TableInfo,
)
from flightdb.errors import (
    AlreadyExists,
    Cancelled,
    FlightdbError,
    InvalidPayload,
    InvalidQuery,
    NotFound,
    Overloaded,
)
from flightdb.model.batches import BatchStream
from flightdb.model.foreign import check_foreign
from flightdb.model.names import check_table_name
from flightdb.model.put import Ack
from flightdb.model.table import Table, TableKind, TableOptions, record_schema


class FixedClock:
    """Stands still at 2026-01-31T12:00:00.000001Z."""

    def now_us(self):
        return 1_769_860_800_000_001

    def monotonic_s(self):
        return time.monotonic()


class SmallService:
    """Commits on a thread of its own, in groups, as the real one; remembers what it was given."""

    def __init__(self):
        self.forget()
        self._ids = iter(range(1, 1 << 40))
        self._queue = queue.SimpleQueue()
        threading.Thread(target=self._commit, daemon=True).start()

    def forget(self):
        self.records = {}
        self.batches = {}
        self.made = {}
        self.seen = {}
        self.is_full = False
        self.state = "healthy"
        self.cache = {}
        self.closed_streams = 0
        self.stopped_queries = []
        self.flushed = []

    def new_query_id(self):
        return f"{next(self._ids):032x}"

    # SQL
    def describe(self, sql):
        kind = StatementKind.UPDATE if sql.startswith("CREATE") else StatementKind.QUERY
        return Described(kind, pa.schema([]), pa.schema([]))

    def cached_answer(self, statement):
        return self.cache.get(statement.sql)

    def update(self, statement, *, is_gone=None):
        return 3

    def answer(self, statement, *, pin="", is_gone=None):
        if statement.sql == "slow":
            while not is_gone():
                time.sleep(0.01)
            self.stopped_queries.append(statement.query_id)
            raise Cancelled("query was stopped: client left")
        if statement.sql == "defect":
            raise ZeroDivisionError("secret")
        if statement.sql == "breaks":
            return Answer(statement.query_id, self._stream(self._breaking(), is_gone), False)
        return Answer(statement.query_id, self._run(statement, is_gone), False)

    def _run(self, statement, is_gone):
        connection = duckdb.connect()
        values = statement.parameters
        given = None if values is None else [column[0].as_py() for column in values.columns]
        try:
            reader = connection.sql(statement.sql, params=given).to_arrow_reader(8192)
        except duckdb.Error as error:
            raise InvalidQuery(str(error), position=7) from None
        return self._stream((reader.schema, reader), is_gone)

    def _stream(self, source, is_gone):
        schema, batches = source

        def close():
            self.closed_streams += 1

        return BatchStream(schema, iter(batches), close)

    def _breaking(self):
        schema = pa.schema([("a", pa.int64())])

        def batches():
            yield pa.record_batch({"a": [1]}, schema=schema)
            raise InvalidQuery("division by zero")

        return schema, batches()

    def keep(self, sql, table):
        self.cache[sql] = CachedAnswer(table, {})

    # writing
    def submit_records(self, tables, done, *, producer="", sequence=0):
        if self.is_full:
            raise Overloaded("queue is full", retry_after_s=2.2)
        self._check(tables)
        if not all(name in self.records for name in tables):
            return False
        self._queue.put((tables, done, producer, sequence))
        return True

    def write_records(self, tables, *, producer="", sequence=0):
        self._check(tables)
        for name in tables:
            self.records.setdefault(check_table_name(name), [])
        return self._wait(
            lambda done: self.submit_records(tables, done, producer=producer, sequence=sequence)
        )

    def submit_batch(self, table, batch, done, *, producer="", sequence=0):
        check_foreign(batch)
        self.batches.setdefault(check_table_name(table), []).append(batch)
        done(Ack(1, batch.num_rows))
        return True

    def _check(self, tables):
        for rows in tables.values():
            for row in rows:
                if row.payload.get("bad"):
                    raise InvalidPayload("column bad: expected nothing")

    def _wait(self, submit):
        answers = queue.SimpleQueue()
        submit(answers.put)
        outcome = answers.get()
        if isinstance(outcome, FlightdbError):
            raise outcome
        return outcome

    def _commit(self):
        while True:
            tables, done, producer, sequence = self._queue.get()
            count = sum(map(len, tables.values()))
            if producer and (producer, sequence) in self.seen:
                done(Ack(1, self.seen[producer, sequence], is_repeat=True))
                continue
            self.seen[producer, sequence] = count
            made = tuple("made-1" for rows in tables.values() for row in rows if not row.id)
            for name, rows in tables.items():
                self.records[name].extend(rows)
            done(Ack(1, count, made_ids=made))

    def flush(self, table=""):
        self.flushed.append(table)
        return 5

    # tables
    def create_table(self, name, *, kind=None, schema=None, options=None, if_not_exists=False):
        check_table_name(name)
        if name in self.made and not if_not_exists:
            raise AlreadyExists(f"table exists: name={name}")
        self.made[name] = options or TableOptions()
        return self.table(name)

    def table(self, name):
        if name not in self.made:
            raise NotFound(f"table not found: name={name}")
        schema = record_schema(pa.schema([("temperature", pa.float64())]))
        moment = 1_769_860_800_000_000
        table = Table(name, "1", TableKind.RECORD, schema, self.made[name], 0, moment)
        return TableInfo(table, 4, 10, 2, 300, moment, moment + 1, moment, 0)

    def tables(self, pattern=""):
        return [self.table(name) for name in sorted(self.made) if name.startswith(pattern[:-1])]

    def drop_table(self, name, *, if_exists=False):
        if name not in self.made and not if_exists:
            raise NotFound(f"table not found: name={name}")
        return 2 if self.made.pop(name, None) else 0

    # running
    def health(self):
        return Health(self.state, {"store": (self.state, "local directory")})

    def status(self):
        figures = {"write_queue_length": 3.0, "queries_total": 4, "query_seconds_total": 0.01}
        nodes = [NodeState("node-1", "online", "standalone", "here:1", 1_769_860_800_000_000, 0)]
        return Status(
            "node-1", "0.1.0", 1_769_860_800_000_000, 1_769_860_801_500_000, figures, nodes
        )
