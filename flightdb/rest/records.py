"""Records from JSON: one, a list, or lines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from flightdb.errors import InvalidPayload, InvalidRequest
from flightdb.model.record import Record
from flightdb.rest.errors import json_message
from flightdb.rest.shapes import NestedRecord, WriteBody

Body = bytes | bytearray

_ONE = msgspec.json.Decoder(WriteBody)
_MANY = msgspec.json.Decoder(list[WriteBody])
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LIST = ord("[")


@dataclass(frozen=True, slots=True)
class Batch:
    """Records by table, in the order they came; `row_count` of them."""

    tables: Mapping[str, Sequence[Record]]
    row_count: int


def records_from_json(body: Body, now_us: int, table: str) -> Batch:
    """The record, or the list of records, of a JSON body; `now_us` and `table` where it has none.

    Raises:
        InvalidRequest: there is no body, or no record in it.
        InvalidPayload: it is not JSON, or not of the form; the message says where.
    """
    text = body.lstrip() if body[:1].isspace() else body
    if not text:
        raise InvalidRequest("body is empty: expected a json object or a list of them")
    try:
        bodies = _MANY.decode(text) if text[0] == _LIST else (_ONE.decode(text),)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidPayload(f"body is not a record: {_complaint(error)}") from None
    if not bodies:
        raise InvalidRequest("list is empty: expected one record or more")
    return _batch(bodies, now_us, table, "record")


def records_from_lines(body: Body, now_us: int, table: str) -> Batch:
    """The records of an NDJSON body, one a line; empty lines are passed over.

    Raises:
        InvalidRequest: there is no record in it.
        InvalidPayload: a line is not a record; the message begins with its number, from 1.
    """
    bodies: list[WriteBody] = []
    numbers: list[int] = []
    for number, line in enumerate(bytes(body).split(b"\n"), 1):
        if line.isspace() or not line:
            continue
        try:
            bodies.append(_ONE.decode(line))
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise InvalidPayload(f"line {number}: not a record: {_complaint(error)}") from None
        numbers.append(number)
    if not bodies:
        raise InvalidRequest("body is empty: expected one json object a line")
    return _batch(bodies, now_us, table, "line", numbers)


def _batch(
    bodies: Sequence[WriteBody],
    now_us: int,
    table: str,
    word: str,
    numbers: Sequence[int] | None = None,
) -> Batch:
    if len(bodies) == 1 and numbers is None:
        body = bodies[0]
        return Batch({body.table or table: (_record(body, now_us),)}, 1)
    tables: dict[str, list[Record]] = {}
    for number, body in zip(numbers or _from_one(bodies), bodies, strict=True):
        try:
            record = _record(body, now_us)
        except InvalidPayload as error:
            raise InvalidPayload(f"{word} {number}: {error.message}") from None
        tables.setdefault(body.table or table, []).append(record)
    return Batch(tables, len(bodies))


def _from_one(bodies: Sequence[WriteBody]) -> Iterable[int]:
    return range(1, len(bodies) + 1)


def _record(body: WriteBody, now_us: int) -> Record:
    payload = body.payload
    if payload is msgspec.UNSET:
        return _nested_record(body, now_us)
    if body.data is not msgspec.UNSET:
        raise InvalidPayload("payload and data: expected one of them")
    moment = body.timestamp
    moment_us = now_us if moment is None else (moment - _EPOCH) // _MICROSECOND
    return Record(body.id or "", moment_us, payload)


def _nested_record(body: WriteBody, now_us: int) -> Record:
    data = body.data
    if not isinstance(data, NestedRecord):
        raise InvalidPayload("payload is missing: expected an object with one key a column")
    if body.id is not None or body.timestamp is not None:
        raise InvalidPayload("id and timestamp: expected inside data, beside payload")
    moment = data.timestamp
    moment_us = now_us if moment is None else (moment - _EPOCH) // _MICROSECOND
    return Record(data.id or "", moment_us, data.payload)


def _complaint(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    text = json_message(error)
    if "RFC 3339 timestamp or null" in text or "RFC3339" in text:
        return f'{text}; write timestamps as text like "2026-01-31T12:00:00.000001Z"'
    return text
