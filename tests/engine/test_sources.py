"""Files and buffers as one relation."""

from pathlib import Path

import pyarrow as pa
import pytest

from flightdb.engine.mappings import Mappings
from flightdb.engine.sources import bind
from flightdb.errors import Corruption, Unavailable
from flightdb.model.source import ArrowSegment, BufferPart, Fragment, TableSource
from tests.engine.conftest import Desk, buffer

SCHEMA = pa.schema([("id", pa.string()), ("n", pa.uint8()), ("t", pa.timestamp("us", tz="UTC"))])


def rows(*values: int) -> pa.RecordBatch:
    made = [{"id": f"r{v}", "n": v, "t": v * 1_000_000} for v in values]
    return pa.RecordBatch.from_pylist(made, schema=SCHEMA)


def test_files_and_buffers_are_one_relation_in_the_logical_schema(desk: Desk) -> None:
    source = TableSource(
        "__flightdb_0", SCHEMA, (desk.write("a.parquet", rows(1, 2)),), (buffer(rows(3), rows(4)),)
    )

    answer = desk.ask("SELECT * FROM __flightdb_0 AS t ORDER BY n", source)

    assert answer.schema == SCHEMA
    assert answer.column("n").to_pylist() == [1, 2, 3, 4]


def test_a_table_without_rows_is_an_empty_relation_of_the_right_types(desk: Desk) -> None:
    schema = pa.schema(
        [
            ("a", pa.uint64()),
            ("b", pa.list_(pa.timestamp("s"))),
            ("c", pa.struct([("x", pa.int8())])),
        ]
    )
    source = TableSource("__flightdb_0", schema)

    assert desk.ask("SELECT * FROM __flightdb_0", source).schema == schema
    assert desk.ask("SELECT count(*) AS n FROM __flightdb_0", source).to_pylist() == [{"n": 0}]


def test_older_files_and_buffers_show_new_columns_as_null_and_wider_types(desk: Desk) -> None:
    old = pa.RecordBatch.from_pylist(
        [{"id": "a", "n": 1}], pa.schema([("id", pa.string()), ("n", pa.int64())])
    )
    new_schema = pa.schema([("id", pa.string()), ("n", pa.float64()), ("extra", pa.string())])
    new = pa.RecordBatch.from_pylist([{"id": "b", "n": 1.5, "extra": "x"}], new_schema)
    files = (desk.write("old.parquet", old), desk.write("new.parquet", new))
    buffers = (buffer(old), buffer(new))

    for source in (
        TableSource("__flightdb_0", new_schema, files, buffers, is_evolved=True),
        TableSource("__flightdb_0", new_schema, files[:1], buffers[:1], is_evolved=True),
    ):
        answer = desk.ask("SELECT * FROM __flightdb_0 ORDER BY id", source)
        assert answer.schema == new_schema
        assert answer.column("extra").to_pylist()[0] is None
        assert answer.column("n").to_pylist()[0] == 1.0


@pytest.mark.parametrize("is_evolved", [False, True])
def test_filters_and_projections_reach_the_parquet_reader(desk: Desk, is_evolved: bool) -> None:
    source = TableSource(
        "__flightdb_0", SCHEMA, (desk.write("p.parquet", rows(1, 2)),), (), is_evolved
    )
    bound = bind(Fragment("SELECT n FROM __flightdb_0 AS t WHERE id = 'r1'", (source,)), Mappings())

    plan = desk.engine._rows(f"EXPLAIN {bound.sql}")[0][1]

    assert "PARQUET" in plan.upper()
    assert "Filters" in plan
    assert "id='r1'" in plan.replace(" ", "")
    assert '"t"' not in plan


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT n FROM __flightdb_0 AS t",
        "(SELECT n FROM __flightdb_0 AS t) UNION ALL (SELECT 1 WHERE false)",
        "WITH x AS (SELECT n FROM __flightdb_0 AS t) SELECT * FROM x",
        "WITH RECURSIVE x AS ((SELECT 1 AS n) UNION ALL (SELECT n + 1 FROM x WHERE n < 2)) "
        "SELECT CAST(n AS UTINYINT) AS n FROM x WHERE n IN (SELECT n FROM __flightdb_0)",
        "SELECT * FROM (WITH x AS (SELECT n FROM __flightdb_0 AS t) SELECT * FROM x)",
    ],
)
def test_sources_go_in_front_of_any_statement(desk: Desk, sql: str) -> None:
    source = TableSource("__flightdb_0", SCHEMA, (), (buffer(rows(1, 2)),))

    assert desk.ask(sql, source).to_pylist() == [{"n": 1}, {"n": 2}]


def test_describe_and_summarize_of_a_source(desk: Desk) -> None:
    source = TableSource("__flightdb_0", SCHEMA, (), (buffer(rows(1)),))
    for word in ("DESCRIBE", "SUMMARIZE"):
        answer = desk.ask(f"{word} (SELECT * FROM __flightdb_0 AS t)", source)
        assert answer.column("column_name").to_pylist() == SCHEMA.names


def test_the_same_source_is_read_twice(desk: Desk) -> None:
    source = TableSource("__flightdb_0", SCHEMA, (), (buffer(rows(1), rows(2)),))

    sql = "SELECT a.n, b.n AS m FROM __flightdb_0 AS a, __flightdb_0 AS b ORDER BY ALL"

    assert desk.ask(sql, source).num_rows == 4


def test_buffers_are_mapped_from_files_without_a_copy(desk: Desk, tmp_path: Path) -> None:
    body = rows(*range(100)).serialize()
    path = tmp_path / "wal"
    path.write_bytes(b"\0" * 64 + body.to_pybytes())
    segment = ArrowSegment(str(path), 64, body.size, 100)
    source = TableSource("__flightdb_0", SCHEMA, (), (BufferPart(SCHEMA, (segment,)),))

    before = pa.total_allocated_bytes()
    buffer_ = Mappings().buffer(segment)

    assert pa.total_allocated_bytes() == before
    assert buffer_.equals(body)
    assert desk.ask("SELECT sum(n)::BIGINT AS n FROM __flightdb_0", source).to_pylist() == [
        {"n": 4950}
    ]


def test_a_map_follows_the_file_not_the_name(tmp_path: Path) -> None:
    path, mappings = tmp_path / "wal", Mappings(maps_max=1)
    path.write_bytes(b"old bytes")
    old = mappings.buffer(ArrowSegment(str(path), 0, 3, 1))
    other = tmp_path / "other"
    other.write_bytes(b"new bytes and more")
    other.rename(path)

    assert mappings.buffer(ArrowSegment(str(path), 0, 3, 1)).to_pybytes() == b"new"
    with path.open("ab") as file:
        file.write(b", grown")
    assert mappings.buffer(ArrowSegment(str(path), 20, 5, 1)).to_pybytes() == b"grown"
    assert old.to_pybytes() == b"old"


def test_a_missing_or_short_buffer_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    path, mappings = tmp_path / "wal", Mappings()
    with pytest.raises(Unavailable):
        mappings.buffer(ArrowSegment(str(path), 0, 3, 1))
    path.write_bytes(b"abc")
    with pytest.raises(Corruption, match="bytes=3"):
        mappings.buffer(ArrowSegment(str(path), 0, 30, 1))
