"""The client commands against a running service."""

import json
import signal
import subprocess
import sys
import time
import urllib.request

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from cli_service import environment


def rows(service, sql):
    result = service.flightdb("sql", sql, "-o", "json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def csv_file(path, text):
    path.write_text(text)
    return str(path)


def test_files_of_several_kinds_are_one_table(service, tmp_path):
    # given
    first = csv_file(tmp_path / "a.csv", "city,n,at\nOslo,1,2024-05-01 10:00:00\n")
    parquet.write_table(pa.table({"n": [2], "city": ["Rome"]}), tmp_path / "b.parquet")
    (tmp_path / "c.ndjson").write_text('{"city": "Bern", "n": 3}\n')

    # when
    files = [first, str(tmp_path / "b.parquet"), str(tmp_path / "c.ndjson")]
    result = service.flightdb("load", *files, "--table", "kinds", "--time-column", "at")

    # then
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("loaded 3 rows into kinds in ")
    assert rows(service, "SELECT city, n FROM kinds ORDER BY n") == [
        {"city": "Oslo", "n": 1},
        {"city": "Rome", "n": 2},
        {"city": "Bern", "n": 3},
    ]


def test_the_modes_say_what_may_be_there_before(service, tmp_path):
    # given
    file = csv_file(tmp_path / "rows.csv", "a\n1\n")

    def load(mode):
        return service.flightdb("load", file, "--table", "modes", "--mode", mode).returncode

    # then
    assert load("append") == 1
    assert load("create") == 0
    assert load("create") == 1
    assert load("append") == 0
    assert rows(service, "SELECT count(*) AS n FROM modes") == [{"n": 2}]
    assert load("replace") == 0
    assert rows(service, "SELECT count(*) AS n FROM modes") == [{"n": 1}]


def test_a_load_that_fails_on_the_way_stores_nothing(service, tmp_path):
    # given many good rows before a bad one
    file = csv_file(tmp_path / "clash.csv", "id,zip\n" + "1234567,12345\n" * 700_000 + "7,AB-1\n")

    # when
    result = service.in_own_process("load", file, "--table", "clash")

    # then
    assert result.returncode == 2
    assert "line 700002" in result.stderr
    assert result.stderr.endswith("; nothing was stored\n")
    assert "table not found" in service.flightdb("sql", "SELECT count(*) FROM clash").stderr


def test_an_interrupted_load_stores_nothing(service, tmp_path):
    # given a load that takes a while
    file = csv_file(tmp_path / "long.csv", "id,zip\n" + "1234567,12345\n" * 8_000_000)
    load = subprocess.Popen(
        [sys.executable, "-m", "flightdb", "load", file, "--table", "long"],
        env=environment(FLIGHTDB_URL=service.url),
        stderr=subprocess.PIPE,
        text=True,
    )

    # when
    time.sleep(1.2)
    load.send_signal(signal.SIGINT)
    _, said = load.communicate(timeout=30)

    # then
    assert load.returncode == 130
    assert said in ("flightdb: interrupted; nothing was stored\n", "")
    assert "table not found" in service.flightdb("sql", "SELECT count(*) FROM long").stderr


def test_ctrl_c_leaves_a_long_query_at_once_and_ends_it_on_the_server(service):
    # given a query of minutes
    endless = (
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"
    )
    query = subprocess.Popen(
        [sys.executable, "-m", "flightdb", "sql", endless],
        env=environment(FLIGHTDB_URL=service.url),
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: "flightdb_queries_running 1.0" in metrics(service))

    # when
    query.send_signal(signal.SIGINT)
    _, said = query.communicate(timeout=5)

    # then
    assert (query.returncode, said) == (130, "flightdb: interrupted\n")
    wait_for(lambda: "flightdb_queries_running 0.0" in metrics(service), seconds=2)


def metrics(service):
    with urllib.request.urlopen(service.metrics, timeout=5) as answer:
        return answer.read().decode()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_file_without_a_form_has_the_form_of_its_name(service, tmp_path):
    # when
    file = tmp_path / "answer.parquet"
    result = service.flightdb("sql", "SELECT 42 AS answer", "--file", str(file))

    # then
    assert result.returncode == 0, result.stderr
    assert parquet.read_table(file).to_pylist() == [{"answer": 42}]


def test_the_gates_of_other_protocols_are_told_from_flight(service):
    # when
    result = service.in_own_process("sql", "SELECT 1", "--url", f"grpc://{service.grpc}/")

    # then
    assert result.returncode == 2
    assert result.stderr.startswith("flightdb: no Flight server: expected the flight address")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT * FROM nope", "flightdb: table not found: name=nope\n"),
        ("SELEC 1", 'flightdb: parser error: syntax error at or near "SELEC"\n'),
        (
            "SELECT * FROM read_text('/etc/passwd')",
            "flightdb: table function is not allowed: function=read_text\n",
        ),
    ],
)
def test_a_refusal_is_the_servers_message_and_exit_code_1(service, sql, message):
    # when
    result = service.flightdb("sql", sql)

    # then
    assert (result.returncode, result.stderr, result.stdout) == (1, message, "")


def test_a_statement_comes_from_stdin_or_a_file_too(service, tmp_path):
    # given
    (tmp_path / "q.sql").write_text("SELECT 42 AS n")

    # then
    assert service.flightdb("sql", "-o", "csv", stdin="SELECT 42 AS n").stdout == '"n"\n42\n'
    assert service.flightdb("sql", "-o", "csv", "-f", str(tmp_path / "q.sql")).stdout == '"n"\n42\n'


def test_a_large_answer_goes_to_a_file_whole(service, tmp_path):
    # given
    file = tmp_path / "answer.parquet"

    # when
    result = service.flightdb(
        "sql", "SELECT * FROM range(300000) t(i)", "-o", "parquet", "--file", str(file)
    )

    # then
    assert result.returncode == 0, result.stderr
    assert parquet.read_table(file).num_rows == 300_000
    assert [path.name for path in tmp_path.iterdir()] == ["answer.parquet"]


def test_a_failed_query_leaves_no_file(service, tmp_path):
    # when
    result = service.flightdb(
        "sql", "SELECT * FROM nope", "-o", "csv", "--file", str(tmp_path / "x.csv")
    )

    # then
    assert result.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_enough_is_no_failure(service):
    # when
    command = f"{sys.executable} -m flightdb sql 'SELECT a.i FROM range(10000) a(i), range(200) b' -o csv | head -1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=environment(FLIGHTDB_URL=service.url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    # then
    assert (result.returncode, result.stdout, result.stderr) == (0, '"i"\n', "")


def test_tables_and_flush(service, tmp_path):
    # given
    file = csv_file(tmp_path / "rows.csv", "a\n1\n2\n")
    service.flightdb("load", file, "--table", "listed")

    # then
    assert service.flightdb("flush", "listed").returncode == 0
    assert service.flightdb("flush", "nope").returncode == 1
    assert "listed" in service.flightdb("tables").stdout


def test_the_metrics_port_tells_the_tables(service, tmp_path):
    # given
    service.flightdb("load", csv_file(tmp_path / "m.csv", "a\n1\n2\n"), "--table", "measured")

    # when
    with urllib.request.urlopen(service.metrics) as answer:
        text = answer.read().decode()

    # then
    assert 'miniodb_table_records_total{table="measured"} 2.0' in text.splitlines()
