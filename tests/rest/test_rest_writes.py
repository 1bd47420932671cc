"""Rows in: every form of body, and what is wrong with bodies."""

import io
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/x-ndjson"}
ARROW = {"content-type": "application/vnd.apache.arrow.stream"}
NOON_US = 1_769_860_800_000_000


class ResidentBytes:
    """How far this process's resident memory rises, looked at every half millisecond."""

    def __enter__(self):
        self.growth = 0
        self._before = self._now()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()

    def _watch(self):
        while not self._is_over.wait(0.0005):
            self.growth = max(self.growth, self._now() - self._before)

    def _now(self):
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def post(client, body, headers=JSON, **more):
    return client.post("/v1/data", content=body, headers={**headers, **more})


def stream_of(*batches, compression=None, schema=None):
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, schema or batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue()


def refusal(response, status, slug):
    assert response.status_code == status, response.text
    body = response.json()
    assert body["error"] == slug
    assert body["code"] == status
    assert "Traceback" not in response.text
    return body["message"]


def test_a_flat_record_is_stored_and_answered_with_its_id(client, service):
    body = """{"table": "t", "id": "a-1", "timestamp": "2026-01-31T14:00:00.000001+02:00",
               "payload": {"n": 9007199254740993, "deep": {"x": [1, null]}}}"""

    answer = post(client, body)

    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "message": "Data successfully ingested for table: t, ID: a-1",
        "node_id": "node-1",
        "id": "a-1",
        "rows": 1,
        "is_repeat": False,
    }
    (row,) = service.records["t"]
    assert (row.id, row.timestamp_us) == ("a-1", NOON_US + 1)
    assert row.payload == {"n": 9007199254740993, "deep": {"x": [1, None]}}


def test_a_nested_record_without_table_and_time_goes_to_default_at_this_moment(client, service):
    answer = post(client, '{"data": {"id": "a", "payload": {"n": 1}}}')

    assert answer.status_code == 200
    (row,) = service.records["default"]
    assert (row.id, row.timestamp_us, row.payload) == ("a", NOON_US + 1, {"n": 1})


def test_an_id_that_the_table_makes_is_told(client):
    answer = post(client, '{"table": "t", "payload": {"n": 1}}').json()

    assert answer["id"] == "made-1"
    assert answer["message"].endswith("ID: made-1")


def test_a_list_may_mix_forms_and_tables(client, service):
    body = """[{"table": "t", "id": "1", "payload": {}}, {"table": "u", "id": "2", "payload": {}},
               {"table": "t", "data": {"id": "3", "payload": {}}}]"""

    answer = post(client, body).json()

    assert answer["rows"] == 3
    assert [row.id for row in service.records["t"]] == ["1", "3"]
    assert [row.id for row in service.records["u"]] == ["2"]


def test_lines_are_one_batch(client, service):
    body = '{"table": "t", "id": "1", "payload": {}}\r\n\n{"table": "t", "id": "2", "payload": {}}'

    answer = post(client, body, LINES).json()

    assert answer["rows"] == 2
    assert [row.id for row in service.records["t"]] == ["1", "2"]


def test_an_arrow_stream_of_several_batches_is_one_write(client, service):
    batch = pa.record_batch({"a": [1, 2], "d": pa.array(["x", "y"]).dictionary_encode()})

    answer = client.post(
        "/v1/data?table=t", content=stream_of(batch, batch, compression="zstd"), headers=ARROW
    )

    assert answer.json()["rows"] == 4
    (stored,) = service.batches["t"]
    assert stored.to_pydict() == {"a": [1, 2, 1, 2], "d": ["x", "y", "x", "y"]}


def test_an_arrow_stream_without_batches_stores_nothing_and_is_no_error(client):
    schema = pa.schema([("a", pa.int64()), ("t", pa.timestamp("us", "UTC"))])

    answer = client.post("/v1/data?table=t", content=stream_of(schema=schema), headers=ARROW)

    assert answer.json()["rows"] == 0


