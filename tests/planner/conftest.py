"""Tables to plan against and the real engine's parser."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest

from flightdb.engine.duckdb import DuckDBEngine
from flightdb.errors import NotFound
from flightdb.model.table import Table, TableKind, record_schema
from flightdb.planner.functions import AllowList, allow_list
from flightdb.planner.statement import PlannedStatement, plan_statement

USERS = Table(
    "users",
    "1",
    TableKind.RECORD,
    record_schema(
        pa.schema(
            [
                ("age", pa.int64()),
                ("name", pa.string()),
                ("address", pa.string()),
                ("score", pa.float64()),
            ]
        )
    ),
    id_column="id",
    time_column="timestamp",
)
PLAIN = Table(
    "plain",
    "2",
    TableKind.PLAIN,
    pa.schema(
        [
            ("a", pa.int32()),
            ("b", pa.float64()),
            ("ts", pa.timestamp("us")),
            ("payload", pa.string()),
        ]
    ),
)
ODD = Table(
    "odd",
    "3",
    TableKind.PLAIN,
    pa.schema(
        [(name, pa.string()) for name in ("delete", "a--b", "select", "user", "error", "query")]
    ),
)
EVENTS = Table(
    "events",
    "4",
    TableKind.RECORD,
    record_schema(pa.schema([("age", pa.int64()), ("kind", pa.string())])),
    id_column="id",
    time_column="timestamp",
)
TABLES = {table.name: table for table in (USERS, PLAIN, ODD, EVENTS)}


def find_table(name: str) -> Table:
    if name.lower() not in TABLES:
        raise NotFound(f"table not found: name={name}")
    return TABLES[name.lower()]


@dataclass(frozen=True)
class Planner:
    engine: DuckDBEngine
    functions: AllowList
    find: Callable[[str], Table] = find_table

    def plan(self, sql: str) -> PlannedStatement:
        return plan_statement(sql, self.find, self.engine.parse, self.engine.render, self.functions)


@pytest.fixture(scope="session")
def planner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planner]:
    root = tmp_path_factory.mktemp("planner")
    engine = DuckDBEngine(data_dir=root / "data", temp_dir=root / "temp")
    yield Planner(engine, allow_list(engine.functions()))
    engine.close()


def lines(name: str) -> list[str]:
    """The statements of a corpus file, one a line."""
    text = (Path(__file__).parent / name).read_text()
    return [line for line in text.splitlines() if line and not line.startswith("-- ")]
