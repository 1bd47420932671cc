"""One row a gRPC Write, durable when answered, next to the same grpc.aio door answering a constant."""

from bench.load import ghz
from bench.measure import Bench, Goal, Row
from bench.process import Baseline, Server

MESSAGE = {
    "table": "t",
    "id": "sensor-1",
    "timestamp": "2026-01-31T12:00:00Z",
    "payload": {"temperature": 21.5, "place": "lab", "sequence": 5},
}


def measure(bench: Bench) -> list[Row]:
    duration = 2.0 if bench.quick else 6.0
    found = []
    with Server(bench.scratch) as server, Baseline("constant_rpc", bench.scratch) as constant:
        ghz(server.grpc, MESSAGE, connections=1, count=1)  # makes the table and its columns
        used = [0.0, 0.0]

        def load(process: Server | Baseline, address: str, side: int, at_once: int) -> float:
            before = process.cpu_s()
            load = ghz(address, MESSAGE, connections=at_once, seconds=duration)
            used[side] = (process.cpu_s() - before) / load.count * 1e6
            return load.requests_per_s

        for connections in (1, 16, 64):
            row = Row(
                f"one row a gRPC Write, {connections} connections",
                "calls/s",
                [Goal("ratio", ">=", 0.7)],
                baseline="the same grpc.aio door answering a constant",
            )
            bench.pairs(
                row,
                lambda n=connections: load(server, server.grpc, 0, n),
                lambda n=connections: load(constant, constant.address, 1, n),
            )
            row.note = f"server CPU a call {used[0]:.0f} us, constant {used[1]:.0f} us (last turn)"
            found.append(row)
    return found
