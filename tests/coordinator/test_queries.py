"""Queries: an answer is of its moment or of its pin, never older; plans follow the tables; stopping works."""

import threading
import time
from dataclasses import replace

import pyarrow as pa
import pytest

from flightdb.coordinator.core import CoordinatorLimits
from flightdb.coordinator.service import WriteMode
from flightdb.errors import (
    Cancelled,
    Conflict,
    DeadlineExceeded,
    FlightdbError,
    InvalidQuery,
    NotFound,
    Overloaded,
    Unavailable,
)
from flightdb.model.statement import Statement
from tests.worker.node import SILENT, refused

SLOW = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = -1"


def numbers(*values: int) -> pa.RecordBatch:
    return pa.record_batch({"n": pa.array(values, pa.int64())})


# --- the result cache ---
def test_a_repeated_query_is_answered_from_memory_until_its_table_changes(node):
    node.ingest("t", numbers(1, 2), WriteMode.CREATE)
    asked = Statement("SELECT sum(n) FROM t")
    changes = [
        (lambda: node.ingest("t", numbers(10)), 13),
        (node.service.flush, 13),
        (lambda: node.ingest("t", numbers(5), WriteMode.REPLACE), 5),
        (lambda: node.update("DROP TABLE t"), None),
        (lambda: node.ingest("t", numbers(7), WriteMode.CREATE), 7),
    ]
    assert node.rows(asked.sql) == [(3,)]
    assert node.service.cached_answer(asked).table.to_pylist() == [{"sum(n)": 3}]
    for change, expected in changes:
        change()
        assert node.service.cached_answer(asked) is None
        if expected is not None:
            assert node.rows(asked.sql) == [(expected,)]
            assert node.service.answer(asked).is_cached


def test_the_cache_tells_parameters_apart_by_value_and_type(node):
    node.ingest("t", numbers(1, 2), WriteMode.CREATE)

    def ask(value: object, kind: pa.DataType) -> list[dict]:
        given = pa.record_batch([pa.array([value], kind)], names=["1"])
        answer = node.service.answer(Statement("SELECT typeof($1) AS k, $1 AS v FROM t", given))
        return answer.batches.read_all().to_pylist()[0]

    seen = [ask(1, pa.int64()), ask(2, pa.int64()), ask(1, pa.float64()), ask(1, pa.int64())]
    assert [(one["k"], one["v"]) for one in seen] == [
        ("BIGINT", 1),
        ("BIGINT", 2),
        ("DOUBLE", 1.0),
        ("BIGINT", 1),
    ]


def test_answers_that_change_by_themselves_are_not_kept(node):
    node.ingest("t", numbers(1), WriteMode.CREATE)
    for sql in ("SELECT random() FROM t", "SELECT now() FROM t"):
        node.rows(sql)
        assert node.service.cached_answer(Statement(sql)) is None


def test_no_answer_is_older_than_the_last_acknowledged_write(node):
    """Writers and readers at once: after an acknowledgement each answer, cached or not, has the row."""
    node.ingest("t", numbers(), WriteMode.CREATE)
    sql, wrong = "SELECT count(*), sum(n) FROM t", []
    acknowledged = 0
    stop = threading.Event()

    def read() -> None:
        last = 0
        while not stop.is_set():
            before = acknowledged
            ((count, total),) = node.rows(sql)
            if count < max(before, last) or (total or 0) != count:
                wrong.append((before, last, count, total))
            last = count

    def flush() -> None:
        while not stop.wait(0.05):
            node.service.flush()

    helpers = [threading.Thread(target=read) for _ in range(3)]
    helpers.append(threading.Thread(target=flush))
    for helper in helpers:
        helper.start()
    for _ in range(150):
        node.service.write_batch("t", numbers(1))
        acknowledged += 1
    stop.set()
    for helper in helpers:
        helper.join()

    assert wrong == []
    assert node.rows(sql) == [(150, 150)]


def test_figures_of_a_table_are_true_at_every_moment(node):
    node.ingest("t", numbers(), WriteMode.CREATE)
    wrong: list[tuple[int, int]] = []
    written, stop = 0, threading.Event()

    def look() -> None:
        while not stop.is_set():
            low = written
            found = node.service.table("t").record_count
            if not low <= found <= written + 1:
                wrong.append((low, found))

    looker = threading.Thread(target=look)
    looker.start()
    for _ in range(40):
        node.service.write_batch("t", numbers(1))
        written += 1
        node.service.flush()
    stop.set()
    looker.join()

    assert wrong == []


