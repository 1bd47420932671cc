"""Health of both kinds, and reflection."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2 as miniodb
from flightdb.rpc.generated.olap.v1 import olap_pb2 as olap

NAMES = ["olap.v1.OlapService", "miniodb.v1.MinIODBService", "miniodb.v1.AuthService"]


@pytest.mark.parametrize("name", ["", *NAMES, "grpc.health.v1.Health"])
def test_each_service_is_serving_unless_the_core_is_unhealthy(channel, service, name):
    stub = health_pb2_grpc.HealthStub(channel)
    request = health_pb2.HealthCheckRequest(service=name)

    before = stub.Check(request).status
    service.status_text = "unhealthy"
    after = stub.Check(request).status

    assert (before, after) == (
        health_pb2.HealthCheckResponse.SERVING,
        health_pb2.HealthCheckResponse.NOT_SERVING,
    )


def test_an_unknown_service_is_not_found(channel):
    with pytest.raises(grpc.RpcError) as caught:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service="x"))

    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_watcher_hears_at_once_that_the_door_drains(channel, door):
    states = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
    first = next(states).status

    door.drain(10)

    assert first == health_pb2.HealthCheckResponse.SERVING
    assert [state.status for state in states] == [health_pb2.HealthCheckResponse.NOT_SERVING]


def test_both_services_tell_their_health(olap_stub, miniodb_stub):
    whole = olap_stub.HealthCheck(olap.HealthCheckRequest(components=["store", "redis"]))
    other = miniodb_stub.HealthCheck(miniodb.HealthCheckRequest())

    assert whole.overall_status == "healthy"
    assert whole.component_status["store"].status == "healthy"
    assert whole.component_status["redis"].status == "unknown"
    assert (other.status, other.version) == ("healthy", "0.1.0")
    assert other.details == {"store": "healthy: a line"}
    assert other.timestamp.seconds == 1_700_000_000


def test_reflection_lists_the_services_and_gives_their_files(channel):
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=NAMES[0]),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=f"{NAMES[0]}.Write"),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=f"{NAMES[0]}.Wrong"),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="nothing"),
    ]

    listed, file, of_method, *unknown = stub.ServerReflectionInfo(iter(requests))

    assert {service.name for service in listed.list_services_response.service} >= {
        *NAMES,
        "grpc.health.v1.Health",
    }
    assert file.file_descriptor_response.file_descriptor_proto
    assert of_method.file_descriptor_response == file.file_descriptor_response
    assert [answer.WhichOneof("message_response") for answer in unknown] == ["error_response"] * 2
