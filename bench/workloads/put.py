"""A do_put stream of 64k-row batches, each acknowledged durable, next to append and fdatasync alone."""

from bench import rows
from bench.clients import Rest, put
from bench.measure import Bench, Goal, Row, seconds
from bench.process import Baseline, Server

BATCH_ROWS = 65_536


def measure(bench: Bench) -> list[Row]:
    batches = [rows.batch(number, BATCH_ROWS) for number in range(16 if bench.quick else 64)]
    count = BATCH_ROWS * len(batches)
    row = Row(
        "do_put stream, 64k-row batches, each acknowledged durable",
        "rows/s",
        [Goal("ratio", ">=", 0.6), Goal("ours", ">=", 4e6, "rows/s")],
        baseline="bare do_put: append Arrow IPC, fdatasync",
    )
    with (
        Server(bench.scratch) as server,
        Rest(server.rest) as rest,
        Baseline("bare_put", bench.scratch, str(bench.scratch)) as bare,
    ):
        used = [0.0, 0.0]

        def stream(process: Server | Baseline, address: str, side: int) -> float:
            before = process.cpu_s()
            taken = seconds(lambda: put(address, "t", batches, rows.SCHEMA))
            used[side] += process.cpu_s() - before
            return count / taken

        def ours() -> float:
            rate = stream(server, server.flight, 0)
            rest.post("/v1/flush", {})
            return rate

        rest.post("/v1/tables", {"table_name": "t"})
        bench.pairs(row, ours, lambda: stream(bare, bare.address, 1))
        turns = bench.runs + 1
        row.note = (
            f"{count:,} rows, {sum(b.nbytes for b in batches) / 1e6:.0f} MB a turn into a record table, "
            "default settings, so a flush runs beside it; "
            f"server CPU a turn {used[0] / turns:.2f} s, baseline {used[1] / turns:.2f} s"
        )

    return [row]
