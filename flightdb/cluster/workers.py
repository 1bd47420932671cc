"""How a coordinator talks to workers: values in, values out. In one process a direct call, else Flight.

Nothing above this protocol may assume that the worker is in the same process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import pyarrow as pa

from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.put import Ack, Done, Put
from flightdb.model.source import BufferPart, Fragment
from flightdb.model.table import Table


class IngestMode(StrEnum):
    """What an ingest statement does with the table that is there; CREATE makes it, together with its rows."""

    APPEND = "append"
    REPLACE = "replace"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class Ingest:
    """One atomic statement that brings many rows: visible together when it returns, or not at all.

    `table.schema` is the schema the batches have; with REPLACE it becomes the table's. CREATE of a table that is there
    (its `id` is set) is a repeat of the statement that made it, or an error.
    """

    table: Table
    mode: IngestMode = IngestMode.APPEND
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class TableView:
    """One owner's view of a table at one moment: the version it has flushed into, and rows beyond it.

    `lsn` grows with each write to the table, so (version, lsn) names a state of the table on this owner.
    """

    table: Table
    version: int
    buffers: tuple[BufferPart, ...]
    lsn: int


@dataclass(frozen=True, slots=True)
class Lease:
    """Views of several tables taken in one step, pinned until released or `expires_s` (monotonic clock)."""

    id: str
    views: Mapping[str, TableView]
    expires_s: float


@dataclass(frozen=True, slots=True)
class TableLoad:
    """What an owner holds of a table beyond `version`, -1 for the newest. Times in microseconds since the epoch, 0 for never."""

    pending_rows: int
    pending_bytes: int
    last_write_us: int
    last_flush_us: int
    version: int = -1


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """Counters and gauges of a worker; keys are metric names without prefix."""

    node_id: str
    figures: Mapping[str, float]
    tables: Mapping[str, TableLoad]


class Workers(Protocol):
    """The workers. Thread-safe. Errors are flightdb errors; a worker that cannot be reached is Unavailable."""

    def owner(self, table: Table, record_id: str | None) -> str:
        """The node that owns the id in this table (None: any rows of a plain table)."""
        ...

    def nodes(self) -> Sequence[str]:
        """All workers."""
        ...

    def owners(self, table: Table) -> Sequence[str]:
        """All nodes that may hold unflushed rows of the table."""
        ...

    def put(self, node: str, put: Put, done: Done) -> None:
        """Queues an atomic small write; `done` is called when it is durable and visible, or refused.

        Returns at once. A full queue calls `done` with Overloaded before it returns.
        """
        ...

    def pressure(self, node: str) -> float:
        """How full the node's queue, buffers and log are: 0 empty, 1 and above it refuses. Never blocks."""
        ...

    def ingest(
        self, node: str, ingest: Ingest, batches: BatchStream, cancellation: Cancellation
    ) -> Ack:
        """Reads `batches` to the end and makes them durable and visible in one step; memory is bounded.

        A stream that fails leaves nothing behind.
        """
        ...

    def lease(self, node: str, tables: Sequence[Table], seconds: float) -> Lease:
        """Pins one consistent view of `tables`. Raises NotFound for a table this worker knows to be dropped."""
        ...

    def release(self, node: str, lease_id: str) -> None:
        """Gives a lease back; unknown ids are ignored."""
        ...

    def execute(self, node: str, fragment: Fragment, cancellation: Cancellation) -> BatchStream:
        """Runs a fragment under the worker's admission control. Raises Overloaded when its queue is full."""
        ...

    def mark(self, node: str, table: Table) -> tuple[int, int]:
        """(version, lsn) that a lease would show now; never blocks. Equal marks mean equal rows."""
        ...

    def evolve(self, node: str, table: Table, fields: Sequence[pa.Field]) -> Table:
        """Adds columns and widens types so that `fields` fit, in one commit; gives the table after it.

        Idempotent: fields that fit already change nothing. Raises InvalidPayload when a column cannot change so.
        """
        ...

    def flush(self, node: str, tables: Sequence[Table]) -> int:
        """Writes all buffered rows of `tables` to the store and commits them; gives how many rows."""
        ...

    def forget(self, node: str, table: Table) -> None:
        """The table is being dropped: makes that durable in the WAL, refuses its rows from now on, frees its buffers."""
        ...

    def status(self, node: str) -> WorkerStatus:
        """Figures, without I/O."""
        ...
