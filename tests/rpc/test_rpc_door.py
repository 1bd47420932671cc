"""The door by itself, over a core that is a double; test_rpc_app.py has the real core."""

import json
import time

import grpc
import pyarrow as pa
import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from rpc_double import FAILURES, FixedClock

from flightdb.coordinator.service import CachedAnswer
from flightdb.errors import Unavailable
from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2 as miniodb, miniodb_pb2_grpc
from flightdb.rpc.generated.olap.v1 import olap_pb2 as olap
from flightdb.rpc.server import Limits, RpcDoor

CODES = {
    "InvalidRequest": "INVALID_ARGUMENT",
    "InvalidPayload": "INVALID_ARGUMENT",
    "InvalidQuery": "INVALID_ARGUMENT",
    "TooLarge": "RESOURCE_EXHAUSTED",
    "UnsupportedMedia": "INVALID_ARGUMENT",
    "NotFound": "NOT_FOUND",
    "AlreadyExists": "ALREADY_EXISTS",
    "Conflict": "ABORTED",
    "CommitUnknown": "UNKNOWN",
    "Overloaded": "RESOURCE_EXHAUSTED",
    "Unavailable": "UNAVAILABLE",
    "DeadlineExceeded": "DEADLINE_EXCEEDED",
    "Cancelled": "CANCELLED",
    "Unauthenticated": "UNAUTHENTICATED",
    "PermissionDenied": "PERMISSION_DENIED",
    "Unsupported": "UNIMPLEMENTED",
    "Corruption": "DATA_LOSS",
    "Internal": "INTERNAL",
    "FlightdbError": "INTERNAL",
}

NOT_IMPLEMENTED = [
    "olap.v1.OlapService/TriggerBackup",
    "olap.v1.OlapService/RecoverData",
    "olap.v1.OlapService/GetStats",
    "olap.v1.OlapService/GetNodes",
    "olap.v1.OlapService/TriggerMetadataBackup",
    "olap.v1.OlapService/ListMetadataBackups",
    "olap.v1.OlapService/RecoverMetadata",
    "olap.v1.OlapService/GetMetadataStatus",
    "olap.v1.OlapService/ValidateMetadataBackup",
    "miniodb.v1.MinIODBService/UpdateData",
    "miniodb.v1.MinIODBService/DeleteData",
    "miniodb.v1.MinIODBService/BackupMetadata",
    "miniodb.v1.MinIODBService/RestoreMetadata",
    "miniodb.v1.MinIODBService/ListBackups",
    "miniodb.v1.MinIODBService/GetMetadataStatus",
    "miniodb.v1.MinIODBService/GetStatus",
    "miniodb.v1.MinIODBService/GetMetrics",
    "miniodb.v1.AuthService/GetToken",
    "miniodb.v1.AuthService/RefreshToken",
    "miniodb.v1.AuthService/RevokeToken",
]


def struct(**values):
    made = Struct()
    made.update(values)
    return made


def record(id, **payload):
    return miniodb.DataRecord(id=id, payload=struct(**payload))


def refused(call, *args, **kwargs):
    with pytest.raises(grpc.RpcError) as caught:
        _all_of(call(*args, **kwargs))
    return caught.value


def _all_of(result):
    return list(result) if hasattr(result, "__next__") else result


def until(is_true):
    """Waits for what another thread does, at most 10 s."""
    for _ in range(1000):
        if is_true():
            return
        time.sleep(0.01)
    raise AssertionError("waited 10 s in vain")


def metadata(error):
    return dict(error.trailing_metadata())


# --- writing ---
def test_a_written_row_arrives_with_its_values(olap_stub, service):
    olap_stub.CreateTable(olap.CreateTableRequest(table_name="users"))

    answer = olap_stub.Write(
        olap.WriteRequest(
            table="users",
            id="u1",
            timestamp=Timestamp(seconds=12, nanos=345_678_999),
            payload=struct(age=30, name="Ann", ok=True, none=None, deep={"a": [1, "x", {}]}),
        )
    )

    assert answer.success
    assert answer.message == "Data successfully ingested for table: users, ID: u1"
    [row] = service.rows["users"]
    assert (row.id, row.timestamp_us) == ("u1", 12_345_678)
    assert row.payload == {
        "age": 30.0,
        "name": "Ann",
        "ok": True,
        "none": None,
        "deep": {"a": [1.0, "x", {}]},
    }
    assert isinstance(row.payload["age"], float)


