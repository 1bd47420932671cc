"""What every `Workers` promises, whoever implements it; `LocalWorkers` over a real worker passes it here."""

import threading
from dataclasses import replace

import pyarrow as pa
import pytest

from flightdb.cluster.workers import Ingest, IngestMode
from flightdb.errors import (
    AlreadyExists,
    FlightdbError,
    InvalidPayload,
    NotFound,
    Unavailable,
)
from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.put import Ack, Put, Rows, TablePut
from flightdb.model.source import Fragment, TableSource
from flightdb.model.table import Table, TableKind

SCHEMA = pa.schema([("n", pa.int64()), ("s", pa.string())])
PLAIN = Table("t", "", TableKind.PLAIN, SCHEMA)


def rows(*numbers: int) -> pa.RecordBatch:
    return pa.record_batch([numbers, [str(number) for number in numbers]], schema=SCHEMA)


def stream(*batches: pa.RecordBatch) -> BatchStream:
    return BatchStream(batches[0].schema, iter(batches))


def put(workers, name: str, put_: Put) -> Ack | FlightdbError:
    answers, arrived = [], threading.Event()

    def done(answer: Ack | FlightdbError) -> None:
        answers.append(answer)
        arrived.set()

    workers.put(name, put_, done)
    assert arrived.wait(10)
    return answers[0]


def read(node, lease, table: Table, sql: str) -> list[dict]:
    """What a fragment over one view answers."""
    view = lease.views[table.id]
    snapshot = node.catalog.at(view.table, view.version)
    files = tuple(node.store.openable(f"{table.name}/{one.path}") for one in snapshot.segments)
    source = TableSource("t", view.table.schema, files, view.buffers, snapshot.is_evolved)
    fragment = Fragment(sql, (source,))
    return node.workers.execute("node-1", fragment, Cancellation()).read_all().to_pylist()


@pytest.fixture
def workers(node):
    return node.workers


@pytest.fixture
def name(workers) -> str:
    """The node that all calls go to."""
    return workers.nodes()[0]


@pytest.fixture
def table(node) -> Table:
    return node.catalog.create(PLAIN).table


def test_owners_are_among_the_nodes(workers, table):
    assert workers.owner(table, None) in workers.nodes()
    assert workers.owner(table, "some id") == workers.owner(table, "some id")
    assert set(workers.owners(table)) <= set(workers.nodes())
    assert workers.owner(table, "some id") in workers.owners(table)


def test_a_node_that_is_not_there_is_unavailable(workers, table):
    calls = (
        lambda: workers.lease("nobody", [table], 1),
        lambda: workers.status("nobody"),
        lambda: workers.flush("nobody", [table]),
        lambda: workers.mark("nobody", table),
        lambda: workers.pressure("nobody"),
    )
    for call in calls:
        with pytest.raises(Unavailable):
            call()


def test_an_acknowledged_put_is_in_the_next_lease_and_moves_the_mark(node, workers, name, table):
    before = workers.mark(name, table)
    ack = put(workers, name, Put((TablePut(table, rows(1, 2)),)))
    lease = workers.lease(name, [table], 60)

    assert ack.row_count == 2
    assert read(node, lease, table, "SELECT n FROM t ORDER BY n") == [{"n": 1}, {"n": 2}]
    assert workers.mark(name, table) != before
    view = lease.views[table.id]
    assert workers.mark(name, table) == (view.version, view.lsn)
    assert ack.lsn >= view.lsn


def test_rows_of_values_and_of_arrow_keep_their_order(node, workers, name, table):
    put(workers, name, Put((TablePut(table, rows(1)),)))
    put(workers, name, Put((TablePut(table, Rows(((2, "2"), (3, None)))),)))
    put(workers, name, Put((TablePut(table, rows(4)),)))
    lease = workers.lease(name, [table], 60)

    assert [row["n"] for row in read(node, lease, table, "SELECT n FROM t")] == [1, 2, 3, 4]


def test_a_put_into_two_tables_is_whole_or_not_at_all(node, workers, name, table):
    other = node.catalog.create(replace(PLAIN, name="u")).table
    whole = Put((TablePut(table, rows(1)), TablePut(other, rows(2))))
    bad = Put((TablePut(table, rows(9)), TablePut(other, Rows((("no number", "x"),)))))
    assert put(workers, name, whole).row_count == 2
    assert isinstance(put(workers, name, bad), InvalidPayload)
    lease = workers.lease(name, [table, other], 60)

    assert read(node, lease, table, "SELECT n FROM t") == [{"n": 1}]
    assert read(node, lease, other, "SELECT n FROM t") == [{"n": 2}]


def test_a_repeat_is_answered_as_the_first_was(workers, name, table):
    first = put(workers, name, Put((TablePut(table, rows(1, 2)),), "p", 7))
    again = put(workers, name, Put((TablePut(table, rows(1, 2)),), "p", 7))
    other = put(workers, name, Put((TablePut(table, rows(1, 2)),), "q", 7))

    assert (again.is_repeat, again.lsn, again.row_count) == (True, first.lsn, 2)
    assert not other.is_repeat


