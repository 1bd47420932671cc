"""6 M rows of lineitem to one ADBC client, next to pyarrow.flight and DuckDB alone on the same files."""

from bench import tpchdata
from bench.clients import connect, drain
from bench.measure import Bench, Goal, Row, seconds
from bench.process import NO_CACHE, Baseline, Server


def measure(bench: Bench) -> list[Row]:
    with Server(bench.scratch, NO_CACHE) as server, connect(server.flight) as ours:
        tpchdata.load(bench, ours, "lineitem")
        files = tpchdata.files_of(server.data_dir, "lineitem")
        with Baseline("bare_get", bench.scratch, *files) as bare, connect(bare.address) as base:
            count = drain(ours, "select * from lineitem")
            if count != drain(base, "select * from t"):
                raise RuntimeError("baseline has other rows")
            row = Row(
                "do_get of 6 M lineitem rows over ADBC",
                "rows/s",
                [Goal("ratio", ">=", 0.85)],
                baseline="bare pyarrow.flight and DuckDB",
            )
            cpu = server.cpu_s(), bare.cpu_s()
            bench.pairs(
                row,
                lambda: count / seconds(lambda: drain(ours, "select * from lineitem")),
                lambda: count / seconds(lambda: drain(base, "select * from t")),
                warm_ups=0,
            )
            spent = server.cpu_s() - cpu[0], bare.cpu_s() - cpu[1]
            row.note = (
                f"{count:,} rows in {len(files)} files; server CPU a turn {spent[0] / bench.runs:.2f} s, "
                f"baseline {spent[1] / bench.runs:.2f} s"
            )
            return [row]
