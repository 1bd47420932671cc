"""What a descriptor, a ticket or an action says: SQL text or a Flight SQL command."""

from typing import TypeVar

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message

from flightdb.errors import InvalidRequest, Unsupported
from flightdb.flight.generated import flight_sql_pb2 as pb

M = TypeVar("M", bound=Message)

TYPE_PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."

MARK = b"type.googleapis.com/"
MARK_WITHIN_BYTES = 16
"""An Any begins with the tag and the length of its type URL; SQL text has no URL there."""

COMMANDS: dict[str, type[Message]] = {
    kind.DESCRIPTOR.name: kind
    for kind in (
        pb.CommandStatementQuery,
        pb.CommandPreparedStatementQuery,
        pb.CommandStatementUpdate,
        pb.CommandPreparedStatementUpdate,
        pb.CommandStatementIngest,
        pb.TicketStatementQuery,
        pb.CommandGetSqlInfo,
        pb.CommandGetXdbcTypeInfo,
        pb.CommandGetCatalogs,
        pb.CommandGetDbSchemas,
        pb.CommandGetTables,
        pb.CommandGetTableTypes,
        pb.CommandGetPrimaryKeys,
        pb.CommandGetExportedKeys,
        pb.CommandGetImportedKeys,
        pb.CommandGetCrossReference,
        pb.ActionCreatePreparedStatementRequest,
        pb.ActionClosePreparedStatementRequest,
        pb.ActionCancelQueryRequest,
    )
}


def decode(content: bytes) -> Message | str:
    """A command, or SQL text where `content` is no packed message.

    Raises:
        InvalidRequest: a packed message that is damaged, or bytes that are neither.
        Unsupported: a command that is not known here; it is named.
    """
    if MARK in content[: len(MARK) + MARK_WITHIN_BYTES]:
        return _unpack(content)
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidRequest(
            f"command cannot be read: expected a Flight SQL command or SQL text in UTF-8, size_bytes={len(content)}"
        ) from None


def _unpack(content: bytes) -> Message:
    envelope = AnyMessage()
    try:
        envelope.ParseFromString(content)
    except DecodeError:
        raise InvalidRequest(
            f"command is damaged: expected a whole message, size_bytes={len(content)}"
        ) from None
    name = envelope.type_url.removeprefix(TYPE_PREFIX)
    kind = COMMANDS.get(name)
    if kind is None:
        raise Unsupported(f"command is not supported: name={name[:100]}")
    return parse(kind, envelope.value)


def parse(kind: type[M], content: bytes) -> M:
    """A message of `kind`. Raises InvalidRequest naming it when `content` is damaged."""
    message = kind()
    try:
        message.ParseFromString(content)
    except DecodeError:
        name = kind.DESCRIPTOR.name
        raise InvalidRequest(
            f"{name} is damaged: expected a whole message, size_bytes={len(content)}"
        ) from None
    return message


def unpack(kind: type[M], content: bytes) -> M:
    """The message of `kind` that an action's body packs.

    Raises InvalidRequest for anything else.
    """
    message = decode(content)
    if not isinstance(message, kind):
        found = "text" if isinstance(message, str) else message.DESCRIPTOR.name
        raise InvalidRequest(
            f"action has the wrong body: expected {kind.DESCRIPTOR.name}, found={found}"
        )
    return message


def pack(message: Message) -> bytes:
    """The message in an Any, under the type URL that drivers expect."""
    envelope = AnyMessage(
        type_url=TYPE_PREFIX + message.DESCRIPTOR.name, value=message.SerializeToString()
    )
    return envelope.SerializeToString()
