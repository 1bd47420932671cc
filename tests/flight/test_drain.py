"""Going down: new calls are refused, running ones get their time, the rest is stopped."""

import time

import pytest
from pyarrow import flight

from flightdb.app import App
from flightdb.errors import FlightdbError, Unavailable
from flightdb.flight.middleware import Traffic
from flightdb.flight.server import FlightDoor
from tests.conftest import settings_for


def test_draining_refuses_new_calls_and_waits_for_running_ones():
    traffic = Traffic()
    traffic.enter()
    assert traffic.drain(0.05) is False
    with pytest.raises(Unavailable, match="draining"):
        traffic.enter()
    traffic.leave()
    assert traffic.drain(0.05) is True


def test_a_running_query_does_not_keep_the_server_from_stopping(tmp_path):
    app = App.start(settings_for(tmp_path / "data", server__drain_timeout=0.5))
    try:
        with flight.connect(f"grpc://127.0.0.1:{app.flight_port}") as client:
            endless = "SELECT a.range AS i FROM range(100000) a, range(100000) b"
            info = client.get_flight_info(flight.FlightDescriptor.for_command(endless))
            reader = client.do_get(info.endpoints[0].ticket)
            reader.read_chunk()
            started_s = time.monotonic()
            app.stop()
            with pytest.raises((flight.FlightError, OSError)):
                read_to_the_end(reader)
    finally:
        app.stop()
    assert time.monotonic() - started_s < 10


def read_to_the_end(reader) -> None:
    for _ in reader.to_reader():
        pass


def test_a_port_that_is_taken_is_named(app):
    door = FlightDoor(
        app.service,
        host="127.0.0.1",
        port=app.flight_port,
        secret=b"s",
        auto_create=True,
        clock=None,
        ids=None,
    )
    with pytest.raises(FlightdbError, match=f"host=127.0.0.1, flight_port={app.flight_port}"):
        door.start()
