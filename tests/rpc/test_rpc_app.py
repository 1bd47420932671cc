"""The gRPC door over the real core (fixture `app` of tests/conftest.py)."""

import json
import math
import threading
import time
import urllib.error
import urllib.request

import grpc
import pyarrow as pa
import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2 as miniodb, miniodb_pb2_grpc
from flightdb.rpc.generated.olap.v1 import olap_pb2 as olap, olap_pb2_grpc


@pytest.fixture
def channel(app):
    with grpc.insecure_channel(f"{app.host}:{app.grpc_port}") as channel:
        yield channel


@pytest.fixture
def olap_stub(channel):
    return olap_pb2_grpc.OlapServiceStub(channel)


@pytest.fixture
def miniodb_stub(channel):
    return miniodb_pb2_grpc.MinIODBServiceStub(channel)


def struct(**values):
    made = Struct()
    made.update(values)
    return made


def ask(stub, sql):
    return json.loads(stub.Query(olap.QueryRequest(sql=sql)).result_json)


def code_of(call, request, **options):
    with pytest.raises(grpc.RpcError) as caught:
        _all_of(call(request, **options))
    return caught.value.code().name


def _all_of(result):
    return list(result) if hasattr(result, "__next__") else result


def test_a_row_is_in_the_answer_to_the_next_query(olap_stub):
    olap_stub.Write(
        olap.WriteRequest(
            table="users",
            id="u1",
            timestamp=Timestamp(seconds=1_700_000_000, nanos=5000),
            payload=struct(age=30, name="Ann", ok=True),
        )
    )

    [row] = ask(olap_stub, "SELECT id, timestamp, payload.name, age, ok FROM users")

    assert row == {
        "id": "u1",
        "timestamp": "2023-11-14T22:13:20.000005Z",
        "name": "Ann",
        "age": 30,
        "ok": True,
    }


def test_whole_numbers_go_into_an_integer_column_exactly_and_text_is_refused(app, olap_stub):
    app.service.create_table("whole", schema=pa.schema([("n", pa.int64())]))

    olap_stub.Write(olap.WriteRequest(table="whole", id="a", payload=struct(n=2**53)))

    assert ask(olap_stub, "SELECT n, typeof(n) AS t FROM whole") == [{"n": 2**53, "t": "BIGINT"}]
    text = olap.WriteRequest(table="whole", id="b", payload=struct(n="x"))
    assert code_of(olap_stub.Write, text) == "INVALID_ARGUMENT"
    assert ask(olap_stub, "SELECT count(*) AS n FROM whole") == [{"n": 1}]


def test_both_protocols_see_the_same_rows_and_tables(olap_stub, miniodb_stub):
    miniodb_stub.CreateTable(miniodb.CreateTableRequest(table_name="pair"))
    data = miniodb.DataRecord(id="a", payload=struct(x=1.5))
    written = miniodb_stub.WriteData(miniodb.WriteDataRequest(table="pair", data=data))

    assert written.success
    assert ask(olap_stub, "SELECT x FROM pair") == [{"x": 1.5}]
    answer = miniodb_stub.QueryData(miniodb.QueryDataRequest(sql="SELECT count(*) AS n FROM pair"))
    assert json.loads(answer.result_json) == [{"n": 1}]
    [listed] = olap_stub.ListTables(olap.ListTablesRequest(pattern="pair")).tables
    found = miniodb_stub.GetTable(miniodb.GetTableRequest(table_name="pair")).table_info
    assert (listed.name, found.stats.record_count) == ("pair", 1)
    assert olap_stub.DropTable(olap.DropTableRequest(table_name="pair")).success
    assert code_of(olap_stub.Query, olap.QueryRequest(sql="SELECT * FROM pair")) == "NOT_FOUND"


def test_an_id_that_the_table_makes_is_told(miniodb_stub):
    config = miniodb.TableConfig(id_strategy="uuid", auto_generate_id=True)
    miniodb_stub.CreateTable(miniodb.CreateTableRequest(table_name="made", config=config))
    data = miniodb.DataRecord(payload=struct(x=1))

    written = miniodb_stub.WriteData(miniodb.WriteDataRequest(table="made", data=data))

    answer = miniodb_stub.QueryData(miniodb.QueryDataRequest(sql="SELECT id FROM made"))
    [row] = json.loads(answer.result_json)
    assert written.message == f"Data successfully ingested for table: made, ID: {row['id']}"


