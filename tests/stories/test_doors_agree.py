"""A row that came in through one door is there for every other at once, with the same values; errors and ids agree."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pyarrow as pa
import pytest

from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2
from flightdb.rpc.generated.olap.v1 import olap_pb2
from tests.stories.doors import ARROW, Doors, Refused, arrow_stream, new_name

SECONDS = 1_700_000_000
MOMENT = "2023-11-14T22:13:20Z"
PAYLOAD = {"i": 7, "f": -0.5, "s": "é 漢 😀", "b": True}
COLUMNS = "id, epoch_us(timestamp) AS us, i, f, s, b"
ROW = {"us": SECONDS * 1_000_000, **PAYLOAD}


@pytest.fixture(scope="module")
def doors(app) -> Iterator[Doors]:
    at = "127.0.0.1"
    doors = Doors(f"{at}:{app.flight_port}", f"{at}:{app.rest_port}", f"{at}:{app.grpc_port}")
    yield doors
    doors.close()


def nested(table: str, id_: str) -> dict[str, Any]:
    return {"table": table, "data": {"id": id_, "timestamp": MOMENT, "payload": PAYLOAD}}


def flat(table: str, id_: str) -> dict[str, Any]:
    return {"table": table, "id": id_, "timestamp": MOMENT, "payload": PAYLOAD}


def line(table: str, id_: str) -> bytes:
    return (
        f'{{"table":"{table}","id":"{id_}","timestamp":"{MOMENT}",'
        '"payload":{"i":7,"f":-0.5,"s":"é 漢 😀","b":true}}\n'
    ).encode()


def batch(id_: str) -> pa.RecordBatch:
    return pa.record_batch(
        {
            "id": [id_],
            "timestamp": pa.array([SECONDS * 1_000_000], pa.timestamp("us", "UTC")),
            **{name: [value] for name, value in PAYLOAD.items()},
        }
    )


def insert(doors: Doors, table: str, id_: str) -> None:
    columns = ", ".join(["id", "timestamp", *PAYLOAD])
    doors.adbc_query(
        f"INSERT INTO {table} ({columns}) VALUES "
        f"('{id_}', TIMESTAMPTZ '{MOMENT}', 7, -0.5, 'é 漢 😀', true)"
    )


WRITERS: dict[str, Callable[[Doors, str, str], Any]] = {
    "rest flat": lambda doors, table, id_: doors.rest_data(flat(table, id_)),
    "rest nested": lambda doors, table, id_: doors.rest_data(nested(table, id_)),
    "rest list": lambda doors, table, id_: doors.rest_data([flat(table, id_)]),
    "rest ndjson": lambda doors, table, id_: doors.post(
        "/v1/data", line(table, id_), "application/x-ndjson"
    ),
    "rest arrow": lambda doors, table, id_: doors.rest_arrow(table, arrow_stream(batch(id_))),
    "olap": lambda doors, table, id_: doors.olap_write(table, id_, PAYLOAD, SECONDS),
    "miniodb": lambda doors, table, id_: doors.miniodb_write(table, id_, PAYLOAD, SECONDS),
    "miniodb stream": lambda doors, table, id_: doors.miniodb_stream(table, id_, PAYLOAD, SECONDS),
    "do_put": lambda doors, table, id_: doors.put(table, batch(id_)),
    "adbc ingest": lambda doors, table, id_: doors.ingest(table, batch(id_)),
    "adbc insert": insert,
    "rest insert": lambda doors, table, id_: doors.rest_query(
        f"INSERT INTO {table} (id, timestamp, i, f, s, b) VALUES "
        f"('{id_}', TIMESTAMPTZ '{MOMENT}', 7, -0.5, 'é 漢 😀', true)"
    ),
}


def as_rows(answer: Any) -> list[dict[str, Any]]:
    return answer.to_pylist() if isinstance(answer, pa.Table) else answer


def over_arrow(doors: Doors, sql: str) -> pa.Table:
    answer = doors.http.post("/v1/query", json={"sql": sql}, headers={"accept": ARROW})
    return pa.ipc.open_stream(answer.content).read_all()


def over_stream(doors: Doors, sql: str) -> list[dict[str, Any]]:
    rows = []
    for response in doors.miniodb.StreamQuery(miniodb_pb2.StreamQueryRequest(sql=sql)):
        for record in response.records:
            row = dict(record.payload)
            rows.append({name: int(v) if name in ("us", "i") else v for name, v in row.items()})
            rows[-1].setdefault("id", record.id)
    return rows


@pytest.mark.parametrize("writer", WRITERS)
def test_a_row_is_there_for_every_door_at_once(writer: str, doors: Doors):
    table = new_name()
    doors.rest_data(flat(table, "first"))
    WRITERS[writer](doors, table, "row-1")
    sql = f"SELECT {COLUMNS} FROM {table} WHERE id = 'row-1'"
    want = [{"id": "row-1", **ROW}]
    for door, ask in doors.queries().items():
        assert as_rows(ask(sql)) == want, door
    assert over_arrow(doors, sql).to_pylist() == want
    assert over_stream(doors, sql) == want
    path = doors.flight.get_flight_info(pa.flight.FlightDescriptor.for_path(table))
    whole = doors.flight.do_get(path.endpoints[0].ticket).read_all()
    assert sorted(whole["id"].to_pylist()) == ["first", "row-1"]
    assert whole["timestamp"].cast(pa.int64()).to_pylist() == [SECONDS * 1_000_000] * 2


def test_the_first_row_of_a_table_makes_the_same_table_whichever_door_it_takes(doors: Doors):
    tables = {}
    for writer in ("rest flat", "rest nested", "rest list", "rest ndjson"):
        tables[writer] = new_name()
        WRITERS[writer](doors, tables[writer], "row-1")
    kinds = {writer: columns(doors, table) for writer, table in tables.items()}
    assert len(set(kinds.values())) == 1
    # A protobuf Struct knows no integers, and its fields have no order.
    for writer in ("olap", "miniodb", "miniodb stream"):
        table = new_name()
        WRITERS[writer](doors, table, "row-1")
        assert set(columns(doors, table)) == {
            (name, "double" if name == "i" else kind) for name, kind in kinds["rest flat"]
        }


def columns(doors: Doors, table: str) -> tuple[tuple[str, str], ...]:
    info = doors.http.get(f"/v1/tables/{table}").json()["table_info"]
    return tuple((column["name"], column["type"]) for column in info["columns"])


MEANINGS = {
    # the statement; its HTTP status, gRPC code, Flight exception and ADBC status
    "SELECT * FROM nowhere": ("404", "NOT_FOUND", "ArrowKeyError", "NOT_FOUND"),
    "SELEC 1": ("400", "INVALID_ARGUMENT", "ArrowInvalid", "INVALID_ARGUMENT"),
    "SELECT * FROM read_csv('x')": (
        "403",
        "PERMISSION_DENIED",
        "FlightUnauthorizedError",
        "UNAUTHORIZED",
    ),
    "UPDATE t SET n = 1": ("501", "UNIMPLEMENTED", "ArrowNotImplementedError", "NOT_IMPLEMENTED"),
}


@pytest.mark.parametrize("sql", MEANINGS)
def test_an_error_means_the_same_through_every_door(sql: str, doors: Doors):
    codes = {}
    for door, ask in doors.queries().items():
        with pytest.raises(Refused) as refused:
            ask(sql)
        codes[door] = refused.value.code
    rest, rpc, flight, adbc = MEANINGS[sql]
    assert codes == {"rest": rest, "olap": rpc, "miniodb": rpc, "flight": flight, "adbc": adbc}


def test_the_query_id_is_the_same_wherever_it_is_shown(doors: Doors):
    good = doors.http.post("/v1/query", json={"sql": "SELECT 1 AS one"})
    assert good.json()["query_id"] == good.headers["x-flightdb-query-id"]
    bad = doors.http.post("/v1/query", json={"sql": "SELECT * FROM nowhere"})
    assert bad.json()["query_id"] == bad.headers["x-flightdb-query-id"]
    assert bad.json()["query_id"] != good.json()["query_id"]
    _, call = doors.olap.Query.with_call(olap_pb2.QueryRequest(sql="SELECT 1 AS one"))
    assert len(dict(call.trailing_metadata())["x-flightdb-query-id"]) == 32
    with pytest.raises(grpc.RpcError) as refused:
        doors.olap.Query(olap_pb2.QueryRequest(sql="SELECT * FROM nowhere"))
    assert len(dict(refused.value.trailing_metadata())["x-flightdb-query-id"]) == 32
    info = doors.flight.get_flight_info(pa.flight.FlightDescriptor.for_command("SELECT 1 AS one"))
    assert len(info.app_metadata.decode()) == 32


def test_a_dropped_table_is_gone_for_every_door_and_may_be_made_again(doors: Doors):
    table = new_name()
    doors.rest_data(flat(table, "a"))
    doors.adbc_query(f"DROP TABLE {table}")
    for ask in doors.queries().values():
        with pytest.raises(Refused, match="table not found"):
            ask(f"SELECT * FROM {table}")
    doors.olap_write(table, "b", PAYLOAD, SECONDS)
    assert doors.count(table) == 1
