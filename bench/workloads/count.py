"""COUNT(*) over 100 files by REST, from the files and from the result cache."""

import json

import duckdb

from bench import rows, tpchdata
from bench.clients import Rest, median_ms
from bench.load import Request, wrk
from bench.measure import Bench, Goal, Row
from bench.process import Server

FILE_COUNT = 100
FILE_ROWS = 1000
ARROW = "application/vnd.apache.arrow.stream"
SQL = "select count(*) from t"


def measure(bench: Bench) -> list[Row]:
    duration = 2.0 if bench.quick else 5.0
    uncached = Row(
        "uncached COUNT(*) over 100 files by REST, p50",
        "ms",
        [Goal("ours", "<", 6.0, "ms")],
        baseline="DuckDB in process, same files",
    )
    cached = Row(
        "the same from the result cache, p50",
        "ms",
        [Goal("ours", "<", 0.6, "ms")],
        baseline="`select 1` uncached through the same door",
    )
    with Server(bench.scratch) as server, Rest(server.rest) as rest:
        files = _fill(server, rest)
        database = duckdb.connect()
        names = ", ".join(f"'{file}'" for file in files)
        database.execute(f"create view t as select * from read_parquet([{names}])")
        answer = rest.post("/v1/query", {"sql": SQL})
        if str(FILE_COUNT * FILE_ROWS) not in json.dumps(answer):
            raise RuntimeError(f"wrong count: {answer}")

        def ask(sql: str, *, is_cached: bool) -> float:
            body = json.dumps({"sql": sql}).encode()
            request = Request("/v1/query", body, is_cached=is_cached)
            return wrk(
                server.rest, request, connections=1, seconds=duration, scratch=bench.scratch
            ).p50_ms

        def alone() -> float:
            return median_ms(lambda _: database.execute(SQL).fetchall(), range(100))

        bench.pairs(uncached, lambda: ask(SQL, is_cached=False), alone)
        bench.pairs(
            cached,
            lambda: ask(SQL, is_cached=True),
            lambda: ask("select 1", is_cached=False),
        )
    uncached.note = "one connection; MinIODB's own figures: 17-27 ms uncached, 0.6 ms cached"
    return [uncached, cached]


def _fill(server: Server, rest: Rest) -> list[str]:
    rest.post("/v1/tables", {"table_name": "t"})
    for number in range(FILE_COUNT):
        body = rows.ipc_stream(rows.batch(number, FILE_ROWS))
        rest.post("/v1/data?table=t", body, ARROW)
        rest.post("/v1/flush", {})
    files = tpchdata.files_of(server.data_dir, "t")
    if len(files) != FILE_COUNT:
        raise RuntimeError(f"expected {FILE_COUNT} files, found {len(files)}")
    return files
