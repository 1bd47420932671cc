"""Rows that are wrong, through every door: told clearly, nothing of them stored, and the next request works."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2
from tests.stories.doors import ARROW, Doors, Refused, arrow_stream, rpc

NDJSON = "application/x-ndjson"
GOOD = {"table": "t", "id": "a", "payload": {"n": 1, "s": "x", "f": 1.5, "b": True}}
STAMP = pa.array([0], pa.timestamp("us", "UTC"))


@pytest.fixture(scope="module")
def doors(app) -> Iterator[Doors]:
    at = "127.0.0.1"
    doors = Doors(f"{at}:{app.flight_port}", f"{at}:{app.rest_port}", f"{at}:{app.grpc_port}")
    doors.rest_data(GOOD)
    doors.ingest("plain", pa.record_batch({"n": [1], "s": ["x"]}), "create")
    yield doors
    doors.close()


def rest(**fields: Any) -> Callable[[Doors], Any]:
    return lambda doors: doors.rest_data({"table": "t", "id": "b", "payload": {}} | fields)


def raw(body: bytes, media: str = "application/json") -> Callable[[Doors], Any]:
    return lambda doors: doors.post("/v1/data?table=t", body, media)


def olap(
    table: str = "t", id_: str = "b", seconds: int = 1, **payload: Any
) -> Callable[[Doors], Any]:
    return lambda doors: doors.olap_write(table, id_, payload, seconds)


def miniodb(table: str = "t", id_: str = "b", **payload: Any) -> Callable[[Doors], Any]:
    return lambda doors: doors.miniodb_write(table, id_, payload)


def rows(**columns: Any) -> pa.RecordBatch:
    return pa.record_batch(columns)


def put(table: str, batch: pa.RecordBatch) -> Callable[[Doors], Any]:
    return lambda doors: doors.put(table, batch)


def ingest(table: str, batch: pa.RecordBatch, mode: str = "append") -> Callable[[Doors], Any]:
    return lambda doors: doors.ingest(table, batch, mode)


def arrow(table: str, batch: pa.RecordBatch) -> Callable[[Doors], Any]:
    return lambda doors: doors.rest_arrow(table, arrow_stream(batch))


def sql(text: str) -> Callable[[Doors], Any]:
    return lambda doors: doors.adbc_query(text)


WRONG_ID = rows(id=["a b/../.."], timestamp=STAMP, n=[1])
NO_ID = rows(timestamp=STAMP, n=[1])
WRONG_TYPE = rows(id=["z"], timestamp=STAMP, n=["x"])
UNKNOWN_COLUMN = rows(n=[1], nowhere=[1])
WHOLE = arrow_stream(rows(id=["z"], timestamp=STAMP, n=[1]))

CASES: dict[str, tuple[Callable[[Doors], Any], tuple[str, ...]]] = {
    # what is sent; what the message has to say
    "wrong type, rest": (rest(payload={"n": "x"}), ("n", "int64", "a text", "row=0")),
    "wrong type, olap": (olap(n="x"), ("n", "int64", "a text", "row=0")),
    "wrong type, miniodb": (miniodb(n="x"), ("n", "int64", "a text", "row=0")),
    "wrong type, put": (put("t", WRONG_TYPE), ("column=n", "int64", "string")),
    "wrong type, ingest": (ingest("t", WRONG_TYPE), ("column=n", "int64", "string")),
    "wrong type, arrow over rest": (arrow("t", WRONG_TYPE), ("column=n", "int64", "string")),
    "wrong type, insert": (sql("INSERT INTO plain VALUES ('x', 'y')"), ("'x'", "column n")),
    "text for a boolean": (rest(payload={"b": "true"}), ("b", "bool", "a text")),
    "number for a text": (rest(payload={"s": 5}), ("s", "string", "an integer 5")),
    "an integer over 64 bits": (rest(payload={"n": 2**64}), ("n", "int64", str(2**64))),
    "a new column over 64 bits": (rest(payload={"big": 2**64}), ("big", "64 bits", str(2**64))),
    "missing id, rest": (rest(id=""), ("id is missing", "row=0", "table=t")),
    "missing id, olap": (olap(id_=""), ("id is missing", "row=0", "table=t")),
    "missing id, miniodb": (miniodb(id_=""), ("id is missing", "row=0", "table=t")),
    "missing id, put": (put("t", NO_ID), ("column is missing", "column=id")),
    "missing id, ingest": (ingest("t", NO_ID), ("column is missing", "column=id")),
    "missing id, arrow over rest": (arrow("t", NO_ID), ("column is missing", "column=id")),
    "bad id, rest": (rest(id="a b/../.."), ("id has a character", "row=0", "a b/../..")),
    "id with a newline, rest": (rest(id="ab\n"), ("id has a character", "row=0")),
    "bad id, olap": (olap(id_="a b/../.."), ("id has a character", "row=0")),
    "bad id, put": (put("t", WRONG_ID), ("id has a character", "row=0", "a b/../..")),
    "bad id, ingest": (ingest("t", WRONG_ID), ("id has a character", "row=0")),
    "bad id, arrow over rest": (arrow("t", WRONG_ID), ("id has a character", "row=0")),
    "bad id, insert": (
        sql("INSERT INTO t (id, timestamp) VALUES ('a b', now())"),
        ("id has a character", "row=0"),
    ),
    "long id": (rest(id="x" * 256), ("id is too long", "255", "length=256")),
    "bad timestamp": (rest(timestamp="yesterday"), ("timestamp", "RFC3339")),
    "timestamp as a number": (rest(timestamp=5), ("timestamp", "RFC 3339", "got integer")),
    "timestamp without a zone": (rest(timestamp="2024-01-01T00:00:00"), ("timezone", "timestamp")),
    "timestamp in the year 30000": (olap(seconds=10**15), ("timestamp", "9999", str(10**15))),
    "bad table name, rest": (rest(table="no name!"), ("table name", "no name!", "a-zA-Z")),
    "bad table name, olap": (olap("no name!"), ("table name", "no name!")),
    "bad table name, put": (put("no name!", rows(n=[1])), ("table name", "no name!")),
    "bad table name, ingest": (ingest("no name!", rows(n=[1]), "create"), ("table name", "no name!")),
    "table name as a number": (rest(table=5), ("expected string", "got integer", "table")),
    "unknown table, ingest": (ingest("nowhere", rows(n=[1])), ("table not found", "name=nowhere")),
    "unknown column, rest": (
        lambda doors: doors.rest_data({"table": "plain", "payload": {"nowhere": 1}}),
        ("unknown column", "nowhere", "n, s"),
    ),
    "unknown column, olap": (olap("plain", "", nowhere=1), ("unknown column", "nowhere", "n, s")),
    "unknown column, put": (put("plain", UNKNOWN_COLUMN), ("unknown column", "nowhere", "n, s")),
    "unknown column, ingest": (ingest("plain", UNKNOWN_COLUMN), ("unknown column", "nowhere")),
    "unknown column, arrow over rest": (arrow("plain", UNKNOWN_COLUMN), ("unknown column", "nowhere")),
    "unknown column, insert": (sql("INSERT INTO plain (nowhere) VALUES (1)"), ("nowhere",)),
    "unknown field of the body": (rest(other=1), ("unknown field", "other")),
    "reserved key": (rest(payload={"ID": "x"}), ("reserved", "ID")),
    "key without a name": (rest(payload={"": 1}), ("key", "1 to 255")),
    "no body": (raw(b""), ("body is empty",)),
    "no body, ndjson": (raw(b"", NDJSON), ("body is empty", "line")),
    "no body, arrow": (raw(b"", ARROW), ("arrow stream",)),
    "no body, no type": (raw(b"", ""), ("body is empty",)),
    "no rows": (raw(b"[]"), ("list is empty",)),
    "no record in the message": (
        lambda doors: rpc(doors.miniodb.WriteData, miniodb_pb2.WriteDataRequest(table="t")),
        ("record is missing", "data"),
    ),
    "broken json": (raw(b'{"table":'), ("body is not a record", "truncated")),
    "nan in json": (raw(b'{"id":"a","payload":{"f":NaN}}'), ("JSON is malformed",)),
    "no utf-8": (raw(b'{"id":"a","payload":{"s":"\xff"}}'), ("UTF-8", "0xff")),
    "nested 100,000 deep": (
        raw(b'{"id":"a","payload":{"s":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"),
        ("nested too deeply",),
    ),
    "broken line of ndjson": (
        raw(b'{"id":"a1","payload":{}}\n\n{"id":"a2","payload":{}}\n{"id', NDJSON),
        ("line 4",),
    ),
    "wrong line of ndjson": (raw(b'{"id":"a1","payload":{}}\n{"id":"a2","payload":1}\n', NDJSON), ("line 2",)),
    "wrong type in the second of a list": (
        lambda doors: doors.rest_data([GOOD, GOOD | {"payload": {"n": "x"}}]),
        ("n", "int64", "row=1"),
    ),
    "arrow cut in its schema": (raw(WHOLE[:60], ARROW), ("not a whole arrow stream",)),
    "arrow cut in a batch": (raw(WHOLE[:-20], ARROW), ("not a whole arrow stream",)),
    "arrow cut after a batch": (raw(WHOLE[:-8], ARROW), ("not a whole arrow stream", "end marker")),
    "arrow with damage": (
        raw(WHOLE[:100] + b"\xff" * 20 + WHOLE[120:], ARROW),
        ("not a whole arrow stream",),
    ),
    "no arrow at all": (raw(b"x" * 1000, ARROW), ("not a whole arrow stream",)),
    "content type of a picture": (raw(b"{}", "image/png"), ("content type", "image/png", "ndjson")),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_told_what_is_wrong_and_nothing_is_stored(name: str, doors: Doors):
    send, told = CASES[name]
    before = (
        doors.count("t"),
        doors.count("plain"),
        len(doors.http.get("/v1/tables").json()["tables"]),
    )
    with pytest.raises(Refused) as refused:
        send(doors)
    missing = [part for part in told if part not in refused.value.message]
    assert not missing, f"{missing} not in: {refused.value.message}"
    if refused.value.code.isdigit():
        assert refused.value.code in ("400", "404", "415")
        assert refused.value.slug in CODES[refused.value.code]
    after = (
        doors.count("t"),
        doors.count("plain"),
        len(doors.http.get("/v1/tables").json()["tables"]),
    )
    assert after == before


CODES = {
    "400": ("payload_error", "validation_error", "query_error"),
    "404": ("not_found",),
    "415": ("unsupported_media_type",),
}


def test_a_stream_of_messages_names_the_wrong_ones_and_keeps_the_others(doors: Doors):
    answer = doors.miniodb_stream("t", "", {"n": 1})
    assert not answer.success
    assert answer.records_count == 0
    assert "message 1: validation_error: id is missing" in answer.errors[0]


def test_an_integer_that_a_float_column_could_not_hold_is_kept_and_the_float_is_refused(
    doors: Doors,
):
    doors.rest_data({"table": "wide", "id": "a", "payload": {"v": 2**53 + 1}})
    with pytest.raises(Refused, match="column=v"):
        doors.rest_data({"table": "wide", "id": "b", "payload": {"v": 1.5}})
    assert doors.rest_query("SELECT v FROM wide") == [{"v": 2**53 + 1}]


SQL: dict[str, tuple[str, str, tuple[str, ...]]] = {
    # the statement; the slug; what the message has to say
    "two statements": ("SELECT 1; SELECT 2", "query_error", ("one statement", "semicolon")),
    "nothing": ("  ", "query_error", ("empty",)),
    "a comment": ("-- nothing", "query_error", ("one statement",)),
    "no sql": ("SELEC 1", "query_error", ("SELEC",)),
    "unknown table": ("SELECT * FROM nowhere", "not_found", ("table not found", "nowhere")),
    "unknown column": ("SELECT nowhere FROM t", "query_error", ("nowhere",)),
    "a value that does not convert": ("SELECT 'a'::INTEGER", "query_error", ("'a'",)),
    "a megabyte of sql": (f"SELECT '{'x' * (1 << 20)}'", "too_large", ("sql text", "262144", "1048")),
    "a file": ("SELECT * FROM '/etc/passwd'", "permission_denied", ("files", "/etc/passwd")),
    "a function of files": ("SELECT * FROM read_csv('/etc/passwd')", "permission_denied", ("read_csv",)),
    "a setting": ("SET threads = 1", "permission_denied", ("SET",)),
    "a copy": ("COPY t TO '/tmp/x'", "permission_denied", ("COPY",)),
    "too few parameters": ("SELECT ?", "query_error", ("parameters", "1", "0")),
    "100 million rows of a series": ("SELECT * FROM range(100000000)", "permission_denied", ("range",)),
}  # fmt: skip


@pytest.mark.parametrize("name", SQL)
def test_a_bad_statement_is_told_in_the_same_words_by_every_door(name: str, doors: Doors):
    text, slug, told = SQL[name]
    messages = set()
    for door, ask in doors.queries().items():
        with pytest.raises(Refused) as refused:
            ask(text)
        error = refused.value
        assert error.slug in (slug, ""), door
        assert all(part in error.message for part in told), f"{door}: {error.message}"
        if error.slug:
            messages.add(error.message)
            assert len(error.query_id) == 32, door
        assert ask("SELECT 1 AS one") is not None
    assert len(messages) == 1


def test_a_nul_in_sql_is_refused_and_cuts_nothing_off(doors: Doors):
    asking = doors.queries()
    del asking["adbc"]  # Its C API cuts the text off itself.
    for ask in asking.values():
        with pytest.raises(Refused, match="NUL"):
            ask("SELECT 'a\0b'")


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, [1, "a"]])
def test_a_parameter_that_has_no_type_is_refused_by_number(value: object, doors: Doors):
    body = json.dumps({"sql": "SELECT ?, ?", "params": [1, value]})
    with pytest.raises(Refused, match="parameter 2") as refused:
        doors.post("/v1/query", body)
    assert (refused.value.code, refused.value.slug) == ("400", "validation_error")


def test_more_than_a_message_may_hold_is_refused_by_name(doors: Doors):
    with pytest.raises(Refused) as refused:
        doors.olap_write("t", "b", {"s": "x" * (5 << 20)})
    assert refused.value.code == "RESOURCE_EXHAUSTED"
    assert "4194304" in refused.value.message
    text = json.dumps(GOOD | {"payload": {"s": "x" * (65 << 20)}})
    with pytest.raises(Refused) as refused:
        doors.post("/v1/data", text)
    assert (refused.value.code, refused.value.slug) == ("413", "too_large")
    assert "max_body_size" in refused.value.message
