"""A server as the client commands see it: a few calls of Flight SQL, failures in our form."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.flight as flight
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message

from flightdb.cli.failure import REFUSED, UNREACHABLE, USAGE, Failure
from flightdb.flight.generated import flight_sql_pb2 as messages

SCHEMES = ("grpc", "grpc+tcp", "grpc+tls")
TYPE_URL = "type.googleapis.com/arrow.flight.protocol.sql."

_LIBRARY_SAYS = re.compile(r"\.? ?(Detail|gRPC client debug context|Client context): .*", re.DOTALL)
"""What pyarrow adds to a server's message."""

_NO_ANSWER = ("failed to connect", "Connection refused", "DNS resolution failed", "Socket closed")


def any_of(message: Message) -> bytes:
    """The message as Flight SQL sends it: in an `Any` under its own type."""
    return AnyMessage(
        type_url=TYPE_URL + message.DESCRIPTOR.name, value=message.SerializeToString()
    ).SerializeToString()


def command(message: Message) -> flight.FlightDescriptor:
    """The descriptor of a Flight SQL command."""
    return flight.FlightDescriptor.for_command(any_of(message))


@contextmanager
def connected(url: str) -> Iterator[flight.FlightClient]:
    """A client, closed at the end; what the server refuses inside becomes a Failure.

    Raises:
        Failure: USAGE for a wrong URL, UNREACHABLE, REFUSED with the server's message.
    """
    scheme, _, address = url.removesuffix("/").partition("://")
    if scheme not in SCHEMES or not re.fullmatch(r"[^/\s]+:\d{1,5}", address):
        raise Failure(f"invalid url: expected grpc://HOST:PORT, url={url}", USAGE)
    with translated(url):
        location = f"{'grpc+tls' if scheme == 'grpc+tls' else 'grpc+tcp'}://{address}"
        # Answers are as large as the server makes them; the default of 16 MiB would cut some off.
        with flight.FlightClient(
            location, generic_options=[("grpc.max_metadata_size", 1 << 20)]
        ) as client:
            yield client


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Errors of the Flight library inside become a Failure with the server's own words."""
    try:
        yield
    except BrokenPipeError:  # stdout's, not the connection's
        raise
    except (flight.FlightError, pa.ArrowException, OSError) as error:
        raise failure_of(error, url) from None


def failure_of(error: Exception, url: str) -> Failure:
    """What the library said, without its frame, and whose turn it is."""
    text = str(error)
    if any(sign in text for sign in _NO_ANSWER):
        return Failure(f"no server answers: url={url}", UNREACHABLE)
    if "Method not found" in text:  # gRPC is spoken there, Flight is not
        return Failure(
            f"no Flight server: expected the flight address that `flightdb serve` prints, url={url}",
            USAGE,
        )
    return Failure(_server_message(error) or _LIBRARY_SAYS.sub("", text), REFUSED)


def _server_message(error: Exception) -> str:
    """The message as flightdb sends it beside the status, where pyarrow has room for it."""
    try:
        return str(json.loads(getattr(error, "extra_info", None) or b"{}").get("message", ""))
    except ValueError:
        return ""


def prepare(client: flight.FlightClient, sql: str) -> messages.ActionCreatePreparedStatementResult:
    """Prepares `sql`; its `dataset_schema` is empty for a statement without an answer."""
    request = messages.ActionCreatePreparedStatementRequest(query=sql)
    action = flight.Action("CreatePreparedStatement", any_of(request))
    packed = AnyMessage.FromString(next(iter(client.do_action(action))).body.to_pybytes())
    return messages.ActionCreatePreparedStatementResult.FromString(packed.value)


def close(client: flight.FlightClient, handle: bytes) -> None:
    """Ends a prepared statement."""
    request = messages.ActionClosePreparedStatementRequest(prepared_statement_handle=handle)
    list(client.do_action(flight.Action("ClosePreparedStatement", any_of(request))))


def answer(client: flight.FlightClient, handle: bytes) -> Iterator[flight.FlightStreamReader]:
    """The streams that make up the answer of a prepared query, in order."""
    info = client.get_flight_info(
        command(messages.CommandPreparedStatementQuery(prepared_statement_handle=handle))
    )
    for endpoint in info.endpoints:
        yield client.do_get(endpoint.ticket)


def update(client: flight.FlightClient, handle: bytes) -> int:
    """Runs a prepared statement without an answer; gives the rows changed."""
    descriptor = command(messages.CommandPreparedStatementUpdate(prepared_statement_handle=handle))
    writer, reader = client.do_put(descriptor, pa.schema([]))
    with writer:
        writer.done_writing()
        return update_count(reader)


def update_count(reader: Any) -> int:
    """The row count that ends a DoPut. `reader`: a FlightMetadataReader; the stubs err."""
    metadata = reader.read()
    if metadata is None:
        return 0
    return int(messages.DoPutUpdateResult.FromString(metadata.to_pybytes()).record_count)


def act(client: flight.FlightClient, name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Runs one of our own actions: JSON in, JSON out."""
    results = list(client.do_action(flight.Action(name, json.dumps(body).encode())))
    return dict(json.loads(results[0].body.to_pybytes())) if results else {}
