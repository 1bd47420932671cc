"""Protobuf Struct and Timestamp as values of records."""

import datetime
from typing import Any

from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from flightdb.errors import InvalidPayload
from flightdb.model.record import Record

MIN_SECONDS = -62_135_596_800
"""0001-01-01T00:00:00Z, the first moment of a protobuf Timestamp."""

MAX_SECONDS = 253_402_300_799
"""9999-12-31T23:59:59Z, the last second of a protobuf Timestamp."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def record_of(message: Any, now_us: int) -> Record:
    """The record in a message with the fields `id`, `timestamp` and `payload`.

    `now_us` is its moment where it has no timestamp. Numbers of the payload are floats, as
    a Struct has no others; objects and lists are dict and list.

    Raises:
        InvalidPayload: a timestamp out of range, or a value without a kind.
    """
    moment = micros_of(message.timestamp) if message.HasField("timestamp") else now_us
    return Record(message.id, moment, payload_of(message.payload))


def payload_of(struct: Struct) -> dict[str, object]:
    """The Struct's fields as Python values, in no certain order (a protobuf map has none)."""
    payload: dict[str, object] = {}
    for key, value in struct.fields.items():
        kind = value.WhichOneof("kind")
        # The three kinds that nearly every value has come first; the rest share a function.
        if kind == "number_value":
            payload[key] = value.number_value
        elif kind == "string_value":
            payload[key] = value.string_value
        elif kind == "bool_value":
            payload[key] = value.bool_value
        else:
            payload[key] = _rare_value(key, value, kind)
    return payload


def _rare_value(key: str, value: Any, kind: str | None) -> object:
    if kind == "null_value":
        return None
    if kind == "struct_value":
        return payload_of(value.struct_value)
    if kind == "list_value":
        return [_value(key, item) for item in value.list_value.values]
    raise InvalidPayload(
        f"payload value has no kind: expected a value, null included, key={key[:80]}"
    )


def _value(key: str, value: Any) -> object:
    kind = value.WhichOneof("kind")
    if kind in ("number_value", "string_value", "bool_value"):
        plain: object = getattr(value, kind)
        return plain
    return _rare_value(key, value, kind)


def micros_of(timestamp: Timestamp) -> int:
    """Microseconds since the epoch; what is finer is cut off.

    Raises:
        InvalidPayload: outside the years 1 to 9999, or nanos outside a second.
    """
    seconds, nanos = timestamp.seconds, timestamp.nanos
    if not MIN_SECONDS <= seconds <= MAX_SECONDS or not 0 <= nanos < 1_000_000_000:
        raise InvalidPayload(
            "timestamp is out of range: expected years 1 to 9999 and nanos of a second, "
            f"seconds={seconds} nanos={nanos}"
        )
    return seconds * 1_000_000 + nanos // 1000


def timestamp_of(micros: int) -> Timestamp | None:
    """The moment as a message; None for 0, which means never."""
    if micros == 0:
        return None
    seconds, rest = divmod(micros, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def rfc3339_of(micros: int) -> str:
    """The moment as `2024-05-01T12:00:00Z`, with a fraction if any; "" for 0, which means never."""
    if micros == 0:
        return ""
    return (_EPOCH + datetime.timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")
