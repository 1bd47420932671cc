"""The command as a user meets it: starting, stopping, and each way of getting it wrong."""

import http.client
import json
import os
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.stories.process import Server, spawn


def ended(process) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def one_clear_line(err: str) -> str:
    assert "Traceback" not in err
    lines = [line for line in err.splitlines() if line and not line.startswith("{")]
    assert len(lines) == 1, err
    return lines[0]


def rest(server: Server, path: str, body: object = None) -> dict:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        f"http://{server.rest}{path}", data, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_one_line_on_stdout_then_traffic_and_exit_0_on_sigterm(tmp_path: Path):
    server = Server.start(tmp_path / "data")
    written = rest(server, "/v1/data", {"table": "t", "id": "a", "payload": {"n": 1}})
    answer = rest(server, "/v1/query", {"sql": "select count(*) as n from t"})
    server.process.send_signal(15)
    out, err = server.process.communicate(timeout=60)

    assert written["success"] is True
    assert json.loads(answer["result_json"]) == [{"n": 1}]
    assert server.process.returncode == 0
    assert out == ""
    assert "Traceback" not in err
    assert all(line.startswith("{") for line in err.splitlines()), err
    # Draining flushed the row: the table's log has a data file.
    assert list((tmp_path / "data" / "tables" / "t").rglob("*.parquet"))


def test_rows_outlive_a_stop_and_a_start(tmp_path: Path):
    server = Server.start(tmp_path / "data")
    rest(server, "/v1/data", [{"table": "t", "id": f"a{i}", "payload": {}} for i in range(10)])
    assert server.stop() == 0
    server = Server.start(tmp_path / "data")
    answer = rest(server, "/v1/query", {"sql": "select count(*) as n from t"})
    assert server.stop() == 0
    assert json.loads(answer["result_json"]) == [{"n": 10}]


def test_a_second_process_on_the_same_directory_is_refused(tmp_path: Path):
    server = Server.start(tmp_path / "data")
    code, out, err = ended(spawn(tmp_path / "data"))
    server.stop()
    assert (code, out) == (2, "")
    line = one_clear_line(err)
    assert str(tmp_path / "data") in line
    assert str(server.process.pid) in line


@pytest.mark.parametrize(
    "option", ["--flight-port", "--rest-port", "--grpc-port", "--metrics-port"]
)
def test_a_taken_port_is_named(tmp_path: Path, option: str):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, err = ended(spawn(tmp_path / "data", option, port))
    assert (code, out) == (2, "")
    assert port in one_clear_line(err)


def test_a_bad_setting_is_named_with_the_nearest_known_key(tmp_path: Path):
    config = tmp_path / "flightdb.yaml"
    config.write_text("server:\n  rest_prot: 9\n")
    code, out, err = ended(spawn(tmp_path / "data", "--config", str(config)))
    assert (code, out) == (2, "")
    line = one_clear_line(err)
    assert "rest_prot" in line
    assert "rest_port" in line


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path):
    file = tmp_path / "data"
    file.write_text("not a directory")
    code, out, err = ended(spawn(file))
    assert (code, out) == (2, "")
    assert str(file) in one_clear_line(err)


def test_a_directory_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "flightdb.json").write_text('{"format": 99}')
    code, _, err = ended(spawn(data))
    assert code == 2
    assert "99" in one_clear_line(err)
    assert sorted(os.listdir(data)) == ["flightdb.json", "lock"]


def test_a_host_that_is_not_loopback_needs_insecure(tmp_path: Path):
    code, out, err = ended(spawn(tmp_path / "data", "--host", "0.0.0.0"))
    assert (code, out) == (2, "")
    assert "--insecure" in one_clear_line(err)


def test_the_metrics_port_serves_prometheus_text(tmp_path: Path):
    server = Server.start(tmp_path / "data")
    rest(server, "/v1/data", {"table": "t", "id": "a", "payload": {"n": 1}})
    connection = http.client.HTTPConnection(server.metrics, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    server.stop()
    assert 'miniodb_table_records_total{table="t"} 1.0' in text