def test_a_repeat_with_an_idempotency_key_is_one_row(olap_stub):
    row = olap.WriteRequest(table="once", id="a", payload=struct(x=1))
    for _ in range(3):
        olap_stub.Write(row, metadata=[("idempotency-key", "k1")])

    assert ask(olap_stub, "SELECT count(*) AS n FROM once") == [{"n": 1}]


def test_a_stream_of_writes_counts_what_is_durable(miniodb_stub, olap_stub):
    def messages():
        for number in range(200):
            bad = number % 50 == 7
            yield miniodb.StreamWriteRequest(
                table="streamed",
                records=[
                    miniodb.DataRecord(
                        id="" if bad and i == 3 else f"{number}-{i}", payload=struct(n=number, i=i)
                    )
                    for i in range(10)
                ],
            )

    answer = miniodb_stub.StreamWrite(messages())

    assert (answer.success, answer.records_count, len(answer.errors)) == (False, 1960, 4)
    assert answer.errors[0].startswith("message 8: ")
    assert ask(olap_stub, "SELECT count(*) AS n, sum(i) AS s FROM streamed") == [
        {"n": 1960, "s": 196 * 45}
    ]


def test_a_streamed_query_gives_250_000_rows(miniodb_stub):
    request = miniodb.StreamQueryRequest(
        sql="SELECT range AS n, range::VARCHAR AS id FROM range(250000) ORDER BY n",
        batch_size=10_000,
    )

    answers = list(miniodb_stub.StreamQuery(request))

    assert [answer.has_more for answer in answers] == [True] * 24 + [False]
    assert sum(len(answer.records) for answer in answers) == 250_000
    last = answers[-1].records[-1]
    assert (last.id, last.payload["n"]) == ("249999", 249_999)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", "INVALID_ARGUMENT"),
        ("SELECT * FROM nowhere", "NOT_FOUND"),
        ("SELECT nothing FROM (SELECT 1 AS a)", "INVALID_ARGUMENT"),
        ("SELECT * FROM read_text('/etc/passwd')", "PERMISSION_DENIED"),
        ("SELECT 1; SELECT 2", "INVALID_ARGUMENT"),
        ("", "INVALID_ARGUMENT"),
    ],
)
def test_a_statement_that_cannot_run_has_its_code_in_both_kinds(olap_stub, miniodb_stub, sql, code):
    assert code_of(olap_stub.Query, olap.QueryRequest(sql=sql)) == code
    assert code_of(miniodb_stub.StreamQuery, miniodb.StreamQueryRequest(sql=sql)) == code


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (olap.WriteRequest(table="a b", id="x"), "INVALID_ARGUMENT"),
        (olap.WriteRequest(table="t1"), "INVALID_ARGUMENT"),
        (olap.WriteRequest(table="t1", id="a/b"), "INVALID_ARGUMENT"),
    ],
)
def test_a_row_that_does_not_fit_is_refused(olap_stub, request_, code):
    assert code_of(olap_stub.Write, request_) == code


def test_an_unknown_table_is_not_found(olap_stub, miniodb_stub):
    assert code_of(olap_stub.DescribeTable, olap.DescribeTableRequest(table_name="no")) == (
        "NOT_FOUND"
    )
    assert code_of(miniodb_stub.GetTable, miniodb.GetTableRequest(table_name="no")) == "NOT_FOUND"
    assert code_of(olap_stub.DropTable, olap.DropTableRequest(table_name="no")) == "NOT_FOUND"


def test_a_table_is_made_once(olap_stub):
    request = olap.CreateTableRequest(table_name="made_once")
    olap_stub.CreateTable(request)

    assert code_of(olap_stub.CreateTable, request) == "ALREADY_EXISTS"
    request.if_not_exists = True
    assert olap_stub.CreateTable(request).success


def test_an_empty_table_counts_zero(olap_stub):
    olap_stub.CreateTable(olap.CreateTableRequest(table_name="empty"))

    assert ask(olap_stub, "SELECT count(*) AS count FROM empty") == [{"count": 0}]


ENDLESS = (
    "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3"
)


def test_a_deadline_stops_the_query(app, olap_stub):
    started = time.monotonic()

    code = code_of(olap_stub.Query, olap.QueryRequest(sql=ENDLESS), timeout=0.5)

    assert code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - started < 5
    assert _wait_until_idle(app)


