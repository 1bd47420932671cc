"""TPC-H through ADBC: eight tables in by `adbc_ingest`, 22 queries out, equal to DuckDB on the same Parquet."""

import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import adbc_driver_flightsql.dbapi as flightsql
import duckdb
import pyarrow.parquet as pq
import pytest

from tests.stories.loading import TPCH_TABLES, tpch_folder, tpch_queries

SCALE = 0.1
QUERIES = tpch_queries()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tpch_folder(tmp_path_factory.mktemp("tpch"), SCALE)


@pytest.fixture(scope="module")
def alone(data: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for table in TPCH_TABLES:
            connection.execute(
                f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{data}/{table}.parquet')"
            ).fetchall()
        yield connection


@pytest.fixture(scope="module")
def served(app, data: Path) -> Iterator[flightsql.Connection]:
    uri = f"grpc://127.0.0.1:{app.flight_port}"
    with flightsql.connect(uri, autocommit=True) as connection:
        with connection.cursor() as cursor:
            for table in TPCH_TABLES:
                file = pq.ParquetFile(data / f"{table}.parquet")
                with file:
                    rows = cursor.adbc_ingest(table, file.iter_batches(), mode="create")
                    assert rows == file.metadata.num_rows
        yield connection


@pytest.mark.parametrize("name", QUERIES)
def test_the_answer_is_duckdbs_own(name: str, served, alone):
    with served.cursor() as cursor:
        cursor.execute(QUERIES[name])
        ours = cursor.fetch_arrow_table()
    theirs = alone.sql(QUERIES[name]).to_arrow_table()

    assert ours.column_names == theirs.column_names
    assert ours.num_rows == theirs.num_rows
    assert ours.num_rows > 0
    for mine, other in zip(ours.to_pylist(), theirs.to_pylist(), strict=True):
        for column, value in mine.items():
            assert same(value, other[column]), (name, column, value, other[column])


def same(one: object, other: object) -> bool:
    """Equal; floating point up to the order of summation."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    if isinstance(one, Decimal) or isinstance(other, Decimal):
        return Decimal(str(one)) == Decimal(str(other))
    return one == other
