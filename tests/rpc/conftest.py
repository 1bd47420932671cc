import grpc
import pytest
from rpc_double import FixedClock, ListService

from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2_grpc
from flightdb.rpc.generated.olap.v1 import olap_pb2_grpc
from flightdb.rpc.server import RpcDoor


@pytest.fixture
def service():
    return ListService()


@pytest.fixture
def observed():
    """(door, method, status) of every call that ended."""
    return []


@pytest.fixture
def door(service, observed):
    def observe(door, method, status, seconds):
        assert seconds >= 0
        observed.append((door, method, status))

    door = RpcDoor(service, host="127.0.0.1", port=0, clock=FixedClock(), observe=observe)
    door.start()
    yield door
    door.stop()


@pytest.fixture
def channel(door):
    with grpc.insecure_channel(
        f"127.0.0.1:{door.port}", [("grpc.max_send_message_length", -1)]
    ) as channel:
        yield channel


@pytest.fixture
def olap_stub(channel):
    return olap_pb2_grpc.OlapServiceStub(channel)


@pytest.fixture
def miniodb_stub(channel):
    return miniodb_pb2_grpc.MinIODBServiceStub(channel)
