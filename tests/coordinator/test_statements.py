"""Statements that change something, and tables: each form, its switches and limits."""

import pyarrow as pa
import pytest

from flightdb.coordinator.core import CoordinatorLimits
from flightdb.coordinator.service import StatementKind, WriteMode
from flightdb.coordinator.tables import TableRules
from flightdb.errors import (
    AlreadyExists,
    FlightdbError,
    InvalidPayload,
    InvalidQuery,
    InvalidRequest,
    NotFound,
)
from flightdb.model.record import Record
from flightdb.model.schema import sql_name


def batch(**columns: list) -> pa.RecordBatch:
    return pa.record_batch(columns)


# --- INSERT ---
def test_insert_takes_values_queries_column_lists_and_names(node):
    node.update("CREATE TABLE t (n BIGINT, s VARCHAR)")
    assert node.update("INSERT INTO t VALUES (1, 'a'), (2, 'b')") == 2
    assert node.update("INSERT INTO t (s, n) VALUES ('c', 3)") == 1
    assert node.update("INSERT INTO t (n) VALUES (4)") == 1
    assert node.update("INSERT INTO t SELECT n + 10, s FROM t WHERE n < 3") == 2
    assert node.update("INSERT INTO t BY NAME SELECT 'd' AS s, 20 AS n") == 1

    assert node.rows("SELECT n, s FROM t ORDER BY n") == [
        (1, "a"),
        (2, "b"),
        (3, "c"),
        (4, None),
        (11, "a"),
        (12, "b"),
        (20, "d"),
    ]


def test_insert_into_itself_reads_its_snapshot_only(node):
    node.ingest("t", batch(n=list(range(10_000))), WriteMode.CREATE)
    for expected in (20_000, 40_000):
        node.update("INSERT INTO t SELECT n FROM t")
        assert node.count("t") == expected


def test_insert_with_rows_of_parameters_stores_every_row_at_once(node):
    node.update("CREATE TABLE t (n BIGINT, s VARCHAR)")
    rows = batch(a=[1, 2, None], b=["x", None, "z"])
    assert node.update("INSERT INTO t VALUES (?, ?)", rows) == 3
    assert node.update("INSERT INTO t (s, n) VALUES ($2, $1)", rows) == 3
    assert node.update("INSERT INTO t SELECT n + $1, s FROM t WHERE n = $1", batch(a=[1])) == 2

    assert node.count("t") == 8
    assert node.rows("SELECT count(n), sum(n) FROM t") == [(6, 1 + 2 + 1 + 2 + 2 + 2)]


def test_insert_that_fails_stores_nothing(node):
    node.update("CREATE TABLE t (n BIGINT)")
    wrong = [
        ("INSERT INTO t SELECT CAST(s AS BIGINT) FROM (VALUES ('1'), ('x')) v(s)", FlightdbError),
        ("INSERT INTO t VALUES (1, 2)", FlightdbError),
        ("INSERT INTO t (nothing) VALUES (1)", FlightdbError),
        ("INSERT INTO nowhere VALUES (1)", NotFound),
        ("SELECT 1", InvalidQuery),
    ]
    for sql, kind in wrong:
        with pytest.raises(kind):
            node.update(sql)
    with pytest.raises(InvalidQuery):
        node.update("INSERT INTO t VALUES (?)", batch(a=[1], b=[2]))

    assert node.count("t") == 0
    figures = node.service.status().figures
    assert [figures[name] for name in ("queries_open", "queries_running", "leases")] == [0, 0, 0]


def test_insert_binds_anew_when_its_table_changed(node):
    node.update("CREATE TABLE t (n BIGINT)")
    sql = "INSERT INTO t VALUES (1)"
    node.update(sql)
    node.update("DROP TABLE t")
    with pytest.raises(NotFound):
        node.update(sql)
    node.update("CREATE TABLE t (s VARCHAR, n BIGINT)")
    with pytest.raises(FlightdbError):
        node.update(sql)
    node.update("CREATE OR REPLACE TABLE t (s VARCHAR)")
    node.update("INSERT INTO t VALUES ('x')")
    assert node.rows("SELECT * FROM t") == [("x",)]


# --- CREATE and DROP ---
def test_create_and_drop_forms(node):
    assert node.update("CREATE TABLE t (n BIGINT NOT NULL, d DECIMAL(9, 2))") == 0
    with pytest.raises(AlreadyExists):
        node.update("CREATE TABLE t (n BIGINT)")
    assert node.update("CREATE TABLE IF NOT EXISTS t (x VARCHAR)") == 0
    schema = node.service.table("t").table.schema
    assert [(f.name, f.nullable, sql_name(f.type)) for f in schema] == [
        ("n", False, "BIGINT"),
        ("d", True, "DECIMAL(9,2)"),
    ]
    assert node.update("CREATE OR REPLACE TABLE t AS SELECT range AS r FROM range(5)") == 5
    assert node.update("CREATE OR REPLACE TABLE t AS SELECT r * 2 AS r FROM t WHERE r > 2") == 2
    assert node.rows("SELECT r FROM t ORDER BY r") == [(6,), (8,)]
    assert node.update("CREATE TABLE IF NOT EXISTS t AS SELECT 1 AS one") == 0
    with pytest.raises(AlreadyExists):
        node.update("CREATE TABLE t AS SELECT 1 AS one")
    assert node.update("CREATE OR REPLACE TABLE t (only VARCHAR)") == 0
    assert (node.count("t"), node.service.table("t").table.schema.names) == (0, ["only"])
    node.update("DROP TABLE t")
    with pytest.raises(NotFound):
        node.update("DROP TABLE t")
    assert node.update("DROP TABLE IF EXISTS t") == 0


