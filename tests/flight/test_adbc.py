"""The stock ADBC driver, without any special option."""

import threading
import time

import adbc_driver_manager
import pyarrow as pa
import pytest

from tests.flight.conftest import connect

ROWS = pa.table({"i": pa.array([1, 2, 3], pa.int64()), "s": ["a", "b", None]})


def count(cursor, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")
    return cursor.fetchone()[0]


def test_it_connects_without_and_with_user_and_password(url):
    for options in ({}, {"db_kwargs": {"username": "joe", "password": "secret"}}):
        with connect(url, **options) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT 42 AS answer, 'x' AS s")
            assert cursor.fetchall() == [(42, "x")]


def test_rows_come_as_rows_as_arrow_and_as_a_reader(cursor):
    sql = "SELECT range AS i FROM range(100000)"
    cursor.execute(sql)
    assert cursor.fetchmany(2) == [(0,), (1,)]

    cursor.execute(sql)
    assert cursor.fetch_arrow_table().num_rows == 100_000

    cursor.execute(sql)
    reader = cursor.fetch_record_batch()
    assert sum(batch.num_rows for batch in reader) == 100_000


def test_an_empty_answer_keeps_its_schema(cursor):
    cursor.execute("SELECT 1::BIGINT AS i, 'x' AS s WHERE false")
    assert cursor.fetch_arrow_table().schema == pa.schema([("i", pa.int64()), ("s", pa.string())])


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        (41, "SELECT ? + 1 AS a"),
        ("x", "SELECT ? || 'y' AS a"),
        (1.5, "SELECT ? * 2.0::DOUBLE AS a"),
    ],
)
def test_parameters_are_bound(cursor, value, sql):
    cursor.execute(sql, (value,))
    assert cursor.fetchone()[0] == {41: 42, "x": "xy", 1.5: 3.0}[value]


def test_a_prepared_statement_is_run_again_with_other_parameters(cursor):
    cursor.adbc_ingest("again", ROWS, mode="create")
    for i, s in ((1, "a"), (2, "b"), (3, None)):
        cursor.execute("SELECT s FROM again WHERE i = ?", (i,))
        assert cursor.fetchall() == [(s,)]


def test_ddl_and_inserts_are_done_when_execute_returns(cursor):
    cursor.execute("CREATE TABLE done (a BIGINT, b VARCHAR)")
    cursor.execute("INSERT INTO done VALUES (1, 'x'), (2, 'y')")
    assert cursor.rowcount == 2
    assert count(cursor, "done") == 2

    cursor.execute("INSERT INTO done VALUES (?, ?)", (3, "z"))
    cursor.executemany("INSERT INTO done VALUES (?, ?)", [(4, "u"), (5, "v")])
    assert cursor.rowcount == 2
    cursor.execute("SELECT a, b FROM done ORDER BY a")
    assert cursor.fetchall() == [(1, "x"), (2, "y"), (3, "z"), (4, "u"), (5, "v")]

    cursor.execute("DROP TABLE done")
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="done"):
        cursor.execute("SELECT * FROM done")


def test_ingest_has_four_modes(cursor):
    assert cursor.adbc_ingest("modes", ROWS, mode="create") == 3
    assert count(cursor, "modes") == 3
    cursor.adbc_ingest("modes", ROWS, mode="append")
    assert count(cursor, "modes") == 6
    cursor.adbc_ingest("modes", ROWS.slice(0, 1), mode="replace")
    assert count(cursor, "modes") == 1
    cursor.adbc_ingest("modes", ROWS, mode="create_append")
    assert count(cursor, "modes") == 4
    cursor.adbc_ingest("modes_new", ROWS, mode="create_append")
    assert count(cursor, "modes_new") == 3


def test_ingest_into_a_table_that_exists_says_so(cursor):
    cursor.adbc_ingest("twice", ROWS, mode="create")
    with pytest.raises(adbc_driver_manager.Error, match=r"already_exists.*twice"):
        cursor.adbc_ingest("twice", ROWS, mode="create")
    assert count(cursor, "twice") == 3


def test_ingest_appends_to_no_table_that_is_not_there(cursor):
    with pytest.raises(adbc_driver_manager.ProgrammingError, match=r"NOT_FOUND.*nowhere"):
        cursor.adbc_ingest("nowhere", ROWS, mode="append")


