"""The README's five minutes, as written, against a service of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_service import ROOT, environment

BLOCK = re.compile(r"```(sh|python)\n(.*?)```", re.DOTALL)
EXPECTED = (
    ["336776"],
    ["Frontier Airlines Inc.", "5 rows"],
    ["dest: string", "11262"],
    ['"success":true', '"stars":5', '"place"'],
    ["success: true", "UA1545", "UA1714"],
    ["336776"],
)
"""What each block of the tour must say, in order."""

AT_ONCE = "\nimport os, sys; sys.stdout.flush(); os._exit(0)\n"
"""deltalake 1.6.6 now and then aborts at the interpreter's own exit, after all is done."""


def places(service):
    """The README's addresses and paths to this service's."""
    return {
        "grpc://127.0.0.1:8815": service.url,
        "localhost:8081": service.rest.removeprefix("http://"),
        "127.0.0.1:8080": service.grpc,
        "flightdb-data/": f"{service.directory}/",
        ". .venv/bin/activate": "",
        "--file flights.parquet": f"--file {service.directory.parent}/flights.parquet",
    }


@pytest.mark.slow
def test_the_tour_of_the_readme_works_as_written(service):
    # given
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    assert len(blocks) == len(EXPECTED)
    shell = 'set -e; flightdb() { python -m flightdb "$@"; }\n'
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    for (kind, text), expected in zip(blocks, EXPECTED, strict=True):
        for written, real in places(service).items():
            text = text.replace(written, real)
        if "DeltaTable" in text:
            service.flightdb("flush")

        # when
        command = (
            ["bash", "-c", shell + text] if kind == "sh" else [sys.executable, "-c", text + AT_ONCE]
        )
        result = subprocess.run(
            command,
            env=environment(FLIGHTDB_URL=service.url, PATH=path),
            cwd=service.directory.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        # then
        assert result.returncode == 0, (text, result.stdout, result.stderr)
        assert [part for part in expected if part not in result.stdout] == [], result.stdout
