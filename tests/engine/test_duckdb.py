"""Parse, render, describe, run, stop."""

import gc
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from flightdb import errors
from flightdb.engine.duckdb import DuckDBEngine
from flightdb.engine.stream import BATCH_BYTES_MAX
from flightdb.errors import (
    Cancelled,
    Corruption,
    DeadlineExceeded,
    FlightdbError,
    InvalidQuery,
    InvalidRequest,
    Overloaded,
    PermissionDenied,
    Unavailable,
)
from flightdb.model.cancellation import Cancellation
from flightdb.model.source import Fragment, TableSource
from tests.engine.conftest import Desk

ENDLESS = (
    "SELECT count(*) FROM range(100000000000) r(i) WHERE i % 7 = 3",
    "SELECT i FROM range(100000000000) r(i)",
    "SELECT i FROM range(100000000000) r(i) WHERE i < 0",
    "SELECT sum(a.i * b.i) FROM range(100000) a(i), range(1000000) b(i)",
    "SELECT 'a'::ENUM('a') FROM range(100000000000) r(i) WHERE i < 0",
)

TYPES = (
    "BOOLEAN", "TINYINT", "UBIGINT", "BIGINT", "HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE", "VARCHAR", "BLOB",
    "DATE", "TIME", "TIME_NS", "TIMETZ", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS",
    "TIMESTAMPTZ", "TIMESTAMPTZ_NS", "INTERVAL", "UUID", "BIT", "BIGNUM", "JSON", "VARIANT",
    "DECIMAL(4,1)", "DECIMAL(38,10)", "ENUM('a','b')",
)  # fmt: skip


@st.composite
def sql_types(draw: st.DrawFn, depth: int = 0) -> str:
    kind = (
        draw(st.sampled_from(["leaf", "leaf", "list", "array", "struct", "map", "union"]))
        if depth < 2
        else "leaf"
    )
    if kind == "leaf":
        return draw(st.sampled_from(TYPES))
    inner = draw(sql_types(depth + 1))
    return {
        "list": f"{inner}[]",
        "array": f"{inner}[2]",
        "struct": f'STRUCT("a b" {inner}, c INTEGER)',
        "map": f"MAP(VARCHAR, {inner})",
        "union": f"UNION(u {inner}, v INTEGER)",
    }[kind]


@settings(max_examples=120, deadline=None)
@given(types=st.lists(sql_types(), min_size=1, max_size=4), has_rows=st.booleans())
def test_an_answer_has_the_schema_that_describe_says(
    desk: Desk, types: list[str], has_rows: bool
) -> None:
    columns = ", ".join(f"CAST(NULL AS {type_}) AS c{i % 2}" for i, type_ in enumerate(types))
    sql = f"SELECT {columns}, NULL AS n, [] AS e FROM range({5 if has_rows else 0})"

    described = desk.engine.describe(Fragment(sql, ()))
    answer = desk.ask(sql)

    answer.validate(full=True)
    assert answer.schema.equals(described, check_metadata=True)
    assert all(field.nullable for field in described)
    assert not any(
        str(f.type).startswith(("dictionary", "sparse", "dense", "null")) for f in described
    )
    assert "view" not in str(described)
    assert "Etc" not in str(described)


def test_values_survive_the_change_of_type(desk: Desk) -> None:
    answer = desk.ask(
        "SELECT 'a'::ENUM('a','b') e, ['b'::ENUM('b')] l, {'u': 340282366920938463463374607431768211455::UHUGEINT} s, "
        "TIMESTAMPTZ '2024-01-01 12:00:00+02' t, union_value(k := 3) u, '101'::BIT b, 1 AS d, 2 AS d, "
        "'12:00:00+02'::TIMETZ z, MAP {'k': 'v'::ENUM('v')} m"
    )

    assert [column.to_pylist()[0] for column in answer.columns] == [
        "a",
        ["b"],
        {"u": "340282366920938463463374607431768211455"},
        datetime(2024, 1, 1, 10, tzinfo=UTC),
        "3",
        "101",
        1,
        2,
        "12:00:00+02",
        [("k", "v")],
    ]


