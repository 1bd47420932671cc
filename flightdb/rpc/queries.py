"""Queries: a small answer as JSON text, and one of any size as a stream of record messages."""

import asyncio
import threading
from collections.abc import Iterator
from functools import partial

import grpc.aio
import msgspec
import pyarrow as pa

from flightdb.coordinator.service import Answer, CachedAnswer, IsGone, Service, StatementKind
from flightdb.errors import Cancelled, DeadlineExceeded, InvalidRequest, TooLarge
from flightdb.model.json_values import rows, unique_names
from flightdb.model.statement import Statement
from flightdb.rpc.methods import Call
from flightdb.rpc.threads import Threads
from flightdb.rpc.wire import Responses, encoded_records

ROWS_A_STEP = 8192
"""Rows that are encoded between two looks at the size so far, and between two thread hops of a
stream."""

ANSWER_BYTES_MAX = 4 * 1024 * 1024 - 1024
"""JSON text that fits a message of 4 MiB with the fields around it."""

CACHED_ROWS_ON_LOOP_MAX = 100
"""A cached answer of so few rows is encoded on the event loop: quicker than a thread hop."""

FORM = "rpc/result_json"
"""Under this name a cached answer keeps its JSON text."""

BATCH_SIZE_DEFAULT = 1000
"""Records a response where the client does not say; the last is shorter, and wide rows make it
fewer."""


FORM_BYTES_MAX = 1 << 20
"""Longer text is not kept: making it costs little next to sending it."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


class Queries:
    """Runs statements on threads for the event loop; stops them when the caller has gone."""

    def __init__(self, service: Service, threads: Threads, *, stall_s_max: float) -> None:
        """`threads`: their number bounds the statements of this door that run at once.

        `stall_s_max`: how long a client may take nothing of a streamed answer.
        """
        self._service = service
        self._threads = threads
        self._stall_s_max = stall_s_max

    async def result_json(self, sql: str, call: Call, row_count_max: int = 0) -> tuple[str, bool]:
        """The answer as a JSON array of one object a row, and whether rows are left out.

        They are where it has more than `row_count_max` (0: no bound). A statement that changes
        something gives `[{"rows_changed": count}]`.

        Raises:
            TooLarge: the text is over what a message holds.
        """
        statement = self._statement(sql, call)
        if row_count_max == 0:
            cached = self._service.cached_answer(statement)
            if cached is not None:
                return await self._cached_json(cached), False
        gone = threading.Event()
        try:
            return await self._threads.run(
                partial(self._run_json, statement, row_count_max, gone.is_set)
            )
        finally:
            gone.set()

    async def stream(self, sql: str, call: Call, batch_size: int) -> None:
        """Writes the whole answer to the caller, as messages of `batch_size` records.

        Raises:
            InvalidRequest: a negative batch size.
            DeadlineExceeded: the client does not read.
            Cancelled: the client has left.
        """
        if batch_size < 0:
            raise InvalidRequest(
                f"batch_size is negative: expected 0 or more, batch_size={batch_size}"
            )
        records = RecordStream(self._service, self._statement(sql, call))
        try:
            pages = records.pages(batch_size or BATCH_SIZE_DEFAULT)
            while responses := await self._threads.run(partial(next, pages, None)):
                for response in responses:
                    async with asyncio.timeout(self._stall_s_max):
                        await call.context.write(response)
        except TimeoutError:
            raise DeadlineExceeded(
                f"client takes nothing of the answer: waited_s={self._stall_s_max:g}"
            ) from None
        except grpc.aio.InternalError:
            # What a write that waits for the client ends with when that has left.
            raise Cancelled("client left before the end of the answer") from None
        finally:
            records.close()

    def _statement(self, sql: str, call: Call) -> Statement:
        query_id = self._service.new_query_id()
        call.start_query(query_id)
        return Statement(sql, query_id=query_id, timeout_s=call.timeout_s())

    async def _cached_json(self, cached: CachedAnswer) -> str:
        text = cached.forms.get(FORM)
        if text is None:
            encode = partial(_json_of, iter(cached.table.to_batches(ROWS_A_STEP)), 0)
            is_small = cached.table.num_rows <= CACHED_ROWS_ON_LOOP_MAX
            text = (encode() if is_small else await self._threads.run(encode))[0]
            if len(text) <= FORM_BYTES_MAX:
                cached.forms[FORM] = text
        return text.decode()

    def _run_json(
        self, statement: Statement, row_count_max: int, is_gone: IsGone
    ) -> tuple[str, bool]:
        if self._service.describe(statement.sql).kind is StatementKind.UPDATE:
            count = self._service.update(statement, is_gone=is_gone)
            return f'[{{"rows_changed":{count}}}]', False
        answer = self._service.answer(statement, is_gone=is_gone)
        with answer.batches as batches:
            text, has_more = _json_of(_steps(iter(batches)), row_count_max)
        return text.decode(), has_more


class RecordStream:
    """The answer to one statement as encoded responses, made as they are asked for."""

    def __init__(self, service: Service, statement: Statement) -> None:
        """Nothing runs yet."""
        self._service = service
        self._statement = statement
        self._gone = threading.Event()
        self._answer: Answer | None = None

    def pages(self, batch_size: int) -> Iterator[list[bytes]]:
        """Lists of one or more encoded responses; blocks while the query runs.

        One thread at a time may ask.

        Raises:
            Cancelled: `close` was called.
        """
        answer = self._answer = self._service.answer(self._statement, is_gone=self._gone.is_set)
        if self._gone.is_set():
            answer.batches.close()
            raise Cancelled("query was stopped: the client has gone")
        responses = Responses(batch_size)
        with answer.batches as batches:
            for batch in _steps(iter(batches)):
                ready = responses.add(encoded_records(batch))
                if ready:
                    yield ready
        yield [responses.last()]

    def close(self) -> None:
        """Stops the query, from any thread."""
        self._gone.set()
        if self._answer is not None:
            self._answer.batches.close()


def _steps(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, batch.num_rows, ROWS_A_STEP):
            yield batch.slice(start, ROWS_A_STEP)


def _json_of(batches: Iterator[pa.RecordBatch], row_count_max: int) -> tuple[bytes, bool]:
    """A JSON array of the first `row_count_max` rows (0: all), and whether there are more."""
    parts: list[bytes] = []
    size = row_count = 0
    for batch in batches:
        left = row_count_max - row_count if row_count_max else batch.num_rows
        kept = batch.slice(0, left)
        row_count += kept.num_rows
        if kept.num_rows:
            parts.append(_rows_json(kept))
            size += len(parts[-1])
        if size > ANSWER_BYTES_MAX:
            raise TooLarge(
                "answer is too large for one message: expected at most 4 MiB of JSON, "
                "StreamQuery of miniodb.v1.MinIODBService gives answers of any size"
            )
        if kept.num_rows < batch.num_rows:
            return b"[" + b",".join(parts) + b"]", True
    return b"[" + b",".join(parts) + b"]", False


def _rows_json(batch: pa.RecordBatch) -> bytes:
    """The rows as JSON objects with commas between them."""
    return _ENCODER.encode(rows(unique_names(batch.schema), batch))[1:-1]