def test_a_lease_shows_its_moment_through_writes_flushes_and_replacing(node, workers, name, table):
    put(workers, name, Put((TablePut(table, rows(1)),)))
    lease = workers.lease(name, [table], 60)
    put(workers, name, Put((TablePut(table, rows(2)),)))
    assert workers.flush(name, [table]) == 2
    replaced = Ingest(table, IngestMode.REPLACE)
    workers.ingest(name, replaced, stream(rows(3)), Cancellation())

    assert read(node, lease, table, "SELECT n FROM t") == [{"n": 1}]
    workers.release(name, lease.id)
    workers.release(name, lease.id)
    assert workers.status(name).figures["leases"] == 0


def test_equal_marks_mean_equal_rows(node, workers, name, table):
    seen: dict[tuple[int, int], list[dict]] = {}
    steps = [
        lambda: put(workers, name, Put((TablePut(table, rows(1)),))),
        lambda: workers.flush(name, [table]),
        lambda: workers.flush(name, [table]),
        lambda: workers.ingest(name, Ingest(table), stream(rows(2)), Cancellation()),
        lambda: workers.ingest(
            name, Ingest(table, IngestMode.REPLACE), stream(rows(5)), Cancellation()
        ),
    ]
    for step in steps:
        step()
        lease = workers.lease(name, [table], 60)
        found = read(node, lease, table, "SELECT n FROM t ORDER BY n")
        assert seen.setdefault(workers.mark(name, table), found) == found
    assert found == [{"n": 5}]


@pytest.mark.parametrize("mode", [IngestMode.APPEND, IngestMode.REPLACE, IngestMode.CREATE])
@pytest.mark.parametrize("size", [10, 20_000])
def test_an_ingest_statement_is_visible_whole(node, workers, name, mode, size):
    table = PLAIN
    if mode is not IngestMode.CREATE:
        table = node.catalog.create(PLAIN).table
        put(workers, name, Put((TablePut(table, rows(-1)),)))
    ack = workers.ingest(name, Ingest(table, mode), stream(rows(*range(size))), Cancellation())
    table = node.catalog.load("t").table
    lease = workers.lease(name, [table], 60)

    assert ack.row_count == size
    expected = size + (mode is IngestMode.APPEND)
    assert read(node, lease, table, "SELECT count(*) AS c FROM t") == [{"c": expected}]
    if mode is IngestMode.CREATE:
        with pytest.raises(AlreadyExists):
            workers.ingest(name, Ingest(PLAIN, mode), stream(rows(1)), Cancellation())


def test_an_ingest_statement_that_is_cancelled_leaves_nothing(node, workers, name, table):
    cancellation = Cancellation()

    def batches():
        yield rows(*range(20_000))
        cancellation.cancel()
        yield rows(1)

    with pytest.raises(FlightdbError):
        workers.ingest(name, Ingest(table), BatchStream(SCHEMA, batches()), cancellation)

    assert workers.mark(name, table)[0] == 0
    assert node.files() == set()


def test_evolving_is_idempotent_and_keeps_unflushed_rows(node, workers, name, table):
    put(workers, name, Put((TablePut(table, rows(1)),)))
    fields = [pa.field("n", pa.float64()), pa.field("m", pa.string())]
    evolved = workers.evolve(name, table, fields)
    again = workers.evolve(name, table, fields)
    lease = workers.lease(name, [evolved], 60)

    assert evolved.schema.types == [pa.float64(), pa.string(), pa.string()]
    assert (again.schema_version, again.schema) == (evolved.schema_version, evolved.schema)
    assert read(node, lease, evolved, "SELECT * FROM t") == [{"n": 1.0, "s": "1", "m": None}]
    with pytest.raises(InvalidPayload):
        workers.evolve(name, evolved, [pa.field("s", pa.int64())])


def test_a_forgotten_table_takes_and_gives_nothing(node, workers, name, table):
    put(workers, name, Put((TablePut(table, rows(1)),)))
    workers.forget(name, table)
    workers.forget(name, table)

    assert isinstance(put(workers, name, Put((TablePut(table, rows(1)),))), NotFound)
    with pytest.raises(NotFound):
        workers.lease(name, [table], 1)
    assert table.id not in workers.status(name).tables


def test_status_tells_what_is_not_in_the_store_yet(workers, name, table):
    put(workers, name, Put((TablePut(table, rows(1, 2, 3)),)))
    load = workers.status(name).tables[table.id]
    assert (load.pending_rows, load.pending_bytes > 0, load.last_write_us > 0) == (3, True, True)
    workers.flush(name, [table])
    load = workers.status(name).tables[table.id]
    assert (load.pending_rows, load.pending_bytes, load.last_flush_us > 0) == (0, 0, True)
    assert workers.status(name).node_id == name


def test_pressure_grows_with_unflushed_rows(workers, name, table):
    before = workers.pressure(name)
    put(workers, name, Put((TablePut(table, rows(*range(200_000))),)))
    assert 0 <= before < workers.pressure(name) < 1
