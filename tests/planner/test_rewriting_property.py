"""Any query over a record table means the same as with its columns written plainly, in plain DuckDB."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from flightdb.model.cancellation import Cancellation
from flightdb.model.source import ArrowSegment, BufferPart, Fragment, TableSource
from flightdb.planner.plan import PlannedQuery
from tests.planner.conftest import TABLES, USERS, Planner

ROWS = pa.RecordBatch.from_pylist(
    [
        {
            "id": f"u{i % 5}",
            "timestamp": 1_704_067_200_000_000 + i * 3_600_000_000,
            "age": None if i % 7 == 0 else i % 11,
            "name": None if i % 5 == 0 else f"n{i % 4}",
            "address": f'{{"city": "c{i % 3}", "geo": {{"x": {i % 2}}}}}',
            "score": i * 0.5,
        }
        for i in range(40)
    ],
    schema=USERS.schema,
)


@pytest.fixture(scope="module")
def oracle() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'").fetchall()
    connection.register("rows", pa.Table.from_batches([ROWS]))
    connection.execute("CREATE TABLE users AS SELECT * FROM rows").fetchall()
    yield connection
    connection.close()


KEYS = ("age", "name", "score")
numbers = st.sampled_from(
    ["{age}", "{score}", "{age} + 1", "abs({score} - 3)", "coalesce({age}, 0)"]
)
texts = st.sampled_from(
    ["{name}", "upper({name})", "{name} || 'x'", "{city}", "coalesce({city}, 'z')"]
)
anything = numbers | texts | st.sampled_from(["id", "timestamp", "u.id"])
predicates = st.sampled_from(
    [
        "{age} > 3",
        "{age} BETWEEN 2 AND 8",
        "{name} IN ('n1', 'n2')",
        "{city} = 'c1'",
        "{age} IS NULL",
        "NOT ({score} < 4)",
        "timestamp >= '2024-01-01 10:00:00'",
        "EXISTS (SELECT 1 FROM users v WHERE v.id = u.id AND {age_of_u} > 1)",
        "{age} IN (SELECT {age_of_w} FROM users w)",
    ]
)
aggregates = st.builds(
    "{}({})".format, st.sampled_from(["sum", "min", "max", "count", "avg"]), numbers
)


@st.composite
def templates(draw: st.DrawFn) -> str:
    where = " AND ".join(draw(st.lists(predicates, max_size=3)))
    where = f" WHERE {where}" if where else ""
    shape = draw(st.sampled_from(["plain", "group", "window", "cte", "distinct"]))
    if shape == "group":
        key, value = draw(texts), draw(aggregates)
        return f"SELECT {key}, {value} FROM users u{where} GROUP BY {key}"
    columns = ", ".join(draw(st.lists(anything, min_size=1, max_size=3)))
    if shape == "window":
        columns += ", sum({age}) OVER (PARTITION BY {name})"
    if shape == "cte":
        return f"WITH u AS (SELECT * FROM users u{where}) SELECT {columns} FROM u"
    return f"SELECT {'DISTINCT ' if shape == 'distinct' else ''}{columns} FROM users u{where}"


def written(template: str, key: str, path: str) -> str:
    return template.format(
        **{name: key.format(name) for name in KEYS},
        city=path,
        age_of_u="u.payload.age" if "payload" in key else "u.age",
        age_of_w="w.payload.age" if "payload" in key else "w.age",
    )


@settings(max_examples=150, deadline=None)
@given(template=templates(), spelling=st.sampled_from(["payload.{}", "u.payload.{}", "{}"]))
def test_payload_means_the_columns(
    planner: Planner, oracle: duckdb.DuckDBPyConnection, template: str, spelling: str
) -> None:
    base = spelling if "payload" in spelling else "payload.{}"
    sql = written(template, spelling, base.format("address.city"))
    plain = written(template, "u.{}", "(u.address ->> '$.city')")

    planned = planner.plan(sql)
    assert isinstance(planned, PlannedQuery)
    answer = planner.engine.run(fragment(planned), Cancellation()).read_all()
    expected = oracle.sql(plain).to_arrow_table()

    assert answer.num_columns == expected.num_columns
    assert rows(answer) == rows(expected)


def fragment(planned: PlannedQuery) -> Fragment:
    body = ROWS.serialize()
    part = BufferPart(USERS.schema, (ArrowSegment("", 0, body.size, ROWS.num_rows, body),))
    sources = tuple(
        TableSource(source.alias, TABLES[source.table.name].schema, (), (part,))
        for source in planned.sources
    )
    return Fragment(planned.sql, sources)


def rows(table: pa.Table) -> list[str]:
    columns = [column.to_pylist() for column in table.columns]
    return sorted(repr(row) for row in zip(*columns, strict=True))
