"""Memory of a server that has nothing to do."""

import time

from bench.measure import Bench, Goal, Row
from bench.process import Server

SETTLED_S = 3.0


def measure(bench: Bench) -> list[Row]:
    row = Row("idle memory (RSS)", "MB", [Goal("ours", "<", 280.0, "MB")])

    def idle() -> float:
        with Server(bench.scratch / "idle") as server:
            time.sleep(SETTLED_S)
            return server.memory_mb()

    return [bench.pairs(row, idle, warm_ups=0)]
