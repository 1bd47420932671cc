"""`flightdb serve` as a process: one ready line, one clear line when it cannot, an orderly end."""

import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from cli_service import ANY_PORT, environment, ready, start


def refused(*arguments):
    """A serve that must not start."""
    return subprocess.run(
        [sys.executable, "-m", "flightdb", "serve", *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def last_line(result):
    assert "Traceback" not in result.stderr
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_the_rows_are_in_the_store(tmp_path, number):
    # given
    running = ready(start(*ANY_PORT, directory=tmp_path / "data"), tmp_path / "data")
    (tmp_path / "rows.csv").write_text("a\n1\n2\n")
    assert running.flightdb("load", str(tmp_path / "rows.csv"), "--table", "t").returncode == 0

    # when
    began = time.monotonic()
    code = running.stop(number)

    # then it ends in time, with what was buffered in Parquet
    assert code == 0
    assert time.monotonic() - began < 15
    assert len(list((tmp_path / "data" / "tables" / "t").rglob("*.parquet"))) == 1
    again = ready(start(*ANY_PORT, directory=tmp_path / "data"), tmp_path / "data")
    assert "2" in again.flightdb("sql", "SELECT count(*) FROM t", "-o", "csv").stdout
    assert again.stop() == 0


def test_no_door_takes_new_calls_while_another_waits_for_its_running_one(tmp_path):
    # given a query over Flight that does not end by itself
    (tmp_path / "some.yaml").write_text("server: {drain_timeout: 3s}")
    service = start(*ANY_PORT, "--config", str(tmp_path / "some.yaml"), directory=tmp_path / "data")
    running = ready(service, tmp_path / "data")
    endless = (
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"
    )
    query = subprocess.Popen(
        [sys.executable, "-m", "flightdb", "sql", endless],
        env=environment(FLIGHTDB_URL=running.url),
        stderr=subprocess.DEVNULL,
    )
    while "flightdb_queries_running 1.0" not in httpx.get(running.metrics).text:
        time.sleep(0.05)

    # when
    running.process.terminate()
    time.sleep(1)

    # then
    assert running.process.poll() is None
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{running.rest}/v1/health")
    assert running.flightdb("sql", "SELECT 1").returncode != 0
    assert running.stop() == 0
    assert query.wait(10) == 1


def test_a_second_process_on_the_same_directory_is_refused(tmp_path):
    # given
    directory = tmp_path / "data"
    running = ready(start(*ANY_PORT, directory=directory), directory)

    # when
    second = refused("--data-dir", str(directory), *ANY_PORT)

    # then
    assert second.returncode == 2
    assert second.stdout == ""
    assert last_line(second) == (
        "flightdb: data directory is in use by another process:"
        f" server.data_dir={directory}, pid={running.process.pid}"
    )
    assert running.stop() == 0


@pytest.mark.parametrize("door", ["flight", "rest", "grpc", "metrics"])
def test_a_taken_port_is_named(tmp_path, door):
    # given
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ports = [name if name != "0" else "0" for name in ANY_PORT]
        ports[ports.index(f"--{door}-port") + 1] = port

        # when
        result = refused("--data-dir", str(tmp_path / "data"), *ports)

    # then
    assert result.returncode == 2
    assert port in last_line(result)
    assert door in last_line(result)


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    # given
    (tmp_path / "file").write_text("not a directory")

    # when
    result = refused("--data-dir", str(tmp_path / "file" / "data"), *ANY_PORT)

    # then
    assert result.returncode == 2
    assert f"server.data_dir={tmp_path}/file/data, reason=" in last_line(result)


def test_a_directory_of_a_newer_version_is_refused(tmp_path):
    # given
    (tmp_path / "flightdb.json").write_text('{"format": 99}')

    # when
    result = refused("--data-dir", str(tmp_path), *ANY_PORT)

    # then
    assert result.returncode == 2
    assert "expected format 1, format=99" in last_line(result)


def test_starting_on_an_empty_directory_is_quick(tmp_path):
    # given a generous bound: the goal of 2 s is measured by the bench on a quiet machine
    began = time.monotonic()

    # when
    running = ready(start(*ANY_PORT, directory=tmp_path / "data"), tmp_path / "data")
    seconds = time.monotonic() - began

    # then
    assert seconds < 6
    assert running.stop() == 0
