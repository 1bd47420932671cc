"""Rows of the write workloads: id, timestamp, double, integer, string."""

import json

import numpy as np
import pyarrow as pa

START_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z; a row a millisecond from there, so that a run stays in few days."""

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("timestamp", pa.timestamp("us", "UTC")),
        ("temperature", pa.float64()),
        ("sequence", pa.int64()),
        ("place", pa.string()),
    ]
)

ONE_ROW = json.dumps(
    {
        "table": "t",
        "id": "sensor-1",
        "timestamp": "2026-01-31T12:00:00Z",
        "payload": {"temperature": 21.5, "place": "lab", "sequence": 5},
    }
).encode()


def batch(number: int, row_count: int, *, id_count: int = 1000) -> pa.RecordBatch:
    """The batch of that number; the same every time."""
    first = number * row_count
    at = np.arange(first, first + row_count)
    values = np.random.default_rng(number)
    columns = [
        pa.array(np.char.add("sensor-", (at % id_count).astype("U"))),
        pa.array(START_US + at * 1000).cast(SCHEMA.field("timestamp").type),
        pa.array(values.normal(20.0, 5.0, row_count)),
        pa.array(at),
        pa.array(np.char.add("room ", (at % 97).astype("U"))),
    ]
    return pa.RecordBatch.from_arrays(
        [column.cast(field.type) for column, field in zip(columns, SCHEMA, strict=True)],
        schema=SCHEMA,
    )


def ipc_stream(*batches: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as writer:
        for each in batches:
            writer.write_batch(each)
    return sink.getvalue().to_pybytes()
