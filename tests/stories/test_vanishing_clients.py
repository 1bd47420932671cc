"""Clients that cancel, run out of time, stop reading or vanish: their query ends within a second; and full houses."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pyarrow as pa
import pytest
from pyarrow import flight

from flightdb.app import App
from flightdb.flight.commands import pack
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2
from flightdb.rpc.generated.olap.v1 import olap_pb2
from tests.conftest import settings_for
from tests.stories.doors import ARROW, Doors, Refused, flight_errors, refused_rpc, rpc
from tests.stories.process import Server

ENDLESS = "SELECT sum(a.range * b.range) AS s FROM range(10000000) a, range(10000000) b"
LONG = (
    "SELECT a.range * 10000 + b.range AS i, hash(b.range) AS h FROM range(10000) a, range(10000) b"
)
"""100 million rows."""

STREAMED = (ARROW, "text/csv", "application/x-ndjson", "application/vnd.apache.parquet")


def doors_of(app: Any) -> Doors:
    at = "127.0.0.1"
    return Doors(f"{at}:{app.flight_port}", f"{at}:{app.rest_port}", f"{at}:{app.grpc_port}")


@pytest.fixture(scope="module")
def doors(app) -> Iterator[Doors]:
    doors = doors_of(app)
    yield doors
    doors.close()


def until(is_so: Callable[[], bool], within_s: float) -> float:
    """Waits for it; gives the seconds that it took."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < within_s, f"not within {within_s} s"
        time.sleep(0.01)
    return time.monotonic() - began


def runs(doors: Doors) -> bool:
    return doors.figure("queries_open") > 0


def ends(doors: Doors) -> None:
    """The query that ran has ended within a second, and the next one is answered."""
    until(lambda: not runs(doors), 1.0)
    assert doors.rest_query("SELECT 1 AS one") == [{"one": 1}]


def ask_over_socket(doors: Doors, sql: str) -> socket.socket:
    """A REST query whose answer nobody has read yet."""
    connection = socket.create_connection((doors.http.base_url.host, doors.http.base_url.port))
    body = json.dumps({"sql": sql}).encode()
    head = f"POST /v1/query HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def test_a_rest_client_that_leaves_before_the_answer_stops_the_query(doors: Doors):
    connection = ask_over_socket(doors, ENDLESS)
    until(lambda: runs(doors), 5)
    connection.close()
    ends(doors)


@pytest.mark.parametrize("media", STREAMED)
def test_a_rest_client_that_leaves_within_the_answer_stops_the_query(media: str, doors: Doors):
    with doors.http.stream(
        "POST", "/v1/query", json={"sql": LONG}, headers={"accept": media}
    ) as answer:
        pieces = answer.iter_raw(1024)
        next(pieces)
        assert runs(doors)
    ends(doors)


def test_an_adbc_cancel_stops_the_query(doors: Doors):
    with pytest.raises(Refused, match=r"(?i)cancel"):
        fetch_and_cancel(doors)
    ends(doors)


def fetch_and_cancel(doors: Doors) -> None:
    with doors.cursor() as cursor:
        cursor.execute(ENDLESS)
        threading.Timer(0.3, cursor.adbc_cancel).start()
        cursor.fetchall()


def test_a_flight_client_that_cancels_stops_the_query(doors: Doors):
    info = doors.flight.get_flight_info(flight.FlightDescriptor.for_command(LONG))
    reader = doors.flight.do_get(info.endpoints[0].ticket)
    reader.read_chunk()
    assert runs(doors)
    reader.cancel()
    ends(doors)


@pytest.mark.parametrize("name", ["Query", "QueryData"])
def test_a_grpc_client_that_cancels_stops_the_query(name: str, doors: Doors):
    asked = {
        "Query": lambda: doors.olap.Query.future(olap_pb2.QueryRequest(sql=ENDLESS)),
        "QueryData": lambda: doors.miniodb.QueryData.future(
            miniodb_pb2.QueryDataRequest(sql=ENDLESS)
        ),
    }
    waiting = asked[name]()
    until(lambda: runs(doors), 5)
    waiting.cancel()
    ends(doors)


def test_a_grpc_client_that_cancels_a_stream_stops_the_query(doors: Doors):
    stream = doors.miniodb.StreamQuery(miniodb_pb2.StreamQueryRequest(sql=LONG))
    next(stream)
    assert runs(doors)
    stream.cancel()
    ends(doors)


