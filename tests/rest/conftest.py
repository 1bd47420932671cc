"""The door over a small core, on a port of its own."""

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter
from rest_double import FixedClock, SmallService

from flightdb.rest.app import RestLimits
from flightdb.rest.server import RestDoor

LIMITS = RestLimits(body_bytes_max=4 << 20, query_threads=8, write_threads=4, stall_s_max=2.0)


@pytest.fixture(scope="session")
def running():
    """One door for all tests: a start and a stop for each would take longer than they do."""
    observed = []
    service = SmallService()
    registry = CollectorRegistry()
    Counter("things", "Things.", registry=registry).inc()
    door = RestDoor(
        service, host="127.0.0.1", port=0, clock=FixedClock(), registry=registry, limits=LIMITS
    )
    door.watch(lambda *request: observed.append(request))
    door.start()
    yield door, service, observed
    door.drain(0.1)
    door.stop()


@pytest.fixture
def door(running):
    return running[0]


@pytest.fixture
def service(running):
    running[1].forget()
    return running[1]


@pytest.fixture
def observed(running):
    running[2].clear()
    return running[2]


@pytest.fixture
def client(door, service):
    with httpx.Client(
        base_url=f"http://127.0.0.1:{door.port}",
        timeout=20,
        limits=httpx.Limits(max_keepalive_connections=128),
    ) as client:
        yield client
