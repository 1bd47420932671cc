"""Errors on the wire: codes, size of headers, and no traceback in any of them."""

import inspect
import json

import grpc
import pytest
from pyarrow import flight

from flightdb import errors
from flightdb.flight.errors import HEADER_BYTES_MAX, cut, to_wire

GET_INFO = "/arrow.flight.protocol.FlightService/GetFlightInfo"


def raw_error(port: int, command: bytes) -> grpc.RpcError:
    """What a client that speaks bare gRPC gets for a descriptor with `command`."""
    size = len(command)
    descriptor = bytearray(b"\x08\x02\x12")
    while size > 0x7F:
        descriptor.append(size & 0x7F | 0x80)
        size >>= 7
    descriptor.append(size)
    with (
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        channel.unary_unary(GET_INFO)(bytes(descriptor) + command)
    return refused.value


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1", grpc.StatusCode.INVALID_ARGUMENT),
        ("SELECT * FROM not_there", grpc.StatusCode.NOT_FOUND),
        ("SELECT * FROM read_csv('/etc/passwd')", grpc.StatusCode.PERMISSION_DENIED),
        ("SELECT " + "é" * 100_000, grpc.StatusCode.INVALID_ARGUMENT),
    ],
)
def test_an_error_has_its_code_small_headers_and_no_traceback(app, sql, code):
    error = raw_error(app.flight_port, sql.encode())
    told = [error.details().encode()]
    told += [v if isinstance(v, bytes) else v.encode() for _, v in error.trailing_metadata()]
    assert error.code() is code
    assert sum(len(text) for text in told) < 6000
    for text in told:
        assert b"Traceback" not in text
        assert b".py" not in text


def kinds() -> list[type[errors.FlightdbError]]:
    return [
        kind
        for _, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.FlightdbError)
    ]


@pytest.mark.parametrize("kind", kinds())
def test_every_error_has_a_flight_error_and_keeps_its_slug(kind):
    wire = to_wire(kind("what: which, name=x"), "q1")
    assert "what: which, name=x" in str(wire)
    if isinstance(wire, flight.FlightError):
        document = json.loads(wire.extra_info)
        assert document["error"] == kind.slug
        assert document["query_id"] == "q1"
        assert 400 <= document["code"] < 600


def test_overload_says_when_to_come_back():
    wire = to_wire(errors.Overloaded("queue is full", retry_after_s=2.5))
    assert isinstance(wire, flight.FlightUnavailableError)
    assert json.loads(wire.extra_info)["retry_after"] == 2.5


def test_a_defect_is_named_by_its_query_only(capsys):
    wire = to_wire(ZeroDivisionError("division of secret by zero"), "q7")
    assert isinstance(wire, flight.FlightInternalError)
    assert "q7" in str(wire)
    assert "secret" not in str(wire)
    shown = capsys.readouterr()
    assert "division of secret by zero" in shown.out + shown.err


@pytest.mark.parametrize("text", ["a", "é", "😀", "\n", '"'])
def test_a_message_is_cut_to_what_headers_hold(text):
    short = cut(text * 100_000)
    assert short.endswith("...")
    assert len(short.encode()) <= HEADER_BYTES_MAX
    assert cut(text * 10) == text * 10
