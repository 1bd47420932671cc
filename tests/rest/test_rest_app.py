"""The door over the real core: what is written is durable, typed, and read back exactly."""

import io
import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pyarrow as pa
import pytest

ARROW = {"content-type": "application/vnd.apache.arrow.stream"}
LINES = {"content-type": "application/x-ndjson"}

# More than clients: a pool that closes surplus connections may close one that a thread just took.
LIMITS = httpx.Limits(max_keepalive_connections=128)


@pytest.fixture
def web(app):
    with httpx.Client(
        base_url=f"http://127.0.0.1:{app.rest_port}", timeout=30, limits=LIMITS
    ) as client:
        yield client


def rows(web, sql, **more):
    answer = web.post("/v1/query", json={"sql": sql, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


def write(web, table, payload, row_id="a", **more):
    body = {"table": table, "id": row_id, "payload": payload, **more}
    return web.post("/v1/data", json=body)


def error(answer, status, slug):
    assert (answer.status_code, answer.json()["error"]) == (status, slug), answer.text
    assert "Traceback" not in answer.text
    return answer.json()["message"]


def test_a_row_is_read_back_exactly_a_moment_later(web):
    payload = {"n": 9007199254740993, "f": 0.1, "t": "\u00e4\u4e16", "b": True, "deep": {"x": [1]}}

    answer = write(web, "exact", payload, timestamp="2026-01-31T12:00:00.000001Z")

    assert answer.status_code == 200, answer.text
    (row,) = rows(web, "select *, payload.deep.x as x from exact")
    assert row["timestamp"] == "2026-01-31T12:00:00.000001Z"
    assert {name: row[name] for name in ("n", "f", "t", "b")} == {
        name: payload[name] for name in ("n", "f", "t", "b")
    }


def test_a_flush_changes_no_answer(web):
    for number in range(5):
        write(web, "flushed", {"n": number}, f"id-{number}")
    before = rows(web, "select * from flushed order by n")

    answer = web.post("/v1/flush", json={"table": "flushed"})

    assert answer.json()["stats"]["rows"] == 5
    assert rows(web, "select * from flushed order by n") == before
    assert web.get("/v1/tables/flushed").json()["table_info"]["stats"]["record_count"] == 5


def test_a_batch_with_one_bad_row_stores_nothing(web):
    write(web, "atomic", {"n": 1})

    body = '{"table":"atomic","id":"b","payload":{"n":2}}\n{"table":"atomic","id":"c","payload":{"n":"x"}}'
    answer = web.post("/v1/data", content=body, headers=LINES)

    assert "n" in error(answer, 400, "payload_error")
    assert rows(web, "select count(*) as c from atomic") == [{"c": 1}]


def test_an_arrow_stream_is_stored_and_a_repeat_of_it_is_not(web):
    batch = pa.record_batch(
        {
            "id": [f"s-{n % 7}" for n in range(1000)],
            "timestamp": pa.array(range(1000), pa.timestamp("us", "UTC")),
            "v": pa.array(range(1000), pa.int64()),
        }
    )
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    web.post("/v1/tables", json={"table_name": "streamed"})

    for _ in range(2):
        answer = web.post(
            "/v1/data?table=streamed",
            content=sink.getvalue(),
            headers={**ARROW, "idempotency-key": "stream-1"},
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["rows"] == 1000

    assert rows(web, "select count(*) as c, sum(v) as s from streamed") == [
        {"c": 1000, "s": 499500}
    ]


def test_64_clients_at_once_lose_and_double_nothing(web):
    write(web, "crowd", {"n": -1}, "first")

    def one(number):
        return write(web, "crowd", {"n": number}, f"id-{number}").status_code

    with ThreadPoolExecutor(64) as pool:
        statuses = list(pool.map(one, range(640)))

    assert set(statuses) == {200}
    (figures,) = rows(web, "select count(*) as c, count(distinct n) as d from crowd")
    assert figures == {"c": 641, "d": 641}


def test_a_table_that_makes_ids_tells_the_id_that_it_made(web):
    config = {"id_strategy": "uuid", "auto_generate_id": True}
    web.post("/v1/tables", json={"table_name": "made", "config": config})

    answer = web.post("/v1/data", json={"table": "made", "payload": {"n": 1}}).json()

    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer["id"])
    assert rows(web, "select id from made") == [{"id": answer["id"]}]


def test_a_row_without_the_id_that_its_table_wants_is_refused(web):
    write(web, "wants", {"n": 1})

    answer = web.post("/v1/data", json={"table": "wants", "payload": {"n": 1}})

    assert "id" in error(
        answer, 400, "validation_error" if "valid" in answer.text else "payload_error"
    )


def test_count_over_an_empty_table_is_0_and_an_unknown_table_is_an_error(web):
    web.post("/v1/tables", json={"table_name": "void"})

    assert rows(web, "select count(*) as c from void") == [{"c": 0}]
    error(web.post("/v1/query", json={"sql": "select * from nowhere"}), 404, "not_found")
    error(web.get("/v1/tables/nowhere"), 404, "not_found")


@pytest.mark.parametrize(
    ("sql", "status"),
    [
        ("select 1; select 2", 400),
        ("selec 1", 400),
        ("select nothing_there from (select 1 as a)", 400),
        ("select * from read_text('/etc/hostname')", 403),
        ("select * from 'https://example.org/x.parquet'", 403),
        ("set threads = 1", 403),
        ("select '" + "x" * (1 << 20) + "'", 413),
    ],
)
def test_sql_that_may_not_run_is_refused_and_named(web, sql, status):
    answer = web.post("/v1/query", json={"sql": sql})

    assert answer.status_code == status, answer.text[:500]
    assert answer.json()["query_id"]
    assert len(answer.json()["message"]) < 2000
    assert web.get("/v1/health").json()["status"] == "healthy"


def test_the_second_answer_is_cached_until_a_row_comes(web):
    write(web, "kept", {"n": 1})
    sql = {"sql": "select count(*) as c from kept"}

    seen = [web.post("/v1/query", json=sql).headers["x-cache"] for _ in range(2)]
    write(web, "kept", {"n": 2})
    after = web.post("/v1/query", json=sql)

    assert seen == ["miss", "hit"]
    assert (after.headers["x-cache"], after.json()["rows"]) == ("miss", [{"c": 2}])


def test_a_timeout_stops_a_query(web):
    sql = "select count(*) from range(100000) a, range(1000000) b where a.range + b.range = 7"

    answer = web.post("/v1/query", json={"sql": sql, "timeout_ms": 300})

    error(answer, 504, "deadline_exceeded")
    assert answer.elapsed.total_seconds() < 2


@pytest.mark.parametrize("accept", ["application/x-ndjson", "text/csv"])
def test_a_streamed_answer_is_whole(web, accept):
    answer = web.post(
        "/v1/query",
        json={"sql": "select * from range(150000) r(i)"},
        headers={"accept": accept},
    )

    assert len(answer.text.splitlines()) in (150_000, 150_001)


def test_a_client_that_leaves_ends_its_query(web, app):
    body = {"sql": "select * from range(10000000) a, range(10000000) b"}
    with web.stream(
        "POST", "/v1/query", json=body, headers={"accept": "application/x-ndjson"}
    ) as answer:
        assert answer.status_code == 200, answer.read()
        next(answer.iter_bytes())
        assert app.service.status().figures["queries_open"] >= 1

    deadline = time.monotonic() + 1.5
    while app.service.status().figures["queries_open"] and time.monotonic() < deadline:
        time.sleep(0.02)
    assert app.service.status().figures["queries_open"] == 0


def test_parameters_reach_the_query(web):
    write(web, "asked", {"n": 5}, "x")

    assert rows(web, "select n from asked where id = $1 and n > $2", params=["x", 4]) == [{"n": 5}]


def test_ddl_comes_through_the_query_door_too(web):
    rows(web, "create table plain (a int, b varchar)")
    rows(web, "insert into plain values (1, 'x'), (2, 'y')")

    assert rows(web, "select * from plain order by a") == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    assert web.get("/v1/tables/plain").json()["table_info"]["kind"] == "plain"
