"""TPC-H: data from `tpchgen-cli`, the 22 queries from the `pysail` package."""

import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.clients import ingest
from bench.measure import Bench, say

TABLES = (
    "customer",
    "lineitem",
    "nation",
    "orders",
    "part",
    "partsupp",
    "region",
    "supplier",
)

BATCH_ROWS = 65_536
"""The ADBC driver sends no message over 16 MiB, and a batch is one; row groups are larger."""


def folder(bench: Bench) -> Path:
    """The Parquet files, one a table; made once and kept in the cache."""
    scale = "0.1" if bench.quick else "1"
    target = bench.cache / "tpch" / f"sf{scale}"
    if not target.exists():
        draft = target.with_suffix(".part")
        shutil.rmtree(draft, ignore_errors=True)
        tool = shutil.which("tpchgen-cli") or str(Path(sys.executable).parent / "tpchgen-cli")
        command = [tool, "parquet", "-s", scale, "--output-dir", str(draft)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        draft.rename(target)
    return target


def table(bench: Bench, name: str) -> pa.Table:
    return pq.read_table(folder(bench) / f"{name}.parquet")


def load(bench: Bench, connection: Any, *names: str) -> None:
    """`names`, or all tables, into flightdb by `adbc_ingest`."""
    for name in names or TABLES:
        ingest(connection, name, table(bench, name).to_reader(BATCH_ROWS))
        say(f"loaded {name}")


def files_of(data_dir: Path, name: str) -> list[str]:
    """flightdb's own Parquet files of a table, as its Delta log names them."""
    from deltalake import DeltaTable

    found = [log.parent for log in data_dir.rglob("_delta_log") if log.parent.name == name]
    (place,) = found
    return sorted(DeltaTable(str(place)).file_uris())


def queries() -> dict[int, str]:
    """By number. Query 15's view is written as a common table expression."""
    place = files("pysail") / "data" / "tpch" / "queries"
    texts = {n: (place / f"q{n}.sql").read_text() for n in range(1, 23)}
    return {n: _one_statement(text) for n, text in texts.items()}


def _one_statement(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    statements = [part.strip() for part in "\n".join(lines).split(";") if part.strip()]
    if len(statements) == 1:
        return statements[0]
    view, query, _ = statements
    return f"with {view.removeprefix('create view ').replace(' as', ' as (', 1)})\n{query}"
