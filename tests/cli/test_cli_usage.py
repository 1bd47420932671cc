"""What the command line refuses, in one line and with an exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flightdb.cli.main import run

ROOT = Path(__file__).parents[2]


def flightdb(*arguments, environment=None, stdin=""):
    return subprocess.run(
        [sys.executable, "-m", "flightdb", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "flightdb: No such command 'nonsense' (see flightdb --help)"),
        (["sql", "--bad"], "No such option: --bad"),
        (["serve", "--flight-port", "abc"], "Invalid value for '--flight-port'"),
        (
            ["serve", "--flight-port", "70000"],
            "server.flight_port, expected 0 to 65535, value=70000, from command line",
        ),
        (
            ["serve", "--log-level", "loud"],
            "log.level, expected one of debug, info, warning, error, value=loud",
        ),
        (["serve", "--host", "0.0.0.0"], "say --insecure if that is meant, value=0.0.0.0"),
        (
            ["serve", "--config", "/none.yaml"],
            "cannot read the settings file: No such file or directory, file=/none.yaml",
        ),
        (["config", "print", "--config", "/none.yaml"], "file=/none.yaml"),
        (
            ["sql", "select 1", "--url", "localhost"],
            "invalid url: expected grpc://HOST:PORT, url=localhost",
        ),
        (["sql", "-f", "/none.sql"], "cannot read: No such file or directory, file=/none.sql"),
        (["load", "x.csv"], "Missing option '--table'"),
        (["load", "/none.csv", "--table", "t"], "cannot read: no such file, file=/none.csv"),
        (["load", "/none.xyz", "--table", "t"], "unknown kind of file: expected a name in"),
        (
            ["load", "x.csv", "--table", "t", "--type", "a"],
            "expected COLUMN=TYPE, such as zip=string, type=a",
        ),
        (["load", "x.csv", "--table", "t", "--type", "a=b"], "unknown type: expected one such as"),
    ],
)
def test_a_usage_error_is_one_line_that_names_it_and_exit_code_2(capsys, arguments, message):
    # when
    code = run(arguments)

    # then
    lines = capsys.readouterr().err.splitlines()
    assert code == 2
    assert len(lines) == 1
    assert message in lines[0]


@pytest.mark.parametrize("command", [["sql", "select 1"], ["flush"], ["tables"]])
def test_a_server_that_is_not_there_is_exit_code_3(capsys, command):
    # when: port 9 is never listened on here
    code = run([*command, "--url", "grpc://127.0.0.1:9"])

    # then
    assert code == 3
    assert capsys.readouterr().err == "flightdb: no server answers: url=grpc://127.0.0.1:9\n"


def test_the_url_comes_from_the_environment_too():
    # when
    result = flightdb("sql", "select 1", environment={"FLIGHTDB_URL": "http://x"})

    # then
    assert result.returncode == 2
    assert "url=http://x" in result.stderr


def test_no_statement_is_a_usage_error():
    # when
    result = flightdb("sql", stdin="  \n")

    # then
    assert result.returncode == 2
    assert (
        result.stderr
        == "flightdb: no statement: expected SQL as an argument, on stdin or with -f\n"
    )


def test_help_needs_no_server_and_is_not_an_error(capsys):
    assert run(["--help"]) == 0
    assert "serve" in capsys.readouterr().out


def test_config_print_shows_the_environment(capfd):
    # when
    result = flightdb("config", "print", environment={"FLIGHTDB_LOG__LEVEL": "debug"})

    # then
    assert result.returncode == 0
    assert (
        "  level: debug  # environment FLIGHTDB_LOG__LEVEL, default 'info'"
        in result.stdout.splitlines()
    )
