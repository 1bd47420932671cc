"""Acknowledgements of one append stream, written in order while the stream is still being read."""

import json
import threading
from collections import deque
from types import TracebackType

import pyarrow as pa
from pyarrow import flight

from flightdb.errors import FlightdbError
from flightdb.flight.errors import describe, status_of
from flightdb.model.put import Ack, Done

WINDOW = 4
"""Batches on their way to the disk at once: reading, committing and acknowledging overlap."""

UNREAD_MAX = 65_536
"""Acknowledgements kept for a client that does not read them; beyond it the stream stands still."""


class _Entry:
    __slots__ = ("result", "sequence")

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.result: Ack | FlightdbError | None = None


class Acks:
    """The acknowledgements of one stream; a context manager that ends when all are written.

    A thread of its own writes them, because a client may wait for one before it sends the next
    batch, and this stream's own thread is then blocked in reading. A batch that fails is answered
    with its error in the same form, for the same reason; the stream ends with that error as soon as
    its thread is free.
    """

    def __init__(self, writer: flight.FlightMetadataWriter, query_id: str) -> None:
        """`writer` is used by this object only until it ends."""
        self._writer = writer
        self._query_id = query_id
        self._state = threading.Condition()
        self._entries: deque[_Entry] = deque()
        self._open_count = 0
        self._error: FlightdbError | None = None
        self._is_ending = False
        self._thread = threading.Thread(target=self._write_all, name="flight-acks", daemon=True)

    def __enter__(self) -> "Acks":
        """Starts writing."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Waits until every batch is settled and every acknowledgement written.

        Raises the first failure.
        """
        with self._state:
            self._is_ending = True
            self._state.notify_all()
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def wait_for_room(self) -> None:
        """Blocks while `WINDOW` batches are on their way.

        Raises the first failure of an earlier batch.
        """
        self._wait(WINDOW - 1)

    def wait_for_others(self) -> None:
        """Blocks until the newest batch is the only one on its way."""
        self._wait(1)

    def _wait(self, open_max: int) -> None:
        with self._state:
            self._state.wait_for(
                lambda: self._open_count <= open_max and len(self._entries) < UNREAD_MAX
            )
            if self._error is not None:
                raise self._error

    def expect(self, sequence: int) -> Done:
        """Opens the next acknowledgement; the function it gives settles it, from any thread."""
        entry = _Entry(sequence)
        with self._state:
            self._entries.append(entry)
            self._open_count += 1

        def done(result: Ack | FlightdbError) -> None:
            self._settle(entry, result)

        return done

    def forget(self) -> None:
        """Takes the newest acknowledgement back: its batch was refused before it was queued."""
        with self._state:
            if self._entries and self._entries[-1].result is None:
                self._entries.pop()
                self._open_count -= 1
                self._state.notify_all()

    def settle(self, result: Ack | FlightdbError) -> None:
        """Settles the newest acknowledgement."""
        self._settle(self._entries[-1], result)

    def _settle(self, entry: _Entry, result: Ack | FlightdbError) -> None:
        with self._state:
            entry.result = result
            self._open_count -= 1
            if isinstance(result, FlightdbError) and self._error is None:
                self._error = result
            self._state.notify_all()

    def _write_all(self) -> None:
        is_broken = False
        while (entry := self._next()) is not None:
            if is_broken:
                continue
            try:
                self._writer.write(pa.py_buffer(self._encode(entry)))
            except (flight.FlightError, pa.ArrowException, OSError):
                # The client has gone. Its batches are still waited for, so that nothing outlives
                # the call.
                is_broken = True

    def _next(self) -> _Entry | None:
        with self._state:
            self._state.wait_for(
                lambda: (
                    (self._entries and self._entries[0].result is not None)
                    or (self._is_ending and not self._entries)
                )
            )
            if not self._entries:
                return None
            entry = self._entries.popleft()
            self._state.notify_all()
            return entry

    def _encode(self, entry: _Entry) -> bytes:
        result = entry.result
        if isinstance(result, Ack):
            row = {"seq": entry.sequence, "rows": result.row_count, "lsn": result.lsn}
            return json.dumps(row, separators=(",", ":")).encode()
        if result is None:
            raise AssertionError("an acknowledgement is written after it was settled")
        document = json.loads(describe(result, status_of(result), self._query_id))
        return json.dumps({"seq": entry.sequence} | document, separators=(",", ":")).encode()
