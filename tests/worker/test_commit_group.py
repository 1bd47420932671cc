"""Group commit: many writes, one sync; each answered once, and none for its neighbour's fault."""

import threading
from dataclasses import replace

import pyarrow as pa
import pytest

from flightdb.errors import (
    Conflict,
    FlightdbError,
    Internal,
    InvalidPayload,
    NotFound,
    Overloaded,
    TooLarge,
)
from flightdb.model.put import Ack, Put, Rows, TablePut
from flightdb.model.record import Record
from flightdb.worker.committer import CommitLimits
from tests.worker.node import SILENT

MOMENT = 1_700_000_000_000_000


class Answers:
    """What the committer said, in order; `wait` for a number of them."""

    def __init__(self) -> None:
        self.given: list[Ack | FlightdbError] = []
        self._arrived = threading.Semaphore(0)

    def done(self, answer: Ack | FlightdbError) -> None:
        self.given.append(answer)
        self._arrived.release()

    def wait(self, count: int) -> list[Ack | FlightdbError]:
        for _ in range(count):
            assert self._arrived.acquire(timeout=10), f"answers: {len(self.given)}"
        return self.given


def together(node, work) -> None:
    """Runs `work` while the committer is held, so that what it queues is one group."""
    held, go = threading.Event(), threading.Event()

    def hold() -> None:
        held.set()
        go.wait(10)

    holder = threading.Thread(target=node.worker._committer.run, args=(hold,))
    holder.start()
    held.wait(10)
    work()
    go.set()
    holder.join()


def record_put(node, table: str, record_id: str, value: object = 1, **kwargs: object) -> Put:
    """A put of one row (id, timestamp, n), unchecked."""
    found = node.catalog.load(table).table
    return Put((TablePut(found, Rows(((record_id, MOMENT, value),))),), **kwargs)


@pytest.fixture
def table(node) -> str:
    node.write("t", ("first", {"n": 1}))
    return "t"


def test_writes_that_wait_together_are_one_group(node, table):
    answers, groups = Answers(), node.worker._committer.group_count

    def writes() -> None:
        for number in range(200):
            node.workers.put("node-1", record_put(node, table, f"r{number}"), answers.done)

    together(node, writes)

    assert {type(answer) for answer in answers.wait(200)} == {Ack}
    assert len({answer.lsn for answer in answers.given}) == 1
    assert node.worker._committer.group_count == groups + 1
    assert node.count(table) == 201


def test_a_write_that_does_not_convert_fails_alone_and_is_told_once(node, table):
    answers, bad = Answers(), Answers()
    old = node.catalog.load(table).table
    node.service.drop_table(table)
    node.write(table, ("again", {"n": 1}))
    gone = Put((TablePut(old, Rows((("x", MOMENT, 1),))),))

    def writes() -> None:
        node.workers.put("node-1", record_put(node, table, "a"), answers.done)
        node.workers.put("node-1", record_put(node, table, "b", "text"), bad.done)
        node.workers.put("node-1", gone, bad.done)
        node.workers.put("node-1", record_put(node, table, "c"), answers.done)

    together(node, writes)

    assert {type(answer) for answer in answers.wait(2)} == {Ack}
    assert {type(answer) for answer in bad.wait(2)} == {InvalidPayload, NotFound}
    node.write(table, ("later", {"n": 2}))
    assert len(bad.given) == 2, "each write is answered once"
    assert [row[0] for row in node.rows("SELECT id FROM t ORDER BY id")] == [
        "a",
        "again",
        "c",
        "later",
    ]


def test_a_write_of_no_rows_is_acknowledged_and_harms_nobody(node, table):
    ack = node.service.write_records({table: [Record("a", MOMENT, {"n": 1})], "empty": []})
    answers = Answers()
    node.service.submit_records({table: []}, answers.done)

    assert ack.row_count == 1
    assert answers.wait(1)[0].row_count == 0
    assert node.count(table) == 2


def test_a_write_larger_than_the_log_can_take_fails_alone(nodes):
    node = nodes(wal_bytes=2 << 20, segment_bytes=256 << 10)
    node.write("t", ("first", {"n": "x"}))
    answers, large = Answers(), Answers()

    def writes() -> None:
        node.workers.put("node-1", record_put(node, "t", "a", "small"), answers.done)
        node.workers.put("node-1", record_put(node, "t", "b", "x" * (2 << 20)), large.done)
        node.workers.put("node-1", record_put(node, "t", "c", "small"), answers.done)

    together(node, writes)

    assert {type(answer) for answer in answers.wait(2)} == {Ack}
    assert isinstance(large.wait(1)[0], TooLarge)
    assert node.count("t") == 3


def test_rows_count_with_their_texts_against_the_queue(node, table):
    answers = Answers()

    def writes() -> None:
        for number in range(40):
            put = record_put(node, table, f"r{number}", 1)
            wide = put.tables[0]._replace(rows=Rows((("x" * (8 << 20), MOMENT, number),)))
            node.workers.put("node-1", put._replace(tables=(wide,)), answers.done)

    together(node, writes)
    kinds = [type(answer) for answer in answers.wait(40)]

    assert Overloaded in kinds, "320 MiB of text do not wait in a queue of 128 MiB"
    assert node.count(table) == 1 + kinds.count(Ack)


def test_a_defect_in_the_committer_is_answered_and_later_writes_go_on(node, table):
    answers = Answers()
    unknown = replace(node.catalog.load(table).table, schema=pa.schema([]))
    put = Put((TablePut(unknown, Rows(((object(),),))),))
    node.workers.put("node-1", put, answers.done)

    assert isinstance(answers.wait(1)[0], InvalidPayload | Internal)
    node.write(table, ("later", {"n": 2}))
    assert node.count(table) == 2


