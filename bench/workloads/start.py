"""From start to the ready line: on an empty directory, and with a WAL to replay."""

import shutil

from bench import rows
from bench.clients import connect, fetch, put
from bench.measure import Bench, Goal, Row
from bench.process import NO_FLUSH, Server

BATCH_ROWS = 65_536


def measure(bench: Bench) -> list[Row]:
    empty = Row("start to ready, empty directory", "s", [Goal("ours", "<", 2.0, "s")])

    def start() -> float:
        directory = bench.scratch / "empty"
        with Server(directory) as server:
            taken = server.started_s
        shutil.rmtree(directory)
        return taken

    bench.pairs(empty, start)
    return [empty, _replay(bench)]


def _replay(bench: Bench) -> Row:
    size = 100_000_000 if bench.quick else 1_000_000_000
    row = Row("start to ready, 1 GB of WAL to replay", "s", [Goal("ours", "<", 15.0, "s")])
    directory = bench.scratch / "replay"
    wal = directory / "data" / "wal"
    count = 0
    with Server(directory, NO_FLUSH) as server:
        while sum(file.stat().st_size for file in wal.iterdir()) < size:
            batches = [rows.batch(count // BATCH_ROWS + n, BATCH_ROWS) for n in range(16)]
            put(server.flight, "t", batches, rows.SCHEMA)
            count += 16 * BATCH_ROWS
        server.kill()
    log_size = sum(file.stat().st_size for file in wal.iterdir())
    memory = 0.0

    def start() -> float:
        nonlocal memory
        with Server(directory, NO_FLUSH) as server:
            with connect(server.flight) as connection:
                found = fetch(connection, "select count(*) from t")[0][0].as_py()
            memory = server.memory_mb()
            server.kill()
        if found != count:
            raise RuntimeError(f"rows after restart: expected {count}, found {found}")
        return server.started_s

    bench.pairs(row, start)
    row.note = (
        f"{count:,} rows, {log_size / 1e6:,.0f} MB of log, in the page cache; killed and started again; "
        f"all rows there after each start; RSS then {memory:,.0f} MB"
    )
    return row
