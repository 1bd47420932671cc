"""INSERT, CREATE TABLE, DROP TABLE, parameters, and counts from known numbers of rows."""

import pyarrow as pa
import pytest

from flightdb.errors import FlightdbError, InvalidQuery, NotFound, PermissionDenied, Unsupported
from flightdb.model.cancellation import Cancellation
from flightdb.model.source import Fragment
from flightdb.planner.insert import PlannedInsert, parameter_source
from flightdb.planner.plan import PlannedQuery
from flightdb.planner.statement import DropTable, PlannedCreate
from tests.planner.conftest import PLAIN, Planner


def insert(planner: Planner, sql: str) -> PlannedInsert:
    planned = planner.plan(sql)
    assert isinstance(planned, PlannedInsert)
    return planned


def answer(planner: Planner, fragment: Fragment) -> pa.Table:
    return planner.engine.run(fragment, Cancellation()).read_all()


def test_values_are_cast_to_the_columns_they_are_for(planner: Planner) -> None:
    planned = insert(
        planner, "INSERT INTO plain (ts, a) VALUES ('2024-01-01', '7'), (NULL, DEFAULT);"
    )

    rows = answer(planner, Fragment(planned.query.sql, ()))

    assert planned.columns == ("ts", "a")
    assert rows.schema == pa.schema([PLAIN.schema.field("ts"), PLAIN.schema.field("a")])
    assert rows.column("a").to_pylist() == [7, None]


def test_parameters_of_an_insert_are_a_relation_of_rows(planner: Planner) -> None:
    planned = insert(planner, "INSERT INTO plain (a, payload, b) VALUES (?, upper(?), 1.5)")
    batch = pa.RecordBatch.from_pydict({"x": pa.array([1, 2, None]), "y": ["a", "b", "c"]})

    rows = answer(planner, Fragment(planned.query.sql, (parameter_source(batch),)))

    assert planned.takes_rows
    assert planned.parameters == pa.schema([("1", pa.int64()), ("2", pa.string())])
    assert rows.to_pydict() == {"a": [1, 2, None], "payload": ["A", "B", "C"], "b": [1.5] * 3}


def test_an_insert_of_a_select_takes_its_parameters_one_row_at_a_time(planner: Planner) -> None:
    planned = insert(
        planner, "INSERT INTO plain (payload, a) SELECT ?, age FROM users WHERE age > ?"
    )

    assert not planned.takes_rows
    assert planned.parameters == pa.schema([("1", pa.string()), ("2", pa.int64())])
    assert [source.table.name for source in planned.query.sources] == ["users"]


def test_one_column_too_many_stays_visible(planner: Planner) -> None:
    planned = insert(planner, "INSERT INTO plain (a) SELECT 1, 2")
    described = planner.engine.describe(Fragment(planned.query.sql, ()))
    assert len(described) == len(planned.columns) + 1


