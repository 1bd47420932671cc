"""Threads for calls that block, with a bound on how many may run and wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flightdb.errors import Overloaded

T = TypeVar("T")


class Threads:
    """Runs blocking calls for one event loop, on whose thread it is to be used."""

    def __init__(self, name: str, size: int, *, waiting_max: int) -> None:
        """`size`: calls that run at once. `waiting_max`: calls that may wait for that."""
        self._name = name
        self._calls_max = size + waiting_max
        self._calls = 0
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=f"rpc-{name}")

    async def run(self, call: Callable[[], T]) -> T:
        """The result of `call`, which goes on when the wait for it is cancelled.

        Raises:
            Overloaded: too many calls wait already; `call` did not run.
        """
        if self._calls >= self._calls_max:
            raise Overloaded(
                f"too many calls are waiting: kind={self._name} waiting_or_running={self._calls}"
            )
        self._calls += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, call)
        future.add_done_callback(self._end)
        return await future

    def _end(self, future: "asyncio.Future[T]") -> None:
        self._calls -= 1

    def close(self) -> None:
        """Drops calls that wait; does not wait for those that run."""
        self._pool.shutdown(wait=False, cancel_futures=True)
