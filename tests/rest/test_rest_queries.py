"""SQL in, answers out, in every form."""

import io
import json
import socket
import time

import httpx
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

ARROW = "application/vnd.apache.arrow.stream"
LINES = "application/x-ndjson"
PARQUET = "application/vnd.apache.parquet"


def ask(client, sql, accept=None, **more):
    headers = {} if accept is None else {"accept": accept}
    return client.post("/v1/query", json={"sql": sql, **more}, headers=headers)


def refusal(response, status, slug):
    assert response.status_code == status, response.text
    assert response.json()["error"] == slug
    return response.json()


def test_rows_come_as_a_list_and_as_its_text(client):
    answer = ask(client, "select 1 as a, 'x' as b union all select 2, null order by a")

    body = answer.json()
    assert body["rows"] == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert json.loads(body["result_json"]) == body["rows"]
    assert (body["has_more"], body["next_cursor"]) == (False, "")
    assert body["query_id"] == answer.headers["x-flightdb-query-id"]
    assert answer.headers["x-cache"] == "miss"


def test_an_answer_without_rows_is_an_empty_list(client):
    assert ask(client, "select 1 as a where false").json()["rows"] == []


def test_numbers_are_exact_whatever_their_width(client):
    sql = """select 9007199254740993::bigint as big, 18446744073709551615::ubigint as unsigned,
             170141183460469231731687303715884105727::hugeint as huge,
             12345678901234567890.123456789::decimal(38,9) as exact, -9007199254740993 as negative"""

    text = ask(client, sql).text

    for figure in (
        '"big":9007199254740993,',
        '"unsigned":18446744073709551615,',
        '"huge":170141183460469231731687303715884105727,',
        '"exact":12345678901234567890.123456789,',
        '"negative":-9007199254740993}',
    ):
        assert figure in text


def test_what_json_does_not_have_is_written_as_documented(client):
    sql = """select 'nan'::double as nan, '-inf'::double as inf,
             timestamptz '2026-01-31 14:00:00.5+02' as zoned, timestamp '2026-01-31 14:00:00' as local,
             '2026-01-31T14:00:00.000000001'::timestamp_ns as nanos, date '2026-01-31' as day,
             time '14:00:00.25' as hour, 'a\\x00b'::blob as bin, interval '1 month 2 days 3.5 s' as span,
             uuid '00000000-0000-0000-0000-000000000007' as u, timestamp '20000-01-01 00:00:00' as far,
             'infinity'::timestamp as never"""

    (row,) = ask(client, sql).json()["rows"]

    assert row == {
        "nan": None,
        "inf": None,
        "zoned": "2026-01-31T12:00:00.500000Z",
        "local": "2026-01-31T14:00:00",
        "nanos": "2026-01-31T14:00:00.000000001",
        "day": "2026-01-31",
        "hour": "14:00:00.250000",
        "bin": "YQBi",
        "span": "P1M2DT3.5S",
        "u": "00000000-0000-0000-0000-000000000007",
        "far": "20000-01-01T00:00:00.000000",
        "never": "infinity",
    }


def test_nested_values_are_json(client):
    sql = """select {'a': [1, 2], 'b': {'c': 'x'}} as s, map {'k': 1} as m,
             ['2026-01-31T14:00:00.000000001'::timestamp_ns] as l, 'on'::enum('on', 'off') as e"""

    (row,) = ask(client, sql).json()["rows"]

    assert row == {
        "s": {"a": [1, 2], "b": {"c": "x"}},
        "m": {"k": 1},
        "l": ["2026-01-31T14:00:00.000000001"],
        "e": "on",
    }


def test_columns_of_one_name_are_kept_apart(client):
    assert ask(client, "select 1 as a, 2 as a, 3 as a_1").json()["rows"] == [
        {"a": 1, "a_2": 2, "a_1": 3}
    ]


def test_parameters_are_values_of_their_own_type(client):
    body = ask(
        client,
        "select $1 as i, $2 as t, $3 as b, $4 as n, $5 as u",
        params=[9007199254740993, "x' or 1=1", True, None, 18446744073709551615],
    ).json()

    assert body["rows"] == [
        {"i": 9007199254740993, "t": "x' or 1=1", "b": True, "n": None, "u": 18446744073709551615}
    ]


