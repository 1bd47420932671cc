"""Every way in and out of a running server, as functions: rows in, answers out, and refusals in one form."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import adbc_driver_flightsql.dbapi as flightsql
import adbc_driver_manager
import grpc
import httpx
import pyarrow as pa
from google.protobuf import json_format
from pyarrow import flight

from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2, miniodb_pb2_grpc
from flightdb.rpc.generated.olap.v1 import olap_pb2, olap_pb2_grpc

ARROW = "application/vnd.apache.arrow.stream"
LEAKS = re.compile(
    r"Traceback|File \"|\.py\b|<[\w.]+ object at|\bNoneType\b|<class|/tmp/|/work/|site-packages|__fdb"
)
"""What no client may ever read: Python's insides, the server's paths, made names."""


@dataclass
class Refused(Exception):
    """An error as a client saw it. `code`: HTTP status, gRPC or Flight code name; `slug` "" where the door has none."""

    code: str
    slug: str
    message: str
    query_id: str = ""

    def __post_init__(self) -> None:
        found = LEAKS.search(self.message)
        assert found is None, f"leaks {found[0]!r}: {self.message}"
        assert self.message, "no message"
        assert len(self.message) < 4000, "message is too long"


class Doors:
    """Clients of one server; `flight`, `rest` and `grpc` are HOST:PORT."""

    def __init__(self, flight_at: str, rest_at: str, grpc_at: str) -> None:
        self.flight_url = f"grpc://{flight_at}"
        self.http = httpx.Client(base_url=f"http://{rest_at}", timeout=60)
        self.channel = grpc.insecure_channel(
            grpc_at,
            options=[("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)],
        )
        self.olap = olap_pb2_grpc.OlapServiceStub(self.channel)
        self.miniodb = miniodb_pb2_grpc.MinIODBServiceStub(self.channel)
        self.flight = flight.connect(self.flight_url)

    def close(self) -> None:
        self.http.close()
        self.channel.close()
        self.flight.close()

    # --- REST ---
    def post(self, path: str, content: Any, media: str = "application/json", **headers: str) -> Any:
        """The JSON answer; raises Refused."""
        answer = self.http.post(path, content=content, headers={"content-type": media, **headers})
        body = answer.json()
        if answer.status_code >= 400:
            assert body["code"] == answer.status_code
            raise Refused(
                str(body["code"]), body["error"], body["message"], body.get("query_id", "")
            )
        return body

    def rest_data(self, body: Any) -> Any:
        return self.post("/v1/data", json.dumps(body))

    def rest_arrow(self, table: str, content: bytes) -> Any:
        return self.post(f"/v1/data?table={table}", content, ARROW)

    def rest_query(self, sql: str) -> list[dict[str, Any]]:
        return self.post("/v1/query", json.dumps({"sql": sql}))["rows"]

    # --- gRPC ---
    def olap_write(self, table: str, id_: str, payload: dict[str, Any], seconds: int = 1) -> Any:
        request = olap_pb2.WriteRequest(table=table, id=id_)
        request.timestamp.seconds = seconds
        json_format.ParseDict(payload, request.payload)
        return rpc(self.olap.Write, request)

    def miniodb_write(self, table: str, id_: str, payload: dict[str, Any], seconds: int = 1) -> Any:
        return rpc(
            self.miniodb.WriteData,
            miniodb_pb2.WriteDataRequest(table=table, data=record(id_, payload, seconds)),
        )

    def miniodb_stream(
        self, table: str, id_: str, payload: dict[str, Any], seconds: int = 1
    ) -> Any:
        one = miniodb_pb2.StreamWriteRequest(table=table, records=[record(id_, payload, seconds)])
        return rpc(self.miniodb.StreamWrite, iter([one]))

    def olap_query(self, sql: str) -> list[dict[str, Any]]:
        return json.loads(rpc(self.olap.Query, olap_pb2.QueryRequest(sql=sql)).result_json)

    def miniodb_query(self, sql: str) -> list[dict[str, Any]]:
        return json.loads(
            rpc(self.miniodb.QueryData, miniodb_pb2.QueryDataRequest(sql=sql)).result_json
        )

    # --- Flight ---
    def put(
        self, table: str, *batches: pa.RecordBatch, options: Any = None
    ) -> list[dict[str, Any]]:
        """The acknowledgements of an append stream."""
        descriptor = flight.FlightDescriptor.for_path(table)
        with flight_errors():
            writer, reader = self.flight.do_put(descriptor, batches[0].schema, options)
            acknowledged = []
            with writer:
                for batch in batches:
                    writer.write_batch(batch)
                    acknowledged.append(json.loads(reader.read().to_pybytes()))
            return acknowledged

    def flight_query(self, sql: str) -> pa.Table:
        with flight_errors():
            info = self.flight.get_flight_info(flight.FlightDescriptor.for_command(sql))
            return self.flight.do_get(info.endpoints[0].ticket).read_all()

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        with (
            adbc_errors(),
            flightsql.connect(self.flight_url, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor

    def ingest(self, table: str, rows: Any, mode: str = "append") -> int:
        with self.cursor() as cursor:
            return cursor.adbc_ingest(table, rows, mode=mode)

    def adbc_query(self, sql: str) -> pa.Table:
        with self.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetch_arrow_table()

    def queries(self) -> dict[str, Callable[[str], Any]]:
        """Every door's way to ask, by name."""
        return {
            "rest": self.rest_query,
            "olap": self.olap_query,
            "miniodb": self.miniodb_query,
            "flight": self.flight_query,
            "adbc": self.adbc_query,
        }

    def count(self, table: str) -> int:
        return self.rest_query(f"SELECT count(*) AS n FROM {table}")[0]["n"]

    def figure(self, name: str) -> float:
        return self.http.get("/v1/status").json()["figures"][name]


def record(id_: str, payload: dict[str, Any], seconds: int) -> Any:
    made = miniodb_pb2.DataRecord(id=id_)
    made.timestamp.seconds = seconds
    json_format.ParseDict(payload, made.payload)
    return made


def rpc(method: Any, request: Any, timeout: float = 60) -> Any:
    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as error:
        raise refused_rpc(error) from error


def refused_rpc(error: Any) -> Refused:
    trailing = dict(error.trailing_metadata() or ())
    told = json.loads(trailing.get("x-flightdb-error", "{}"))
    return Refused(
        error.code().name,
        told.get("error", ""),
        error.details(),
        trailing.get("x-flightdb-query-id", ""),
    )


@contextmanager
def flight_errors() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, flight.FlightError, KeyError) as error:
        extra = getattr(error, "extra_info", b"")
        told = json.loads(extra) if extra.startswith(b"{") else {}
        raise Refused(
            type(error).__name__,
            told.get("error", ""),
            told.get("message") or str(error),
            told.get("query_id", ""),
        ) from error


@contextmanager
def adbc_errors() -> Iterator[None]:
    try:
        yield
    except adbc_driver_manager.Error as error:
        raise Refused(error.status_code.name, "", str(error)) from error


def arrow_stream(*batches: pa.RecordBatch, options: Any = None) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def new_name() -> str:
    return "t" + uuid.uuid4().hex[:12]