def test_a_row_without_table_and_timestamp_goes_to_default_at_the_time_of_arrival(
    olap_stub, service
):
    olap_stub.Write(olap.WriteRequest(id="a", payload=struct(x=1)))

    [row] = service.rows["default"]
    assert row.timestamp_us == FixedClock().now_us()


def test_columns_of_a_new_table_come_in_the_order_of_their_names(miniodb_stub, service):
    payload = struct(**dict.fromkeys("zyxabc", 1))
    answer = miniodb_stub.WriteData(
        miniodb.WriteDataRequest(table="t", data=miniodb.DataRecord(id="1", payload=payload))
    )

    assert answer.node_id == "node-1"
    assert list(service.rows["t"][0].payload) == list("abcxyz")


@pytest.mark.parametrize(
    "timestamp",
    [Timestamp(seconds=2**60), Timestamp(seconds=1, nanos=-5), Timestamp(seconds=-(10**12))],
)
def test_a_timestamp_out_of_range_is_refused(olap_stub, service, timestamp):
    error = refused(olap_stub.Write, olap.WriteRequest(id="a", timestamp=timestamp))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "timestamp is out of range" in error.details()
    assert json.loads(metadata(error)["x-flightdb-error"])["error"] == "payload_error"
    assert service.rows == {}


def test_a_value_without_a_kind_is_refused_and_named(olap_stub):
    payload = Struct()
    payload.fields["odd"].Clear()

    error = refused(olap_stub.Write, olap.WriteRequest(id="a", payload=payload))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "key=odd" in error.details()


def test_write_data_without_data_is_refused(miniodb_stub):
    error = refused(miniodb_stub.WriteData, miniodb.WriteDataRequest(table="t"))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_repeat_with_the_same_idempotency_key_is_written_once(olap_stub, service):
    row = olap.WriteRequest(table="t", id="a")
    for _ in range(3):
        assert olap_stub.Write(row, metadata=[("idempotency-key", "k")]).success

    assert len(service.rows["t"]) == 1
    assert service.sequences["key:k"] == 1


def test_a_key_that_is_too_long_is_refused(olap_stub):
    error = refused(
        olap_stub.Write, olap.WriteRequest(id="a"), metadata=[("idempotency-key", "k" * 256)]
    )

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_message_over_4_mib_is_refused_and_the_next_one_works(olap_stub):
    error = refused(olap_stub.Write, olap.WriteRequest(id="a", payload=struct(x="y" * 5_000_000)))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert olap_stub.Write(olap.WriteRequest(id="a")).success


# --- streams of writes ---
def test_a_stream_keeps_its_good_messages_and_names_the_bad(miniodb_stub, service):
    messages = [
        miniodb.StreamWriteRequest(
            table="t", records=[record("" if number == 7 else f"{number}-{i}") for i in range(5)]
        )
        for number in range(1, 101)
    ]

    answer = miniodb_stub.StreamWrite(iter(messages))

    assert not answer.success
    assert answer.records_count == 99 * 5 == len(service.rows["t"])
    assert answer.errors == ["message 7: payload_error: id is missing: table=t"]


def test_an_empty_stream_writes_nothing(miniodb_stub, service):
    answer = miniodb_stub.StreamWrite(iter([miniodb.StreamWriteRequest(table="t")]))

    assert (answer.success, answer.records_count, list(answer.errors)) == (True, 0, [])
    assert service.rows == {}


def test_many_refused_messages_are_counted_not_listed(miniodb_stub):
    bad = miniodb.StreamWriteRequest(table="t", records=[record("")])

    answer = miniodb_stub.StreamWrite(iter([bad] * 250))

    assert len(answer.errors) == 101
    assert answer.errors[-1] == "and 150 more refused messages"


def test_a_stream_that_meets_an_overload_ends_and_says_what_is_durable(miniodb_stub, service):
    good = miniodb.StreamWriteRequest(table="t", records=[record("a")])
    full = miniodb.StreamWriteRequest(table="failOverloaded", records=[record("a")])

    error = refused(miniodb_stub.StreamWrite, iter([good, good, full, good]))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "stream stopped at message 3, durable records: 2" in error.details()
    assert len(service.rows["t"]) == 2


