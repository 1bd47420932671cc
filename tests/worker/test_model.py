"""The whole of a node against a dict: every acknowledged row once, at once, whatever happens between.

`FLIGHTDB_MODEL_EXAMPLES=1000` runs it longer.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from flightdb.coordinator.service import WriteMode
from flightdb.errors import Conflict, InvalidPayload, NotFound
from flightdb.model.statement import Statement
from tests.worker.node import Node, Stopped, new_engine

TABLES = st.sampled_from(["a", "b"])
STEPS = st.sampled_from(["before_put", "after_put", "before_commit", "after_commit"])
LARGE = 6_000


class Rows(RuleBasedStateMachine):
    """`model`: table name to (column names, rows as dicts)."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.engine = new_engine(self.directory)
        self.node = Node(self.directory, engine=self.engine)
        self.model: dict[str, list[dict]] = {}
        self.columns: dict[str, dict[str, str]] = {}
        self.plain: set[str] = set()
        self.number = 0
        self.pinned: tuple[str, str, list] | None = None

    def teardown(self) -> None:
        self.node.kill()
        self.engine.close()
        shutil.rmtree(self.directory)

    def _next(self) -> int:
        self.number += 1
        return self.number

    # --- writes ---
    @rule(table=TABLES, size=st.integers(1, 3), key=st.sampled_from("nmN"), real=st.booleans())
    def put(self, table: str, size: int, key: str, real: bool) -> None:
        """Records; a key that is new adds a column, a fraction widens one."""
        if table in self.plain:
            return
        made = []
        for _ in range(size):
            number = self._next()
            made.append((f"r{number}", {key.lower(): number + 0.5 if real else number}))
        self.node.write(table, *made)
        columns = self.columns.setdefault(table, {})
        for record_id, payload in made:
            for name, value in payload.items():
                columns[name] = "real" if real or columns.get(name) == "real" else "int"
                row = {"id": record_id, name: value}
                self.model.setdefault(table, []).append(row)

    @rule(table=TABLES, large=st.booleans(), again=st.booleans())
    def ingest(self, table: str, large: bool, again: bool) -> None:
        """A statement, small or large, once or repeated with its key."""
        if table not in self.plain:
            return
        batch = self._batch(LARGE if large else 3)
        key = f"key-{self._next()}"
        for _ in range(2 if again else 1):
            ack = self.node.ingest(table, batch, idempotency_key=key)
            assert ack.row_count == len(batch)
        self.model[table] += batch.to_pylist()

    @rule(table=TABLES, size=st.sampled_from([0, 2, LARGE]))
    def replace(self, table: str, size: int) -> None:
        batch = self._batch(size)
        self.node.ingest(table, batch, WriteMode.REPLACE)
        self.model[table] = batch.to_pylist()
        self.plain.add(table)
        self.columns[table] = {"x": "int"}

    def _batch(self, size: int) -> pa.RecordBatch:
        numbers = [self._next() for _ in range(size)]
        return pa.record_batch(
            {
                "id": pa.array([f"p{number}" for number in numbers], pa.string()),
                "x": pa.array(numbers, pa.int64()),
            }
        )

    @rule(table=TABLES)
    def refused(self, table: str) -> None:
        """A write of which one row does not fit leaves nothing."""
        if table not in self.model:
            return
        with pytest.raises(InvalidPayload):
            self.node.write(table, ("ok", {}), ("bad", {"id": 1}))

    @rule(table=TABLES)
    def drop(self, table: str) -> None:
        if table in self.model:
            self.node.service.drop_table(table)
            del self.model[table]
            self.columns.pop(table, None)
            self.plain.discard(table)
        else:
            with pytest.raises(NotFound):
                self.node.service.drop_table(table)

    @rule(table=TABLES)
    def create(self, table: str) -> None:
        if table not in self.model:
            self.node.service.create_table(table)
            self.model[table] = []

    # --- upkeep ---
    @rule()
    def flush(self) -> None:
        self.node.service.flush()

    @rule(step=STEPS)
    def flush_killed(self, step: str) -> None:
        """The process ends at one step of a flush."""

        def stop(_: object) -> None:
            raise Stopped

        owner = self.node.store if step.endswith("put") else self.node.catalog
        setattr(owner, step, stop)
        with suppress(Stopped):
            self.node.service.flush()
        self._restart()

    @rule(clean=st.booleans())
    def restart(self, clean: bool) -> None:
        if clean:
            self.node.stop()
            self.node = Node(self.directory, engine=self.engine)
            self.pinned = None
        else:
            self._restart()

    def _restart(self) -> None:
        self.node.kill()
        self.node = Node(self.directory, engine=self.engine)
        self.pinned = None

    # --- reads ---
    @rule(table=TABLES)
    def pin(self, table: str) -> None:
        if table in self.model:
            sql = f"SELECT id FROM {table} ORDER BY id"
            pin = self.node.service.pin(Statement(sql))
            self.pinned = (table, pin.id, sorted(row["id"] for row in self.model[table]))

    @precondition(lambda self: self.pinned is not None)
    @rule()
    def answer_pinned(self) -> None:
        """The rows of the moment of the pin, or an error that says that the table changed."""
        table, pin, expected = self.pinned
        self.pinned = None
        try:
            found = self.node.rows(f"SELECT id FROM {table} ORDER BY id", pin=pin)
        except (Conflict, NotFound):
            return
        assert [row[0] for row in found] == expected

    @invariant()
    def every_row_once(self) -> None:
        for table in ("a", "b"):
            if table not in self.model:
                with pytest.raises(NotFound):
                    self.node.rows(f"SELECT * FROM {table}")
                continue
            names = ["id", *self.columns.get(table, {})]
            found = self.node.rows(f"SELECT {', '.join(names)} FROM {table}")
            expected = [tuple(row.get(name) for name in names) for row in self.model[table]]
            assert sorted(map(repr, _as(found))) == sorted(map(repr, _as(expected)))
            assert self.node.count(table) == len(expected)
            assert self.node.service.table(table).record_count == len(expected)


def _as(rows: list[tuple]) -> list[tuple]:
    return [tuple(float(v) if isinstance(v, int) else v for v in row) for row in rows]


TestRows = Rows.TestCase
TestRows.settings = settings(
    max_examples=int(os.environ.get("FLIGHTDB_MODEL_EXAMPLES", "25")),
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
