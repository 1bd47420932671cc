"""TPC-H's 22 queries over ADBC, next to DuckDB in process and to Sail over Flight SQL."""

import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from bench import tpchdata
from bench.clients import connect, fetch, update
from bench.measure import Bench, Goal, Row, say, seconds
from bench.process import NO_CACHE, Process, Server, free_port

Ask = Callable[[str], Any]


def measure(bench: Bench) -> list[Row]:
    queries = tpchdata.queries()
    with Server(bench.scratch, NO_CACHE) as server, connect(server.flight) as connection:
        tpchdata.load(bench, connection)
        files = {name: tpchdata.files_of(server.data_dir, name) for name in tpchdata.TABLES}
        database = duckdb.connect()
        for name, found in files.items():
            database.execute(f"create view {name} as select * from read_parquet({found})")

        def ours(sql: str) -> Any:
            return fetch(connection, sql)

        def alone(sql: str) -> Any:
            return database.sql(sql).to_arrow_table()

        _check(queries, ours, alone)
        rows = [_against_duckdb(bench, queries, ours, alone)]
        with Sail(bench.scratch, files) as sail:
            rows.append(_against_sail(bench, queries, ours, sail))
        return rows


def _against_duckdb(bench: Bench, queries: dict[int, str], ours: Ask, alone: Ask) -> Row:
    row = Row(
        "TPC-H, 22 queries over ADBC",
        "s",
        [Goal("ratio", "<=", 1.25)],
        baseline="DuckDB in process, same files",
    )
    times = _take_turns(bench, row, queries, ours, alone)
    row.note = "median ratio a query: " + ", ".join(
        f"q{n} {statistics.median(a / b for a, b in pairs):.2f}" for n, pairs in times.items()
    )
    return row


def _against_sail(bench: Bench, queries: dict[int, str], ours: Ask, sail: "Sail") -> Row:
    row = Row(
        "TPC-H, 22 queries over ADBC",
        "s",
        [Goal("ratio", "<", 1.0)],
        baseline="Sail over Flight SQL, same files",
    )
    failed = {n: text for n, sql in queries.items() if (text := sail.failure(sql))}
    able = {n: sql for n, sql in queries.items() if n not in failed}
    if able:
        _take_turns(bench, row, able, ours, sail.ask)
    others = [n for n, sql in able.items() if sail.ask(sql).num_rows != ours(sql).num_rows]
    row.note = f"Sail runs {len(able)} of {len(queries)} queries" + "".join(
        f"; q{n} fails: {text}" for n, text in failed.items()
    )
    row.note += "".join(f"; its answer to q{n} has another number of rows" for n in others)
    return row


def _take_turns(
    bench: Bench, row: Row, queries: dict[int, str], ours: Ask, base: Ask
) -> dict[int, list[tuple[float, float]]]:
    """Query by query, flightdb then the baseline, so that both meet the same weather."""
    times: dict[int, list[tuple[float, float]]] = {n: [] for n in queries}
    for _ in range(bench.runs):
        for number, sql in queries.items():
            times[number].append((seconds(lambda q=sql: ours(q)), seconds(lambda q=sql: base(q))))
        row.ours.append(sum(pairs[-1][0] for pairs in times.values()))
        row.base.append(sum(pairs[-1][1] for pairs in times.values()))
        say(f"{row.name}: {row.ours[-1]:.2f} s, {row.baseline}: {row.base[-1]:.2f} s")
    return times


def _check(queries: dict[int, str], ours: Ask, alone: Ask) -> None:
    """Same answers; warms both up as well."""
    for number, sql in queries.items():
        if ours(sql).to_pylist() != alone(sql).to_pylist():
            raise RuntimeError(f"answers differ: query={number}")


class Sail:
    """`sail flight server` with one external table a directory of links to flightdb's files."""

    def __init__(self, scratch: Path, files: dict[str, list[str]]) -> None:
        self._scratch = scratch
        self._files = files

    def __enter__(self) -> "Sail":
        port = free_port()
        tool = shutil.which("sail") or str(Path(sys.executable).parent / "sail")
        # It prints nothing on stdout when it is ready, so the shell says a line and we try until it answers.
        command = ["sh", "-c", f"echo up; exec {tool} flight server --port {port}"]
        self._process = Process(command, self._scratch / "sail.log")
        self._connection = _try_connect(f"127.0.0.1:{port}")
        for name, found in self._files.items():
            folder = self._scratch / "sail" / name
            folder.mkdir(parents=True)
            for number, file in enumerate(found):
                (folder / f"{number}.parquet").hardlink_to(file)
            update(
                self._connection,
                f"create external table {name} using parquet location '{folder}'",
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        self._process.stop()

    def ask(self, sql: str) -> Any:
        return fetch(self._connection, sql)

    def failure(self, sql: str) -> str:
        """Why it cannot run this; "" when it can."""
        try:
            self.ask(sql)
        except Exception as error:
            return str(error).partition("\n")[0][:160]
        return ""


def _try_connect(address: str) -> Any:
    for _ in range(150):
        try:
            connection = connect(address)
            fetch(connection, "select 1")
            return connection
        except Exception:
            time.sleep(0.2)
    raise RuntimeError("sail does not answer")