# --- plans ---
def test_plans_follow_their_tables(node):
    node.write("t", ("a", {"n": 1}))
    sql = "SELECT * FROM t"
    assert len(node.service.describe(sql).schema) == 3
    node.write("t", ("b", {"m": 1}))
    assert node.service.describe(sql).schema.names == ["id", "timestamp", "n", "m"]
    node.write("t", ("c", {"n": 0.5}))
    assert node.service.describe(sql).schema.field("n").type == pa.float64()
    node.service.drop_table("t")
    with pytest.raises(NotFound):
        node.service.describe(sql)
    node.ingest("t", numbers(1), WriteMode.CREATE)
    assert node.service.describe(sql).schema.names == ["n"]
    assert node.rows(sql) == [(1,)]


def test_an_answer_has_the_schema_that_was_described(node):
    node.write("t", ("a", {"n": 1, "s": "x"}))
    for sql in ("SELECT * FROM t", "SELECT count(*) FROM t", "SELECT n + 0.5 FROM t WHERE false"):
        described = node.service.describe(sql).schema
        assert node.service.pin(Statement(sql)).schema == described
        with node.service.answer(Statement(sql)).batches as batches:
            assert batches.schema == described


def test_queries_go_on_while_schemas_change(node):
    node.write("t", ("a", {"n": 1}))
    failures: list[FlightdbError] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            failure = refused(lambda: node.rows("SELECT * FROM t", fresh=True))
            if failure is not None:
                failures.append(failure)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(12):
        node.write("t", ("b", {f"c{number}": 1}))
        if number % 4 == 0:
            node.service.flush()
    node.write("t", ("c", {"n": 0.5}))
    stop.set()
    for reader in readers:
        reader.join()

    assert failures == []


# --- pins ---
def test_a_pin_answers_on_its_snapshot_once_and_a_lost_one_on_a_fresh_one(node):
    node.ingest("t", numbers(1), WriteMode.CREATE)
    sql = "SELECT count(*) FROM t"
    pin = node.service.pin(Statement(sql)).id
    node.ingest("t", numbers(2))
    node.service.flush()

    assert node.rows(sql, pin=pin) == [(1,)]
    assert node.rows(sql, pin=pin) == [(2,)]
    assert node.rows(sql, pin="unknown") == [(2,)]
    assert node.worker.status().figures["leases"] == 0


def test_a_pin_that_expired_is_answered_afresh_and_let_go(nodes):
    node = nodes(coordinator=CoordinatorLimits(pin_s=0.05))
    node.ingest("t", numbers(1), WriteMode.CREATE)
    sql = "SELECT count(*) FROM t"
    pins = [node.service.pin(Statement(sql)).id for _ in range(20)]
    time.sleep(0.1)
    node.ingest("t", numbers(2))

    assert node.rows(sql, pin=pins[0]) == [(2,)]
    for _ in range(3):
        node.service.pin(Statement(sql))
        time.sleep(0.06)
    assert len(node.service._queries._pins) <= 2
    assert node.worker.status().figures["leases"] <= 20


def test_a_pin_of_a_table_that_changed_since_says_so(node):
    node.write("t", ("a", {"n": 1}))
    pin = node.service.pin(Statement("SELECT * FROM t")).id
    node.write("t", ("b", {"m": 1}))
    assert isinstance(refused(lambda: node.rows("SELECT * FROM t", pin=pin)), Conflict)
    pin = node.service.pin(Statement("SELECT * FROM t")).id
    node.service.drop_table("t")
    assert isinstance(refused(lambda: node.rows("SELECT * FROM t", pin=pin)), NotFound)
    node.write("t", ("a", {"n": 1}))
    pin = node.service.pin(Statement("SELECT * FROM t")).id
    node.service.drop_table("t")
    node.write("t", ("a", {"n": 1}))
    assert isinstance(refused(lambda: node.rows("SELECT * FROM t", pin=pin)), Conflict)
    assert node.worker.status().figures["leases"] == 0


# --- stopping ---
def timed(call) -> tuple[FlightdbError | None, float]:
    began = time.monotonic()
    return refused(call), time.monotonic() - began


def test_a_deadline_stops_a_query_within_a_second(node):
    error, took_s = timed(
        lambda: node.service.answer(Statement(SLOW, timeout_s=0.3)).batches.read_all()
    )

    assert isinstance(error, DeadlineExceeded)
    assert took_s < 1.3
    assert node.service.status().figures["queries_open"] == 0


