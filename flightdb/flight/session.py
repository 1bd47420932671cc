"""Session options. There is one catalog with one schema, so a session has nothing to remember."""

from flightdb.flight.commands import parse
from flightdb.flight.generated import flight_sql_pb2 as pb
from flightdb.flight.names import CATALOG, SCHEMA

OPTIONS = {"catalog": CATALOG, "schema": SCHEMA}
"""Option to the one value that it has."""


def set_options(body: bytes) -> bytes:
    """Answers SetSessionOptions: an option may be set to the value it has, or reset."""
    request = parse(pb.SetSessionOptionsRequest, body)
    result = pb.SetSessionOptionsResult()
    for name, option in request.session_options.items():
        if name not in OPTIONS:
            result.errors[name].value = pb.SetSessionOptionsResult.INVALID_NAME
        elif option.WhichOneof("option_value") is not None and option.string_value != OPTIONS[name]:
            result.errors[name].value = pb.SetSessionOptionsResult.INVALID_VALUE
    return result.SerializeToString()


def get_options(body: bytes) -> bytes:
    """Answers GetSessionOptions."""
    parse(pb.GetSessionOptionsRequest, body)
    result = pb.GetSessionOptionsResult()
    for name, value in OPTIONS.items():
        result.session_options[name].string_value = value
    return result.SerializeToString()


def close(body: bytes) -> bytes:
    """Answers CloseSession: closed, as often as it is asked."""
    parse(pb.CloseSessionRequest, body)
    return pb.CloseSessionResult(status=pb.CloseSessionResult.CLOSED).SerializeToString()
