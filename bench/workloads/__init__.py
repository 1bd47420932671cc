"""One module a workload; `WORKLOADS` is the table of issue 3, section 6, in its order."""

from collections.abc import Callable

from bench.measure import Bench, Row
from bench.workloads import (
    buffer,
    count,
    get,
    grpc_rows,
    idle,
    ingest,
    point,
    put,
    rest_arrow,
    rest_rows,
    start,
    tpch,
)

WORKLOADS: dict[str, Callable[[Bench], list[Row]]] = {
    "get": get.measure,
    "tpch": tpch.measure,
    "ingest": ingest.measure,
    "put": put.measure,
    "rest_arrow": rest_arrow.measure,
    "rest_rows": rest_rows.measure,
    "grpc_rows": grpc_rows.measure,
    "count": count.measure,
    "point": point.measure,
    "buffer": buffer.measure,
    "start": start.measure,
    "idle": idle.measure,
}