@pytest.mark.parametrize(
    ("sql", "error", "words"),
    [
        ("INSERT INTO nope VALUES (1)", NotFound, "name=nope"),
        ("INSERT INTO plain (nope) VALUES (1)", NotFound, "name=nope"),
        ("INSERT INTO plain (a, A) VALUES (1, 2)", InvalidQuery, "twice"),
        ("INSERT INTO plain (a, b) VALUES (1)", InvalidQuery, "expected 2"),
        ("INSERT INTO plain VALUES (1)", InvalidQuery, "expected 4"),
        ("INSERT INTO plain (a) VALUES (1) RETURNING a", Unsupported, "RETURNING"),
        ("INSERT OR REPLACE INTO plain (a) VALUES (1)", Unsupported, "REPLACE"),
        ("INSERT INTO plain (a) VALUES (1) ON CONFLICT DO NOTHING", Unsupported, "CONFLICT"),
        ("INSERT INTO plain DEFAULT VALUES", Unsupported, "DEFAULT"),
        ("INSERT INTO plain (a) VALUES (1); SELECT 1", InvalidQuery, "one statement"),
        ("UPDATE plain SET a = 1", Unsupported, "UPDATE"),
        ("DELETE FROM plain", Unsupported, "DELETE"),
        ("ALTER TABLE plain ADD COLUMN x INT", Unsupported, "ALTER"),
        ("TRUNCATE plain", Unsupported, "TRUNCATE"),
        ("BEGIN", Unsupported, "transactions"),
        ("CREATE TABLE x (a INT PRIMARY KEY)", Unsupported, "PRIMARY KEY.*column=a"),
        ("CREATE TABLE x (a INT, PRIMARY KEY (a))", Unsupported, "PRIMARY KEY"),
        ("CREATE TABLE x (a INT UNIQUE)", Unsupported, "UNIQUE"),
        ("CREATE TABLE x (a INT DEFAULT 1)", Unsupported, "DEFAULT"),
        ("CREATE TABLE x (a INT CHECK (a > 1))", Unsupported, "CHECK"),
        ("CREATE TABLE x (a INT REFERENCES plain (a))", Unsupported, "REFERENCES"),
        (
            "CREATE TABLE x (a INT, FOREIGN KEY (a) REFERENCES plain (a))",
            Unsupported,
            "FOREIGN KEY",
        ),
        ("CREATE TEMP TABLE x (a INT)", Unsupported, "option"),
        ("CREATE TABLE x", InvalidQuery, "no columns"),
        ("CREATE TABLE x (a)", InvalidQuery, "column=a"),
        ("CREATE TABLE", InvalidQuery, "parser error"),
        ("DROP TABLE", InvalidQuery, "parser error"),
        ("DROP TABLE plain CASCADE", Unsupported, "CASCADE"),
        ("DROP TABLE plain, users", Unsupported, "one name"),
        ("DROP VIEW plain", PermissionDenied, "VIEW"),
    ],
)
def test_what_is_not_here_is_refused_by_name(
    planner: Planner, sql: str, error: type[FlightdbError], words: str
) -> None:
    with pytest.raises(error, match=words):
        planner.plan(sql)


def test_create_table_keeps_every_type(planner: Planner) -> None:
    types = {
        "TINYINT": pa.int8(), "USMALLINT": pa.uint16(), "UBIGINT": pa.uint64(), "HUGEINT": pa.decimal128(38, 0),
        "FLOAT": pa.float32(), "REAL": pa.float32(), "DOUBLE": pa.float64(), "DECIMAL(9,3)": pa.decimal128(9, 3),
        "NUMERIC": pa.decimal128(18, 3), "VARCHAR(10)": pa.string(), "TEXT": pa.string(), "BLOB": pa.binary(),
        "BOOLEAN": pa.bool_(), "DATE": pa.date32(), "TIME": pa.time64("us"), "TIMESTAMP": pa.timestamp("us"),
        "TIMESTAMP_S": pa.timestamp("s"), "TIMESTAMP_MS": pa.timestamp("ms"), "TIMESTAMP_NS": pa.timestamp("ns"),
        "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"), "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
        "INTERVAL": pa.month_day_nano_interval(), "UUID": pa.uuid(), "JSON": pa.string(),
        "INTEGER[]": pa.list_(pa.int32()), "UTINYINT[3]": pa.list_(pa.uint8(), 3),
        "STRUCT(a INTEGER, b TIMESTAMP_S[])": pa.struct([("a", pa.int32()), ("b", pa.list_(pa.timestamp("s")))]),
        "MAP(VARCHAR, UINTEGER)": pa.map_(pa.string(), pa.uint32()),
    }  # fmt: skip
    columns = ", ".join(f'"c {i}" {name}' for i, name in enumerate(types))

    planned = planner.plan(f'CREATE TABLE IF NOT EXISTS "My Table" ({columns}, n INT NOT NULL);')

    assert isinstance(planned, PlannedCreate)
    assert planned.create.name == "My Table"
    assert planned.create.if_not_exists
    schema = planner.engine.table_schema(planned.create.ddl)
    assert schema.types == [*types.values(), pa.int32()]
    assert not schema.field("n").nullable