def test_a_tree_renders_to_the_same_answer(desk: Desk) -> None:
    sql = "WITH x AS (SELECT i, i % 3 g FROM range(10) r(i)) SELECT g, sum(i) s FROM x GROUP BY g ORDER BY g"

    rendered = desk.engine.render(desk.engine.parse(sql))

    assert desk.ask(rendered).equals(desk.ask(sql))


@pytest.mark.parametrize(
    ("sql", "position"),
    [
        ("SELECT a FRM t WHERE x", 13),
        ("", None),
        ("SELECT 1; SELECT 2", None),
        ("COPY t TO 'x'", None),
    ],
)
def test_what_is_not_one_select_does_not_parse(desk: Desk, sql: str, position: int | None) -> None:
    with pytest.raises(InvalidQuery) as refused:
        desk.engine.parse(sql)
    assert refused.value.position == position


def test_the_default_table_without_quotes_is_told_how_to_write_it(desk: Desk) -> None:
    with pytest.raises(InvalidQuery, match="a table of this name is written in double quotes"):
        desk.engine.parse("SELECT * FROM default")


@pytest.mark.parametrize(
    ("sql", "error", "words"),
    [
        ("SELECT foo FROM range(1) t(bar)", InvalidQuery, "foo.*bar"),
        ("SELECT 'a'::INTEGER FROM range(1)", InvalidQuery, "Could not convert string 'a'"),
        ("SELECT 9223372036854775807 + 1", InvalidQuery, "Overflow"),
        ("SELECT no_such_function(1)", InvalidQuery, "no_such_function"),
        ("SELECT avgg(1)", InvalidQuery, "Did you mean"),
        ("SELECT * FROM read_text('/etc/passwd')", PermissionDenied, "not allowed"),
        ("SELECT len(list(i)) FROM range(1000000000) r(i)", Overloaded, "memory"),
        (
            "SELECT CASE WHEN i > 9000 THEN CAST('x' || i AS INTEGER) ELSE 1 END FROM range(10000) r(i)",
            InvalidQuery,
            "x9001",
        ),
    ],
)
def test_an_error_is_named_for_what_the_caller_can_do(
    desk: Desk, sql: str, error: type[FlightdbError], words: str
) -> None:
    with pytest.raises(error, match=words) as refused:
        desk.ask(sql)
    assert "LINE" not in refused.value.message
    assert "\n" not in refused.value.message
    assert str(desk.data) not in refused.value.message


def test_a_damaged_or_missing_file_is_corruption_that_names_it(desk: Desk) -> None:
    schema = pa.schema([("a", pa.int64())])
    broken = desk.data / "t" / "id" / "2024-01-01" / "1.parquet"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"PAR1 this is no parquet file PAR1")
    for path in (broken, desk.data / "t" / "id" / "2024-01-01" / "2.parquet"):
        with pytest.raises(Corruption, match=rf"t/id/2024-01-01/{path.name}") as refused:
            desk.ask(
                "SELECT * FROM __flightdb_0", TableSource("__flightdb_0", schema, (str(path),))
            )
        assert str(desk.data) not in refused.value.message


@pytest.mark.parametrize("sql", ENDLESS)
def test_a_query_stops_within_a_second(desk: Desk, sql: str) -> None:
    cancellation = Cancellation()
    timer = threading.Timer(0.2, cancellation.expire)
    timer.start()
    started = time.monotonic()

    with (
        pytest.raises(DeadlineExceeded),
        desk.engine.run(Fragment(sql, ()), cancellation) as stream,
    ):
        for _ in stream:
            pass

    assert time.monotonic() - started < 1.2
    timer.join()


