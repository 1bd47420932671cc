"""One RPC as the handlers see it: who asks, what the headers say, whether the client is there."""

import threading
from collections.abc import Callable, Mapping, Sequence

from pyarrow import flight

from flightdb.model.principal import Principal

Headers = Mapping[str, Sequence[str | bytes]]


class Call:
    """A call in progress.

    `query_id` is empty until a statement is made of the call; errors and logs name it. Thread-safe.
    """

    def __init__(
        self,
        context: flight.ServerCallContext,
        principal: Principal,
        headers: Headers,
        is_stopping: Callable[[], bool],
    ) -> None:
        """`is_stopping`: the server is going down and waits for nobody any more."""
        self.principal = principal
        self.query_id = ""
        self._headers = headers
        self._is_stopping = is_stopping
        self._lock = threading.Lock()
        self._context: flight.ServerCallContext | None = context

    def is_gone(self) -> bool:
        """Whether the client has left, its deadline is over, or the server stops.

        True once the call has ended.
        """
        # The C++ context dies with the RPC, so it may be asked only under the lock that `end`
        # takes.
        with self._lock:
            if self._context is None or self._is_stopping():
                return True
            return bool(self._context.is_cancelled())

    def end(self) -> None:
        """Forgets the RPC; must be called before it returns to C++ for good."""
        with self._lock:
            self._context = None

    def header(self, name: str) -> str:
        """The first value of the call header `name` (lower case), or ""."""
        values = self._headers.get(name)
        if not values:
            return ""
        value = values[0]
        return value if isinstance(value, str) else value.decode("utf-8", "replace")