def test_create_table_as_that_fails_makes_no_table(node):
    with pytest.raises(FlightdbError):
        node.update("CREATE TABLE t AS SELECT CAST(s AS INT) FROM (VALUES ('1'), ('x')) v(s)")
    with pytest.raises(NotFound):
        node.count("t")
    node.update("CREATE TABLE t AS SELECT 1 AS n WHERE false")
    assert node.rows("SELECT * FROM t") == []


def test_describing_a_change_changes_nothing_and_names_its_parameters(node):
    node.update("CREATE TABLE t (n BIGINT, s VARCHAR)")
    told = node.service.describe("INSERT INTO t VALUES (?, ?)")
    assert (told.kind, len(told.schema)) == (StatementKind.UPDATE, 0)
    assert told.parameters.types == [pa.int64(), pa.string()]
    node.service.describe("DROP TABLE t")
    node.service.describe("CREATE TABLE u AS SELECT * FROM t")
    assert [info.table.name for info in node.service.tables()] == ["t"]


# --- tables by themselves ---
def rules(**given: object) -> CoordinatorLimits:
    return CoordinatorLimits(rules=TableRules(**given))


def test_tables_are_made_by_a_write_unless_that_is_switched_off(nodes):
    node = nodes(coordinator=rules(auto_create=False))
    with pytest.raises(NotFound):
        node.write("t", ("a", {"n": 1}))
    assert not node.service.submit_records({"t": [Record("a", 0, {})]}, lambda answer: None)
    node.service.create_table("t")
    node.write("t", ("a", {"n": 1}))
    assert node.count("t") == 1


def test_a_refused_write_makes_no_table_and_no_column(node):
    for records in ([("", {"n": 1})], [("a", {"n": 1}), ("b", {"n": "x"})], [("a", {"n": 2**70})]):
        with pytest.raises(FlightdbError):
            node.write("t", *records)
    with pytest.raises(NotFound):
        node.count("t")
    node.write("t", ("a", {"n": 1}))
    with pytest.raises(InvalidPayload):
        node.write("t", ("b", {"New": 1, "new": 2}))
    with pytest.raises(InvalidPayload):
        node.write("t", ("b", {"\ud800": 1}))
    assert node.service.table("t").table.schema.names == ["id", "timestamp", "n"]


def test_there_are_at_most_so_many_tables_and_those_that_are_there_stay_usable(nodes):
    node = nodes(coordinator=rules(tables_max=1))
    node.ingest("t", batch(n=[1]), WriteMode.CREATE)
    for call in (
        lambda: node.write("u", ("a", {"n": 1})),
        lambda: node.update("CREATE TABLE u (n BIGINT)"),
        lambda: node.ingest("u", batch(n=[1]), WriteMode.CREATE_APPEND),
    ):
        with pytest.raises(InvalidRequest, match="too many tables"):
            call()
    assert node.ingest("t", batch(n=[2, 3]), WriteMode.REPLACE).row_count == 2
    assert node.update("CREATE OR REPLACE TABLE t AS SELECT 1 AS n") == 1
    assert node.service.create_table("t", if_not_exists=True).record_count == 1
    node.service.drop_table("t")
    node.write("u", ("a", {"n": 1}))


@pytest.mark.parametrize("name", ["", "1a", "a b", "a/b", "..", "a" * 300, "é", "_delta_log"])
def test_a_name_against_the_rule_makes_no_table(node, name):
    for call in (
        lambda: node.service.create_table(name),
        lambda: node.ingest(name, batch(n=[1]), WriteMode.CREATE),
    ):
        with pytest.raises(InvalidRequest):
            call()
    assert list(node.service.tables()) == []


def test_names_compare_without_case(node):
    node.write("Orders", ("a", {"n": 1}))
    node.write("ORDERS", ("b", {"N": 2}))
    assert node.rows("SELECT sum(n) FROM orders") == [(3,)]
    with pytest.raises(AlreadyExists):
        node.service.create_table("oRDERS")


def test_a_batch_whose_columns_differ_in_case_is_taken_as_it_is(node):
    node.write("t", ("a", {"n": 1}))
    version = node.service.table("t").version
    moments = pa.array([0], pa.timestamp("us", tz="UTC"))
    rows = pa.record_batch({"ID": ["b"], "Timestamp": moments, "N": [2]})
    answers: list = []
    assert node.service.submit_batch("t", rows, answers.append), "nothing has to change for it"
    node.service.write_batch("t", rows)
    assert node.rows("SELECT sum(n) FROM t") == [(5,)]
    assert node.service.table("t").version == version


def test_a_write_of_nothing_is_refused(node):
    for call in (
        lambda: node.service.write_records({}),
        lambda: node.service.submit_records({}, lambda answer: None),
    ):
        with pytest.raises(InvalidRequest):
            call()
