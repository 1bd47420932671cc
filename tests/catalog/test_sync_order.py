"""After a power loss: what a commit promises is on disk before the commit returns (seen by strace)."""

import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed; CI installs it"
)

PROGRAM = """
import os, sys
from pathlib import Path
import pyarrow as pa
from flightdb.catalog.delta import DeltaCatalog
from flightdb.model.segment import Segment
from flightdb.model.snapshot import Commit
from flightdb.model.table import Table, TableKind
from flightdb.storage.objects import LocalStore
from flightdb.storage.parquet import write_parquet

class Clock:
    def now_us(self): return 1
    def monotonic_s(self): return 0.0

def mark(text):
    os.write(2, f"MARK {text}".encode())

root = Path(sys.argv[1])
store = LocalStore(root / "store")
catalog = DeltaCatalog.open(store, Clock())
mark("create")
table = catalog.create(Table("t", "", TableKind.PLAIN, pa.schema([("n", pa.int64())]))).table
mark("flush")
written = write_parquet(root / "flush", pa.table({"n": [1]}))
store.put_file("t/a/2026-01-01/1.parquet", root / "flush")
mark("commit")
for number in range(1, 100):
    added = (Segment("a/2026-01-01/1.parquet", 1, written.size_bytes, written.stats),)
    if number == 99:
        mark("checkpoint")
    catalog.commit(Commit(table, added if number == 1 else (), positions={"w": number}))
    if number == 1:
        mark("committed")
mark("drop")
catalog.drop(table)
mark("end")
"""

SYNCED = re.compile(r"f(?:data)?sync\(\d+<([^>]*)>(?!.* = -1)")


@pytest.fixture(scope="module")
def synced(tmp_path_factory):
    """Names synced between one mark and the next."""
    root = tmp_path_factory.mktemp("power")
    trace = root / "trace"
    subprocess.run(
        [
            *("strace", "-f", "-y", "-s", "64", "-o", trace, "-e", "trace=fsync,fdatasync,write"),
            *(sys.executable, "-c", PROGRAM, root),
        ],
        check=True,
        capture_output=True,
    )
    phases: dict[str, list[str]] = {"start": []}
    phase = "start"
    for line in trace.read_text().splitlines():
        if match := re.search(r'write\(2<.*"MARK (\w+)"', line):
            phase = match[1]
            phases[phase] = []
        elif match := SYNCED.search(line):
            phases[phase].append(match[1].removeprefix(f"{root}/store"))
    return phases


def test_a_new_table_is_on_disk_before_create_returns(synced):
    done = synced["create"]

    entry = done.index("/t/_delta_log/00000000000000000000.json")
    assert entry < done.index("/t/_delta_log") < done.index("/t")
    assert "" in done  # the store's own folder, which holds the entry for `t`


def test_a_data_file_and_its_new_folders_are_on_disk_before_put_returns(synced):
    done = synced["flush"]

    file = next(i for i, name in enumerate(done) if name.endswith("/flush"))
    assert file < done.index("/t/a/2026-01-01") < done.index("/t/a") < done.index("/t")


def test_a_log_entry_is_on_disk_before_commit_returns(synced):
    done = synced["commit"]

    assert done.index("/t/_delta_log/00000000000000000001.json") < done.index("/t/_delta_log")


def test_a_checkpoint_and_its_hint_are_on_disk_before_commit_returns(synced):
    done = synced["checkpoint"]

    folder = len(done) - 1 - done[::-1].index("/t/_delta_log")
    for name in ("00000000000000000099.checkpoint.parquet", "_last_checkpoint"):
        assert done.index(f"/t/_delta_log/{name}") < folder


def test_a_drop_is_on_disk_before_it_returns(synced):
    done = synced["drop"]

    assert any("_dropped" in name for name in done)
    assert "/t" in done
