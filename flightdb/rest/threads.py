"""Threads for blocking calls, with a bound on what waits for one."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flightdb.errors import Overloaded

T = TypeVar("T")

WAITING_PER_THREAD = 16
"""Calls that may wait for each thread: the service refuses earlier; this only bounds memory."""


class Threads:
    """A pool of threads for one kind of work, so that one kind cannot starve another.

    Used on one event loop.
    """

    def __init__(self, name: str, size: int) -> None:
        """`size`: threads; `name` shows in thread names and in the refusal."""
        self._name = name
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=f"rest-{name}")
        self._call_count_max = size * (1 + WAITING_PER_THREAD)
        self._call_count = 0

    async def run(self, call: Callable[[], T]) -> T:
        """Runs `call` on a thread of the pool and gives its result.

        A wait that is given up does not stop the call.

        Raises:
            Overloaded: too many calls wait already; `call` was not run.
        """
        if self._call_count >= self._call_count_max:
            raise Overloaded(f"too many requests wait for a thread: kind={self._name}")
        self._call_count += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, call)
        future.add_done_callback(self._forget)
        return await future

    def _forget(self, _: "asyncio.Future[T]") -> None:
        self._call_count -= 1

    def soon(self, call: Callable[[], None]) -> None:
        """Runs `call`, which frees something, on a thread, whatever else waits."""
        self._pool.submit(call)

    def close(self) -> None:
        """Ends the threads as their calls end; does not wait."""
        self._pool.shutdown(wait=False, cancel_futures=True)
