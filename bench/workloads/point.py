"""One record by its id out of 1 M, prepared once, next to a prepared `select 1` on the same connection."""

import random

from bench import rows
from bench.clients import Rest, connect, median_ms, put
from bench.measure import Bench, Goal, Row
from bench.process import NO_CACHE, Server

ROW_COUNT = 1_000_000
BATCH_ROWS = 50_000


def measure(bench: Bench) -> list[Row]:
    row = Row(
        "point query by id, 1 M rows, 1,000 ids, prepared, p50",
        "ms",
        [Goal("ratio", "<=", 3.0)],
        baseline="`select 1`, prepared, same connection",
    )
    count = 100 if bench.quick else 1000
    numbers = range(ROW_COUNT // BATCH_ROWS)
    batches = [rows.batch(n, BATCH_ROWS, id_count=ROW_COUNT) for n in numbers]
    ids = [f"sensor-{n}" for n in random.Random(7).sample(range(ROW_COUNT), count)]
    with Server(bench.scratch, NO_CACHE) as server:
        with Rest(server.rest) as rest:
            rest.post("/v1/tables", {"table_name": "t"})
            put(server.flight, "t", batches, rows.SCHEMA)
            rest.post("/v1/flush", {})
            row.note = f"{rest.get('/v1/tables/t')['table_info']['stats']['file_count']} file"
        with (
            connect(server.flight) as connection,
            connection.cursor() as point,
            connection.cursor() as one,
        ):

            def find(name: str) -> None:
                point.execute("select * from t where id = ?", (name,))
                found = point.fetchall()
                if len(found) != 1 or found[0][0] != name:
                    raise RuntimeError(f"wrong answer: id={name}, rows={found}")

            def select_one(_: str) -> None:
                one.execute("select 1")
                one.fetchall()

            bench.pairs(row, lambda: median_ms(find, ids), lambda: median_ms(select_one, ids))
    return [row]
