"""The tables are Delta tables: others read the same rows with no flightdb running."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from flightdb.app import App
from tests.conftest import settings_for

ROWS = 5_000


@contextmanager
def sail(log: Path) -> Iterator[str]:
    """Sail's own Flight SQL server; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [Path(sys.executable).with_name("sail"), "flight", "server", "--port", str(port)]
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            wait_for(port, process)
            yield f"grpc://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen) -> None:
    for _ in range(600):
        assert process.poll() is None, "sail ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("sail does not listen")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record table and a plain one, written, flushed in several files, evolved; then flightdb is gone."""
    from flightdb.model.record import Record

    data = tmp_path_factory.mktemp("open") / "data"
    app = App.start(settings_for(data))
    for part in range(5):
        records = [
            Record(
                f"user-{number % 40}",
                1_700_000_000_000_000 + number,
                {"n": number, "part": part} | ({"late": True} if part > 2 else {}),
            )
            for number in range(part * ROWS // 5, (part + 1) * ROWS // 5)
        ]
        app.service.write_records({"events": records})
        app.service.flush("events")
    uri = f"grpc://127.0.0.1:{app.flight_port}"
    with flightsql.connect(uri, autocommit=True) as to, to.cursor() as cursor:
        small = pa.table({"u": pa.array([0, 200, 255], pa.uint8()), "t": ["a", "b", None]})
        cursor.adbc_ingest("small", small, mode="create")
    app.stop()
    return data / "tables"


def test_deltalake_reads_the_same_rows(tables: Path):
    rows = DeltaTable(tables / "events").to_pyarrow_table()
    assert rows.num_rows == ROWS
    assert sorted(rows["n"].to_pylist()) == list(range(ROWS))
    assert rows["late"].to_pylist().count(True) == ROWS * 2 // 5


def test_unsigned_numbers_are_the_same_outside(tables: Path):
    rows = DeltaTable(tables / "small").to_pyarrow_table().sort_by("u").to_pylist()
    assert [(row["u"], row["t"]) for row in rows] == [(0, "a"), (200, "b"), (255, None)]


def test_sail_reads_the_same_rows(tables: Path, tmp_path: Path):
    sql = f"SELECT count(*), sum(n), count(late), min(id) FROM delta.`{tables / 'events'}`"
    with (
        sail(tmp_path / "sail.log") as address,
        flightsql.connect(address, autocommit=True) as to,
        to.cursor() as cursor,
    ):
        cursor.execute(sql)
        [row] = cursor.fetchall()
    assert tuple(row) == (ROWS, ROWS * (ROWS - 1) // 2, ROWS * 2 // 5, "user-0")