def test_a_client_that_leaves_stops_its_query(app, miniodb_stub):
    call = miniodb_stub.StreamQuery(miniodb.StreamQueryRequest(sql=ENDLESS))
    for _ in range(100):
        if _active_count(app) == 1:
            break
        time.sleep(0.1)
    assert _active_count(app) == 1

    call.cancel()

    assert _wait_until_idle(app)


def _active_count(app):
    return sum(node.active_queries for node in app.service.status().nodes)


def _wait_until_idle(app):
    for _ in range(30):
        if _active_count(app) == 0:
            return True
        time.sleep(0.1)
    return False


def test_many_clients_write_at_once_and_every_row_is_there_once(app, olap_stub):
    def write(client):
        with grpc.insecure_channel(
            f"{app.host}:{app.grpc_port}", [("grpc.use_local_subchannel_pool", 1)]
        ) as channel:
            stub = olap_pb2_grpc.OlapServiceStub(channel)
            for number in range(50):
                row = olap.WriteRequest(
                    table="many", id=f"{client}-{number}", payload=struct(n=number)
                )
                assert stub.Write(row).success

    threads = [threading.Thread(target=write, args=(client,)) for client in range(8)]
    for thread in threads:
        thread.start()
    counts = [0]
    while any(thread.is_alive() for thread in threads):
        if counts[-1] or olap_stub.ListTables(olap.ListTablesRequest(pattern="many")).total:
            counts.append(ask(olap_stub, "SELECT count(*) AS n FROM many")[0]["n"])
    for thread in threads:
        thread.join()

    assert counts == sorted(counts)
    assert ask(olap_stub, "SELECT count(*) AS n, count(DISTINCT id) AS ids FROM many") == [
        {"n": 400, "ids": 400}
    ]


def test_health_names_the_components(olap_stub, miniodb_stub):
    health = olap_stub.HealthCheck(olap.HealthCheckRequest())

    assert health.overall_status == "healthy"
    assert health.component_status
    assert miniodb_stub.HealthCheck(miniodb.HealthCheckRequest()).version


def test_a_number_that_is_none_is_refused_or_kept_but_never_breaks(olap_stub):
    olap_stub.Write(olap.WriteRequest(table="odd", id="a", payload=struct(x=1.5)))
    olap_stub.Write(olap.WriteRequest(table="odd", id="b", payload=struct(x=math.inf)))

    assert ask(olap_stub, "SELECT count(*) AS n FROM odd WHERE isinf(x)") == [{"n": 1}]


TYPES = """
    SELECT 9223372036854775807 AS big, 1.50::DECIMAL(10,2) AS dec, sum(1::HUGEINT) AS huge,
           TIMESTAMPTZ '2024-02-29 01:02:03.5+00' AS tz, TIMESTAMP '2024-02-29 01:02:03' AS ts,
           TIMESTAMP_NS '2024-02-29 01:02:03.000000001' AS ns, DATE '2024-02-29' AS d,
           TIME '01:02:03' AS t, INTERVAL 3 DAY AS i, 'ab'::BLOB AS b, NULL AS nothing,
           'NaN'::DOUBLE AS nan, [1, NULL] AS l, {'x': 1, 'y': [{'z': 'w'}]} AS s,
           MAP {'k': 1} AS m, uuid '00000000-0000-0000-0000-000000000005' AS u, 1 AS x, 2 AS x
"""


def ask_rest(app, sql):
    request = urllib.request.Request(
        f"http://{app.host}:{app.rest_port}/v1/query",
        json.dumps({"sql": sql}).encode(),
        {"content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return json.load(error)


@pytest.mark.parametrize("sql", [TYPES, "SELECT 1 WHERE false", "SELECT range FROM range(20000)"])
def test_an_answer_is_the_same_text_as_over_rest(app, olap_stub, sql):
    answer = olap_stub.Query(olap.QueryRequest(sql=sql)).result_json

    assert answer == ask_rest(app, sql)["result_json"]


@pytest.mark.parametrize(
    "sql", ["SELEC", "SELECT * FROM nowhere", "SELECT * FROM read_text('x')", "SELECT 1; SELECT 2"]
)
def test_an_error_is_the_same_as_over_rest(app, olap_stub, sql):
    with pytest.raises(grpc.RpcError) as caught:
        olap_stub.Query(olap.QueryRequest(sql=sql))

    over_rest = ask_rest(app, sql)
    details = json.loads(dict(caught.value.trailing_metadata())["x-flightdb-error"])
    assert (details["error"], caught.value.details()) == (over_rest["error"], over_rest["message"])
