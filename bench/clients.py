"""The clients, all of them stock: ADBC, pyarrow.flight, http.client."""

import http.client
import json
import statistics
import time
from collections.abc import Iterable
from typing import Any

import adbc_driver_flightsql.dbapi as adbc
import pyarrow as pa
from pyarrow import flight


def connect(address: str) -> Any:
    return adbc.connect(f"grpc://{address}", autocommit=True)


def fetch(connection: Any, sql: str) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table()


def drain(connection: Any, sql: str) -> int:
    """Reads the answer batch by batch and lets it go; gives its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return sum(batch.num_rows for batch in cursor.fetch_record_batch())


def update(connection: Any, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def ingest(connection: Any, table: str, rows: pa.Table | pa.RecordBatchReader) -> None:
    """A new plain table; durable when it returns."""
    with connection.cursor() as cursor:
        cursor.adbc_ingest(table, rows, mode="create")


def put(address: str, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> int:
    """A do_put stream to a table's path; returns the batches acknowledged, all of them.

    Sends without waiting for acknowledgements, which are all read before it returns.
    """
    with flight.connect(f"grpc://{address}") as client:
        descriptor = flight.FlightDescriptor.for_path(table)
        writer, reader = client.do_put(descriptor, schema)
        sent = 0
        with writer:
            for batch in batches:
                writer.write_batch(batch)
                sent += 1
            writer.done_writing()
            for number in range(sent):
                if reader.read() is None:
                    raise RuntimeError(f"stream ended after {number} of {sent} acknowledgements")
        return sent


class Rest:
    """One kept connection."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=120)

    def __enter__(self) -> "Rest":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def post(self, path: str, body: bytes | dict, media: str = "application/json") -> dict:
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        return self._ask("POST", path, raw, {"content-type": media})

    def get(self, path: str) -> dict:
        return self._ask("GET", path, None, {})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict) -> dict:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)


def median_ms(work: Any, items: Iterable[Any]) -> float:
    """Median time of `work(item)`."""
    times = []
    for item in items:
        began = time.perf_counter()
        work(item)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3
