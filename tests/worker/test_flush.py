"""A flush: the same rows under the same names, once, wherever it is cut off; and nothing that can never be flushed."""

import threading
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from flightdb.app import SystemClock
from flightdb.coordinator.service import WriteMode
from flightdb.errors import FlightdbError, InvalidPayload, InvalidRequest, Unavailable
from flightdb.model.record import Record
from tests.worker.node import Stopped, refused

STEPS = [
    ("store", "before_put"),
    ("store", "after_put"),
    ("catalog", "before_commit"),
    ("catalog", "after_commit"),
]


def ends(*_: object) -> None:
    raise Stopped


@pytest.mark.parametrize(("owner", "step"), STEPS)
def test_a_flush_that_is_cut_off_is_repeated_under_the_same_names(nodes, owner, step):
    node = nodes()
    for number in range(3):
        node.write("t", (f"r{number}", {"n": number}), (f"r{number}", {"n": -number}))
    setattr(getattr(node, owner), step, ends)
    with pytest.raises(Stopped):
        node.service.flush()
    before = node.files()

    node = nodes()
    assert node.count("t") == 6
    node.service.flush()
    assert node.count("t") == 6
    assert before <= node.files()
    assert len(node.files()) == 3, "a file an id and day, none left over"
    node = nodes()
    assert (node.count("t"), node.service.flush()) == (6, 0)


def test_the_same_rows_make_the_same_bytes(nodes, tmp_path):
    node = nodes()
    node.write(
        "t", *[(f"r{number % 50}", {"n": number, "s": "x" * number}) for number in range(200)]
    )
    node.catalog.before_commit = ends
    with pytest.raises(Stopped):
        node.service.flush()
    first = {path: node.store.checksum(path) for path in node.files()}
    node.store.delete(sorted(first))
    node = nodes()
    node.service.flush()

    assert {path: node.store.checksum(path) for path in node.files()} == first


def test_a_torn_file_that_no_commit_names_is_written_again(nodes):
    node = nodes()
    node.write("t", ("a", {"n": 1}))
    node.catalog.before_commit = ends
    with pytest.raises(Stopped):
        node.service.flush()
    (path,) = node.files()
    (node.directory / "tables" / path).write_bytes(b"PAR1")
    node = nodes()
    node.service.flush()

    assert node.rows("SELECT id, n FROM t") == [("a", 1)]


def test_rows_stay_visible_while_a_flush_fails_and_are_flushed_later(node):
    node.write("t", ("a", {"n": 1}))

    def fail(_: object) -> None:
        raise Unavailable("store is down: test")

    node.store.before_put = fail
    assert isinstance(refused(node.service.flush), Unavailable)
    assert node.count("t") == 1
    node.write("t", ("b", {"n": 2}))
    node.store.before_put = lambda path: None

    assert node.service.flush("t") in (1, 2), "the loop may have tried meanwhile"
    assert (node.count("t"), node.scratch()) == (2, [])


def test_the_flush_thread_outlives_a_defect(node):
    def fail(_: object) -> None:
        raise RuntimeError("a defect")

    node.write("t", ("a", {"n": 1}))
    node.store.before_put = fail
    node.worker._loop.on_pressure()
    for _ in range(100):
        if node.worker.status().figures["flush_failures"]:
            break
        threading.Event().wait(0.05)
    node.store.before_put = lambda path: None

    assert node.worker._loop._thread.is_alive()
    assert node.service.health().status == "degraded"
    node.service.drop_table("t")
    node.write("u", ("a", {"n": 1}))
    node.worker._loop.on_pressure()
    for _ in range(100):
        if len(node.catalog.load("u").segments) == 1:
            break
        threading.Event().wait(0.05)
    assert len(node.catalog.load("u").segments) == 1


# --- rows that could never be flushed ---
EVENTS = pa.schema([("key", pa.string()), ("at", pa.timestamp("us")), ("n", pa.int64())])


