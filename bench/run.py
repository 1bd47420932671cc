#!/usr/bin/env python3
"""Runs workloads and writes the report: `bench/run.py NAME|all|report [--runs N] [--quick]`."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])

# Run as a file, so its own directory is on the path, and the repository is not.
from bench import machine, report  # noqa: E402 - needs the path
from bench.measure import Bench, ratio, say, spread  # noqa: E402 - needs the path
from bench.workloads import WORKLOADS  # noqa: E402 - needs the path

HERE = Path(__file__).resolve().parent
OUT = HERE / "out" / "results.json"


def main() -> int:
    arguments = _arguments()
    if arguments.name == "report":
        report.write(arguments.out, HERE / "report.md")
        return 0
    arguments.cache.mkdir(parents=True, exist_ok=True)
    if arguments.name == "all":
        return _run_all(arguments)
    return _run_one(arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[*WORKLOADS, "all", "report"])
    parser.add_argument("--runs", type=int, help="turns of each side; 5, or 2 with --quick")
    parser.add_argument("--quick", action="store_true", help="small data: does it work at all")
    parser.add_argument("--out", type=Path, default=OUT, help="where results go and come from")
    parser.add_argument("--only", nargs="*", help="with all: these workloads, the rest is kept")
    parser.add_argument("--cache", type=Path, default=_cache(), help="generated data")
    return parser.parse_args()


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "flightdb-bench"


def _run_all(arguments: argparse.Namespace) -> int:
    """Each workload in a process of its own: one that fails or leaks does not touch the next."""
    results = {"machine": machine.describe(arguments.cache), "quick": arguments.quick}
    done = _kept(arguments)
    for name in WORKLOADS:
        if arguments.only is None or name in arguments.only:
            done[name] = _in_process(name, arguments)
        ordered = [done[each] for each in WORKLOADS if each in done]
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps({**results, "workloads": ordered}, indent=1))
    return int(any(each["error"] for each in done.values()))


def _kept(arguments: argparse.Namespace) -> dict[str, dict]:
    if arguments.only is None or not arguments.out.exists():
        return {}
    return {each["name"]: each for each in json.loads(arguments.out.read_text())["workloads"]}


def _in_process(name: str, arguments: argparse.Namespace) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "one.json"
        command = [sys.executable, __file__, name, "--out", str(out)]
        command += ["--cache", str(arguments.cache)]
        command += ["--runs", str(arguments.runs)] if arguments.runs else []
        command += ["--quick"] if arguments.quick else []
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        say(ended.stderr.rstrip())
        if ended.returncode == 0:
            return json.loads(out.read_text())["workloads"][0]
        last = ended.stderr.strip().rpartition("\n")[2]
        return {"name": name, "rows": [], "error": last or f"exit {ended.returncode}"}


def _run_one(arguments: argparse.Namespace) -> int:
    scratch = Path(tempfile.mkdtemp(prefix=f"{arguments.name}-", dir=arguments.cache))
    bench = Bench(
        runs=arguments.runs or (2 if arguments.quick else 5),
        quick=arguments.quick,
        cache=arguments.cache,
        scratch=scratch,
    )
    try:
        rows = WORKLOADS[arguments.name](bench)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for row in rows:
        beside = f", ratio {spread(row.ratios(), ratio)}" if row.base else ""
        base = f", {row.baseline} {spread(row.base)}" if row.base else ""
        print(f"{row.verdict()}: {row.name}: {spread(row.ours)} {row.unit}{base}{beside}")
        if row.note:
            print(f"  {row.note}")
    result = {"name": arguments.name, "rows": [row.as_dict() for row in rows], "error": ""}
    if arguments.out != OUT:
        arguments.out.write_text(json.dumps({"workloads": [result]}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