def test_a_cancel_at_any_moment_stops_it(desk: Desk) -> None:
    for delay_ms in range(20):
        cancellation = Cancellation()
        timer = threading.Timer(delay_ms / 1000, cancellation.cancel)
        timer.start()
        started = time.monotonic()
        with pytest.raises(Cancelled):
            desk.engine.run(Fragment(ENDLESS[0], ()), cancellation).read_all()
        assert time.monotonic() - started < 1
        timer.join()


def test_an_expired_query_does_not_start(desk: Desk) -> None:
    cancellation = Cancellation()
    cancellation.expire()
    with pytest.raises(DeadlineExceeded):
        desk.engine.run(Fragment("SELECT 1", ()), cancellation)


@pytest.mark.parametrize("how", ["close", "leave", "never read", "from another thread"])
def test_a_stream_that_is_given_up_frees_its_query(desk: Desk, how: str) -> None:
    stream = desk.engine.run(Fragment(ENDLESS[1], ()), Cancellation())
    if how == "close":
        next(iter(stream))
        stream.close()
    elif how == "from another thread":
        next(iter(stream))
        closer = threading.Thread(target=stream.close)
        closer.start()
        for _ in stream:
            pass
        closer.join()
    elif how == "leave":
        with stream:
            next(iter(stream))
    else:
        stream.close()
    stream.close()
    del stream
    gc.collect()

    assert not desk.engine._running


def test_a_client_that_stops_reading_costs_no_memory(desk: Desk) -> None:
    stream = desk.engine.run(
        Fragment("SELECT i, i::VARCHAR AS s FROM range(100000000) r(i)", ()), Cancellation()
    )
    with stream:
        batches = iter(stream)
        for _ in range(10):
            next(batches)
        before = pa.total_allocated_bytes(), desk.engine.statistics()["memory_bytes"]
        time.sleep(0.3)
        after = pa.total_allocated_bytes(), desk.engine.statistics()["memory_bytes"]
    assert sum(after) - sum(before) < 32 << 20
    assert after[1] < 64 << 20