def past_flight_deadline(doors: Doors) -> None:
    info = doors.flight.get_flight_info(flight.FlightDescriptor.for_command(ENDLESS))
    with flight_errors():
        options = flight.FlightCallOptions(timeout=0.3)
        doors.flight.do_get(info.endpoints[0].ticket, options).read_all()


DEADLINES: dict[str, tuple[Callable[[Doors], Any], str]] = {
    "rest": (
        lambda doors: doors.post("/v1/query", json.dumps({"sql": ENDLESS, "timeout_ms": 300})),
        "504",
    ),
    "olap": (
        lambda doors: rpc(doors.olap.Query, olap_pb2.QueryRequest(sql=ENDLESS), timeout=0.3),
        "DEADLINE_EXCEEDED",
    ),
    "flight": (past_flight_deadline, "FlightTimedOutError"),
}


@pytest.mark.parametrize("door", DEADLINES)
def test_a_deadline_stops_the_query(door: str, doors: Doors):
    ask, code = DEADLINES[door]
    began = time.monotonic()
    with pytest.raises(Refused) as refused:
        ask(doors)
    assert refused.value.code == code
    assert time.monotonic() - began < 1.3
    ends(doors)


def test_the_longest_time_of_the_server_stops_a_query_that_names_none(tmp_path: Path):
    app = App.start(settings_for(tmp_path / "data", coordinator__distributed_query_timeout="300ms"))
    doors = doors_of(app)
    for ask in doors.queries().values():
        with pytest.raises(Refused, match="deadline"):
            ask(ENDLESS)
        ends(doors)
    doors.close()
    app.stop()


def test_a_rest_client_that_leaves_within_its_body_stores_nothing(doors: Doors):
    doors.rest_data({"table": "whole", "id": "a", "payload": {"n": 1}})
    row = b'{"table":"whole","id":"b","payload":{"n":1}}\n'
    head = b"POST /v1/data HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ncontent-length: 4400\r\n\r\n"
    with socket.create_connection(
        (doors.http.base_url.host, doors.http.base_url.port)
    ) as connection:
        connection.sendall(head + row * 50)
    doors.rest_data({"table": "whole", "id": "c", "payload": {"n": 1}})
    assert doors.count("whole") == 2


def test_a_grpc_client_that_vanishes_in_a_stream_leaves_whole_messages(doors: Doors):
    def messages() -> Iterator[Any]:
        for number in range(20):
            records = [
                miniodb_pb2.DataRecord(id=f"m{number}-{row}", payload={"n": row})
                for row in range(10)
            ]
            yield miniodb_pb2.StreamWriteRequest(table="streamed", records=records)
        until(lambda: doors.count("streamed") > 1, 10)
        call.cancel()
        leaving.wait(10)

    doors.miniodb_write("streamed", "first", {"n": 0})
    leaving = threading.Event()
    call = doors.miniodb.StreamWrite.future(messages())
    with pytest.raises(grpc.FutureCancelledError):
        call.result(timeout=20)
    leaving.set()
    time.sleep(0.2)
    rows = doors.count("streamed") - 1
    assert rows > 0
    assert rows % 10 == 0


def test_a_client_that_stops_reading_100_million_rows_takes_little_memory(tmp_path: Path):
    server = Server.start(tmp_path / "data", log=tmp_path / "log")
    doors = Doors(server.flight, server.rest, server.grpc)
    doors.rest_query("SELECT 1 AS one")
    before = resident_mib(server)
    info = doors.flight.get_flight_info(flight.FlightDescriptor.for_command(LONG))
    over_flight = doors.flight.do_get(info.endpoints[0].ticket)
    over_flight.read_chunk()
    over_grpc = doors.miniodb.StreamQuery(miniodb_pb2.StreamQueryRequest(sql=LONG))
    next(over_grpc)
    with doors.http.stream(
        "POST", "/v1/query", json={"sql": LONG}, headers={"accept": ARROW}
    ) as over_rest:
        pieces = over_rest.iter_raw(1024)
        next(pieces)
        time.sleep(1.5)
        assert doors.figure("queries_open") == 3
        assert resident_mib(server) - before < 128
        assert doors.adbc_query("SELECT 2 AS two").to_pylist() == [{"two": 2}]
    over_grpc.cancel()
    over_flight.cancel()
    ends(doors)
    doors.close()
    assert server.stop() == 0
    assert "defect" not in (tmp_path / "log").read_text()


