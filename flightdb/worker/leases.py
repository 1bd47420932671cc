"""Views given out, pinned until they are given back or expire: the WAL keeps the segments that they name."""

import threading
from collections.abc import Iterator, Sequence
from itertools import islice

from flightdb.cluster.workers import Lease
from flightdb.model.clock import Clock, Ids
from flightdb.worker.states import Frozen, States, TableState

LEASES_MAX = 4_096
"""More open queries and unfetched tickets than this: the oldest lease ends early."""

_LOOKED_AT = 4
"""Old leases that each new one looks at: more than one, so that expired ones get fewer."""

_NO_LSN = 2**63 - 1


class Leases:
    """Thread-safe."""

    def __init__(self, states: States, clock: Clock, ids: Ids) -> None:
        """No leases."""
        self._states = states
        self._clock = clock
        self._ids = ids
        self._lock = threading.Lock()
        self._leases: dict[str, tuple[Lease, int, list[Frozen]]] = {}

    def __len__(self) -> int:
        """Leases out."""
        return len(self._leases)

    def take(self, states: Sequence[TableState], seconds: float) -> Lease:
        """One consistent view of the tables."""
        with self._lock:
            # Frozen inside this lock, so that `oldest_lsn` never misses a view that is being made.
            looks, lsn = self._states.freeze(states, _NO_LSN)
            pending_id = self._ids.query_id()
            now_s = self._clock.monotonic_s()
            expires_s = now_s + seconds
            self._end_expired(now_s)
            self._leases[pending_id] = (Lease(pending_id, {}, expires_s), lsn, looks)
            while len(self._leases) > LEASES_MAX:
                self._leases.pop(next(iter(self._leases)))
        views = [look.view() for look in looks]
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
            self._end_expired(now_s, all_of_them=True)
            lowest = min((lsn for _, lsn, _ in self._leases.values()), default=_NO_LSN)
        return none if lowest == _NO_LSN else lowest

    def _end_expired(self, now_s: float, *, all_of_them: bool = False) -> None:
        """Ends leases whose time is over: all, or the oldest ones, which hold rows in memory."""
        for key, (lease, _, _) in list(self._leases.items() if all_of_them else self._oldest()):
            if lease.expires_s < now_s:
                del self._leases[key]

    def _oldest(self) -> Iterator[tuple[str, tuple[Lease, int, list[Frozen]]]]:
        return islice(self._leases.items(), _LOOKED_AT)