def test_create_as_and_drop(planner: Planner) -> None:
    made = planner.plan(
        "CREATE OR REPLACE TABLE x AS (SELECT payload.age FROM users WHERE name = ' as ')"
    )
    assert isinstance(made, PlannedCreate)
    assert made.create.or_replace
    assert made.query is not None
    assert "users.age" in made.query.sql
    assert planner.plan('DROP TABLE IF EXISTS main."My Table"') == DropTable("My Table", True)


@pytest.mark.parametrize(
    ("sql", "types"),
    [
        (
            "SELECT * FROM users WHERE age = ? AND timestamp > ? AND payload.score < ?",
            "int64 timestamp[ms] double",
        ),
        (
            "SELECT * FROM users u WHERE u.payload.age IN (?, ?) LIMIT ? OFFSET ?",
            "int64 int64 int64 int64",
        ),
        ("SELECT * FROM plain WHERE a BETWEEN ? AND ? AND ts = ?", "int64 int64 timestamp[ms]"),
        ("SELECT ?::DATE, CAST(? AS BIGINT), ?", "date32[day] int64 string"),
        ("SELECT * FROM users WHERE name LIKE ? AND age + ? > 3", "string int64"),
        ("SELECT * FROM users WHERE $2 = age AND name = $1", "string int64"),
        ("SELECT * FROM users WHERE age = $1 OR age = $1 + 1", "int64"),
        ("SELECT (SELECT max(a) FROM plain WHERE b = ?) FROM users WHERE id = ?", "double string"),
        ("WITH x AS (SELECT age AS y FROM users) SELECT * FROM x WHERE y = ?", "int64"),
        ("SELECT 1", ""),
    ],
)
def test_parameters_are_declared_by_what_they_meet(planner: Planner, sql: str, types: str) -> None:
    planned = planner.plan(sql)
    assert isinstance(planned, PlannedQuery)
    assert [str(type_) for type_ in planned.parameters.types] == types.replace(
        "date32[day]", "date32[day]"
    ).split()
    assert planned.parameters.names == [str(i + 1) for i in range(planned.parameter_count)]


@pytest.mark.parametrize(
    ("sql", "column"),
    [
        ("SELECT count(*) FROM users", "count_star()"),
        ("SELECT count(*) AS n FROM main.users u", "n"),
        ("SELECT count() FROM users", "count_star()"),
        ("SELECT count(*) FROM users WHERE age = 1", ""),
        ("SELECT count(*) FILTER (WHERE age = 1) FROM users", ""),
        ("SELECT count(age) FROM users", ""),
        ("SELECT count(*) FROM users LIMIT 0", ""),
        ("SELECT count(*) FROM users GROUP BY age", ""),
        ("SELECT count(*) FROM users, plain", ""),
        ("SELECT count(*) FROM users TABLESAMPLE 10%", ""),
        ("SELECT count(*), 1 FROM users", ""),
        ("SELECT count(*) OVER () FROM users", ""),
        ("WITH users AS (SELECT 1) SELECT count(*) FROM users", ""),
        ("SELECT count(*) FROM users HAVING count(*) > 5", ""),
    ],
)
def test_a_bare_count_may_be_answered_from_known_numbers(
    planner: Planner, sql: str, column: str
) -> None:
    planned = planner.plan(sql)
    assert isinstance(planned, PlannedQuery)
    assert planned.count_column == column
    if column:
        counted = answer(planner, planned.count_fragment(5))
        assert counted.schema == pa.schema([(column, pa.int64())])
        assert counted.to_pylist() == [{column: 5}]
