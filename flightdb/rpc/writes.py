"""Records written from the event loop: one at a time, or a stream of messages in order."""

import asyncio
import copy
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from flightdb.coordinator.service import Service
from flightdb.errors import FlightdbError, InvalidRequest, NotFound, Overloaded
from flightdb.model.pending import Wakeups
from flightdb.model.put import Ack
from flightdb.model.record import Record
from flightdb.rpc.generated.miniodb.v1.miniodb_pb2 import StreamWriteRequest
from flightdb.rpc.threads import Threads

REFUSALS = (InvalidRequest, NotFound)
"""Errors that are the message's own fault: the next message may be right."""

IN_FLIGHT_MAX = 16
"""Messages of one stream that wait for the log at once: more than a commit takes in while the next
is read, and no more than 64 MiB as they come in. When so many wait, no more are read, and HTTP/2
holds the client back."""

ROWS_ON_LOOP_MAX = 500
"""A message of more is decoded on a thread: the event loop would stand still for over 10 ms."""

ERRORS_MAX = 100
"""Refused messages that a stream's answer names one by one; of the rest it gives the number."""

PRODUCER_PREFIX = "key:"
"""Sets idempotency keys apart from the producers of a Flight stream."""

KEY_CHARS_MAX = 255


def producer_of(key: str) -> str:
    """The producer that stands for an idempotency key; "" for no key.

    Raises:
        InvalidRequest: the key is too long.
    """
    if len(key) > KEY_CHARS_MAX:
        raise InvalidRequest(
            "idempotency-key is too long: "
            f"expected at most {KEY_CHARS_MAX} characters, length={len(key)}"
        )
    return PRODUCER_PREFIX + key if key else ""


@dataclass(frozen=True, slots=True)
class Group:
    """Records for one table that are written together or not at all."""

    table: str
    records: list[Record]
    producer: str = ""
    sequence: int = 0


GroupOf = Callable[[StreamWriteRequest, int], Group]
"""Makes the group of a message and its number, from 1; raises InvalidPayload. For any thread."""


class Writes:
    """Writes groups of records without holding a thread while they wait for the log."""

    def __init__(self, service: Service, wakeups: Wakeups, threads: Threads) -> None:
        """`threads` take the writes that have to make a table or a column first."""
        self._service = service
        self._wakeups = wakeups
        self._threads = threads

    async def write_one(self, table: str, record: Record, key: str) -> str:
        """Writes one record and gives the message for its writer; `key` is an idempotency key."""
        ack = await self.write(Group(table, [record], producer_of(key), 1))
        row_id = ack.made_ids[0] if ack.made_ids else record.id
        return f"Data successfully ingested for table: {table}, ID: {row_id}"

    async def write(self, group: Group) -> Ack:
        """Returns when the rows are durable and visible. Raises what the service does."""
        waiting = self.submit(group)
        return await (self.write_on_thread(group) if waiting is None else waiting)

    def submit(self, group: Group) -> Awaitable[Ack] | None:
        """Queues the group and gives what to await; None when only `write_on_thread` can do it."""
        future, done = self._wakeups.future()
        is_queued = self._service.submit_records(
            {group.table: group.records}, done, producer=group.producer, sequence=group.sequence
        )
        return future if is_queued else None

    async def write_on_thread(self, group: Group) -> Ack:
        """As `write`, making tables and columns as needed, columns in the order of names."""
        return await self._threads.run(partial(self._write, group))

    async def made(self, make: Callable[[], Group]) -> Group:
        """The group that `make` makes, on a thread."""
        return await self._threads.run(make)

    def _write(self, group: Group) -> Ack:
        # A protobuf map has no order; the columns of a new table should not depend on chance.
        records = [
            record._replace(payload=dict(sorted(record.payload.items())))
            for record in group.records
        ]
        return self._service.write_records(
            {group.table: records}, producer=group.producer, sequence=group.sequence
        )


@dataclass(slots=True)
class Tally:
    """What has become of a stream: durable records, and the messages that were refused."""

    record_count: int = 0
    message_count: int = 0
    refused_count: int = 0
    errors: list[str] = field(default_factory=list)

    def refuse(self, number: int, error: FlightdbError) -> None:
        """Notes that message `number` was refused."""
        self.refused_count += 1
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(f"message {number}: {error.slug}: {error.message}"[:1000])

    def all_errors(self) -> list[str]:
        """The errors, and how many more there were."""
        more = self.refused_count - len(self.errors)
        return [*self.errors, f"and {more} more refused messages"] if more else self.errors


class StreamedWrite:
    """Writes the groups of one stream in order, a bounded number of them at once.

    A group with something wrong is noted and left out; the others stay. Any other failure
    (overload, a store that is down) ends the stream with an error that says how many records are
    durable.
    """

    def __init__(self, writes: Writes) -> None:
        """For one stream only."""
        self._writes = writes
        self._waiting: deque[tuple[int, int, asyncio.Future[Ack]]] = deque()
        self.tally = Tally()

    async def write_all(
        self, messages: AsyncIterator[StreamWriteRequest], group_of: GroupOf
    ) -> Tally:
        """Reads `messages` to their end; `group_of` gets a message and its number, from 1."""
        try:
            async for message in messages:
                self.tally.message_count += 1
                await self._take(message, group_of)
            await self._settle_all()
        except FlightdbError as error:
            await self._settle_rest()
            raise self._stopped(error) from error
        finally:
            for _, _, waiting in self._waiting:
                waiting.cancel()
        return self.tally

    async def _take(self, message: StreamWriteRequest, group_of: GroupOf) -> None:
        make = partial(group_of, message, self.tally.message_count)
        try:
            if len(message.records) > ROWS_ON_LOOP_MAX:
                await self._write_on_thread(await self._writes.made(make))
            elif message.records:
                await self._write(make())
        except REFUSALS as error:
            self.tally.refuse(self.tally.message_count, error)
        if len(self._waiting) >= IN_FLIGHT_MAX:
            await self._settle()

    async def _write(self, group: Group) -> None:
        try:
            waiting = self._writes.submit(group)
        except Overloaded:
            if not self._waiting:
                raise
            # Part of what fills the queue is ours: reading on can wait until that is written.
            await self._settle_all()
            waiting = self._writes.submit(group)
        if waiting is None:
            await self._write_on_thread(group)
            return
        future = asyncio.ensure_future(waiting)
        self._waiting.append((self.tally.message_count, len(group.records), future))

    async def _write_on_thread(self, group: Group) -> None:
        # It blocks: all before it goes first, so that the order of sequences is the order of
        # messages.
        await self._settle_all()
        await self._writes.write_on_thread(group)
        self.tally.record_count += len(group.records)

    async def _settle_all(self) -> None:
        while self._waiting:
            await self._settle()

    async def _settle(self) -> None:
        number, record_count, waiting = self._waiting.popleft()
        try:
            await waiting
        except REFUSALS as error:
            self.tally.refuse(number, error)
        else:
            self.tally.record_count += record_count

    async def _settle_rest(self) -> None:
        rest, self._waiting = self._waiting, deque()
        outcomes = await asyncio.gather(*(item[2] for item in rest), return_exceptions=True)
        for (_, record_count, _), outcome in zip(rest, outcomes, strict=True):
            if isinstance(outcome, Ack):
                self.tally.record_count += record_count

    def _stopped(self, error: FlightdbError) -> FlightdbError:
        # A copy: the committer gives one error object to all that waited with this stream.
        stopped = copy.copy(error)
        stopped.message = (
            f"stream stopped at message {self.tally.message_count}, "
            f"durable records: {self.tally.record_count}: {error.message}"
        )
        return stopped
