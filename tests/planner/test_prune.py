"""Pruning removes only files that cannot match: pruned equals unpruned, whatever the rows and conditions."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from flightdb.model.segment import Segment
from flightdb.model.table import Table, TableKind
from flightdb.planner.plan import PlannedQuery, plan_query
from flightdb.planner.prune import prune
from tests.planner.conftest import Planner

SCHEMA = pa.schema(
    [
        ("i", pa.int64()),
        ("f", pa.float64()),
        ("g", pa.float32()),
        ("s", pa.string()),
        ("t", pa.timestamp("us")),
    ]
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FILES = 4

moments = st.integers(0, 4_000_000).map(
    lambda n: datetime(2024, 1, 1) + timedelta(microseconds=n * 1000 + n % 7)
)
row = st.fixed_dictionaries(
    {
        "i": st.none() | st.integers(-5, 5) | st.sampled_from([2**53 + 1, -(2**62)]),
        "f": st.none() | st.sampled_from([-1.5, 0.0, 0.1, 0.3, 2.5, 1e300, math.nan, math.inf]),
        "g": st.none() | st.sampled_from([-1.5, 0.0, 0.1, 0.3, 2.5]),
        "s": st.none()
        | st.sampled_from(["", "a", "ab", "b", "ä", "é", "zz", "😀", "x" * 40, "x" * 40 + "y"]),
        "t": st.none() | moments,
    }
)
literals = {
    "i": st.sampled_from(["0", "3", "-2", "1.5", "9007199254740993"]),
    "f": st.sampled_from(["0", "0.1", "0.3", "2.5", "-1.5", "3"]),
    "g": st.sampled_from(["0", "0.1", "0.3", "2.5", "-1.5"]),
    "s": st.sampled_from(
        ["'a'", "'ab'", "'ä'", "'é'", "'😀'", "'m'", f"'{'x' * 40}'", f"'{'x' * 41}'"]
    ),
    "t": moments.map(lambda m: f"'{m}'")
    | st.sampled_from(["DATE '2024-01-01'", "TIMESTAMP '2024-01-01 00:30:00'"]),
}


@st.composite
def conditions(draw: st.DrawFn, names: tuple[str, ...] = ("t1.", "")) -> str:
    column = draw(st.sampled_from(sorted(literals)))
    shown = draw(st.sampled_from(names)) + column
    value = literals[column]
    form = draw(st.sampled_from(["compare", "mirror", "between", "in", "or", "not", "null"]))
    operator = draw(st.sampled_from(["=", "<", "<=", ">", ">=", "<>"]))
    if form == "compare":
        return f"{shown} {operator} {draw(value)}"
    if form == "mirror":
        return f"{draw(value)} {operator} {shown}"
    if form == "between":
        return f"{shown} BETWEEN {draw(value)} AND {draw(value)}"
    if form == "in":
        return f"{shown} IN ({draw(value)}, {draw(value)})"
    if form == "or":
        return f"({shown} = {draw(value)} OR {shown} IS NULL)"
    if form == "not":
        return f"NOT ({shown} = {draw(value)})"
    return f"{shown} IS NULL"


def joined(parts: list[str]) -> str:
    return " AND ".join(parts)


@st.composite
def statements(draw: st.DrawFn) -> str:
    where = joined(draw(st.lists(conditions(), min_size=1, max_size=3)))
    qualified = joined(draw(st.lists(conditions(("a.", "b.")), min_size=1, max_size=2)))
    join = draw(
        st.sampled_from(
            ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "ASOF JOIN", "ASOF LEFT JOIN"]
        )
    )
    on = (
        "a.i = b.i AND a.t >= b.t"
        if "ASOF" in join
        else draw(st.sampled_from(["a.i = b.i", f"a.i = b.i AND {qualified}"]))
    )
    return draw(
        st.sampled_from(
            [
                f"SELECT * FROM t1 WHERE {where}",
                f"SELECT count(*) FROM t1 WHERE {where}",
                f"WITH x AS (SELECT * FROM t1 WHERE {where}) SELECT * FROM x FULL JOIN t1 ON x.i = t1.i",
                f"SELECT * FROM t1 WHERE i IN (SELECT i FROM t1 WHERE {where})",
                f"SELECT (SELECT count(*) FROM t1 b WHERE b.i = a.i AND {qualified}) FROM t1 a",
                f"SELECT * FROM t1 a {join} t1 b ON {on} WHERE {qualified}",
                f"SELECT i FROM t1 WHERE {where} UNION ALL SELECT i FROM t1",
                f"SELECT i + 1 AS f, s FROM t1 WHERE {where}",
                f"SELECT a.i FROM t1 a ANTI JOIN t1 b ON {on} WHERE a.i > 0",
            ]
        )
    )


def statistics(rows: list[dict[str, Any]]) -> str:
    """As the log has them: times to the millisecond, NaN and infinity left out, long strings cut."""
    low: dict[str, Any] = {}
    high: dict[str, Any] = {}
    nulls = {}
    for name in SCHEMA.names:
        values = [r[name] for r in rows if r[name] is not None]
        nulls[name] = len(rows) - len(values)
        values = [v for v in values if not (isinstance(v, float) and math.isnan(v))]
        if not values or any(isinstance(v, float) and math.isinf(v) for v in values):
            continue
        if name == "g":
            values = pa.array(values, pa.float32()).to_pylist()
        low[name], high[name] = min(values), max(values)
        if name == "t":
            low[name], high[name] = (
                v.isoformat(timespec="milliseconds") + "Z" for v in (low[name], high[name])
            )
        if name == "s":
            low[name], high[name] = low[name][:32], high[name][:32]
    return json.dumps(
        {"numRecords": len(rows), "minValues": low, "maxValues": high, "nullCount": nulls}
    )


@settings(max_examples=200, deadline=None)
@given(
    files=st.lists(st.lists(row, min_size=1, max_size=4), min_size=FILES, max_size=FILES),
    sql=statements(),
)
def test_a_pruned_query_gives_the_same_rows(
    planner: Planner,
    oracle: duckdb.DuckDBPyConnection,
    files: list[list[dict[str, Any]]],
    sql: str,
) -> None:
    table = Table("t1", "1", TableKind.PLAIN, SCHEMA)
    engine = planner.engine
    planned = plan_query(sql, lambda _: table, engine.parse, engine.render, planner.functions)
    segments = [
        Segment(f"{i}.parquet", len(rows), 1, statistics(rows)) for i, rows in enumerate(files)
    ]
    kept = {
        s.alias: {g.path for g in prune(segments, s.predicate, SCHEMA)} for s in planned.sources
    }

    pruned = answer(
        oracle,
        planned.sql,
        {
            alias: [r for i, f in enumerate(files) if f"{i}.parquet" in paths for r in f]
            for alias, paths in kept.items()
        },
    )
    full = answer(oracle, planned.sql, {alias: [r for f in files for r in f] for alias in kept})

    assert pruned == full


@pytest.fixture(scope="module")
def oracle() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


def answer(
    oracle: duckdb.DuckDBPyConnection, sql: str, rows: dict[str, list[dict[str, Any]]]
) -> list[str]:
    for alias, values in rows.items():
        oracle.register(alias, pa.Table.from_pylist(values, schema=SCHEMA))
    found = sorted(repr(r) for r in oracle.execute(sql).fetchall())
    for alias in rows:
        oracle.unregister(alias)
    return found


def prunes(
    planner: Planner, sql: str, segment: Segment, parameters: tuple[object, ...] = ()
) -> bool:
    planned = planner.plan(sql)
    assert isinstance(planned, PlannedQuery)
    (source,) = planned.sources
    return prune([segment], source.predicate, source.table.schema, parameters) == ()


FILE = Segment(
    "a.parquet",
    10,
    1,
    json.dumps(
        {
            "numRecords": 10,
            "minValues": {
                "id": "b",
                "timestamp": "2024-01-02T00:00:00.000Z",
                "age": 10,
                "score": 1.5,
            },
            "maxValues": {
                "id": "d",
                "timestamp": "2024-01-03T00:00:00.000Z",
                "age": 20,
                "score": 2.5,
            },
            "nullCount": {"name": 10},
        }
    ),
)


@pytest.mark.parametrize(
    ("condition", "is_pruned"),
    [
        ("id = 'a'", True),
        ("id = 'c'", False),
        ("id IN ('a', 'e')", True),
        ("id IN ('a', 'c')", False),
        ("age > 20", False),
        ("age > 21", True),
        ("21 < payload.age", True),
        ("age BETWEEN 21 AND 30", True),
        ("age = 5 AND id = 'c'", True),
        ("age = 5 OR id = 'c'", False),
        ("timestamp >= '2024-01-04'", True),
        ("timestamp < '2024-01-02'", False),
        ("timestamp < '2024-01-01'", True),
        ("timestamp >= TIMESTAMP '2024-01-05 10:00:00'", True),
        ("timestamp = 'yesterday'", False),
        ("score = 3", True),
        ("score < 1", True),
        ("score > 3", False),
        ("name = 'x'", True),
        ("upper(id) = 'A'", False),
        ("age + 0 = 5", False),
        ("age::VARCHAR = '5'", False),
        ("id <> 'c'", False),
    ],
)
def test_files_are_pruned_by_their_bounds(
    planner: Planner, condition: str, is_pruned: bool
) -> None:
    assert prunes(planner, f"SELECT * FROM users WHERE {condition}", FILE) is is_pruned


def test_bound_parameters_prune_too(planner: Planner) -> None:
    assert prunes(planner, "SELECT * FROM users WHERE id = ?", FILE, ("a",))
    assert prunes(planner, "SELECT * FROM users WHERE age > $1", FILE, (pa.scalar(30),))
    later = pa.scalar(datetime(2025, 1, 1), pa.timestamp("ms"))
    assert prunes(planner, "SELECT * FROM users WHERE timestamp > ?", FILE, (later,))
    assert not prunes(planner, "SELECT * FROM users WHERE id = ?", FILE, ("c",))
    assert not prunes(planner, "SELECT * FROM users WHERE id = ?", FILE, ())
    assert not prunes(planner, "SELECT * FROM users WHERE id = ?", FILE, (None,))


def test_a_file_without_statistics_is_kept(planner: Planner) -> None:
    assert not prunes(planner, "SELECT * FROM users WHERE id = 'a'", Segment("a", 1, 1))