# --- producers ---
def test_a_repeat_in_one_group_is_stored_once_and_answered_twice(node, table):
    answers = Answers()

    def writes() -> None:
        for _ in range(2):
            put = record_put(node, table, "a", producer="p", sequence=1)
            node.workers.put("node-1", put, answers.done)

    together(node, writes)

    first, second = answers.wait(2)
    assert (first.lsn, first.row_count, first.is_repeat) == (second.lsn, 1, False)
    assert second.is_repeat
    assert node.count(table) == 2


def test_a_repeat_of_a_refused_write_of_its_group_is_not_taken_for_stored(node, table):
    """The producer's earlier write was stored; that says nothing of this one."""
    answers = Answers()
    node.write(table, ("five", {"n": 1}), producer="p", sequence=5)

    def writes() -> None:
        bad = record_put(node, table, "six", "text", producer="p", sequence=6)
        good = record_put(node, table, "six", 6, producer="p", sequence=6)
        node.workers.put("node-1", bad, answers.done)
        node.workers.put("node-1", good, answers.done)

    together(node, writes)
    answers.wait(2)

    assert node.count(table) == 3
    assert sorted(type(answer) for answer in answers.given if isinstance(answer, Ack)) == [Ack]


@pytest.mark.parametrize("clean", [True, False])
def test_a_repeat_after_a_restart_is_a_no_op(nodes, clean):
    node = nodes()
    first = node.write("t", ("a", {"n": 1}), ("b", {"n": 2}), producer="p", sequence=3)
    if clean:
        node.service.flush()
    node = nodes()
    again = node.write("t", ("a", {"n": 1}), ("b", {"n": 2}), producer="p", sequence=3)

    assert (again.is_repeat, again.row_count) == (True, first.row_count)
    assert node.count("t") == 2


def test_producers_outlive_the_log_segments_that_told_of_them(nodes):
    node = nodes(wal_bytes=8 << 20, segment_bytes=64 << 10)
    node.write("t", ("a", {"n": "x"}), producer="p", sequence=1)
    for number in range(40):
        node.write("t", (f"r{number}", {"n": "y" * 8_000}))
    oldest = min(path.name for path in (node.directory / "wal").glob("*.wal"))
    node.service.flush()
    assert min(path.name for path in (node.directory / "wal").glob("*.wal")) != oldest
    node = nodes(wal_bytes=8 << 20, segment_bytes=64 << 10)

    assert node.write("t", ("a", {"n": "x"}), producer="p", sequence=1).is_repeat
    assert node.count("t") == 41


# --- bounds ---
def fill(node, table: str) -> int:
    """Writes until refused, past the slowing of writers; gives how many were acknowledged."""
    node.write(table, ("first", {"n": "x"}))
    answers = Answers()
    for number in range(1, 20_000):
        put = record_put(node, table, f"r{number}", "x" * 900)
        node.workers.put("node-1", put, answers.done)
        if isinstance(answers.wait(1)[-1], Overloaded):
            return number
    raise AssertionError("the log was never full")


def test_a_full_log_refuses_loses_nothing_and_takes_rows_again_after_a_flush(nodes):
    node = nodes(wal_bytes=1 << 20, segment_bytes=64 << 10)
    written = fill(node, "t")
    assert node.count("t") == written

    assert node.service.flush() in (0, written), "or the flush that the full log caused was first"
    assert node.count("t") == written
    node.write("t", ("more", {"n": "x" * 9_000}))
    node = nodes(wal_bytes=1 << 20, segment_bytes=64 << 10)
    assert node.count("t") == written + 1


def test_a_full_log_is_flushed_without_being_asked(nodes):
    node = nodes(wal_bytes=1 << 20, segment_bytes=64 << 10)
    fill(node, "t")

    for _ in range(100):
        try:
            node.write("t", ("more", {"n": "x" * 9_000}))
            break
        except Overloaded:
            threading.Event().wait(0.1)
    else:
        pytest.fail("writes are refused for good")


def test_a_log_kept_full_by_a_lease_takes_rows_when_the_lease_ends(nodes):
    node = nodes(wal_bytes=1 << 20, segment_bytes=64 << 10)
    node.write("t", ("early", {"n": "x"}))
    lease = node.workers.lease("node-1", [node.catalog.load("t").table], 60)
    fill(node, "t")
    node.service.flush()
    with pytest.raises(Overloaded):
        node.write("t", ("more", {"n": "x" * 900}))
    node.workers.release("node-1", lease.id)

    for _ in range(100):
        try:
            node.write("t", ("more", {"n": "x" * 900}))
            break
        except Overloaded:
            threading.Event().wait(0.1)
    else:
        pytest.fail("writes are refused for good")


def test_unflushed_rows_are_bounded(nodes):
    node = nodes(limits=replace(SILENT, commit=CommitLimits(1_000, 256 << 10)))
    node.worker._loop.stop()
    stored = fill(node, "t")

    assert 200 < stored < 400
    assert node.count("t") == stored
    assert node.service.flush() == stored
    node.write("t", ("more", {"n": "x"}))
    assert node.count("t") == stored + 1
    assert node.worker.status().figures["buffered_bytes"] < 10_000


def test_a_table_changed_under_a_write_says_so(node, table):
    old = node.catalog.load(table).table
    node.ingest(table, pa.record_batch({"other": [1]}), node_mode())
    answers = Answers()
    node.workers.put("node-1", Put((TablePut(old, Rows((("x", MOMENT, 1),))),)), answers.done)

    assert isinstance(answers.wait(1)[0], Conflict)
    assert node.count(table) == 1


def node_mode():
    from flightdb.coordinator.service import WriteMode

    return WriteMode.REPLACE
