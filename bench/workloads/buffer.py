"""Queries over a buffer that 100,000 single-row writes made, next to the same rows in one batch."""

from bench.clients import connect, fetch, median_ms, put
from bench.load import ghz
from bench.measure import Bench, Goal, Row
from bench.process import NO_CACHE, NO_FLUSH, Server

QUERIES = {
    "COUNT": "select count(*) from {}",
    "GROUP BY": "select place, count(*), avg(temperature) from {} group by place order by place",
}
MESSAGE = {
    "table": "singles",
    "id": "sensor-{{.RequestNumber}}",
    "payload": {"temperature": 21.5, "place": "room {{.WorkerID}}", "sequence": 5},
}


def measure(bench: Bench) -> list[Row]:
    count = 10_000 if bench.quick else 100_000
    found = []
    with (
        Server(bench.scratch, {**NO_FLUSH, **NO_CACHE}) as server,
        connect(server.flight) as connection,
    ):
        ghz(server.grpc, MESSAGE, connections=64, count=count)
        rows = fetch(connection, "select * from singles").combine_chunks()
        if rows.num_rows != count:
            raise RuntimeError(f"expected {count} rows, found {rows.num_rows}")
        put(server.flight, "batch", rows.to_batches(), rows.schema)
        for name, sql in QUERIES.items():
            row = Row(
                f"{name} over a buffer of {count:,} single-row writes, p50",
                "ms",
                [Goal("ratio", "<=", 2.0)],
                baseline="the same rows in one batch",
            )
            bench.pairs(
                row,
                lambda q=sql: _time(connection, q.format("singles")),
                lambda q=sql: _time(connection, q.format("batch")),
            )
            found.append(row)
    return found


def _time(connection: object, sql: str) -> float:
    return median_ms(lambda _: fetch(connection, sql), range(30))
