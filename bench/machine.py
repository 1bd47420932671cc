"""What it was measured on, so that a figure can be read later."""

import os
import platform
import statistics
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.process import ROOT

PACKAGES = (
    "pyarrow",
    "duckdb",
    "deltalake",
    "obstore",
    "adbc-driver-flightsql",
    "grpcio",
    "uvicorn",
    "starlette",
    "pysail",
    "tpchgen-cli",
)


def describe(disk: Path) -> dict[str, object]:
    """`disk`: a directory on the disk that is measured."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short=12", "HEAD"),
        "is_dirty": bool(_git("status", "--porcelain", "--", "flightdb")),
        "cores": len(os.sched_getaffinity(0)),
        "cpu": _cpu(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "fdatasync_ms": round(_sync_ms(disk), 3),
        "load_1_min": round(os.getloadavg()[0], 2),
        "versions": {name: _version(name) for name in PACKAGES},
        "wrk": _first_line("wrk", "-v"),
        "ghz": _first_line("ghz", "--version"),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _git(*arguments: str) -> str:
    return _output("git", "-C", str(ROOT), *arguments).strip()


def _first_line(*command: str) -> str:
    return _output(*command).partition("\n")[0].strip()


def _output(*command: str) -> str:
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
    except FileNotFoundError:
        return ""
    return done.stdout


def _sync_ms(disk: Path) -> float:
    """Median of appending 4 KiB and fdatasync, 50 times."""
    times = []
    with tempfile.NamedTemporaryFile(dir=disk) as file:
        for _ in range(50):
            began = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3
