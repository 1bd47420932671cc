"""The queries that run now: by id, each with its stop button, watched for deadlines and clients that left."""

import threading
from collections.abc import Callable

import structlog

from flightdb.model.cancellation import Cancellation
from flightdb.model.clock import Clock

log = structlog.get_logger()

_WATCH_S = 0.1


class Running:
    """Thread-safe. `start` the watch once, `stop` it at the end."""

    def __init__(self, clock: Clock) -> None:
        """Nothing runs."""
        self._clock = clock
        self._lock = threading.Lock()
        self._queries: dict[str, Cancellation] = {}
        self.on_leave: Callable[[], None] = lambda: None
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._run, name="flightdb-watch", daemon=True)

    def __len__(self) -> int:
        """How many run."""
        return len(self._queries)

    def start(self) -> None:
        """Begins to watch."""
        self._watch.start()

    def stop(self) -> None:
        """Stops every query and the watch."""
        self._stopping.set()
        for cancellation in self.all():
            cancellation.cancel("server is shutting down")
        self._watch.join()

    def enter(
        self, query_id: str, timeout_s: float, is_gone: Callable[[], bool] | None
    ) -> Cancellation:
        """Registers a query that may take `timeout_s` seconds from now. `leave` it in every case."""
        cancellation = Cancellation(self._clock.monotonic_s() + timeout_s, is_gone)
        with self._lock:
            self._queries[query_id] = cancellation
        return cancellation

    def leave(self, query_id: str) -> None:
        """The query has ended."""
        with self._lock:
            self._queries.pop(query_id, None)
        self.on_leave()

    def all(self) -> frozenset[Cancellation]:
        """What runs now."""
        with self._lock:
            return frozenset(self._queries.values())

    def cancel(self, query_id: str) -> bool:
        """Stops a query; False when none of that id runs."""
        cancellation = self._queries.get(query_id)
        if cancellation is None:
            return False
        cancellation.cancel()
        return True

    def _run(self) -> None:
        while not self._stopping.wait(_WATCH_S):
            now_s = self._clock.monotonic_s()
            for cancellation in self.all():
                if cancellation.deadline_s is not None and now_s >= cancellation.deadline_s:
                    cancellation.expire()
                elif cancellation.is_gone is not None and _is_gone(cancellation.is_gone):
                    cancellation.cancel("its client left, or its door is closing")


def _is_gone(ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except Exception as error:
        # A door's context that is torn down already; its call has ended. Every other query needs this thread.
        log.warning("client cannot be asked", exc_info=error)
        return True