def test_a_repeated_stream_with_a_key_is_written_once(miniodb_stub, service):
    messages = [
        miniodb.StreamWriteRequest(table="t", records=[record(str(number))]) for number in range(9)
    ]
    for _ in range(2):
        answer = miniodb_stub.StreamWrite(iter(messages), metadata=[("idempotency-key", "k")])
        assert answer.records_count == 9

    assert [row.id for row in service.rows["t"]] == [str(number) for number in range(9)]


def test_a_large_message_is_written_in_its_place(miniodb_stub, service):
    messages = [
        miniodb.StreamWriteRequest(
            table="t", records=[record(f"{number}-{i}", n=i) for i in range(count)]
        )
        for number, count in enumerate([3, 2000, 3, 2000])
    ]

    answer = miniodb_stub.StreamWrite(iter(messages), metadata=[("idempotency-key", "k")])

    assert (answer.success, answer.records_count) == (True, 4006)
    assert [row.id for row in service.rows["t"]] == [
        record.id for message in messages for record in message.records
    ]


def test_a_full_queue_slows_a_stream_down(miniodb_stub, service):
    miniodb_stub.CreateTable(miniodb.CreateTableRequest(table_name="t"))
    service.queue_max = 2
    messages = [
        miniodb.StreamWriteRequest(table="t", records=[record(str(number))]) for number in range(50)
    ]

    answer = miniodb_stub.StreamWrite(iter(messages))

    assert (answer.success, answer.records_count) == (True, 50)
    assert service.overload_count > 0


def test_a_stream_cut_off_by_its_client_keeps_what_was_acknowledged(miniodb_stub, service):
    def endless():
        for number in range(10**9):
            yield miniodb.StreamWriteRequest(table="t", records=[record(str(number))])

    call = miniodb_stub.StreamWrite.future(endless())
    while len(service.rows.get("t", ())) < 20:
        time.sleep(0.01)

    call.cancel()

    time.sleep(0.2)
    count = len(service.rows["t"])
    time.sleep(0.2)
    assert len(service.rows["t"]) == count >= 20


# --- queries ---
def test_an_answer_is_a_json_array_of_rows_with_exact_integers(olap_stub, service):
    service.answers["q"] = pa.table({"n": [1, 2**53 + 1], "t": ["a", None]})

    answer, call = olap_stub.Query.with_call(olap.QueryRequest(sql="q"))

    assert json.loads(answer.result_json) == [{"n": 1, "t": "a"}, {"n": 2**53 + 1, "t": None}]
    assert dict(call.trailing_metadata())["x-flightdb-query-id"] == f"{1:032x}"


def test_an_answer_without_rows_is_an_empty_array(olap_stub, service):
    service.answers["q"] = pa.table({"n": pa.array([], pa.int64())})

    assert olap_stub.Query(olap.QueryRequest(sql="q")).result_json == "[]"


def test_columns_of_one_name_are_all_in_the_answer(olap_stub, service):
    service.answers["q"] = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["n", "n"])

    assert json.loads(olap_stub.Query(olap.QueryRequest(sql="q")).result_json) == [
        {"n": 1, "n_1": 2}
    ]


def test_a_statement_that_changes_something_answers_with_its_count(olap_stub):
    answer = olap_stub.Query(olap.QueryRequest(sql="insert into t values (1)"))

    assert json.loads(answer.result_json) == [{"rows_changed": 3}]


@pytest.mark.parametrize(
    ("limit", "count", "has_more"),
    [(0, 20_000, False), (9000, 9000, True), (20_000, 20_000, False)],
)
def test_a_limit_cuts_the_answer_and_says_so(miniodb_stub, service, limit, count, has_more):
    service.answers["q"] = pa.table({"n": range(20_000)})

    answer = miniodb_stub.QueryData(miniodb.QueryDataRequest(sql="q", limit=limit))

    assert [row["n"] for row in json.loads(answer.result_json)] == list(range(count))
    assert answer.has_more is has_more


def test_an_answer_over_a_message_is_refused_with_the_way_out(miniodb_stub, service):
    service.answers["q"] = pa.table({"t": ["x" * 1000] * 5000})

    error = refused(miniodb_stub.QueryData, miniodb.QueryDataRequest(sql="q"))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "StreamQuery" in error.details()
    assert service.stopped.is_set()


def test_a_cached_answer_is_encoded_once(olap_stub, service):
    cached = service.cached["q"] = CachedAnswer(pa.table({"n": [1]}), {})

    texts = [olap_stub.Query(olap.QueryRequest(sql="q")).result_json for _ in range(2)]

    assert texts == ['[{"n":1}]'] * 2
    assert list(cached.forms.values()) == [b'[{"n":1}]']
    assert service.statements == []


