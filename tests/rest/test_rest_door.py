"""Starting, draining, routes that do not exist, ids and counts of requests."""

import threading
import time

import httpx
import pytest
from prometheus_client import CollectorRegistry
from rest_double import FixedClock, SmallService

from flightdb.errors import Unavailable
from flightdb.rest.server import RestDoor


def new_door(service, port=0, host="127.0.0.1"):
    clock, registry = FixedClock(), CollectorRegistry()
    return RestDoor(service, host=host, port=port, clock=clock, registry=registry)


def test_a_taken_port_is_named(door, service):
    with pytest.raises(Unavailable, match=f"rest_port={door.port}"):
        new_door(service, door.port).start()


def test_a_host_that_is_not_here_is_named(service):
    door = new_door(service, host="192.0.2.1")

    with pytest.raises(Unavailable, match=r"192\.0\.2\.1"):
        door.start()


def test_a_drained_door_takes_no_connection():
    door = new_door(SmallService())
    door.start()
    url = f"http://127.0.0.1:{door.port}/v1/health"
    assert httpx.get(url).status_code == 200

    door.drain(1)

    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    door.stop()


def test_draining_stops_a_query_that_goes_on(service):
    slow = SmallService()
    door = new_door(slow)
    door.start()
    url = f"http://127.0.0.1:{door.port}/v1/query"

    answers = []

    def ask():
        answers.append(httpx.post(url, json={"sql": "slow"}, timeout=20))

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.3)
    started = time.monotonic()
    door.drain(1)
    door.stop()
    asking.join()

    assert time.monotonic() - started < 4
    assert answers[0].status_code == 503
    assert answers[0].json()["error"] == "service_unavailable"
    assert answers[0].json()["message"].startswith("server is shutting down: ")
    deadline = time.monotonic() + 2
    while not slow.stopped_queries and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(slow.stopped_queries) == 1


def test_unknown_paths_and_methods_have_the_shape_of_all_errors(client):
    missing = client.get("/v2/nothing")
    wrong = client.patch("/v1/tables/x")

    assert missing.status_code == 404
    assert missing.json()["error"] == "not_found"
    assert wrong.status_code == 405
    assert wrong.json() == {
        "error": "method_not_allowed",
        "code": 405,
        "message": "method is not served here: see the allow header",
    }
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD", "DELETE"}


def test_a_request_id_is_given_or_the_clients_own(client):
    first = client.get("/v1/health").headers["x-request-id"]
    second = client.get("/v1/health").headers["x-request-id"]
    own = client.get("/v1/health", headers={"x-request-id": "mine-7"}).headers["x-request-id"]
    long = client.get("/v1/health", headers={"x-request-id": "x" * 999}).headers["x-request-id"]

    assert first != second
    assert own == "mine-7"
    assert len(long) < 100


def test_no_answer_is_to_be_sniffed_and_the_page_not_to_be_framed(client):
    for path in ("/v1/health", "/nothing", "/docs"):
        assert client.get(path).headers["x-content-type-options"] == "nosniff"

    assert client.get("/docs").headers["x-frame-options"] == "DENY"


def test_requests_are_counted_by_route_and_outcome(client, observed):
    client.get("/v1/tables/none-of-it")
    client.get("/v1/health")
    client.get("/whatever/a/client/makes/up")

    assert [(door, route, word) for door, route, word, _ in observed] == [
        ("rest", "GET /v1/tables/{name}", "not_found"),
        ("rest", "GET /v1/health", "ok"),
        ("rest", "GET unknown", "not_found"),
    ]
    assert all(0 < seconds < 5 for *_, seconds in observed)
