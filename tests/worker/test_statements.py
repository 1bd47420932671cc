"""Large statements, replacing, evolving, dropping and leases: whole or not at all, also against one another."""

import threading

import pyarrow as pa
import pytest

from flightdb.coordinator.service import WriteMode
from flightdb.errors import (
    AlreadyExists,
    CommitUnknown,
    Conflict,
    FlightdbError,
    InvalidPayload,
    NotFound,
    Unavailable,
)
from flightdb.model.batches import BatchStream
from flightdb.model.record import Record
from flightdb.model.statement import Statement
from tests.worker.node import Stopped, refused

LARGE = pa.record_batch({"n": pa.array(range(20_000), pa.int64())})
SMALL = pa.record_batch({"n": pa.array([1, 2], pa.int64())})


def broken_stream(first: int):
    """A large batch or more, then the client's connection breaks."""

    def batches():
        for _ in range(first):
            yield LARGE
        raise Unavailable("client left: test")

    return BatchStream(LARGE.schema, batches())


# --- large statements ---
@pytest.mark.parametrize("mode", list(WriteMode))
def test_a_stream_that_breaks_leaves_nothing(node, mode):
    if mode is not WriteMode.CREATE:
        node.ingest("t", SMALL, WriteMode.CREATE)
    before, files = (2 if mode is not WriteMode.CREATE else None), node.files()
    with pytest.raises(Unavailable):
        node.service.ingest("t", broken_stream(3), mode)

    assert (node.files(), node.scratch()) == (files, [])
    if before is None:
        with pytest.raises(NotFound):
            node.service.table("t")
    else:
        assert node.count("t") == before


def test_a_large_statement_is_visible_at_once_and_files_are_in_the_log(node):
    node.ingest("t", SMALL, WriteMode.CREATE)
    assert node.ingest("t", [LARGE] * 3).row_count == 60_000
    assert node.count("t") == 60_002
    assert len(node.files()) == len(node.catalog.load("t").segments)
    assert node.scratch() == []


def test_a_large_statement_that_loses_to_a_replacement_leaves_no_files(node):
    node.ingest("t", SMALL, WriteMode.CREATE)
    wider = pa.record_batch({"n": pa.array([7], pa.int64()), "m": pa.array([8], pa.int64())})

    def batches():
        yield LARGE
        node.ingest("t", wider, WriteMode.REPLACE)
        yield LARGE

    with pytest.raises(Conflict):
        node.service.ingest("t", BatchStream(LARGE.schema, batches()), WriteMode.APPEND)

    assert node.rows("SELECT n, m FROM t") == [(7, 8)]
    assert len(node.files()) == 2, "of the first statement, until it is vacuumed, and of the second"


def test_a_large_statement_survives_a_column_that_comes_meanwhile(node):
    node.write("t", ("a", {"n": 1}))
    moments = pa.array([0] * 20_000, pa.timestamp("us", tz="UTC"))
    ids = [f"r{number}" for number in range(20_000)]
    rows = pa.record_batch({"id": ids, "timestamp": moments, "n": range(20_000)})

    def batches():
        yield rows
        node.write("t", ("b", {"n": 1, "m": 2}))
        yield rows

    node.service.ingest("t", BatchStream(rows.schema, batches()), WriteMode.APPEND)

    assert node.rows("SELECT count(*), count(m), sum(m) FROM t") == [(40_002, 1, 2)]


def test_a_large_statement_that_loses_to_a_drop_leaves_no_files(node):
    node.ingest("t", SMALL, WriteMode.CREATE)

    def batches():
        yield LARGE
        node.service.drop_table("t")
        yield LARGE

    with pytest.raises(NotFound):
        node.service.ingest("t", BatchStream(LARGE.schema, batches()), WriteMode.APPEND)
    assert (node.files(), node.scratch()) == (set(), [])


