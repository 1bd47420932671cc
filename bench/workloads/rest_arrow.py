"""Arrow streams of 1,000 rows a REST POST over 8 connections, each answered when durable."""

from bench import rows
from bench.clients import Rest
from bench.load import Request, wrk
from bench.measure import Bench, Goal, Row
from bench.process import Baseline, Server

REQUEST_ROWS = 1000
ARROW = "application/vnd.apache.arrow.stream"


def measure(bench: Bench) -> list[Row]:
    duration = 2.0 if bench.quick else 6.0
    request = Request("/v1/data?table=t", rows.ipc_stream(rows.batch(0, REQUEST_ROWS)), ARROW)
    row = Row(
        "REST Arrow stream of 1,000 rows a request, 8 connections",
        "rows/s",
        [Goal("ours", ">=", 2.5e6, "rows/s")],
        baseline="the same door answering a constant",
    )
    used = [0.0, 0.0]
    with Server(bench.scratch) as server, Baseline("constant_rest", bench.scratch) as constant:

        def load(process: Server | Baseline, address: str, side: int) -> float:
            before = process.cpu_s()
            load = wrk(address, request, connections=8, seconds=duration, scratch=bench.scratch)
            used[side] = (process.cpu_s() - before) / load.count * 1e6
            return load.requests_per_s * REQUEST_ROWS

        with Rest(server.rest) as rest:
            rest.post("/v1/tables", {"table_name": "t"})
            rest.post(request.path, request.body, ARROW)  # adds the columns
            bench.pairs(
                row,
                lambda: load(server, server.rest, 0),
                lambda: load(constant, constant.address, 1),
            )
    row.note = (
        f"{len(request.body):,} bytes a request, into a record table, default settings, so flushes run "
        f"beside it; server CPU a request {used[0]:.0f} us, constant {used[1]:.0f} us (last turn); "
        "Arc's 3.0-4.1 M rows/s are its own figures for such a machine, not of this run"
    )
    return [row]