def test_a_stream_gives_every_row_to_the_end(miniodb_stub, service):
    count = 250_000
    moments = pa.array(range(count), pa.timestamp("us", tz="UTC"))
    whole = pa.table({"id": map(str, range(count)), "timestamp": moments, "n": range(count)})
    service.answers["q"] = whole

    answers = list(miniodb_stub.StreamQuery(miniodb.StreamQueryRequest(sql="q", batch_size=999)))

    assert [len(answer.records) for answer in answers] == [999] * 250 + [250]
    assert [answer.has_more for answer in answers] == [True] * 250 + [False]
    records = [record for answer in answers for record in answer.records]
    assert all(
        record.id == str(n) and record.timestamp.ToMicroseconds() == n and record.payload["n"] == n
        for n, record in enumerate(records)
    )


def test_a_stream_that_ends_with_a_full_batch_says_so_in_it(miniodb_stub, service):
    service.answers["q"] = pa.table({"n": range(20)})

    answers = list(miniodb_stub.StreamQuery(miniodb.StreamQueryRequest(sql="q", batch_size=10)))

    assert [(len(answer.records), answer.has_more) for answer in answers] == [
        (10, True),
        (10, False),
    ]


def test_a_stream_without_rows_is_one_empty_answer(miniodb_stub, service):
    service.answers["q"] = pa.table({"n": pa.array([], pa.int64())})

    [answer] = miniodb_stub.StreamQuery(miniodb.StreamQueryRequest(sql="q"))

    assert (len(answer.records), answer.has_more) == (0, False)


def test_wide_rows_come_in_smaller_batches(miniodb_stub, service):
    service.answers["q"] = pa.table({"t": ["x" * 1_500_000] * 5})

    answers = list(miniodb_stub.StreamQuery(miniodb.StreamQueryRequest(sql="q")))

    assert [len(answer.records) for answer in answers] == [2, 2, 1]


def test_a_row_over_a_message_is_refused(miniodb_stub, service):
    service.answers["q"] = pa.table({"t": ["x" * 5_000_000]})

    error = refused(miniodb_stub.StreamQuery, miniodb.StreamQueryRequest(sql="q"))

    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("field", [{"batch_size": -1}, {"cursor": "x"}])
def test_what_a_stream_cannot_do_is_refused(miniodb_stub, service, field):
    service.answers["q"] = pa.table({"n": [1]})

    error = refused(miniodb_stub.StreamQuery, miniodb.StreamQueryRequest(sql="q", **field))

    assert error.code().name in ("INVALID_ARGUMENT", "UNIMPLEMENTED")


# --- deadlines and clients that leave ---
def test_the_client_s_deadline_is_the_statement_s(olap_stub, service):
    service.answers["q"] = pa.table({"n": [1]})

    olap_stub.Query(olap.QueryRequest(sql="q"), timeout=60)
    olap_stub.Query(olap.QueryRequest(sql="q"))

    assert 30 < service.statements[0].timeout_s <= 61  # grpc rounds a deadline up
    assert service.statements[1].timeout_s is None


def test_a_deadline_that_passes_stops_the_query(olap_stub, service):
    error = refused(olap_stub.Query, olap.QueryRequest(sql="hang"), timeout=1)

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert service.stopped.wait(10)


@pytest.mark.parametrize("sql", ["hang", "long"])
def test_a_client_that_leaves_stops_its_stream(miniodb_stub, service, sql):
    service.answers["long"] = pa.table({"t": ["x" * 1000] * 200_000})
    call = miniodb_stub.StreamQuery(miniodb.StreamQueryRequest(sql=sql, batch_size=10))
    if sql == "long":
        next(call)
    until(lambda: service.statements)
    assert not service.stopped.is_set()

    call.cancel()

    assert service.stopped.wait(10)


def test_a_client_that_does_not_read_is_stopped(service):
    service.answers["long"] = pa.table({"t": ["x" * 1000] * 200_000})
    door = RpcDoor(
        service, host="127.0.0.1", port=0, clock=FixedClock(), limits=Limits(stall_s_max=0.02)
    )
    door.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{door.port}") as channel:
            stub = miniodb_pb2_grpc.MinIODBServiceStub(channel)
            call = stub.StreamQuery(miniodb.StreamQueryRequest(sql="long", batch_size=100))
            next(call)

            assert service.stopped.wait(5)
            assert refused(list, call).code() is grpc.StatusCode.DEADLINE_EXCEEDED
    finally:
        door.stop()