def test_a_large_batch_is_decoded_off_the_loop_and_stored_whole(client, service):
    body = "\n".join(f'{{"table":"t","id":"{i}","payload":{{"n":{i}}}}}' for i in range(20_000))

    answer = post(client, body, LINES).json()

    assert answer["rows"] == 20_000
    assert service.records["t"][-1].payload == {"n": 19_999}


def test_a_repeat_with_the_same_key_is_stored_once(client, service):
    body = '{"table": "t", "id": "1", "payload": {}}'

    first = post(client, body, **{"idempotency-key": "order 7"}).json()
    second = post(client, body, **{"idempotency-key": "order 7"}).json()

    assert (first["is_repeat"], second["is_repeat"]) == (False, True)
    assert len(service.records["t"]) == 1
    assert ("key:order 7", 1) in service.seen


def test_64_clients_at_once_lose_nothing(client, service):
    def write(number):
        return post(client, f'{{"table":"t","id":"{number}","payload":{{}}}}').status_code

    with ThreadPoolExecutor(64) as pool:
        statuses = list(pool.map(write, range(640)))

    assert set(statuses) == {200}
    assert {row.id for row in service.records["t"]} == {str(n) for n in range(640)}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"table":"t","id":"1"}', "payload is missing"),
        ('{"table":"t","id":"1","payload":5}', "expected object, got integer at payload"),
        ('{"table":"t","id":7,"payload":{}}', "got integer at id"),
        ('{"table":"t","timestamp":1700000000,"payload":{}}', "got integer at timestamp; write"),
        ('{"table":"t","timestamp":"yesterday","payload":{}}', "at timestamp; write"),
        ('{"table":"t","timestamp":"2026-01-31T12:00:00","payload":{}}', "timezone"),
        ('{"tabel":"t","payload":{}}', "unknown field `tabel`"),
        ('{"payload":{},"data":{"payload":{}}}', "payload and data"),
        ('{"id":"1","data":{"payload":{}}}', "inside data"),
        ('{"payload":{"a":1}', "truncated"),
        ('{"payload":{"a":NaN}}', "invalid character"),
        ('{"payload":{"a":1e999}}', "out of range"),
        ('{"payload":{"a":"\ud800"}}'.encode("utf-8", "surrogatepass"), "utf-8"),
        ('{"payload":' + '{"a":' * 3000 + "1" + "}" * 3001, "nested too deeply"),
        ('[{"payload":{}},{"payload":{},"id":[]}]', "at [1].id"),
        ('[{"payload":{}},{"id":"1"}]', "record 2: payload is missing"),
        ('{"payload":{"bad":1}}', "column bad"),
        ("7", "expected object, got integer"),
    ],
)
def test_a_body_that_is_no_record_is_refused_with_the_place(client, service, body, says):
    message = refusal(post(client, body), 400, "payload_error")

    assert says.lower() in message.lower()
    assert service.records == {}
    assert "`str`" not in message


@pytest.mark.parametrize("body", ["", "  \n", "[]"])
def test_an_empty_body_is_refused(client, body):
    assert "empty" in refusal(post(client, body), 400, "validation_error")


def test_an_empty_body_of_no_type_is_called_empty(client):
    assert "empty" in refusal(client.post("/v1/data"), 400, "validation_error")


def test_broken_json_names_its_line_and_nothing_is_stored(client, service):
    body = '{"table":"t","payload":{}}\n\n{"table":"t","payload":{}\n{"table":"t","payload":{}}'

    message = refusal(post(client, body, LINES), 400, "payload_error")

    assert message.startswith("line 3: ")
    assert service.records == {}


