"""One row a REST POST, durable when answered, next to the same door answering a constant."""

from bench import rows
from bench.clients import Rest
from bench.load import Request, wrk
from bench.measure import Bench, Goal, Row
from bench.process import Baseline, Server


def measure(bench: Bench) -> list[Row]:
    duration = 2.0 if bench.quick else 6.0
    request = Request("/v1/data", rows.ONE_ROW)
    found = []
    with Server(bench.scratch) as server, Baseline("constant_rest", bench.scratch) as constant:
        with Rest(server.rest) as rest:
            rest.post("/v1/data", rows.ONE_ROW)  # makes the table and its columns
        used = [0.0, 0.0]

        def load(process: Server | Baseline, address: str, side: int, at_once: int) -> float:
            before = process.cpu_s()
            load = wrk(
                address,
                request,
                connections=at_once,
                seconds=duration,
                scratch=bench.scratch,
            )
            used[side] = (process.cpu_s() - before) / load.count * 1e6
            return load.requests_per_s

        for connections in (1, 16, 64):
            goals = [Goal("ratio", ">=", 0.6)]
            goals += [Goal("ours", ">=", 8000, "requests/s")] if connections == 16 else []
            row = Row(
                f"one row a REST POST, {connections} connections",
                "requests/s",
                goals,
                baseline="the same door answering a constant",
            )
            bench.pairs(
                row,
                lambda n=connections: load(server, server.rest, 0, n),
                lambda n=connections: load(constant, constant.address, 1, n),
            )
            row.note = (
                f"server CPU a request {used[0]:.0f} us, constant {used[1]:.0f} us (last turn)"
            )
            found.append(row)
    return found