def test_a_client_that_leaves_stops_its_query(olap_stub, service):
    call = olap_stub.Query.future(olap.QueryRequest(sql="hang"))
    until(lambda: service.statements)
    assert not service.stopped.is_set()

    call.cancel()

    assert service.stopped.wait(10)


# --- errors ---
@pytest.mark.parametrize("kind", FAILURES)
def test_each_error_has_its_code_slug_and_query_id(olap_stub, kind):
    error = refused(olap_stub.Query, olap.QueryRequest(sql=f"fail {kind}"))

    assert error.code().name == CODES[kind]
    assert error.details() == f"it failed: kind={kind}"
    details = json.loads(metadata(error)["x-flightdb-error"])
    assert details["error"] == FAILURES[kind].slug
    assert details.get("retry_after_s") == (1.0 if kind == "Overloaded" else None)
    assert len(metadata(error)["x-flightdb-query-id"]) == 32


def test_every_error_class_has_a_code_in_this_test():
    assert set(CODES) == set(FAILURES)


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_defect_shows_nothing_of_the_inside(olap_stub, miniodb_stub, is_stream):
    if is_stream:
        error = refused(miniodb_stub.StreamQuery, miniodb.StreamQueryRequest(sql="break it"))
    else:
        error = refused(olap_stub.Query, olap.QueryRequest(sql="break it"))

    assert error.code() is grpc.StatusCode.INTERNAL
    assert error.details().startswith("internal error, see the server's log: query_id=")
    assert "secret" not in str(error)
    assert "ZeroDivision" not in str(error)


def test_bytes_that_are_no_message_are_an_error_without_a_traceback(channel, olap_stub):
    write = channel.unary_unary("/olap.v1.OlapService/Write")

    error = refused(write, b"\xff\xff\xff\xff")

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details().startswith("request cannot be decoded: expected olap.v1.WriteRequest")
    assert olap_stub.Write(olap.WriteRequest(id="a")).success


@pytest.mark.parametrize("rpc", NOT_IMPLEMENTED)
def test_an_rpc_that_is_not_implemented_says_so(channel, rpc):
    error = refused(channel.unary_unary(f"/{rpc}"), b"")

    assert error.code() is grpc.StatusCode.UNIMPLEMENTED
    assert error.details() == f"rpc is not implemented: {rpc}"
    assert json.loads(metadata(error)["x-flightdb-error"])["error"] == "unsupported"


def test_every_call_is_counted_with_its_outcome(olap_stub, channel, observed):
    olap_stub.Write(olap.WriteRequest(id="a"))
    refused(olap_stub.Query, olap.QueryRequest(sql="fail NotFound"))
    refused(olap_stub.Query, olap.QueryRequest(sql="hang"), timeout=1)
    until(lambda: len(observed) == 3)
    refused(olap_stub.Query, olap.QueryRequest(sql="break it"))
    until(lambda: len(observed) == 4)
    refused(olap_stub.GetStats, olap.GetStatsRequest())
    until(lambda: len(observed) == 5)

    assert observed == [
        ("grpc", "olap.v1.OlapService/Write", "ok"),
        ("grpc", "olap.v1.OlapService/Query", "not_found"),
        ("grpc", "olap.v1.OlapService/Query", "cancelled"),
        ("grpc", "olap.v1.OlapService/Query", "internal_error"),
        ("grpc", "olap.v1.OlapService/GetStats", "unsupported"),
    ]


# --- tables ---
def test_tables_are_listed_in_pages_with_their_total(olap_stub):
    for name in ("b", "a", "c", "xa"):
        olap_stub.CreateTable(olap.CreateTableRequest(table_name=name))

    page = olap_stub.ListTables(olap.ListTablesRequest(page=2, limit=3))
    some = olap_stub.ListTables(olap.ListTablesRequest(pattern="x*"))

    assert [table.name for table in page.tables] == ["xa"]
    assert (page.total, page.page, page.limit) == (4, 2, 3)
    assert ([table.name for table in some.tables], some.total) == (["xa"], 1)