def test_null_ids_of_a_plain_table_are_flushed_like_any_other(node):
    moment = datetime(2026, 1, 1)
    rows = pa.record_batch([["a", None, "b"], [moment] * 3, [1, 2, 3]], schema=EVENTS)
    node.ingest("t", rows, WriteMode.CREATE_APPEND, id_column="key", time_column="at")
    node.ingest("t", rows)
    assert node.count("t") == 6
    node.service.flush()

    assert node.count("t") == 6
    assert node.rows("SELECT count(*) FROM t WHERE key IS NULL") == [(2,)]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1_700_000_000_000_000_001, -1], pa.timestamp("ns")),
        pa.array([1, None], pa.timestamp("us")),
        pa.array([1, 2], pa.timestamp("s")),
        pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * 2, pa.timestamp("ms", tz="UTC")),
        pa.array([[1], [2]], pa.list_(pa.int64())),
        pa.array([{"a": 1}, None], pa.struct([("a", pa.int64())])),
        pa.array([b"0123456789abcdef"] * 2, pa.binary(16)).cast(pa.binary(16)),
        pa.array([timedelta(seconds=1)] * 2, pa.duration("us")),
        pa.array([True, None]),
        pa.array([1.5, None], pa.float32()),
    ],
    ids=lambda column: str(column.type),
)
@pytest.mark.parametrize("role", ["id_column", "time_column"])
def test_any_column_may_sort_a_plain_table(node, column, role):
    rows = pa.record_batch({"c": column, "n": [1, 2]})
    is_moment = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
    if role == "time_column" and not is_moment:
        with pytest.raises(InvalidRequest, match="cannot be the time column"):
            node.ingest("t", rows, WriteMode.CREATE_APPEND, time_column="c")
        return
    node.ingest("t", rows, WriteMode.CREATE_APPEND, **{role: "c"})
    node.ingest("t", rows)
    node.service.flush()

    assert node.count("t") == 4
    assert node.rows("SELECT sum(n) FROM t") == [(6,)]


def test_an_id_of_any_text_is_flushed(node):
    ids = ["", "..", "a/b", "~", "x" * 3_000, "é" * 300, "\x00", "_packed"]
    moment = datetime(2026, 1, 1)
    rows = pa.record_batch([ids, [moment] * len(ids), list(range(len(ids)))], schema=EVENTS)
    node.ingest("t", rows, WriteMode.CREATE_APPEND, id_column="key", time_column="at")
    node.ingest("t", rows)
    node.service.flush()

    assert sorted(row[0] for row in node.rows("SELECT key FROM t")) == sorted(ids + ids)


def test_a_moment_out_of_the_engines_range_is_refused_at_the_door(node):
    node.write("t", ("a", {"n": 1}))
    for moment in (2**63 - 1, -(2**63), 2**70):
        with pytest.raises(FlightdbError):
            node.service.write_records({"t": [Record("far", moment, {"n": 1})]})
    node.service.write_records({"t": [Record("b", 253_402_300_800_000_000, {"n": 1})]})
    node.service.write_records({"t": [Record("c", -62_167_219_200_000_001, {"n": 1})]})
    node.service.flush()

    assert node.count("t") == 3


def test_a_duration_that_the_engine_cannot_hold_is_refused_at_the_door(node):
    rows = pa.record_batch({"d": pa.array([5], pa.duration("s"))})
    node.ingest("t", rows, WriteMode.CREATE_APPEND)
    with pytest.raises(InvalidPayload):
        node.service.write_records({"t": [Record("", 0, {"d": 10**11})]})
    node.service.flush()

    assert node.count("t") == 1


# --- names ---
class SteppingClock(SystemClock):
    """A wall clock that can be put back."""

    def __init__(self) -> None:
        self.offset_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.offset_us


def test_a_clock_put_back_names_no_file_twice(nodes):
    clock = SteppingClock()
    node = nodes(clock=clock)
    node.write("t", ("a", {"n": 1}))
    node.service.flush()
    first = int(next(iter(node.files())).rpartition("/")[2].removesuffix(".parquet"))
    clock.offset_us = -3_600_000_000
    node = nodes(clock=clock)
    node.write("t", ("a", {"n": 2}))
    node.service.flush()
    names = {int(path.rpartition("/")[2].removesuffix(".parquet")) for path in node.files()}

    assert len(names) == 2
    assert min(names) == first


# --- tables that go away ---
def test_a_flush_that_waited_while_its_table_was_dropped_counts_nothing_twice(node):
    node.write("t", ("a", {"n": "x" * 1_000}))
    state = node.state("t")
    node.service.drop_table("t")

    assert node.worker._flusher.flush(state) == 0
    assert node.worker.status().figures["buffered_bytes"] == 0


def test_flushing_all_passes_over_a_table_that_is_being_dropped(node):
    node.write("a", ("x", {"n": 1}))
    node.write("b", ("x", {"n": 1}))
    node.workers.forget("node-1", node.catalog.load("a").table)

    assert node.service.flush() == 1


def test_stopping_flushes_every_table_also_after_one_that_fails(nodes):
    node = nodes()
    node.write("a", ("x", {"n": 1}))
    node.write("b", ("x", {"n": 1}))

    def fail(path: str) -> None:
        if path.startswith("a/"):
            raise Unavailable("store is down: test")

    node.store.before_put = fail
    with pytest.raises(Unavailable):
        node.worker.stop()
    assert len(node.catalog.load("b").segments) == 1
