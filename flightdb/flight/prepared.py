"""Prepared statements: handles, what is bound to them, and their end."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import pyarrow as pa

from flightdb.errors import NotFound, TooLarge
from flightdb.model.clock import Clock, Ids
from flightdb.model.principal import Principal

BOUND_BYTES_MAX = 16 << 20
"""Parameters kept between two calls.

Rows for an INSERT travel in the call that runs it and are not kept.
"""


@dataclass(slots=True)
class Prepared:
    """A statement that was prepared; `parameters` are those bound last, None before."""

    sql: str
    parameters: pa.RecordBatch | None = None
    used_s: float = field(default=0.0)


class PreparedStatements:
    """All prepared statements of this door. Thread-safe.

    Each belongs to one principal. It ends when it is closed, when it was not used for `idle_s`
    seconds, or when its owner prepares more than `count_max`: then the one that was not used for
    the longest time goes.
    """

    def __init__(
        self, clock: Clock, ids: Ids, *, count_max: int = 1000, idle_s: float = 3600.0
    ) -> None:
        """`count_max`: for each principal."""
        self._clock = clock
        self._ids = ids
        self._count_max = count_max
        self.idle_s = idle_s
        self._lock = threading.Lock()
        self._owned: dict[str, OrderedDict[bytes, Prepared]] = {}

    def create(self, sql: str, owner: Principal) -> bytes:
        """A handle for `sql`."""
        handle = self._ids.token().encode()
        now = self._clock.monotonic_s()
        with self._lock:
            mine = self._owned.setdefault(owner.name, OrderedDict())
            mine[handle] = Prepared(sql, used_s=now)
            if len(mine) > self._count_max:
                mine.popitem(last=False)
            self._expire(now)
        return handle

    def get(self, handle: bytes, owner: Principal) -> Prepared:
        """The statement, which counts as a use.

        Raises NotFound: unknown, closed, expired, or of another principal.
        """
        now = self._clock.monotonic_s()
        with self._lock:
            mine = self._owned.get(owner.name) or OrderedDict()
            prepared = mine.get(handle)
            if prepared is None or now - prepared.used_s > self.idle_s:
                mine.pop(handle, None)
                raise NotFound(
                    "prepared statement not found: it was closed, has expired, or is another user's"
                )
            prepared.used_s = now
            mine.move_to_end(handle)
        return prepared

    def bind(self, handle: bytes, owner: Principal, parameters: pa.RecordBatch | None) -> None:
        """Binds `parameters` in place of what was bound before. Raises NotFound, TooLarge."""
        size = 0 if parameters is None else parameters.nbytes
        if size > BOUND_BYTES_MAX:
            raise TooLarge(
                f"bound parameters are too large: max_bytes={BOUND_BYTES_MAX}, size_bytes={size}"
            )
        self.get(handle, owner).parameters = parameters

    def close(self, handle: bytes, owner: Principal) -> None:
        """Ends the statement; unknown handles are ignored."""
        with self._lock:
            mine = self._owned.get(owner.name)
            if mine is not None:
                mine.pop(handle, None)
                if not mine:
                    del self._owned[owner.name]

    def _expire(self, now: float) -> None:
        # The oldest stand first, so this looks at no more than one that stays a principal.
        for name, statements in list(self._owned.items()):
            while statements and now - next(iter(statements.values())).used_s > self.idle_s:
                statements.popitem(last=False)
            if not statements:
                del self._owned[name]
