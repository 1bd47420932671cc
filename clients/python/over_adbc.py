"""Flight SQL with the stock ADBC driver: `python over_adbc.py grpc://127.0.0.1:8815`."""

import sys

import adbc_driver_flightsql.dbapi as flightsql
import pyarrow as pa


def main(address: str) -> None:
    """Ingests a table, asks it a question with a parameter, drops it."""
    readings = pa.table({"sensor": ["a", "b", "a"], "celsius": [20.5, 21.0, 22.5]})
    with (
        flightsql.connect(address, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.adbc_ingest("example_readings", readings, mode="replace")
        cursor.execute(
            "SELECT sensor, avg(celsius) AS mean FROM example_readings WHERE celsius > ?"
            " GROUP BY sensor ORDER BY sensor",
            (20.0,),
        )
        print(cursor.fetch_arrow_table().to_pylist())
        cursor.execute("DROP TABLE example_readings")


if __name__ == "__main__":
    main(sys.argv[1])
