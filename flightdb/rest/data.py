"""`POST /v1/data`: rows in, answered when they are durable."""

import asyncio
from dataclasses import dataclass
from urllib.parse import parse_qs

from flightdb.coordinator.service import Service
from flightdb.errors import InvalidRequest, Unsupported, UnsupportedMedia
from flightdb.model.clock import Clock
from flightdb.model.foreign import BATCH_BYTES_MAX
from flightdb.model.pending import Wakeups
from flightdb.model.put import Ack
from flightdb.rest.arrow_body import batch_from_stream
from flightdb.rest.exchange import Exchange
from flightdb.rest.records import Batch, Body, records_from_json, records_from_lines
from flightdb.rest.shapes import WriteAnswer
from flightdb.rest.threads import Threads

LARGE_BYTES = 256 << 10
"""Bodies above it are decoded on a thread: at 1 ms or so they would hold up all other requests."""

KEY_LENGTH_MAX = 255
"""`design.md` 4."""


@dataclass(frozen=True, slots=True)
class Retry:
    """What makes a repeat of a write a no-op: see `Service.submit_records`."""

    producer: str = ""
    sequence: int = 0


NO_RETRY = Retry()


@dataclass(frozen=True, slots=True)
class WriteRules:
    """`node_id` is told in answers; `default_table` takes rows that name none."""

    node_id: str
    body_bytes_max: int
    default_table: str


class Writes:
    """The endpoint. Used on one event loop, on which it never blocks."""

    def __init__(self, service: Service, clock: Clock, threads: Threads, rules: WriteRules) -> None:
        """`threads`: for large bodies and for writes that make a table or a column."""
        self._service = service
        self._clock = clock
        self._threads = threads
        self._rules = rules
        self._wakeups: Wakeups | None = None

    async def write(self, exchange: Exchange) -> None:
        """Stores one row, or all rows of a batch or none."""
        media = exchange.media()
        body = await exchange.body(self._rules.body_bytes_max)
        retry = _retry(exchange)
        if media == b"application/json":
            await self._write_records(exchange, body, retry, is_lines=False)
        elif media == b"application/x-ndjson":
            await self._write_records(exchange, body, retry, is_lines=True)
        elif media == b"application/vnd.apache.arrow.stream":
            await self._write_stream(exchange, body, retry)
        elif not body:
            raise InvalidRequest("body is empty: expected rows as json, ndjson or an arrow stream")
        else:
            raise _unsupported(media)

    async def refuse(self, exchange: Exchange) -> None:
        """Update and delete, which are not served yet."""
        raise Unsupported(f"not served yet: method={exchange.scope['method']}, path=/v1/data")

    async def _write_records(
        self, exchange: Exchange, body: Body, retry: Retry, *, is_lines: bool
    ) -> None:
        read = records_from_lines if is_lines else records_from_json
        now_us, table = self._clock.now_us(), self._rules.default_table
        if len(body) > LARGE_BYTES:
            batch = await self._threads.run(lambda: read(body, now_us, table))
        else:
            batch = read(body, now_us, table)
        future, done = self._waiter().future()
        tables = batch.tables
        service, producer, sequence = self._service, retry.producer, retry.sequence
        if service.submit_records(tables, done, producer=producer, sequence=sequence):
            ack = await future
        else:
            ack = await self._threads.run(
                lambda: service.write_records(tables, producer=producer, sequence=sequence)
            )
        await exchange.reply_json(self._answer(batch, ack))

    async def _write_stream(self, exchange: Exchange, body: Body, retry: Retry) -> None:
        table = _table_parameter(exchange) or self._rules.default_table
        if len(body) > LARGE_BYTES:
            batch = await self._threads.run(lambda: batch_from_stream(body, BATCH_BYTES_MAX))
        else:
            batch = batch_from_stream(body, BATCH_BYTES_MAX)
        future, done = self._waiter().future()
        service, producer, sequence = self._service, retry.producer, retry.sequence
        if service.submit_batch(table, batch, done, producer=producer, sequence=sequence):
            ack = await future
        else:
            ack = await self._threads.run(
                lambda: service.write_batch(table, batch, producer=producer, sequence=sequence)
            )
        text = f"Data successfully ingested for table: {table}, rows: {ack.row_count}"
        await exchange.reply_json(self._success(text, "", ack))

    def _answer(self, batch: Batch, ack: Ack) -> WriteAnswer:
        names = ", ".join(batch.tables)
        if batch.row_count != 1:
            text = f"Data successfully ingested for table: {names}, rows: {ack.row_count}"
            return self._success(text, "", ack)
        ((record,),) = batch.tables.values()
        row_id = record.id or (ack.made_ids[0] if ack.made_ids else "")
        text = f"Data successfully ingested for table: {names}, ID: {row_id}"
        return self._success(text, row_id, ack)

    def _success(self, text: str, row_id: str, ack: Ack) -> WriteAnswer:
        return WriteAnswer(True, text, self._rules.node_id, row_id, ack.row_count, ack.is_repeat)

    def _waiter(self) -> Wakeups:
        if self._wakeups is None:
            self._wakeups = Wakeups(asyncio.get_running_loop())
        return self._wakeups


def _retry(exchange: Exchange) -> Retry:
    key = exchange.headers.get(b"idempotency-key")
    if key is None:
        return NO_RETRY
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isascii():
        raise InvalidRequest(
            f"idempotency-key is not usable: expected 1 to {KEY_LENGTH_MAX} ascii characters, "
            f"length={len(key)}"
        )
    return Retry(f"key:{key.decode('ascii')}", 1)


def _table_parameter(exchange: Exchange) -> str:
    query: bytes = exchange.scope["query_string"]
    if not query:
        return ""
    if query.startswith(b"table=") and query[6:].isalnum():
        return query[6:].decode("ascii", "replace")
    return parse_qs(query.decode("latin-1")).get("table", [""])[-1]


def _unsupported(media: bytes) -> UnsupportedMedia:
    return UnsupportedMedia(
        "content type is not served: expected application/json, application/x-ndjson or "
        f"application/vnd.apache.arrow.stream, content-type={media.decode('latin-1')[:80]}"
    )
