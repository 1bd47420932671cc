"""Rewriting, case by case: `cases/*.sql` holds a statement and after `=>` what it becomes, or after `!!` the error."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from flightdb import errors
from flightdb.planner.plan import PlannedQuery
from tests.planner.conftest import Planner


@dataclass(frozen=True)
class Case:
    title: str
    sql: str
    expected: str
    error: str


def read_cases() -> list[Case]:
    found = []
    for path in sorted((Path(__file__).parent / "cases").glob("*.sql")):
        for block in path.read_text().strip().split("\n\n"):
            title, sql, outcome = block.split("\n")
            name = f"{path.stem}: {title.removeprefix('-- ')}"
            rewritten = outcome.removeprefix("=> ") if outcome.startswith("=> ") else ""
            found.append(Case(name, sql, rewritten, outcome.removeprefix("!! ")))
    return found


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.title)
def test_a_statement_is_rewritten(planner: Planner, case: Case) -> None:
    if not case.expected:
        with pytest.raises(getattr(errors, case.error)):
            planner.plan(case.sql)
        return
    planned = planner.plan(case.sql)
    assert isinstance(planned, PlannedQuery)
    assert planned.sql == case.expected
