"""After a power cut: nothing leaves the WAL before its files, log entry and directories are on disk (seen by strace)."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed; scripts/setup dev installs it"
)

PROGRAM = """
import sys
from pathlib import Path
from flightdb.app import App
from flightdb.model.record import Record
from tests.conftest import settings_for

app = App.start(settings_for(Path(sys.argv[1]), buffer__wal__max_size="8MiB", buffer__wal__segment_size="1MiB"))
for part in range(3):
    rows = [Record(f"a{n}", 1, {"text": "x" * 500}) for n in range(3000)]
    app.service.write_records({"t": rows})
app.service.flush("t")
app.stop()
"""

CALL = re.compile(r"(fsync|fdatasync|unlink|unlinkat)\((.*)\)\s+= 0")


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """(call, path below the data directory), in order; failed calls left out."""
    root = tmp_path_factory.mktemp("order")
    data, trace = root / "data", root / "trace"
    subprocess.run(
        [
            *("strace", "-f", "-y", "-s", "256", "-o", str(trace)),
            *("-e", "trace=fsync,fdatasync,unlink,unlinkat"),
            *(sys.executable, "-c", PROGRAM, str(data)),
        ],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[2],
    )
    found = []
    for line in joined(trace.read_text().splitlines()):
        if match := CALL.search(line):
            paths = re.findall(r'[<"](/[^>"]*)[>"]', match[2])
            if paths:
                path = paths[-1] if not match[2].endswith("0") else "/".join(paths)
                found.append((match[1], path.removeprefix(f"{data}/")))
    return found


def joined(lines: list[str]) -> list[str]:
    """Calls that another thread interrupted in the trace, put together at the place where they end."""
    pending: dict[str, str] = {}
    whole = []
    for line in lines:
        thread, _, rest = line.partition(" ")
        if rest.endswith("<unfinished ...>"):
            pending[thread] = rest.removesuffix("<unfinished ...>").rstrip()
        elif "resumed>" in rest:
            whole.append(pending.pop(thread, "") + rest.partition("resumed>")[2])
        else:
            whole.append(rest)
    return whole


def first(calls: list[tuple[str, str]], kind: str, pattern: str) -> int:
    places = [
        number
        for number, (call, path) in enumerate(calls)
        if call.startswith(kind) and re.search(pattern, path)
    ]
    assert places, (kind, pattern, calls)
    return places[0]


def test_files_log_and_directories_are_synced_before_the_wal_lets_go(calls):
    gone = first(calls, "unlink", r"(^|/)wal/.*\d")
    wal = first(calls, "fdatasync", r"^wal/")
    parquet = first(calls, "fsync", r"\.parquet$")
    folder = first(calls, "fsync", r"^tables/t/_packed/\d{4}-\d\d-\d\d$")
    entry = first(calls, "fsync", r"^tables/t/_delta_log/0*1\.json$")
    log_folder = [
        number
        for number, (call, path) in enumerate(calls)
        if call == "fsync" and path == "tables/t/_delta_log" and number > entry
    ]

    assert wal < parquet < entry < gone
    assert folder < entry
    assert log_folder
    assert log_folder[0] < gone
