"""The examples under clients/ run as they stand, and print what they promise."""

import subprocess
import sys
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parents[2] / "clients" / "python"


def printed(name: str, address: str) -> str:
    done = subprocess.run(
        [sys.executable, CLIENTS / name, address], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "door", "expected"),
    [
        ("over_adbc.py", "grpc://127.0.0.1:{app.flight_port}", "'sensor': 'a', 'mean': 21.5"),
        ("over_flight.py", "grpc://127.0.0.1:{app.flight_port}", "[{'n': 4}]"),
        ("over_rest.py", "http://127.0.0.1:{app.rest_port}", "'is_repeat': True"),
        ("over_grpc.py", "127.0.0.1:{app.grpc_port}", "\n1000\n"),
    ],
)
def test_the_example_runs(app, name: str, door: str, expected: str):
    assert expected in printed(name, door.format(app=app))


def test_every_example_is_listed_and_tested():
    listed = (CLIENTS.parent / "README.md").read_text()
    names = {path.name for path in CLIENTS.glob("*.py")}
    assert names == {"over_adbc.py", "over_flight.py", "over_rest.py", "over_grpc.py"}
    assert all(name in listed for name in names)