def test_ingest_takes_the_names_of_the_one_catalog_and_schema(cursor):
    place = {"catalog_name": "flightdb", "db_schema_name": "main"}
    assert cursor.adbc_ingest("placed", ROWS, mode="create", **place) == 3
    with pytest.raises(adbc_driver_manager.ProgrammingError, match=r"catalog not found.*elsewhere"):
        cursor.adbc_ingest("placed", ROWS, mode="append", catalog_name="elsewhere")


def test_temporary_tables_are_refused_by_name(cursor):
    with pytest.raises(adbc_driver_manager.NotSupportedError, match=r"temporary.*brief"):
        cursor.adbc_ingest("brief", ROWS, mode="create", temporary=True)


def test_an_ingest_repeated_with_its_idempotency_key_is_done_once(url):
    header = {"adbc.flight.sql.rpc.call_header.idempotency-key": "load-1"}
    with connect(url, db_kwargs=header) as keyed, keyed.cursor() as cursor:
        for _ in range(2):
            assert cursor.adbc_ingest("keyed", ROWS, mode="create_append") == 3
        assert count(cursor, "keyed") == 3


def test_objects_list_catalog_schema_tables_and_columns(connection, cursor):
    cursor.adbc_ingest("listed", ROWS, mode="create")
    (catalog,) = connection.adbc_get_objects(depth="all").read_all().to_pylist()
    assert catalog["catalog_name"] == "flightdb"
    (schema,) = catalog["catalog_db_schemas"]
    assert schema["db_schema_name"] == "main"
    tables = {table["table_name"]: table for table in schema["db_schema_tables"]}
    assert tables["listed"]["table_type"] == "TABLE"
    columns = tables["listed"]["table_columns"]
    assert [(c["column_name"], c["xdbc_type_name"]) for c in columns] == [
        ("i", "BIGINT"),
        ("s", "VARCHAR"),
    ]


def test_objects_are_filtered_by_pattern(connection, cursor):
    cursor.adbc_ingest("wild_1", ROWS, mode="create")
    cursor.adbc_ingest("wildcard", ROWS, mode="create")
    filters = {"depth": "tables", "table_name_filter": r"wild\_%"}
    (catalog,) = connection.adbc_get_objects(**filters).read_all().to_pylist()
    (schema,) = catalog["catalog_db_schemas"]
    assert [table["table_name"] for table in schema["db_schema_tables"]] == ["wild_1"]


def test_a_table_schema_is_that_of_its_rows(connection, cursor):
    cursor.adbc_ingest("typed", ROWS, mode="create")
    cursor.execute("SELECT * FROM typed")
    assert connection.adbc_get_table_schema("typed") == cursor.fetch_arrow_table().schema


def test_server_facts_are_told(connection):
    assert connection.adbc_get_table_types() == ["TABLE"]
    told = connection.adbc_get_info()
    assert (told["vendor_name"], told["vendor_arrow_version"]) == ("flightdb", pa.__version__)


def test_the_session_is_in_the_one_catalog(connection):
    assert connection.adbc_current_catalog == "flightdb"
    assert connection.adbc_current_db_schema == "main"
    with pytest.raises(adbc_driver_manager.ProgrammingError, match="invalid value"):
        connection.adbc_current_catalog = "elsewhere"


def test_executing_schema_runs_nothing(cursor):
    schema = cursor.adbc_execute_schema("SELECT 1::BIGINT AS i, 'x' AS s")
    assert schema == pa.schema([("i", pa.int64()), ("s", pa.string())])


def test_cancel_stops_a_query_within_a_second_or_so(cursor):
    endless = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
    timer = threading.Timer(0.5, cursor.adbc_cancel)
    started_s = time.monotonic()
    timer.start()
    cursor.execute(endless)
    with pytest.raises(adbc_driver_manager.Error, match=r"(?i)cancel"):
        cursor.fetchall()
    assert time.monotonic() - started_s < 5


def test_transactions_are_refused_and_autocommit_stays(connection):
    connection.commit()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELEC 1", "INVALID_ARGUMENT"),
        ("SELECT * FROM not_there", "NOT_FOUND.*not_there"),
        ("SELECT 1; SELECT 2", "INVALID_ARGUMENT"),
        ("SELECT * FROM read_csv('/etc/passwd')", "UNAUTHORIZED"),
    ],
)
def test_a_bad_statement_is_refused_and_the_next_one_works(cursor, sql, told):
    with pytest.raises(adbc_driver_manager.Error, match=told) as refused:
        cursor.execute(sql)
    assert "Traceback" not in str(refused.value)
    cursor.execute("SELECT 1")
    assert cursor.fetchone() == (1,)