def test_batches_are_of_bounded_size_and_not_tiny(desk: Desk) -> None:
    sql = "SELECT i, repeat('x', 100) AS s FROM range(200000) r(i)"
    sizes, rows = [], 0
    for batch in desk.engine.run(Fragment(sql, ()), Cancellation()):
        sizes.append(batch.nbytes)
        rows += batch.num_rows

    assert rows == 200_000
    assert max(sizes) <= BATCH_BYTES_MAX * 1.2
    assert sorted(sizes)[len(sizes) // 2] > BATCH_BYTES_MAX // 4


@pytest.mark.parametrize(
    "value",
    [
        pa.scalar(5, pa.int64()),
        pa.scalar(2**64 - 1, pa.uint64()),
        pa.scalar(Decimal("123456789012345678901234567.890123"), pa.decimal128(38, 6)),
        pa.scalar(b"\x00\xff", pa.binary()),
        pa.scalar("a\x00b'"),
        pa.scalar(1_700_000_000_123_456_789, pa.timestamp("ns")),
        pa.scalar(1_700_000_000_123_456, pa.timestamp("us", tz="UTC")),
        pa.scalar(1_700_000_000_123, pa.timestamp("ms")),
        pa.scalar(19_000, pa.date32()),
        pa.scalar(86_399_999_999, pa.time64("us")),
        pa.scalar([1, None, 3], pa.list_(pa.int64())),
        pa.scalar(True),
        pa.scalar(1.1),
    ],
    ids=lambda value: str(value.type),
)
def test_a_parameter_keeps_its_value_and_type(desk: Desk, value: pa.Scalar) -> None:
    answer = desk.ask("SELECT $1 AS v", parameters=(value,))

    assert answer.column(0)[0].as_py() == value.as_py()
    if not pa.types.is_decimal(value.type):
        assert answer.schema.field(0).type == value.type


def test_parameters_may_be_null_or_python_values(desk: Desk) -> None:
    answer = desk.ask("SELECT $1 AS a, $2 + 1 AS b, $3 AS c", parameters=(None, 2**40, "x"))
    assert answer.to_pylist() == [{"a": None, "b": 2**40 + 1, "c": "x"}]


def test_create_table_text_gives_exact_types(desk: Desk) -> None:
    schema = desk.engine.table_schema(
        'CREATE TABLE "x y" (a INT128 NOT NULL, "b c" TIMESTAMP_S, c UUID, d DECIMAL(5, 2), e UINTEGER[], '
        "f STRUCT(g TIMESTAMPTZ), h TIMESTAMP_NS, i TEXT)"
    )
    assert schema == pa.schema(
        [
            pa.field("a", pa.decimal128(38, 0), nullable=False),
            ("b c", pa.timestamp("s")),
            ("c", pa.uuid()),
            ("d", pa.decimal128(5, 2)),
            ("e", pa.list_(pa.uint32())),
            ("f", pa.struct([("g", pa.timestamp("us", tz="UTC"))])),
            ("h", pa.timestamp("ns")),
            ("i", pa.string()),
        ]
    )


@pytest.mark.parametrize(
    ("ddl", "error"),
    [
        ("CREATE TABLE x (a BIT)", InvalidRequest),
        ("CREATE TABLE x (a ENUM('a'))", InvalidRequest),
        ("CREATE TABLE x (a NO_SUCH_TYPE)", InvalidQuery),
        ("CREATE TABLE x (a INT, A INT)", InvalidQuery),
    ],
)
def test_a_type_without_a_form_of_its_own_is_refused(
    desk: Desk, ddl: str, error: type[FlightdbError]
) -> None:
    with pytest.raises(error):
        desk.engine.table_schema(ddl)


def test_nothing_can_be_unlocked_written_or_read_outside(desk: Desk, tmp_path: Path) -> None:
    for sql in (
        "SET enable_external_access = true",
        "SET threads = 8",
        "RESET memory_limit",
        "INSTALL httpfs",
        "LOAD httpfs",
        f"ATTACH '{tmp_path}/x.db'",
        f"COPY (SELECT 1) TO '{tmp_path}/x.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        f"SELECT * FROM read_text('{desk.data}/../../../../../../etc/passwd')",
        "SELECT * FROM 'http://127.0.0.1:1/x.parquet'",
    ):
        with pytest.raises(FlightdbError):
            desk.engine._rows(sql)
    assert list(tmp_path.iterdir()) == []


def test_the_private_directory_is_private(tmp_path: Path) -> None:
    engine = DuckDBEngine(data_dir=tmp_path / "data", temp_dir=tmp_path / "temp")
    assert (tmp_path / "temp").stat().st_mode & 0o777 == 0o700
    engine.close()


def test_closing_stops_running_queries(tmp_path: Path) -> None:
    engine = DuckDBEngine(data_dir=tmp_path / "data", temp_dir=tmp_path / "temp")
    outcome: list[BaseException] = []

    def ask() -> None:
        try:
            engine.run(Fragment(ENDLESS[0], ()), Cancellation()).read_all()
        except FlightdbError as error:
            outcome.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.2)
    engine.close()
    thread.join(2)

    assert isinstance(outcome[0], errors.Cancelled)
    with pytest.raises(Unavailable):
        engine.parse("SELECT 1")


def test_queries_run_side_by_side(desk: Desk) -> None:
    def ask(number: int, into: list[object]) -> Callable[[], None]:
        return lambda: into.append(
            desk.ask(f"SELECT {number} AS n, count(*) c FROM range(100000)").to_pylist()[0]
        )

    found: list[object] = []
    threads = [threading.Thread(target=ask(number, found)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, found)) == sorted(str({"n": n, "c": 100000}) for n in range(16))