@pytest.mark.parametrize(("limit", "has_more"), [(9, True), (10, False), (11, False)])
def test_a_limit_cuts_and_says_so(client, limit, has_more):
    body = ask(client, "select * from range(10) t(i)", limit=limit).json()

    assert len(body["rows"]) == min(limit, 10)
    assert body["has_more"] is has_more


def test_without_a_limit_100_000_rows_are_the_end_and_that_is_said(client):
    body = ask(client, "select i from range(100001) t(i)").json()

    assert len(body["rows"]) == 100_000
    assert body["has_more"] is True


def test_a_json_answer_that_is_too_large_is_an_error(client):
    error = refusal(
        ask(client, "select repeat('x', 2000) as a from range(60000)"), 413, "too_large"
    )

    assert LINES in error["message"]


def test_an_update_tells_how_many_rows_it_changed(client):
    assert ask(client, "CREATE TABLE t (a INT)").json()["rows"] == [{"rows_changed": 3}]


# --- streams ---

ROWS = "select i, 'row ' || i as t, i / 4 as d from range(200000) r(i) order by i"


def test_an_arrow_stream_is_the_whole_answer(client, service):
    answer = ask(client, ROWS, ARROW)

    with pa.ipc.open_stream(answer.content) as reader:
        table = reader.read_all()
    assert answer.headers["content-type"] == ARROW
    assert table.num_rows == 200_000
    assert table["i"].to_pylist() == list(range(200_000))


def test_csv_is_the_whole_answer(client):
    answer = ask(client, ROWS, "text/csv")

    table = pa_csv.read_csv(io.BytesIO(answer.content))
    assert table.column_names == ["i", "t", "d"]
    assert table["i"].to_pylist() == list(range(200_000))
    assert table["d"][1].as_py() == 0.25


def test_csv_writes_null_text_and_nested_so_that_they_can_be_told_apart(client):
    sql = """select null::int as n, '' as e, 'a"b,c' as q, [1] as l,
             timestamptz '2026-01-31 12:00:00Z' as t, 'x'::blob as b"""

    text = ask(client, sql, "text/csv").text

    assert text == '"n","e","q","l","t","b"\n,"","a""b,c","[1]","2026-01-31T12:00:00Z","eA=="\n'


def test_lines_are_the_whole_answer(client):
    lines = ask(client, ROWS, LINES).text.splitlines()

    assert len(lines) == 200_000
    assert json.loads(lines[3]) == {"i": 3, "t": "row 3", "d": 0.75}


def test_parquet_is_the_whole_answer(client):
    answer = ask(client, ROWS, PARQUET)

    file = pq.ParquetFile(io.BytesIO(answer.content))
    assert file.metadata.num_row_groups == 2
    assert file.read()["i"].to_pylist() == list(range(200_000))


@pytest.mark.parametrize("accept", [ARROW, "text/csv", LINES, PARQUET])
def test_an_answer_without_rows_is_whole_in_every_form(client, accept):
    answer = ask(client, "select 1 as a where false", accept)

    assert answer.status_code == 200
    if accept == ARROW:
        assert pa.ipc.open_stream(answer.content).read_all().num_rows == 0
    if accept == PARQUET:
        assert pq.read_table(io.BytesIO(answer.content)).num_rows == 0
    if accept == "text/csv":
        assert answer.text == '"a"\n'


def test_a_limit_cuts_a_stream(client, service):
    assert len(ask(client, ROWS, LINES, limit=7).text.splitlines()) == 7


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("text/csv;q=0.5, application/x-ndjson", LINES),
        ("TEXT/*", "text/csv"),
    ],
)
def test_the_accept_header_chooses(client, accept, media):
    assert ask(client, "select 1", accept).headers["content-type"] == media


def test_a_format_that_is_not_served_is_refused(client):
    error = refusal(ask(client, "select 1", "image/png"), 415, "unsupported_media_type")

    assert "text/csv" in error["message"]


def wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_a_client_that_leaves_stops_its_query_within_a_second(client, service):
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/query", json={"sql": "slow"}, timeout=0.2)
    left = time.monotonic()

    assert wait_for(lambda: service.stopped_queries)
    assert time.monotonic() - left < 1


def test_a_client_that_leaves_in_the_stream_frees_its_answer(client, service):
    body = {"sql": "select i, repeat('x', 100) from range(100000000) r(i)"}
    with client.stream("POST", "/v1/query", json=body, headers={"accept": LINES}) as answer:
        next(answer.iter_bytes())
    left = time.monotonic()

    assert wait_for(lambda: service.closed_streams)
    assert time.monotonic() - left < 1


