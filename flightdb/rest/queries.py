"""`POST /v1/query`: SQL in, an answer out, in one piece or streamed."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa
import structlog

from flightdb.coordinator.service import Answer, CachedAnswer, Service, StatementKind
from flightdb.errors import FlightdbError, InvalidRequest, Unsupported
from flightdb.model.statement import Statement
from flightdb.rest.bodies import check_json
from flightdb.rest.errors import Headers, json_message
from flightdb.rest.exchange import Exchange
from flightdb.rest.formats import (
    ENCODERS,
    JSON,
    JSON_ROWS_MAX,
    accepted,
    encoded,
    first_rows,
    json_answer,
)
from flightdb.rest.shapes import QueryBody
from flightdb.rest.threads import Threads

FORM_BYTES_MAX = 1 << 20
"""An encoded answer above it is not kept: making it costs little next to sending it."""

FORMS_MAX = 8
"""Encodings kept of one cached answer: a form a format and limit."""

_DECODER = msgspec.json.Decoder(QueryBody)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question and the form its answer shall have."""

    statement: Statement
    media: str
    limit: int | None

    @property
    def form(self) -> str:
        """The name under which a cached answer keeps it."""
        return self.media if self.limit is None else f"{self.media};limit={self.limit}"


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer that is all there."""

    body: bytes
    is_cached: bool


@dataclass(frozen=True, slots=True)
class Pieces:
    """An answer that is read piece by piece, and how to stop it."""

    first: bytes
    rest: Iterator[bytes]
    close: Callable[[], None]
    is_cached: bool


class Queries:
    """The endpoint. Used on one event loop, on which it never blocks."""

    def __init__(
        self, service: Service, threads: Threads, *, body_bytes_max: int, stall_s_max: float
    ) -> None:
        """`stall_s_max`: how long a client may take nothing of a streamed answer."""
        self._service = service
        self._threads = threads
        self._body_bytes_max = body_bytes_max
        self._stall_s_max = stall_s_max

    async def query(self, exchange: Exchange) -> None:
        """Answers from the cache on the loop, or runs the statement on a thread."""
        body = await exchange.body(self._body_bytes_max)
        exchange.query_id = self._service.new_query_id()
        wanted = _wanted(exchange, body)
        if not wanted.statement.bypass_cache:
            cached = self._service.cached_answer(wanted.statement)
            if cached is not None:
                await self._reply_cached(exchange, wanted, cached)
                return
        await self._run(exchange, wanted)

    async def _reply_cached(self, exchange: Exchange, wanted: Wanted, cached: CachedAnswer) -> None:
        body = cached.forms.get(wanted.form)
        if body is None:
            body = await self._threads.run(lambda: _form(wanted, cached.table))
            if len(body) <= FORM_BYTES_MAX and len(cached.forms) < FORMS_MAX:
                cached.forms[wanted.form] = body
        await _reply(exchange, wanted, Whole(body, is_cached=True))

    async def _run(self, exchange: Exchange, wanted: Wanted) -> None:
        watch = asyncio.create_task(_disconnected(exchange))
        try:
            answer = await self._threads.run(lambda: self._answer(wanted, watch.done))
            if isinstance(answer, Whole):
                await _reply(exchange, wanted, answer)
            else:
                await self._stream(exchange, wanted, answer, watch.done)
        finally:
            watch.cancel()

    def _answer(self, wanted: Wanted, is_gone: Callable[[], bool]) -> Whole | Pieces:
        """On a thread: all of a JSON answer, or the first piece of another, so that errors show."""
        statement = wanted.statement
        if self._service.describe(statement.sql).kind is StatementKind.UPDATE:
            count = self._service.update(statement, is_gone=is_gone)
            table = pa.table({"rows_changed": pa.array([count], pa.int64())})
            return Whole(_form(wanted, table), is_cached=False)
        answer = self._service.answer(statement, is_gone=is_gone)
        if wanted.media != JSON:
            return _begun(wanted, answer)
        with answer.batches as batches:
            body = json_answer(batches.schema, batches, wanted.limit or JSON_ROWS_MAX)
        return Whole(body, answer.is_cached)

    async def _stream(
        self, exchange: Exchange, wanted: Wanted, answer: Pieces, is_gone: Callable[[], bool]
    ) -> None:
        """Sends pieces as fast as the client takes them, and no faster.

        What fails after the first is a connection that ends without the end of its answer: the
        status is sent by then.
        """
        try:
            await exchange.start(200, wanted.media.encode(), _headers(exchange, answer.is_cached))
            piece: bytes | None = answer.first
            while piece is not None and not is_gone():
                async with asyncio.timeout(self._stall_s_max):
                    await exchange.send_piece(piece)
                piece = await self._threads.run(lambda: next(answer.rest, None))
            if piece is None:
                await exchange.end()
        except TimeoutError:
            log.warning("answer abandoned", query_id=exchange.query_id, reason="client stalled")
        except FlightdbError as error:
            log.warning("answer broken off", query_id=exchange.query_id, reason=error.message)
        finally:
            self._threads.soon(answer.close)


def _begun(wanted: Wanted, answer: Answer) -> Pieces:
    batches = answer.batches
    try:
        limited = iter(batches) if wanted.limit is None else first_rows(batches, wanted.limit)
        pieces = encoded(ENCODERS[wanted.media](batches.schema), limited)
        return Pieces(next(pieces, b""), pieces, batches.close, answer.is_cached)
    except BaseException:
        batches.close()
        raise


def _form(wanted: Wanted, table: pa.Table) -> bytes:
    batches = table.to_batches()
    if wanted.media == JSON:
        return json_answer(table.schema, batches, wanted.limit or JSON_ROWS_MAX)
    limited = batches if wanted.limit is None else first_rows(batches, wanted.limit)
    return b"".join(encoded(ENCODERS[wanted.media](table.schema), limited))


async def _reply(exchange: Exchange, wanted: Wanted, answer: Whole) -> None:
    body = answer.body
    if wanted.media == JSON:
        body = b'{"query_id":"%b",%b' % (exchange.query_id.encode(), body)
    await exchange.reply(200, body, wanted.media.encode(), _headers(exchange, answer.is_cached))


def _headers(exchange: Exchange, is_cached: bool) -> Headers:
    return (
        (b"x-flightdb-query-id", exchange.query_id.encode()),
        (b"x-cache", b"hit" if is_cached else b"miss"),
    )


async def _disconnected(exchange: Exchange) -> None:
    """Ends when the client has left."""
    while (await exchange.receive())["type"] != "http.disconnect":
        pass


def _wanted(exchange: Exchange, body: bytes | bytearray) -> Wanted:
    if not body.strip():
        raise InvalidRequest("body is empty: expected a json object with sql")
    check_json(exchange)
    try:
        question = _DECODER.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"body is not a query: {json_message(error)}") from None
    if question.cursor:
        raise Unsupported("cursors are not served yet: leave cursor out")
    statement = Statement(
        sql=question.sql,
        parameters=_parameters(question.params),
        query_id=exchange.query_id,
        timeout_s=None if question.timeout_ms is None else question.timeout_ms / 1000,
        bypass_cache=b"no-cache" in exchange.headers.get(b"cache-control", b"").lower(),
    )
    return Wanted(statement, accepted(exchange.headers.get(b"accept", b"")), question.limit)


def _parameters(params: list[Any] | None) -> pa.RecordBatch | None:
    if not params:
        return None
    columns = []
    for number, value in enumerate(params, 1):
        try:
            is_wide = isinstance(value, int) and value >= 1 << 63
            columns.append(pa.array([value], pa.uint64()) if is_wide else pa.array([value]))
        except (pa.ArrowException, OverflowError, TypeError):
            raise InvalidRequest(
                f"parameter {number} is not usable: expected integers of at most 64 bits and "
                "lists of one type"
            ) from None
    return pa.RecordBatch.from_arrays(columns, names=[str(n + 1) for n in range(len(columns))])
