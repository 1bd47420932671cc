"""`bench/report.md` from the results of a run."""

import json
from pathlib import Path
from typing import Any

from bench.measure import Goal, Row, ratio, spread

NOTES = Path(__file__).parent / "notes"


def write(results: Path, report: Path) -> None:
    found = json.loads(results.read_text())
    parts = [_head(found), _table(found["workloads"]), _failed(found["workloads"])]
    parts += [_notes(found["workloads"]), _machine(found["machine"])]
    report.write_text("\n\n".join(part for part in parts if part) + "\n")


def _head(found: dict[str, Any]) -> str:
    machine = found["machine"]
    mark = ", with changes that are not committed" if machine["is_dirty"] else ""
    quick = " **A quick run: small data, few turns; not for judging.**" if found["quick"] else ""
    return (
        "# What flightdb costs\n\n"
        "<!-- Written by `bench/run.py report`. -->\n\n"
        f"Commit {machine['commit']}{mark}, {machine['date']}.{quick} How it is measured and what each "
        "baseline is: [README.md](README.md). Every figure is the median of the turns with "
        "`[lowest..highest]`; flightdb and its baseline take turns in one run, and a ratio is that "
        "of one pair of turns (flightdb / baseline)."
    )


def _table(workloads: list[dict[str, Any]]) -> str:
    lines = [
        "| workload | goal | ratio | flightdb | baseline | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for workload in workloads:
        for each in workload["rows"]:
            row = _row(each)
            goal = " and ".join(goal.text() for goal in row.goals) or "-"
            base = f"{spread(row.base)} {row.unit} ({row.baseline})" if row.base else row.baseline
            verdict = row.verdict()
            lines.append(
                f"| {row.name} | {goal} | {spread(row.ratios(), ratio)} "
                f"| {spread(row.ours)} {row.unit} | {base or '-'} "
                f"| {'**missed**' if verdict == 'missed' else verdict} |"
            )
    return "\n".join(lines)


def _row(each: dict[str, Any]) -> Row:
    fields = {name: value for name, value in each.items() if name != "verdict"}
    return Row(**{**fields, "goals": [Goal(**goal) for goal in each["goals"]]})


def _failed(workloads: list[dict[str, Any]]) -> str:
    lines = [f"- {w['name']}: {w['error']}" for w in workloads if w["error"]]
    return "\n".join(["## Not measured", "", *lines]) if lines else ""


def _notes(workloads: list[dict[str, Any]]) -> str:
    """What the runs noted and, where a goal is missed, `notes/<workload>.md`: the profile."""
    parts = []
    for workload in workloads:
        lines = [f"- {row['name']}: {row['note']}" for row in workload["rows"] if row["note"]]
        file = NOTES / f"{workload['name']}.md"
        is_missed = any(row["verdict"] == "missed" for row in workload["rows"])
        if is_missed and file.exists():
            lines += ["", file.read_text().strip()]
        elif is_missed:
            lines += ["", "Missed, and not explained yet."]
        if lines:
            parts.append("\n".join([f"### {workload['name']}", "", *lines]))
    return "\n\n".join(["## Notes", *parts]) if parts else ""


def _machine(machine: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {text}" for name, text in machine["versions"].items())
    tools = ", ".join(tool for tool in (machine["wrk"], machine["ghz"]) if tool)
    return (
        "## Machine\n\n"
        f"{machine['cores']} cores ({machine['cpu']}), {machine['memory_gb']} GB of memory, "
        f"{machine['kernel']}; 4 KiB and fdatasync take {machine['fdatasync_ms']} ms; load before the "
        f"run {machine['load_1_min']}.\n\n"
        f"Python {machine['python']}, {versions}; {tools}."
    )
