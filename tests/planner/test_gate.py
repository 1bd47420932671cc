"""The allow-list, against a corpus of attacks and one of ordinary statements."""

import time
from pathlib import Path

import pytest

from flightdb.errors import InvalidQuery, PermissionDenied, TooLarge
from flightdb.planner.functions import allow_list
from flightdb.planner.gate import NODES_MAX, SQL_BYTES_MAX
from flightdb.planner.plan import PlannedQuery
from tests.planner.conftest import Planner, lines

HOSTILE = lines("hostile.sql")
INNOCENT = lines("innocent.sql")


def test_the_corpora_are_large_enough() -> None:
    assert len(set(HOSTILE)) >= 150
    assert len(set(INNOCENT)) >= 80


@pytest.mark.parametrize("sql", HOSTILE)
def test_an_attack_is_refused(planner: Planner, sql: str) -> None:
    with pytest.raises((PermissionDenied, InvalidQuery)) as refused:
        planner.plan(sql)

    assert refused.value.message
    assert len(refused.value.message.encode()) <= 2048


@pytest.mark.parametrize("sql", INNOCENT)
def test_an_ordinary_statement_is_accepted(planner: Planner, sql: str) -> None:
    planner.plan(sql)


def test_a_refusal_says_which(planner: Planner) -> None:
    expected = {
        "SELECT * FROM '/etc/passwd'": "relation='/etc/passwd'",
        "SELECT * FROM read_text('/etc/passwd')": "function=read_text",
        "SELECT getenv('HOME')": "function=getenv",
        "SELECT * FROM information_schema.tables": "relation=information_schema.tables",
        "COPY users TO 'x'": "statement=COPY",
        "WITH x AS (DELETE FROM users) SELECT 1": "statement=DELETE",
        "SELECT * FROM other.users": "relation=other.users",
        "CREATE VIEW v AS SELECT 1": "CREATE VIEW",
        "SHOW TABLES": "SHOW",
    }
    for sql, words in expected.items():
        with pytest.raises(PermissionDenied, match=words):
            planner.plan(sql)


def test_what_the_gate_refuses_the_engine_cannot_read_either(
    planner: Planner, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("word\nxyzzy\n")
    for sql in (f"SELECT * FROM '{secret}'", f"SELECT * FROM read_text('{secret}')"):
        with pytest.raises(PermissionDenied):
            planner.plan(sql)
        with pytest.raises(Exception, match=r"(?i)permission|not allowed|does not exist") as direct:
            planner.engine._rows(sql)
        assert "xyzzy" not in str(direct.value)


def test_a_statement_of_a_megabyte_is_refused_fast(planner: Planner) -> None:
    sql = "SELECT '" + "x" * (1 << 20) + "'"
    started = time.perf_counter()
    with pytest.raises(TooLarge, match=f"limit_bytes={SQL_BYTES_MAX}"):
        planner.plan(sql)
    assert time.perf_counter() - started < 0.05


def test_deep_and_wide_statements_are_refused(planner: Planner) -> None:
    for sql in (
        "SELECT " + "(" * 2000 + "1" + ")" * 2000 + " + x",
        "SELECT " + "-".join(["age"] * 3000) + " FROM users",
        "SELECT " + "abs(" * 600 + "1" + ")" * 600,
        "SELECT * FROM " + "(SELECT * FROM " * 300 + "users" + ")" * 300,
    ):
        with pytest.raises((InvalidQuery, TooLarge)):
            planner.plan(sql)
    with pytest.raises(TooLarge, match=f"limit_nodes={NODES_MAX}"):
        planner.plan("SELECT " + ",".join(["a"] * (NODES_MAX + 1)) + " FROM plain")


def test_a_long_list_of_literals_is_fine(planner: Planner) -> None:
    planner.plan("SELECT * FROM users WHERE age IN (" + ",".join(map(str, range(30_000))) + ")")


@pytest.mark.parametrize(
    ("sql", "is_deterministic"),
    [
        ("SELECT age FROM users", True),
        ("SELECT sum(age) OVER () FROM users", True),
        ("SELECT now()", False),
        ("SELECT current_date", False),
        ("SELECT CURRENT_TIMESTAMP", False),
        ("SELECT today()", False),
        ("SELECT random()", False),
        ("SELECT gen_random_uuid()", False),
        ("SELECT age(TIMESTAMP '2024-01-01')", False),
        ("SELECT * FROM users WHERE timestamp > now() - INTERVAL 1 DAY", False),
        ("WITH x AS (SELECT random() r) SELECT * FROM x", False),
        ("SELECT * FROM users TABLESAMPLE 10%", False),
        ("SELECT * FROM users USING SAMPLE 5", False),
    ],
)
def test_a_query_tells_whether_its_answer_may_be_kept(
    planner: Planner, sql: str, is_deterministic: bool
) -> None:
    planned = planner.plan(sql)
    assert isinstance(planned, PlannedQuery)
    assert planned.is_deterministic is is_deterministic


def test_new_functions_of_the_engine_are_looked_at_before_they_are_allowed(
    planner: Planner,
) -> None:
    recorded = set((Path(__file__).parent / "functions.txt").read_text().split("\n")) - {""}
    allowed = set(allow_list(planner.engine.functions()).allowed)
    assert allowed - recorded == set()
