"""Views given out, pinned until they are given back or expire: the WAL keeps the segments that they name."""

import threading
from collections.abc import Sequence

from flightdb.cluster.workers import Lease
from flightdb.model.clock import Clock, Ids
from flightdb.worker.states import Frozen, States, TableState

LEASES_MAX = 4_096
"""More open queries and unfetched tickets than this: the oldest lease ends early."""


class Leases:
    """Thread-safe."""

    def __init__(self, states: States, clock: Clock, ids: Ids) -> None:
        """No leases."""
        self._states = states
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._leases: dict[str, tuple[Lease, int, object]] = {}

    def __len__(self) -> int:
        """Leases out."""
        return len(self._leases)

    def take(self, states: Sequence[TableState], seconds: float) -> Lease:
        """One consistent view of the tables."""
        with self._lock:
            # Frozen inside this lock, so that `oldest_lsn` never misses a view that is being made.
            looks = self._states.freeze(states)
            pending_id = self._ids.query_id()
            lsn = min((state.flushed_lsn for state in states), default=0)
            expires_s = self._clock.monotonic_s() + seconds
            self._leases[pending_id] = (Lease(pending_id, {}, expires_s), lsn, looks)
            while len(self._leases) > LEASES_MAX:
                self._leases.pop(next(iter(self._leases)))
        views = [look.view() if isinstance(look, Frozen) else look for look in looks]
        lease = Lease(pending_id, {view.table.id: view for view in views}, expires_s)
        with self._lock:
            if pending_id in self._leases:
                self._leases[pending_id] = (lease, lsn, looks)
        return lease

    def release(self, lease_id: str) -> None:
        """Ends a lease; unknown ids are ignored."""
        with self._lock:
            self._leases.pop(lease_id, None)

    def oldest_lsn(self, none: int) -> int:
        """The lowest lsn that some lease may read beyond; `none` when there are no leases. Expired ones end here."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            ended = [key for key, (lease, _, _) in self._leases.items() if lease.expires_s < now_s]
            for key in ended:
                del self._leases[key]
            return min((lsn for _, lsn, _ in self._leases.values()), default=none)