def test_cancelling_stops_a_query_within_a_second_and_frees_all(node):
    node.ingest("t", numbers(1), WriteMode.CREATE)
    sql = SLOW.replace("WHERE", ", t WHERE")
    outcome: list[tuple[FlightdbError | None, float]] = []

    def ask() -> None:
        statement = Statement(sql, query_id="q1")
        outcome.append(timed(lambda: node.service.answer(statement).batches.read_all()))

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert node.service.cancel("q1")
    thread.join()

    assert time.monotonic() - began < 1
    assert isinstance(outcome[0][0], Cancelled)
    figures = node.service.status().figures
    assert [figures[name] for name in ("queries_open", "queries_running", "leases")] == [0, 0, 0]
    assert not node.service.cancel("q1")


def test_a_client_that_left_stops_its_query(node):
    began = time.monotonic()
    with pytest.raises(Cancelled):
        node.service.answer(Statement(SLOW), is_gone=lambda: True).batches.read_all()
    assert time.monotonic() - began < 1.5


def test_a_door_that_cannot_tell_whether_its_client_left_harms_no_other_query(node):
    def broken() -> bool:
        raise ValueError("torn down")

    with pytest.raises(FlightdbError):
        node.service.answer(Statement(SLOW, timeout_s=0.5), is_gone=broken).batches.read_all()
    error, took_s = timed(
        lambda: node.service.answer(Statement(SLOW, timeout_s=0.3)).batches.read_all()
    )

    assert isinstance(error, DeadlineExceeded)
    assert took_s < 1.5


def test_an_answer_that_is_not_read_frees_all_when_it_is_closed(node):
    node.ingest("t", numbers(*range(100_000)), WriteMode.CREATE)
    for read in (0, 1):
        answer = node.service.answer(Statement("SELECT * FROM t", bypass_cache=True))
        for _ in range(read):
            next(iter(answer.batches))
        answer.batches.close()
        answer.batches.close()
    figures = node.service.status().figures
    assert [figures[name] for name in ("queries_open", "queries_running", "leases")] == [0, 0, 0]


def test_a_query_that_fails_frees_all(node):
    node.ingest("t", numbers(1), WriteMode.CREATE)
    for sql in ("SELECT CAST('x' AS INT) FROM t", "SELECT * FROM nowhere", "SELECT nothing FROM t"):
        with pytest.raises(FlightdbError):
            node.rows(sql)
    with pytest.raises(InvalidQuery):
        node.service.answer(Statement("SELECT n FROM t WHERE n = $1"))
    with pytest.raises(InvalidQuery):
        node.service.answer(Statement("DROP TABLE t"))
    figures = node.service.status().figures
    assert [figures[name] for name in ("queries_open", "queries_running", "leases")] == [0, 0, 0]


def test_more_queries_than_may_run_or_wait_are_refused_and_the_rest_is_answered(nodes):
    node = nodes(limits=replace(SILENT, running_max=1, waiting_max=2, wait_s_max=20))
    first = node.service.answer(Statement("SELECT * FROM range(1000000)"))
    outcomes: list[FlightdbError | None] = []

    def ask() -> None:
        outcomes.append(refused(lambda: node.rows("SELECT random()")))

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert [type(outcome) for outcome in outcomes] == [Overloaded] * 3
    first.batches.close()
    for thread in threads:
        thread.join()

    assert outcomes.count(None) == 2


def test_a_queue_of_queries_that_moves_gives_everyone_their_time(nodes):
    """Waiting is bounded in seconds, not in how often others were quicker."""
    node = nodes(limits=replace(SILENT, running_max=1, waiting_max=64, wait_s_max=3))
    failures: list[FlightdbError] = []

    def ask() -> None:
        for _ in range(25):
            failure = refused(lambda: node.rows("SELECT random()"))
            if failure is not None:
                failures.append(failure)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_stopping_ends_what_runs_and_what_comes(nodes):
    node = nodes()
    outcome: list[FlightdbError | None] = []
    thread = threading.Thread(target=lambda: outcome.append(refused(lambda: node.rows(SLOW))))
    thread.start()
    time.sleep(0.3)
    node.service.stop()
    thread.join(5)
    node.worker.stop()

    assert isinstance(outcome[0], Cancelled)
    assert isinstance(refused(lambda: node.rows("SELECT random()")), Unavailable)
    assert isinstance(refused(lambda: node.write("t", ("a", {"n": 1}))), Unavailable)