def test_a_client_that_stops_reading_holds_up_the_query_and_then_loses_it(client, door, service):
    body = json.dumps({"sql": "select i, repeat('x', 100) from range(100000000) r(i)"}).encode()
    head = (
        b"POST /v1/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        b"accept: application/x-ndjson\r\ncontent-length: %d\r\n\r\n" % len(body)
    )
    with socket.create_connection(("127.0.0.1", door.port)) as connection:
        connection.sendall(head + body)
        time.sleep(1)
        assert service.closed_streams == 0
        assert client.get("/v1/health").status_code == 200

        assert wait_for(lambda: service.closed_streams)


def test_an_answer_that_fails_in_its_middle_has_no_end(client, service):
    with pytest.raises(httpx.RemoteProtocolError):
        ask(client, "breaks", LINES)

    assert wait_for(lambda: service.closed_streams)
    assert client.get("/v1/health").status_code == 200


def test_the_same_failure_is_an_error_where_the_answer_is_one_piece(client):
    error = refusal(ask(client, "breaks"), 400, "query_error")

    assert error["message"] == "division by zero"
    assert error["query_id"]


# --- cache ---


def test_a_cached_answer_has_its_own_query_id_and_says_hit(client, service):
    service.keep("select 7", pa.table({"a": [7]}))

    first, second = ask(client, "select 7"), ask(client, "select 7")

    assert first.json()["rows"] == second.json()["rows"] == [{"a": 7}]
    assert first.json()["query_id"] != second.json()["query_id"]
    assert second.headers["x-cache"] == "hit"
    assert list(service.cache["select 7"].forms) == ["application/json"]


def test_a_cached_answer_comes_in_every_form_and_limit(client, service):
    service.keep("select 7", pa.table({"a": [7, 8]}))

    assert ask(client, "select 7", LINES).text == '{"a":7}\n{"a":8}\n'
    assert ask(client, "select 7", limit=1).json()["has_more"] is True
    assert ask(client, "select 7").json()["has_more"] is False


def test_no_cache_passes_it_by(client, service):
    service.keep("select 7 as a", pa.table({"a": [0]}))

    answer = client.post(
        "/v1/query", json={"sql": "select 7 as a"}, headers={"cache-control": "no-cache"}
    )

    assert answer.json()["rows"] == [{"a": 7}]
    assert answer.headers["x-cache"] == "miss"


# --- refusals ---


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "empty"),
        ("{}", "sql"),
        ('{"sql": ""}', "length >= 1"),
        ('{"sql": 5}', "at sql"),
        ('{"sql": "select 1", "limit": 0}', "at limit"),
        ('{"sql": "select 1", "limit": "5"}', "at limit"),
        ('{"sql": "select 1", "timeout_ms": -1}', "at timeout_ms"),
        ('{"sql": "select 1", "params": {}}', "at params"),
        ('{"sql": "select 1", "params": [[1, "a"]]}', "parameter 1"),
        ('{"sql": "select 1", "params": [1180591620717411303424000]}', "parameter 1"),
        ('{"sql": "select 1", "max": 5}', "max"),
        ('{"sql": "select 1"', "truncated"),
    ],
)
def test_a_body_that_is_no_query_is_refused_with_the_place(client, body, says):
    answer = client.post("/v1/query", content=body, headers={"content-type": "application/json"})

    assert says in refusal(answer, 400, "validation_error")["message"]


def test_a_query_of_another_type_is_refused(client):
    answer = client.post("/v1/query", content=b'{"sql":"select 1"}')

    refusal(answer, 415, "unsupported_media_type")


def test_a_cursor_is_refused_while_there_are_none(client):
    refusal(ask(client, "select 1", cursor="abc"), 501, "unsupported")


def test_wrong_sql_tells_the_place_and_the_query(client):
    answer = ask(client, "select nothing_there")

    error = refusal(answer, 400, "query_error")
    assert "nothing_there" in error["message"]
    assert error["position"] == 7
    assert error["query_id"] == answer.headers["x-flightdb-query-id"]


def test_a_defect_shows_its_query_id_and_nothing_else(client):
    error = refusal(ask(client, "defect"), 500, "internal_error")

    assert error["query_id"]
    assert "secret" not in error["message"]
    assert "ZeroDivision" not in error["message"]