def test_a_repeated_statement_is_stored_once_in_every_size_and_mode(nodes):
    node = nodes()
    node.ingest("t", SMALL, WriteMode.CREATE)
    for _ in range(2):
        for key, rows in (("s", SMALL), ("l", LARGE)):
            first = node.ingest("t", rows, idempotency_key=key)
            assert first.row_count == len(rows)
            again = node.ingest("t", rows, idempotency_key=key)
            assert (again.row_count, again.is_repeat) == (len(rows), True)
        assert node.count("t") == 2 + 2 + 20_000
        node = nodes()


@pytest.mark.parametrize("rows", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("mode", [WriteMode.CREATE, WriteMode.CREATE_APPEND, WriteMode.REPLACE])
def test_a_repeated_statement_that_makes_its_table_is_answered_as_at_first(node, rows, mode):
    first = node.ingest("t", rows, mode, idempotency_key="k")
    again = node.ingest("t", rows, mode, idempotency_key="k")

    assert (again.is_repeat, again.row_count) == (True, first.row_count)
    assert node.count("t") == len(rows)
    with pytest.raises(AlreadyExists):
        node.ingest("t", rows, WriteMode.CREATE, idempotency_key="another")


def test_replacing_with_batches_of_no_rows_leaves_no_files(node):
    node.ingest("t", SMALL, WriteMode.CREATE)
    node.ingest("t", [SMALL.slice(0, 0), LARGE.slice(0, 0)], WriteMode.REPLACE)

    assert (node.count("t"), node.scratch()) == (0, [])


# --- creating ---
def test_a_table_that_could_not_be_filled_was_never_there(nodes):
    """Nobody sees it before its rows, so nobody can have written into it."""
    node = nodes()
    seen: list[FlightdbError | None] = []

    def fail(table) -> None:
        seen.append(refused(lambda: node.ingest("t", SMALL)))
        raise Conflict("lost a race: test")

    node.catalog.before_create = fail
    with pytest.raises(Conflict):
        node.ingest("t", LARGE, WriteMode.CREATE)
    assert [type(error) for error in seen] == [NotFound]
    assert node.files() == set()
    node = nodes()
    with pytest.raises(NotFound):
        node.count("t")


def test_writers_that_make_one_table_at_once_all_succeed(node):
    failures: list[FlightdbError] = []
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        barrier.wait(10)
        for turn in range(4):
            failure = refused(lambda turn=turn: node.write(f"t{turn}", (f"r{number}", {"n": 1})))
            if failure is not None:
                failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert [node.count(f"t{turn}") for turn in range(4)] == [8] * 4


# --- dropping ---
@pytest.mark.parametrize("is_recreated", [True, False])
def test_a_dropped_table_stays_away_after_a_restart(nodes, is_recreated):
    node = nodes()
    node.write("t", ("a", {"n": 1}))
    node.service.drop_table("t")
    if is_recreated:
        node.write("t", ("b", {"m": "x"}))
    for _ in range(2):
        node = nodes()
        if is_recreated:
            assert node.rows("SELECT id, m FROM t") == [("b", "x")]
        else:
            with pytest.raises(NotFound):
                node.count("t")


def test_a_drop_cut_off_after_its_record_in_the_log_is_finished_at_the_next_start(nodes):
    node = nodes()
    node.write("t", ("a", {"n": 1}))
    node.service.flush()
    node.write("t", ("b", {"n": 1}))

    def ends(_: object) -> None:
        raise Stopped

    node.catalog.before_drop = ends
    with pytest.raises(Stopped):
        node.service.drop_table("t")
    node = nodes()
    assert isinstance(refused(lambda: node.service.table("t")), NotFound)
    assert node.files() == set()
    node.write("t", ("new", {"n": 1}))
    assert node.count("t") == 1


def test_a_drop_that_the_store_refused_can_be_asked_for_again(node):
    node.write("t", ("a", {"n": 1}))

    def fail(_: object) -> None:
        raise Unavailable("store is down: test")

    node.catalog.before_drop = fail
    with pytest.raises(Unavailable):
        node.service.drop_table("t")
    node.catalog.before_drop = lambda table: None
    node.service.drop_table("t")
    node.write("t", ("new", {"n": 1}))

    assert node.count("t") == 1


def test_many_drops_at_once_drop_each_table_once(node):
    for number in range(12):
        node.write(f"t{number}", ("a", {"n": 1}))
    node.service.flush()
    errors: list[BaseException] = []

    def work(first: int) -> None:
        for number in range(12):
            try:
                node.service.drop_table(f"t{(first + number) % 12}")
            except NotFound:
                continue
            except BaseException as error:
                errors.append(error)

    threads = [threading.Thread(target=work, args=(number * 3,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert (node.service.tables(), node.files()) == ([], set())


def test_files_of_a_dropped_table_stay_while_a_query_reads_them_and_go_after_it(node):
    node.ingest("t", [LARGE] * 20, WriteMode.CREATE)
    answer = node.service.answer(Statement("SELECT n FROM t", bypass_cache=True))
    batches = iter(answer.batches)
    rows = len(next(batches))
    node.service.drop_table("t")
    assert node.files()
    rows += sum(len(batch) for batch in batches)

    assert rows == 400_000
    for _ in range(50):
        if not node.files():
            break
        threading.Event().wait(0.1)
    assert node.files() == set()


# --- replacing and evolving ---
def test_replacing_takes_unflushed_rows_away_also_after_a_restart(nodes):
    node = nodes()
    node.write("t", ("a", {"n": 1}))
    node.service.flush()
    node.write("t", ("b", {"n": 1}))
    node.ingest("t", SMALL, WriteMode.REPLACE)
    node.ingest("t", SMALL)
    for _ in range(2):
        assert node.rows("SELECT * FROM t ORDER BY n") == [(1,), (1,), (2,), (2,)]
        node = nodes()


def test_a_replacement_of_unknown_outcome_is_either_there_or_not(nodes):
    node = nodes()
    node.write("t", ("a", {"n": 1}))

    def lose(_: object) -> None:
        raise CommitUnknown("no answer: test")

    node.catalog.after_commit = lose
    with pytest.raises(CommitUnknown):
        node.ingest("t", SMALL, WriteMode.REPLACE)
    node.catalog.after_commit = lambda commit: None
    node.service.flush()
    assert node.rows("SELECT * FROM t ORDER BY n") == [(1,), (2,)]
    node = nodes()
    assert node.rows("SELECT * FROM t ORDER BY n") == [(1,), (2,)]


def test_replacing_while_others_write_loses_no_acknowledged_row_of_after_it(node):
    node.ingest("t", SMALL, WriteMode.CREATE)
    replaced, acknowledged = threading.Event(), []

    def write() -> None:
        number = 100
        while len(acknowledged) < 40:
            number += 1
            is_after = replaced.is_set()
            batch = pa.record_batch({"n": pa.array([number], pa.int64())})
            if refused(lambda batch=batch: node.service.write_batch("t", batch)) is None:
                acknowledged.append((number, is_after)) if is_after else None

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for _ in range(5):
        node.ingest("t", LARGE, WriteMode.REPLACE)
    replaced.set()
    for writer in writers:
        writer.join()

    found = {row[0] for row in node.rows("SELECT n FROM t WHERE n > 100")}
    assert {number for number, is_after in acknowledged if is_after} <= found
    assert node.rows("SELECT count(*) - count(DISTINCT n) FROM t WHERE n < 100") == [(0,)]


def test_columns_come_and_widen_under_concurrent_writers(node):
    node.write("t", ("a", {"n": 1}))
    failures: list[FlightdbError] = []

    def work(number: int) -> None:
        for turn in range(10):
            value = turn + 0.5 if number % 2 else turn
            record = Record(f"{number}-{turn}", 0, {"n": value, f"c{number}": turn})
            failure = refused(lambda record=record: node.service.write_records({"t": [record]}))
            if failure is not None:
                failures.append(failure)
            if turn == 5:
                node.service.flush()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    written = 41 - len(failures)
    assert all(isinstance(failure, Conflict) for failure in failures)
    assert node.count("t") == written
    assert node.rows("SELECT count(c0) + count(c1) + count(c2) + count(c3) FROM t") == [
        (written - 1,)
    ]
    node.service.flush()
    assert node.count("t") == written


def test_widening_that_an_unflushed_row_forbids_leaves_the_table_as_it_was(nodes):
    node = nodes()
    node.write("t", ("a", {"n": 2**53 + 1}))
    with pytest.raises(InvalidPayload):
        node.write("t", ("b", {"n": 0.5}))
    node.write("t", ("c", {"n": 3}))
    node = nodes()
    node.service.flush()

    assert node.rows("SELECT n FROM t ORDER BY n") == [(3,), (2**53 + 1,)]
    assert (len(node.files()), node.scratch()) == (len(node.catalog.load("t").segments), [])


# --- leases ---
def test_a_pinned_answer_keeps_its_rows_through_flushes_and_truncation(nodes):
    node = nodes(wal_bytes=4 << 20, segment_bytes=64 << 10)
    for number in range(300):
        node.write("t", *[(f"r{number}-{part}", {"n": number}) for part in range(40)])
    sql = "SELECT count(*), sum(n) FROM t"
    first = node.rows(sql)
    pin = node.service.pin(Statement(sql)).id
    node.write("t", ("later", {"n": 10**9}))
    node.service.flush()
    for number in range(200):
        node.write("t", (f"x{number}", {"n": 1}), (f"y{number}", {"n": 1}))
    node.service.flush()

    assert node.rows(sql, pin=pin) == first
    assert node.rows(sql) != first


def test_log_segments_go_when_the_lease_that_reads_them_ends(nodes):
    node = nodes(wal_bytes=4 << 20, segment_bytes=64 << 10)
    for number in range(60):
        node.write("t", (f"r{number}", {"n": "x" * 5_000}))
    table = node.catalog.load("t").table
    lease = node.workers.lease("node-1", [table], 60)
    segments = len(list((node.directory / "wal").glob("*.wal")))
    node.service.flush()
    assert len(list((node.directory / "wal").glob("*.wal"))) >= segments
    node.workers.release("node-1", lease.id)
    node.write("t", ("more", {"n": "x"}))
    node.service.flush()

    assert len(list((node.directory / "wal").glob("*.wal"))) == 1


def test_a_lease_of_a_table_without_unflushed_rows_holds_nothing(nodes):
    node = nodes(wal_bytes=4 << 20, segment_bytes=64 << 10)
    node.ingest("idle", LARGE, WriteMode.CREATE)
    node.workers.lease("node-1", [node.catalog.load("idle").table], 60)
    for number in range(60):
        node.write("t", (f"r{number}", {"n": "x" * 5_000}))
    node.service.flush()

    assert len(list((node.directory / "wal").glob("*.wal"))) == 1


def test_many_single_rows_become_few_segments_in_their_order(node):
    node.write("t", ("first", {"n": -1}))
    table = node.catalog.load("t").table
    from tests.worker.test_commit_group import Answers, record_put

    answers = Answers()
    for number in range(20_000):
        put = record_put(node, "t", f"r{number}", number)
        node.workers.put("node-1", put, answers.done)
        if number % 500 == 499:
            answers.wait(500)
    lease = node.workers.lease("node-1", [table], 60)
    (part,) = lease.views[table.id].buffers

    assert len(part.segments) < 20_000 // 4_096
    assert node.rows("SELECT count(*), max(n) FROM t") == [(20_001, 19_999)]
    from flightdb.worker.files import read_rows

    numbers = [value for batch in read_rows(part) for value in batch["n"].to_pylist()]
    assert numbers == list(range(-1, 20_000))
