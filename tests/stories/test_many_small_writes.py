"""A stream of small writes from many clients while queries run; and the same with kill -9 in the middle."""

import json
import time
import urllib.request
from pathlib import Path

from tests.stories.process import Server
from tests.stories.writers import Ledger, Writers

SQL_COUNT = "SELECT count(*) AS n, count(DISTINCT id) AS d FROM events WHERE seq > 0"
SQL_ROWS = "SELECT producer, list(seq ORDER BY seq) AS seqs FROM events GROUP BY producer"


def ask(server: Server, sql: str) -> list[dict]:
    request = urllib.request.Request(
        f"http://{server.rest}/v1/query",
        json.dumps({"sql": sql}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["rows"]


def flush(server: Server) -> None:
    request = urllib.request.Request(
        f"http://{server.rest}/v1/flush", b"{}", {"content-type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=60).close()


def first_row(server: Server) -> None:
    """So that the table is there before the queries are."""
    body = {"table": "events", "id": "first", "payload": {"producer": "first", "seq": 1}}
    request = urllib.request.Request(
        f"http://{server.rest}/v1/data",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()


def check_rows(server: Server, ledger: Ledger) -> int:
    """Every acknowledged row once, no row twice, none that nobody sent; gives the number of rows."""
    rows = 0
    for row in ask(server, SQL_ROWS):
        producer, sequences = row["producer"], row["seqs"]
        rows += len(sequences)
        if producer == "first":
            assert sequences == [1]
            continue
        assert len(set(sequences)) == len(sequences), f"{producer}: a row twice"
        lost = set(ledger.acknowledged[producer]) - set(sequences)
        assert not lost, f"{producer}: acknowledged rows are gone: {sorted(lost)[:10]}"
        assert max(sequences) <= ledger.attempted[producer], f"{producer}: a row nobody sent"
    return rows


def test_counts_never_go_back_and_never_double_while_rows_arrive_and_flush(tmp_path: Path):
    server = Server.start(tmp_path / "data", log=tmp_path / "log")
    first_row(server)
    ledger = Ledger()
    writers = Writers(server.rest, server.grpc, ledger).start()
    until = time.monotonic() + 8
    last, looks, flushes = 0, 0, 0
    while time.monotonic() < until:
        acknowledged = ledger.count()
        [seen] = ask(server, SQL_COUNT)
        assert seen["n"] == seen["d"], "a row was seen twice"
        assert seen["n"] >= last, "the count went back"
        assert seen["n"] >= acknowledged, "an acknowledged row was not seen"
        last = seen["n"]
        looks += 1
        if looks % 10 == 0:
            flush(server)
            flushes += 1
    writers.stop()
    rows = check_rows(server, ledger)
    assert server.stop() == 0
    assert writers.failures == []
    assert looks > 10
    assert flushes > 0
    assert rows == ledger.count() + 1


def test_kill_9_in_the_middle_loses_nothing_acknowledged_and_doubles_nothing(tmp_path: Path):
    ledger = Ledger()
    server = Server.start(tmp_path / "data", log=tmp_path / "log")
    first_row(server)
    for round_number in range(4):
        before = ledger.count()
        writers = Writers(server.rest, server.grpc, ledger, each=8).start()
        time.sleep(1.5)
        if round_number % 2:
            flush(server)
            time.sleep(0.3)
        server.kill()
        writers.stop()
        assert writers.failures == []
        assert ledger.count() > before, "nothing was written in this round"
        server = Server.start(tmp_path / "data", log=tmp_path / "log")
        check_rows(server, ledger)
    assert server.stop() == 0
    server = Server.start(tmp_path / "data", log=tmp_path / "log")
    check_rows(server, ledger)
    assert server.stop() == 0