def test_a_line_of_the_wrong_form_is_named(client):
    body = '{"payload":{}}\n{"id":"1"}'

    assert refusal(post(client, body, LINES), 400, "payload_error").startswith("line 2: payload")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(client, media):
    answer = client.post("/v1/data", content=b"{}", headers={"content-type": media})

    assert "application/json" in refusal(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("key", ["", "x" * 256, "schl\u00fcssel".encode()])
def test_a_key_that_cannot_be_one_is_refused(client, key):
    answer = post(client, '{"payload":{}}', **{"idempotency-key": key})

    assert "idempotency-key" in refusal(answer, 400, "validation_error")


def test_a_bad_table_name_is_refused(client):
    answer = post(client, '{"table":"no spaces","payload":{}}')

    assert "invalid table name" in refusal(answer, 400, "validation_error")


def test_a_full_queue_says_when_to_come_back(client, service):
    service.is_full = True

    answer = post(client, '{"table":"t","payload":{}}')

    refusal(answer, 429, "overloaded")
    assert answer.headers["retry-after"] == "3"


def test_put_and_delete_say_that_they_are_not_served(client):
    refusal(client.put("/v1/data"), 501, "unsupported")
    refusal(client.delete("/v1/data"), 501, "unsupported")


# --- Arrow bodies that lie ---


def write_stream(client, body):
    return client.post("/v1/data?table=t", content=body, headers=ARROW)


def test_an_arrow_stream_cut_anywhere_is_refused(client, service):
    whole = stream_of(pa.record_batch({"a": range(100)}))

    for size in (1, 4, 8, 100, len(whole) // 2, len(whole) - 8, len(whole) - 1):
        message = refusal(write_stream(client, whole[:size]), 400, "payload_error")
        assert message.startswith("body is not a whole arrow stream")
    assert service.batches == {}


def test_bytes_after_the_end_of_an_arrow_stream_are_refused(client):
    whole = stream_of(pa.record_batch({"a": [1]}))

    assert "after it" in refusal(write_stream(client, whole + whole), 400, "payload_error")


def test_what_is_not_arrow_is_refused(client):
    refusal(write_stream(client, b"id,timestamp\n1,2\n" * 10), 400, "payload_error")


def test_the_measure_of_memory_sees_a_batch_of_that_size():
    with ResidentBytes() as resident:
        np.ones(100 << 20, "i1").sum()

    assert resident.growth > 64 << 20


def test_columns_that_claim_rows_for_nothing_are_refused(client):
    nothing = pa.record_batch({"n": pa.nulls(2_000_000_000)})
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2_000_000_000], pa.int32()), pa.array([1]))

    for batch in (nothing, pa.record_batch({"n": runs})):
        message = refusal(write_stream(client, stream_of(batch)), 400, "payload_error")
        assert "n" in message


def test_a_30_000_to_1_batch_is_refused_before_it_takes_memory(client):
    body = stream_of(pa.record_batch({"a": np.zeros(200_000_000, "i8")}), compression="zstd")
    assert 1_600_000_000 / len(body) > 30_000

    with ResidentBytes() as resident:
        message = refusal(write_stream(client, body), 413, "too_large")

    assert "decompressed" in message
    assert resident.growth < 64 << 20


def test_a_compressed_dictionary_counts_too(client):
    words = pa.array(["x" * 100_000_000])
    column = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), words)
    body = stream_of(pa.record_batch({"d": column}), compression="zstd")

    refusal(write_stream(client, body), 413, "too_large")


# --- bodies over the limit ---


def test_a_100_mb_body_is_refused_and_not_held(client):
    with ResidentBytes() as resident:
        answer = post(client, iter([b"x" * (1 << 20)] * 100))

    assert "4194304" in refusal(answer, 413, "too_large")
    assert resident.growth < 32 << 20
    assert client.get("/v1/health").status_code == 200


def test_a_length_over_the_limit_is_refused_before_the_body_comes(door):
    with socket.create_connection(("127.0.0.1", door.port), 10) as connection:
        connection.sendall(
            b"POST /v1/data HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: 99999999999\r\nexpect: 100-continue\r\n\r\n"
        )
        head = connection.recv(4096)
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)

    assert head.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in head


def test_a_client_that_leaves_inside_its_body_stores_nothing(client, door, service):
    with socket.create_connection(("127.0.0.1", door.port), 10) as connection:
        connection.sendall(
            b"POST /v1/data HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b'content-length: 1000\r\n\r\n{"table":"t"'
        )

    assert client.get("/v1/health").status_code == 200
    assert service.records == {}
