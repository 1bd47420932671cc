"""Workers in the same process: the protocol answered by direct calls."""

from collections.abc import Sequence

import pyarrow as pa

from flightdb.cluster.workers import Ingest, Lease, WorkerStatus
from flightdb.errors import Unavailable
from flightdb.model.batches import BatchStream
from flightdb.model.cancellation import Cancellation
from flightdb.model.put import Ack, Done, Put
from flightdb.model.source import Fragment
from flightdb.model.table import Table
from flightdb.worker.worker import Worker


class LocalWorkers:
    """One worker, here. It owns every id of every table."""

    def __init__(self, worker: Worker) -> None:
        """`worker` is started and stopped by who made it."""
        self._worker = worker
        self._nodes = (worker.node_id,)

    def nodes(self) -> Sequence[str]:
        """This node."""
        return self._nodes

    def owner(self, table: Table, record_id: str | None) -> str:
        """This node."""
        return self._nodes[0]

    def owners(self, table: Table) -> Sequence[str]:
        """This node."""
        return self._nodes

    def _at(self, node: str) -> Worker:
        if node != self._worker.node_id:
            raise Unavailable(f"no such node: expected {self._worker.node_id}, node={node}")
        return self._worker

    def put(self, node: str, put: Put, done: Done) -> None:
        """See `Workers.put`."""
        self._at(node).put(put, done)

    def pressure(self, node: str) -> float:
        """See `Workers.pressure`."""
        return self._at(node).pressure

    def ingest(
        self, node: str, ingest: Ingest, batches: BatchStream, cancellation: Cancellation
    ) -> Ack:
        """See `Workers.ingest`."""
        return self._at(node).ingest(ingest, batches, cancellation)

    def lease(self, node: str, tables: Sequence[Table], seconds: float) -> Lease:
        """See `Workers.lease`."""
        return self._at(node).lease(tables, seconds)

    def release(self, node: str, lease_id: str) -> None:
        """See `Workers.release`."""
        self._at(node).release(lease_id)

    def execute(self, node: str, fragment: Fragment, cancellation: Cancellation) -> BatchStream:
        """See `Workers.execute`."""
        return self._at(node).execute(fragment, cancellation)

    def mark(self, node: str, table: Table) -> tuple[int, int]:
        """See `Workers.mark`."""
        return self._at(node).mark(table)

    def evolve(self, node: str, table: Table, fields: Sequence[pa.Field]) -> Table:
        """See `Workers.evolve`."""
        return self._at(node).evolve(table, fields)

    def flush(self, node: str, tables: Sequence[Table]) -> int:
        """See `Workers.flush`."""
        return self._at(node).flush(tables)

    def forget(self, node: str, table: Table) -> None:
        """See `Workers.forget`."""
        self._at(node).forget(table)

    def status(self, node: str) -> WorkerStatus:
        """See `Workers.status`."""
        return self._at(node).status()
