"""The shape of the code: layers, small files, no stray names."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "flightdb"
LINES_MAX = 400

OWN_FILES = sorted(
    path for path in PACKAGE.rglob("*.py") if "generated" not in path.relative_to(PACKAGE).parts
)


def test_every_import_obeys_the_layers():
    # when the tool of pyproject.toml's contracts reads the whole package
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    # then it finds nothing
    assert result.returncode == 0, result.stdout[-4000:]


def test_no_file_is_longer_than_a_person_reads_in_one_go():
    # given
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in OWN_FILES
    }

    # then
    assert {name: length for name, length in lengths.items() if length > LINES_MAX} == {}


def test_no_name_says_only_that_something_helps():
    # given
    vague = {"utils", "util", "common", "helpers", "helper", "core", "manager", "misc"}
    allowed = {"flightdb/coordinator/core.py"}

    # then
    names = {str(path.relative_to(ROOT)) for path in OWN_FILES if path.stem in vague}
    assert names - allowed == set()


def test_every_file_says_first_what_it_is():
    # then
    assert [path for path in OWN_FILES if not path.read_text().startswith('"""')] == []


def test_starting_a_client_command_loads_neither_engine_nor_doors():
    # given
    heavy = ("duckdb", "deltalake", "starlette", "uvicorn", "grpc", "pandas", "pyarrow")
    code = (
        "import sys; from flightdb.cli.main import run; run(['version']); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )

    # when
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    # then
    assert result.stdout.splitlines()[-1] == "[]"


def test_starting_the_service_never_loads_pandas():
    # given
    code = "import sys; import flightdb.app; print('pandas' in sys.modules)"

    # when
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    # then
    assert result.stdout.strip() == "False"
