"""The flights of New York in 2013, loaded by the command, queried through every door."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import adbc_driver_flightsql.dbapi as flightsql
import duckdb
import grpc
import pytest

from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2, miniodb_pb2_grpc
from flightdb.rpc.generated.olap.v1 import olap_pb2, olap_pb2_grpc
from tests.stories.loading import flights_folder

FLIGHTS = 336_776
TABLES = ("airlines", "airports", "flights", "planes", "weather")
QUERIES = {
    "count": "SELECT count(*) AS n FROM flights",
    "join": """
        SELECT a.name, count(*) AS n, round(avg(f.arr_delay), 6) AS late
        FROM flights f JOIN airlines a USING (carrier) GROUP BY a.name ORDER BY n DESC, a.name""",
    "two joins": """
        SELECT p.manufacturer, a.name, sum(f.distance) AS miles
        FROM flights f JOIN planes p USING (tailnum) JOIN airlines a USING (carrier)
        GROUP BY ALL ORDER BY miles DESC, 1, 2 LIMIT 20""",
    "window": """
        SELECT month, dest, n, rank() OVER (PARTITION BY month ORDER BY n DESC, dest) AS place
        FROM (SELECT month, dest, count(*) AS n FROM flights GROUP BY month, dest)
        QUALIFY place <= 3 ORDER BY month, place""",
    "nulls": "SELECT count(*) - count(dep_time) AS cancelled FROM flights",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return flights_folder(tmp_path_factory.mktemp("flights"))


@pytest.fixture(scope="module")
def loaded(app, folder: Path) -> Iterator[object]:
    for table in TABLES:
        done = run("load", str(folder / f"{table}.csv"), "--table", table, app=app)
        assert done.returncode == 0, done.stderr
    return app


@pytest.fixture(scope="module")
def alone(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for table in TABLES:
            connection.execute(
                f"CREATE TABLE {table} AS FROM read_csv('{folder}/{table}.csv', nullstr=['NA', ''])"
            ).fetchall()
        yield connection


def run(*arguments: str, app) -> subprocess.CompletedProcess:
    environment = {**os.environ, "FLIGHTDB_URL": f"grpc://127.0.0.1:{app.flight_port}"}
    return subprocess.run(
        [sys.executable, "-m", "flightdb", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def over_adbc(app, sql: str) -> list[dict]:
    uri = f"grpc://127.0.0.1:{app.flight_port}"
    with flightsql.connect(uri, autocommit=True) as to, to.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetch_arrow_table().to_pylist()


def over_rest(app, sql: str) -> list[dict]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{app.rest_port}/v1/query",
        json.dumps({"sql": sql}).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(json.load(answer)["result_json"])


def over_grpc(app, sql: str) -> list[dict]:
    with grpc.insecure_channel(f"127.0.0.1:{app.grpc_port}") as channel:
        stub = miniodb_pb2_grpc.MinIODBServiceStub(channel)
        answer = stub.QueryData(miniodb_pb2.QueryDataRequest(sql=sql), timeout=60)
        old = olap_pb2_grpc.OlapServiceStub(channel).Query(olap_pb2.QueryRequest(sql=sql))
        assert json.loads(old.result_json) == json.loads(answer.result_json)
        return json.loads(answer.result_json)


@pytest.mark.parametrize("door", [over_adbc, over_rest, over_grpc])
@pytest.mark.parametrize("name", QUERIES)
def test_every_door_gives_duckdbs_answer(name: str, door, loaded, alone):
    ours = door(loaded, QUERIES[name])
    columns = [column[0] for column in alone.sql(QUERIES[name]).description]
    theirs = [dict(zip(columns, row, strict=True)) for row in alone.sql(QUERIES[name]).fetchall()]
    assert [plain(row) for row in ours] == [plain(row) for row in theirs]


def plain(row: dict) -> dict:
    """A row as JSON can say it: whole numbers of any width are one."""
    return {
        name: int(value) if str(value).lstrip("-").isdigit() else value
        for name, value in row.items()
    }


def test_all_flights_are_there(loaded):
    assert over_rest(loaded, QUERIES["count"]) == [{"n": FLIGHTS}]


def test_the_command_answers_too(loaded):
    done = run("sql", "SELECT count(*) AS n FROM flights", "--output", "csv", app=loaded)
    assert (done.returncode, done.stdout.split()) == (0, ['"n"', str(FLIGHTS)]), done.stderr