def resident_mib(server: Server) -> int:
    text = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) // 1024


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """A server where one query runs, one waits, and there is no place for a third."""
    app = App.start(
        settings_for(
            tmp_path_factory.mktemp("full") / "data",
            coordinator__max_running_queries=1,
            coordinator__max_waiting_queries=1,
        )
    )
    doors = doors_of(app)
    waiting = [
        doors.olap.Query.future(olap_pb2.QueryRequest(sql=ENDLESS + " " * n)) for n in range(2)
    ]
    until(lambda: doors.figure("queries_open") == 2, 5)
    time.sleep(0.2)
    yield doors
    for call in waiting:
        call.cancel()
    ends(doors)
    doors.close()
    app.stop()


def test_a_full_house_is_told_to_rest_with_when_to_come_again(full: Doors):
    answer = full.http.post("/v1/query", json={"sql": "SELECT 1 AS one"})
    assert (answer.status_code, answer.json()["error"]) == (429, "overloaded")
    assert int(answer.headers["retry-after"]) >= 1
    assert "too many queries: running=1, waiting=1" in answer.json()["message"]


def test_a_full_house_is_told_to_grpc_with_when_to_come_again(full: Doors):
    with pytest.raises(grpc.RpcError) as refused:
        full.olap.Query(olap_pb2.QueryRequest(sql="SELECT 1 AS one"))
    error = refused_rpc(refused.value)
    assert (error.code, error.slug) == ("RESOURCE_EXHAUSTED", "overloaded")
    told = dict(refused.value.trailing_metadata())["x-flightdb-error"]
    assert json.loads(told)["retry_after_s"] >= 1
    with pytest.raises(grpc.RpcError) as refused:
        next(full.miniodb.StreamQuery(miniodb_pb2.StreamQueryRequest(sql="SELECT 1 AS one")))
    assert refused_rpc(refused.value).slug == "overloaded"


def test_a_full_house_is_told_to_flight_with_when_to_come_again(full: Doors):
    info = full.flight.get_flight_info(flight.FlightDescriptor.for_command("SELECT 1 AS one"))
    with pytest.raises(flight.FlightUnavailableError) as refused:
        full.flight.do_get(info.endpoints[0].ticket).read_all()
    told = json.loads(refused.value.extra_info)
    assert (told["error"], told["code"]) == ("overloaded", 429)
    assert told["retry_after"] >= 1
    with pytest.raises(Refused, match="too many queries: running=1, waiting=1"):
        full.adbc_query("SELECT 1 AS one")


def test_writes_go_on_in_a_full_house(full: Doors):
    answer = full.http.post("/v1/data", json={"table": "t", "id": "a", "payload": {"n": 1}})
    assert answer.status_code == 200
    assert full.put("p", pa.record_batch({"n": [1]}))[0]["rows"] == 1
    assert full.http.get("/v1/health").status_code == 200


def test_an_idle_connection_that_is_closed_is_nobodys_query(doors: Doors):
    with httpx.Client(base_url=doors.http.base_url) as client:
        client.get("/v1/health")
    assert not runs(doors)


LOADER = """
import sys
import numpy as np
import pyarrow as pa
from pyarrow import flight
batch = pa.record_batch({"n": np.arange(1 << 20), "m": np.random.rand(1 << 20)})
writer, _ = flight.connect(sys.argv[1]).do_put(
    flight.FlightDescriptor.for_command(bytes.fromhex(sys.argv[2])), batch.schema
)
for number in range(1_000):
    writer.write_batch(batch)
    if number == 10:
        print("sent", flush=True)
"""


def test_a_client_killed_within_a_large_ingest_leaves_no_row_and_no_file(tmp_path: Path):
    """160 MiB are sent by then: the rows are on their way to Parquet."""
    app = App.start(settings_for(tmp_path / "data"))
    doors = doors_of(app)
    doors.ingest("large", pa.record_batch({"n": [1], "m": [1.0]}), "create")
    before = files_of(tmp_path)
    command = pb.CommandStatementIngest(
        table="large", table_definition_options={"if_not_exist": 2, "if_exists": 2}
    )
    arguments = [sys.executable, "-c", LOADER, doors.flight_url, pack(command).hex()]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as loader:
        assert loader.stdout.readline() == b"sent\n"
        until(lambda: files_of(tmp_path) != before, 5)
        loader.kill()
    until(lambda: files_of(tmp_path) == before, 3)
    assert doors.count("large") == 1
    doors.close()
    app.stop()


def files_of(folder: Path) -> set[str]:
    """Data files, and those on their way."""
    return {str(path) for path in folder.rglob("*.parquet")}
