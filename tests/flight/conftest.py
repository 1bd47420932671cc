"""Connections to the running server, by the stock ADBC driver and by plain pyarrow.flight."""

import adbc_driver_flightsql.dbapi
import pytest
from pyarrow import flight


def connect(url: str, **options: object):
    """A stock DBAPI connection; it says once that there are no transactions, which is true."""
    with pytest.warns(Warning, match="Cannot disable autocommit"):
        return adbc_driver_flightsql.dbapi.connect(url, **options)


@pytest.fixture(scope="module")
def url(app):
    return f"grpc://127.0.0.1:{app.flight_port}"


@pytest.fixture
def connection(url):
    with connect(url) as opened:
        yield opened


@pytest.fixture
def cursor(connection):
    with connection.cursor() as opened:
        yield opened


@pytest.fixture
def client(url):
    with flight.connect(url) as opened:
        yield opened
