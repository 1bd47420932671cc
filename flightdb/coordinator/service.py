"""What the doors see of the core: one object, the same methods for Flight, REST and gRPC.

Every call blocks unless it says otherwise, raises flightdb errors only, and may be made from any thread.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import pyarrow as pa

from flightdb.model.batches import BatchStream
from flightdb.model.put import Ack, Done
from flightdb.model.record import Record
from flightdb.model.statement import Statement
from flightdb.model.table import Table, TableKind, TableOptions

IsGone = Callable[[], bool]
"""Asked every 100 ms or so from another thread: has the client left?"""


class StatementKind(StrEnum):
    """What a statement is for a driver: it has an answer, or it changes something."""

    QUERY = "query"
    UPDATE = "update"


class WriteMode(StrEnum):
    """What an ingest statement finds and does (`adbc_ingest` modes, `flightdb load --mode`)."""

    CREATE = "create"
    APPEND = "append"
    REPLACE = "replace"
    CREATE_APPEND = "create_append"


@dataclass(frozen=True, slots=True)
class Described:
    """What preparing tells: `schema` of the answer (no fields for an UPDATE) and one field a parameter, named `1`, `2`..."""

    kind: StatementKind
    schema: pa.Schema
    parameters: pa.Schema


@dataclass(frozen=True, slots=True)
class Pin:
    """A query planned and its snapshot held until `expires_us` (wall clock); see `Service.pin`."""

    id: str
    schema: pa.Schema
    expires_us: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a query: `batches.schema` equals what `describe` said. Close `batches`."""

    query_id: str
    batches: BatchStream
    is_cached: bool


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer in memory. `table` is immutable; `forms` keeps encodings that doors made of it, by media type."""

    table: pa.Table
    forms: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table with true figures from log and buffers. Times in microseconds since the epoch, 0 for none."""

    table: Table
    version: int
    record_count: int
    file_count: int
    size_bytes: int
    oldest_us: int
    newest_us: int
    last_write_us: int
    last_flush_us: int


@dataclass(frozen=True, slots=True)
class Health:
    """`status`: healthy, degraded or unhealthy; each component with the same words and one line of detail."""

    status: str
    components: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class NodeState:
    """A node as status pages list it."""

    id: str
    status: str
    type: str
    address: str
    last_seen_us: int
    active_queries: int


@dataclass(frozen=True, slots=True)
class Status:
    """Figures of the whole service. `figures` keys: see `docs/metrics` in `telemetry.py`."""

    node_id: str
    version: str
    started_us: int
    now_us: int
    figures: Mapping[str, float]
    nodes: Sequence[NodeState]


class Service(Protocol):
    """The core behind every door."""

    def new_query_id(self) -> str:
        """An id for a statement that came without one."""
        ...

    # --- SQL ---
    def describe(self, sql: str) -> Described:
        """Parses, checks and binds without running. Cached by text and table versions.

        Raises: InvalidQuery, PermissionDenied, NotFound (table), Unsupported, TooLarge.
        """
        ...

    def cached_answer(self, statement: Statement) -> CachedAnswer | None:
        """The answer from the result cache, or None. Never blocks: for event loops."""
        ...

    def answer(
        self, statement: Statement, *, pin: str = "", is_gone: IsGone | None = None
    ) -> Answer:
        """Runs a QUERY. `pin`: run it on the snapshot that `pin()` holds (a fresh one if that is gone)."""
        ...

    def pin(self, statement: Statement) -> Pin:
        """Plans a QUERY and pins its snapshot, for GetFlightInfo."""
        ...

    def update(self, statement: Statement, *, is_gone: IsGone | None = None) -> int:
        """Runs an UPDATE (INSERT, CREATE TABLE, DROP TABLE) to its end; gives the rows changed (0 for DDL)."""
        ...

    def cancel(self, query_id: str) -> bool:
        """Stops a running query; False when there is none of that id."""
        ...

    # --- writing ---
    def submit_records(
        self,
        tables: Mapping[str, Sequence[Record]],
        done: Done,
        *,
        producer: str = "",
        sequence: int = 0,
    ) -> bool:
        """Queues one atomic write of records, for event loops: never blocks.

        False: it would have to block (a table to create, a column to add), nothing was done; call `write_records` on
        a thread. Raises at once what is wrong with the rows (InvalidPayload, InvalidRequest, NotFound).
        """
        ...

    def write_records(
        self, tables: Mapping[str, Sequence[Record]], *, producer: str = "", sequence: int = 0
    ) -> Ack:
        """As `submit_records`, but creates tables and columns as needed, and waits for the acknowledgement."""
        ...

    def submit_batch(
        self,
        table: str,
        batch: pa.RecordBatch,
        done: Done,
        *,
        producer: str = "",
        sequence: int = 0,
    ) -> bool:
        """As `submit_records` for an Arrow batch, which is validated in full here."""
        ...

    def write_batch(
        self, table: str, batch: pa.RecordBatch, *, producer: str = "", sequence: int = 0
    ) -> Ack:
        """As `write_records` for an Arrow batch: a stream's batch, one atomic write."""
        ...

    def ingest(
        self,
        table: str,
        batches: BatchStream,
        mode: WriteMode,
        *,
        idempotency_key: str = "",
        id_column: str = "",
        time_column: str = "",
        is_gone: IsGone | None = None,
    ) -> Ack:
        """One atomic statement of any size. A table that it creates is plain, with `batches.schema`.

        Raises: AlreadyExists (CREATE), NotFound (APPEND, REPLACE of none is a create), InvalidPayload, InvalidRequest.
        """
        ...

    def flush(self, table: str = "") -> int:
        """Flushes one table or, with "", all; gives how many rows went to the store."""
        ...

    # --- tables ---
    def create_table(
        self,
        name: str,
        *,
        kind: TableKind = TableKind.RECORD,
        schema: pa.Schema | None = None,
        options: TableOptions | None = None,
        if_not_exists: bool = False,
    ) -> TableInfo:
        """Makes an empty table. Raises AlreadyExists, InvalidRequest (name, options, column type, max_tables)."""
        ...

    def table(self, name: str) -> TableInfo:
        """One table. Raises NotFound."""
        ...

    def tables(self, pattern: str = "") -> Sequence[TableInfo]:
        """All tables whose name matches the glob (`user*`; "" for all), sorted by name. From memory."""
        ...

    def drop_table(self, name: str, *, if_exists: bool = False) -> int:
        """Removes a table and its rows; gives the number of files deleted. Raises NotFound."""
        ...

    # --- running ---
    def health(self) -> Health:
        """Asks each component."""
        ...

    def status(self) -> Status:
        """Figures, without I/O."""
        ...