def test_a_page_below_one_is_refused(olap_stub):
    error = refused(olap_stub.ListTables, olap.ListTablesRequest(page=-1))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_table_is_described_with_its_options_and_figures(olap_stub):
    config = olap.TableConfig(
        buffer_size=10,
        flush_interval_seconds=20,
        retention_days=30,
        backup_enabled=True,
        properties={"owner": "me"},
    )
    made = olap_stub.CreateTable(olap.CreateTableRequest(table_name="t", config=config))

    found = olap_stub.DescribeTable(olap.DescribeTableRequest(table_name="t"))

    assert made.message == "Table t created successfully"
    assert found.table_info == olap.TableInfo(
        name="t", config=config, created_at="2020-09-13T12:26:40.500000Z", status="active"
    )
    assert found.stats == olap.TableStats(
        record_count=7,
        file_count=2,
        size_bytes=1000,
        oldest_record="2017-07-14T02:40:00Z",
        newest_record="2020-09-13T12:26:40Z",
    )


def test_id_settings_of_a_table_come_back(miniodb_stub):
    config = miniodb.TableConfig(
        id_strategy="snowflake",
        id_prefix="p",
        auto_generate_id=True,
        id_validation=miniodb.IDValidationRules(max_length=9, pattern="^a+$", allowed_chars="a"),
    )
    miniodb_stub.CreateTable(miniodb.CreateTableRequest(table_name="t", config=config))

    found = miniodb_stub.GetTable(miniodb.GetTableRequest(table_name="t")).table_info

    assert found.config == config
    assert found.created_at.ToMicroseconds() == 1_600_000_000_500_000
    assert not found.HasField("last_write")
    assert found.stats.record_count == 7
    assert miniodb_stub.ListTables(miniodb.ListTablesRequest()).tables == [found]


def test_an_unknown_id_strategy_is_refused_with_those_that_are(miniodb_stub):
    request = miniodb.CreateTableRequest(
        table_name="t", config=miniodb.TableConfig(id_strategy="guid")
    )

    error = refused(miniodb_stub.CreateTable, request)

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "uuid, snowflake" in error.details()


def test_a_table_is_dropped_once(olap_stub, miniodb_stub):
    olap_stub.CreateTable(olap.CreateTableRequest(table_name="t"))

    dropped = olap_stub.DropTable(olap.DropTableRequest(table_name="t"))

    assert (dropped.success, dropped.files_deleted) == (True, 2)
    again = miniodb.DeleteTableRequest(table_name="t")
    assert refused(miniodb_stub.DeleteTable, again).code() is grpc.StatusCode.NOT_FOUND
    again.if_exists = True
    assert miniodb_stub.DeleteTable(again).success


# --- the port ---
def test_a_taken_port_is_named(door, service):
    second = RpcDoor(service, host="127.0.0.1", port=door.port, clock=FixedClock())

    with pytest.raises(Unavailable, match=f"port is taken: grpc_port={door.port} "):
        second.start()

    second.stop()


def test_a_host_that_is_none_of_this_machine_is_named(service):
    door = RpcDoor(service, host="192.0.2.1", port=0, clock=FixedClock())

    with pytest.raises(Unavailable, match=r"port cannot be used: .*host=192\.0\.2\.1"):
        door.start()


def test_a_core_that_fails_at_the_start_fails_the_start(service):
    service.status_text = None
    door = RpcDoor(service, host="127.0.0.1", port=0, clock=FixedClock())

    with pytest.raises(ValueError, match="no status"):
        door.start()


def test_draining_lets_running_calls_end_and_takes_no_new_ones(door, service):
    service.answers["q"] = pa.table({"n": [1]})
    with grpc.insecure_channel(f"127.0.0.1:{door.port}") as channel:
        stub = miniodb_pb2_grpc.MinIODBServiceStub(channel)
        feed = iter(_slowly(miniodb.StreamWriteRequest(table="t", records=[record("a")]), 5))
        running = stub.StreamWrite.future(feed)
        until(lambda: "t" in service.rows)

        door.drain(30)

        assert running.result(timeout=30).records_count == 5
        with pytest.raises(grpc.RpcError):
            stub.HealthCheck(miniodb.HealthCheckRequest(), timeout=1)


def _slowly(message, count):
    for _ in range(count):
        time.sleep(0.1)
        yield message


def test_stopping_ends_what_runs_and_may_be_repeated(door, olap_stub, service):
    call = olap_stub.Query.future(olap.QueryRequest(sql="hang"))
    until(lambda: service.statements)

    door.stop()
    door.stop()

    assert call.exception(timeout=10).code() in (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
    )
    assert service.stopped.wait(10)
