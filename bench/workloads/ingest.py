"""lineitem by `adbc_ingest`, durable when it returns, next to DuckDB's COPY of the same table."""

import itertools

import duckdb

from bench import tpchdata
from bench.clients import connect, fetch, ingest, update
from bench.measure import Bench, Goal, Row, seconds
from bench.process import Server


def measure(bench: Bench) -> list[Row]:
    rows = tpchdata.table(bench, "lineitem")
    database = duckdb.connect()
    database.execute("create table lineitem as from rows")
    target = bench.scratch / "copy.parquet"
    peak = Row("peak RSS of adbc_ingest", "MB", [Goal("ours", "<", 1.5 * 2**30 / 1e6, "MB")])
    time = Row(
        "adbc_ingest of lineitem",
        "s",
        [Goal("ratio", "<=", 1.5)],
        baseline="DuckDB COPY TO parquet, in process, not synced",
    )
    numbers = itertools.count()
    with Server(bench.scratch) as server, connect(server.flight) as connection:

        def ours() -> float:
            name = f"lineitem_{next(numbers)}"
            taken = seconds(lambda: ingest(connection, name, rows.to_reader(tpchdata.BATCH_ROWS)))
            count = fetch(connection, f"select count(*) from {name}")[0][0].as_py()
            if count != rows.num_rows:
                raise RuntimeError(f"rows are missing: {count}")
            update(connection, f"drop table {name}")
            peak.ours[:] = [server.memory_mb("VmHWM")]
            return taken

        def base() -> float:
            target.unlink(missing_ok=True)
            return seconds(
                lambda: database.execute(f"copy lineitem to '{target}' (format parquet)")
            )

        idle = server.memory_mb()
        before = server.cpu_s()
        bench.pairs(time, ours, base)
        spent = (server.cpu_s() - before) / (bench.runs + 1)
        time.note = f"{rows.num_rows:,} rows from memory; server CPU a turn {spent:.2f} s"
        peak.note = f"{idle:.0f} MB before the first; the highest over all turns of one server"
    return [time, peak]
