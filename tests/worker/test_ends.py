"""The ends of a worker: stopping while writers write, a log that fails, many producers."""

import threading

import pyarrow as pa
import pytest

from flightdb.coordinator.service import WriteMode
from flightdb.errors import FlightdbError, NotFound, Unavailable
from flightdb.wal.log import WalFailed
from tests.worker.node import Node, Stopped, refused


def test_stopping_while_writers_write_keeps_every_acknowledged_row_once(nodes, tmp_path):
    node = Node(tmp_path / "other")
    acknowledged: list[str] = []

    def work(number: int) -> None:
        for turn in range(10_000):
            key = f"{number}-{turn}"
            if refused(lambda key=key: node.write("t", (key, {"n": 1}))) is not None:
                return
            acknowledged.append(key)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while len(acknowledged) < 200:
        threading.Event().wait(0.01)
    node.stop()
    for thread in threads:
        thread.join()
    again = Node(tmp_path / "other")
    found = [row[0] for row in again.rows("SELECT id FROM t")]
    again.kill()

    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))


def test_nothing_is_acknowledged_by_a_log_that_failed_and_the_process_is_ended(node):
    node.write("t", ("a", {"n": 1}))
    node.wal._is_failed = True

    assert isinstance(refused(lambda: node.write("t", ("b", {"n": 1}))), WalFailed)
    assert node.failed.wait(5)
    assert node.count("t") == 1
    assert node.service.health().status == "unhealthy"
    assert isinstance(refused(node.service.flush), Unavailable)


def test_what_comes_after_the_end_is_refused_and_does_not_wait_for_ever(nodes, tmp_path):
    node = Node(tmp_path / "other")
    node.write("t", ("a", {"n": 1}))
    node.stop()
    for call in (
        lambda: node.write("t", ("b", {"n": 1})),
        lambda: node.service.drop_table("t"),
        lambda: node.ingest("t", pa.record_batch({"n": [1]}), WriteMode.REPLACE),
    ):
        with pytest.raises(FlightdbError):
            call()


def test_producers_are_bounded_over_all_tables(node):
    """Each new log segment begins with all of them: without a bound it could not hold them."""
    producers = node.worker._producers
    from flightdb.worker.producers import PRODUCERS_MAX, PRODUCERS_TOTAL_MAX, Seen

    for table in range(2 * PRODUCERS_TOTAL_MAX // PRODUCERS_MAX):
        for number in range(PRODUCERS_MAX):
            producers.note(f"table-{table}", f"p{number}", Seen(1, 1, 1))
    producers.note("table-0", "kept", Seen(1, 1, 1))

    assert len(producers) <= PRODUCERS_TOTAL_MAX
    assert producers.last("table-0", "kept") is not None
    assert sum(len(body) for _, body in producers.bodies()) < 16 << 20


def test_a_create_that_was_cut_off_leaves_no_table(nodes):
    node = nodes()

    def ends(*_) -> None:
        raise Stopped

    node.catalog.before_create = ends
    with pytest.raises(Stopped):
        node.update("CREATE TABLE t AS SELECT range AS n FROM range(10)")
    node = nodes()
    assert isinstance(refused(lambda: node.count("t")), NotFound)
    assert node.update("CREATE TABLE t AS SELECT range AS n FROM range(10)") == 10
    assert node.count("t") == 10


def test_a_table_and_its_first_rows_are_one_version(nodes):
    node = nodes()
    node.update("CREATE TABLE t AS SELECT range AS n FROM range(10)")
    assert node.catalog.load("t").version == 0
    node = nodes()
    assert (node.count("t"), node.catalog.load("t").version) == (10, 0)
