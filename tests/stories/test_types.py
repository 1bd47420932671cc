"""Every type that a table can hold comes back as it went in: buffered, flushed, after a restart, and with no flightdb."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import adbc_driver_flightsql.dbapi as flightsql
import adbc_driver_manager
import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from google.protobuf import any_pb2
from pyarrow import flight

from flightdb.app import App
from flightdb.flight.commands import pack
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2
from tests.conftest import settings_for
from tests.stories.doors import Doors, arrow_stream
from tests.stories.typed import COLUMNS, KEPT_AS, all_types, delta_values, values_of

BATCH = all_types()
REPEATS = 40
"""So many times the batch is over `buffer.direct_bytes`."""


class Node:
    """A server over one directory that can be started again."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.app: Any = None
        self.start()

    def start(self) -> None:
        self.app = App.start(settings_for(self.data, buffer__direct_bytes="1MiB"))

    @property
    def url(self) -> str:
        return f"grpc://127.0.0.1:{self.app.flight_port}"

    def fetch(self, sql: str) -> pa.Table:
        with (
            flightsql.connect(self.url, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)
            return cursor.fetch_arrow_table()

    def ingest(self, table: str, rows: Any, mode: str) -> int:
        with (
            flightsql.connect(self.url, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            return cursor.adbc_ingest(table, rows, mode=mode)

    def file_count(self, table: str) -> int:
        [info] = self.app.service.tables(table)
        return info.file_count


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    node = Node(tmp_path_factory.mktemp("types") / "data")
    node.ingest("small", BATCH.slice(0, 0), "create")
    node.ingest("small", BATCH, "append")
    node.ingest("large", BATCH.slice(0, 0), "create")
    many = pa.RecordBatchReader.from_batches(BATCH.schema, [BATCH] * REPEATS)
    assert node.ingest("large", many, "append") == REPEATS * len(BATCH)
    yield node
    node.app.stop()


def check(node: Node, table: str, repeats: int) -> None:
    answer = node.fetch(f"SELECT * FROM {table} ORDER BY n")
    want = [row for row in values_of(pa.table(BATCH)) for _ in range(repeats)]
    assert values_of(answer) == want
    types = {field.name: field.type for field in answer.schema}
    assert types == {field.name: KEPT_AS.get(field.name, field.type) for field in BATCH.schema}


def test_values_are_the_same_in_the_buffer_in_files_after_a_restart_and_without_a_server(
    node: Node,
):
    assert node.file_count("small") == 0
    check(node, "small", 1)
    node.app.stop()  # which flushes
    for table, repeats in (("small", 1), ("large", REPEATS)):
        rows = DeltaTable(str(node.data / "tables" / table)).to_pyarrow_table().sort_by("n")
        assert delta_values(rows) == [
            row for row in delta_values(pa.table(BATCH)) for _ in range(repeats)
        ]
    node.start()
    assert node.file_count("small") > 0
    check(node, "small", 1)


def test_a_large_statement_goes_straight_to_files_with_the_same_values(node: Node):
    assert node.file_count("large") > 0
    check(node, "large", REPEATS)


def test_rows_are_recovered_from_the_log_with_the_same_values(tmp_path: Path):
    node = Node(tmp_path / "data")
    node.ingest("t", BATCH.slice(0, 0), "create")
    node.ingest("t", BATCH, "append")
    copied = tmp_path / "copied"
    copied.mkdir()
    # What a power cut leaves: the directory as it is now.
    copy_tree(node.data, copied)
    node.app.stop()
    node = Node(copied)
    check(node, "t", 1)
    node.app.stop()


def copy_tree(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        to = target / path.relative_to(source)
        if path.is_dir():
            to.mkdir()
        else:
            to.write_bytes(path.read_bytes())


def test_preparing_planning_asking_and_fetching_show_one_schema(node: Node):
    with flight.connect(node.url) as client:
        for name in BATCH.schema.names:
            sql = f'SELECT "{name}" FROM small'
            descriptor = flight.FlightDescriptor.for_command(sql)
            info = client.get_flight_info(descriptor)
            answer = client.do_get(info.endpoints[0].ticket).read_all()
            for shown in (
                prepared_schema(client, sql),
                client.get_schema(descriptor).schema,
                answer.schema,
            ):
                assert shown.equals(info.schema, check_metadata=True), name


def prepared_schema(client: flight.FlightClient, sql: str) -> pa.Schema:
    request = pack(pb.ActionCreatePreparedStatementRequest(query=sql))
    [made] = client.do_action(flight.Action("CreatePreparedStatement", request))
    packed = any_pb2.Any.FromString(made.body.to_pybytes())
    result = pb.ActionCreatePreparedStatementResult.FromString(packed.value)
    return pa.ipc.read_schema(pa.py_buffer(result.dataset_schema))


def test_values_are_the_same_as_parameters_of_a_query_and_of_an_insert(node: Node):
    with flightsql.connect(node.url, autocommit=True) as connection, connection.cursor() as cursor:
        for name in BATCH.schema.names:
            for row in range(len(BATCH)):
                one = pa.record_batch({"p": BATCH.column(name).slice(row, 1)})
                cursor.execute("SELECT ? AS v", parameters=one)
                want = values_of(pa.table({"v": one.column(0)}))
                assert values_of(cursor.fetch_arrow_table()) == want, name
        cursor.adbc_ingest("inserted", BATCH.slice(0, 0), mode="create")
        places = ", ".join("?" for _ in BATCH.schema.names)
        cursor.executemany(f"INSERT INTO inserted VALUES ({places})", BATCH)
    check(node, "inserted", 1)


REFUSED = {
    "null": pa.nulls(3),
    "run_end": pa.RunEndEncodedArray.from_arrays([3], ["x"]),
    "union": pa.UnionArray.from_sparse(
        pa.array([0, 0, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]
    ),
    "dense_union": pa.UnionArray.from_dense(
        pa.array([0, 0, 0], pa.int8()), pa.array([0, 1, 2], pa.int32()), [pa.array([1, 2, 3])]
    ),
    "decimal_too_wide": pa.array([1, 2, 3], pa.decimal256(39, 0)),
    "no_fields": pa.array([{}, {}, {}], pa.struct([])),
    "no_width": pa.array([b"", b"", b""], pa.binary(0)),
    "inner_null": pa.array([[None], [], None], pa.list_(pa.null())),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_type_that_cannot_be_stored_is_refused_with_its_column(name: str, node: Node):
    rows = pa.record_batch({"n": [1, 2, 3], name: REFUSED[name]})
    # A width of 0 is refused by the driver itself.
    told = "must be positive" if name == "no_width" else f"column={name}"
    with pytest.raises(adbc_driver_manager.Error, match=told) as refused:
        node.ingest("refused", rows, "create")
    assert "Traceback" not in str(refused.value)
    with pytest.raises(pa.ArrowInvalid, match=f"column={name}"):
        put(node.url, rows)
    body = arrow_stream(rows)
    answer = httpx.post(
        f"http://127.0.0.1:{node.app.rest_port}/v1/data?table=refused",
        content=body,
        headers={"content-type": "application/vnd.apache.arrow.stream"},
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "payload_error")
    assert f"column={name}" in answer.json()["message"]
    assert node.app.service.tables("refused") == []


def put(url: str, rows: pa.RecordBatch) -> None:
    with flight.connect(url) as client:
        writer, _ = client.do_put(flight.FlightDescriptor.for_path("refused"), rows.schema)
        with writer:
            writer.write_batch(rows)


WIDE = [2**53 + 1, -(2**63), 2**63 - 1, 9_007_199_254_740_993]


def test_wide_integers_are_exact_through_rest_both_ways(node: Node):
    url = f"http://127.0.0.1:{node.app.rest_port}"
    rows = [{"table": "wide", "id": f"r{i}", "payload": {"v": v}} for i, v in enumerate(WIDE)]
    headers = {"content-type": "application/json"}
    assert (
        httpx.post(f"{url}/v1/data", content=json.dumps(rows), headers=headers).status_code == 200
    )
    ask = {
        "sql": "SELECT v FROM wide WHERE v = ? OR v < ? ORDER BY id",
        "params": [WIDE[2], WIDE[2]],
    }
    answer = httpx.post(f"{url}/v1/query", content=json.dumps(ask), headers=headers).json()
    assert [row["v"] for row in answer["rows"]] == WIDE
    assert [row["v"] for row in json.loads(answer["result_json"])] == WIDE
    assert node.fetch("SELECT v FROM wide ORDER BY id")["v"].to_pylist() == WIDE


def test_unsigned_integers_of_64_bits_are_exact_through_rest(node: Node):
    url = f"http://127.0.0.1:{node.app.rest_port}/v1/query"
    answer = httpx.post(url, json={"sql": "SELECT uint64 AS v FROM small ORDER BY n"}).json()
    assert [row["v"] for row in answer["rows"]] == COLUMNS["uint64"].to_pylist()


def test_floats_keep_every_bit(node: Node):
    stored = node.fetch("SELECT zero FROM small ORDER BY n")["zero"].to_pylist()
    assert [struct.pack("<d", v) for v in stored] == [
        struct.pack("<d", v) for v in COLUMNS["zero"].to_pylist()
    ]


FORMATS = ("application/json", "text/csv", "application/x-ndjson", "application/vnd.apache.parquet")


def test_every_type_is_answered_in_every_form_and_by_grpc(node: Node):
    at = "127.0.0.1"
    app = node.app
    doors = Doors(f"{at}:{app.flight_port}", f"{at}:{app.rest_port}", f"{at}:{app.grpc_port}")
    for name in BATCH.schema.names:
        sql = f'SELECT "{name}" AS v FROM small ORDER BY n'
        for media in FORMATS:
            answer = doors.http.post("/v1/query", json={"sql": sql}, headers={"accept": media})
            assert answer.status_code == 200, f"{name} as {media}: {answer.text}"
        shown = doors.http.post("/v1/query", json={"sql": sql}).json()["result_json"]
        streamed = doors.miniodb.StreamQuery(miniodb_pb2.StreamQueryRequest(sql=sql))
        assert doors.miniodb_query(sql) == doors.olap_query(sql) == json.loads(shown), name
        assert sum(len(response.records) for response in streamed) == 3, name
    doors.close()


MOMENTS = {
    "'infinity'::DATE": "infinity",
    "'-infinity'::TIMESTAMP": "-infinity",
    "'-infinity'::TIMESTAMPTZ": "-infinity",
    "'20000-01-02'::DATE": "20000-01-02",
    "['20000-01-02'::DATE, NULL]": ["20000-01-02", None],
    "'20000-01-02 03:04:05'::TIMESTAMP": "20000-01-02T03:04:05.000000",
    "'20000-01-02 03:04:05+00'::TIMESTAMPTZ": "20000-01-02T03:04:05.000000Z",
    "{'at': '2024-01-02 03:04:05.000000001'::TIMESTAMP_NS}": {"at": "2024-01-02T03:04:05.000000001"},
    "[INTERVAL 2 DAYS]": ["P0M2DT0S"],
    "MAP {'a': '2024-01-02'::DATE}": {"a": "2024-01-02"},
}  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_moments_that_python_has_not_are_answered_in_json(moment: str, node: Node):
    url = f"http://127.0.0.1:{node.app.rest_port}/v1/query"
    answer = httpx.post(url, json={"sql": f"SELECT {moment} AS v"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"] == [{"v": MOMENTS[moment]}]


def test_intervals_in_a_parquet_answer_are_as_in_the_tables_files(node: Node):
    url = f"http://127.0.0.1:{node.app.rest_port}/v1/query"
    sql = "SELECT interval AS v, [interval] AS vs FROM small ORDER BY n"
    answer = httpx.post(url, json={"sql": sql}, headers={"accept": FORMATS[-1]})
    parts = [
        {"months": -14, "days": 3, "nanos": 4000},
        None,
        {"months": 1, "days": -1, "nanos": -1000},
    ]
    table = pq.read_table(pa.BufferReader(answer.content))
    assert table["v"].to_pylist() == parts
    assert table["vs"].to_pylist() == [[part] for part in parts]
