"""One wake-up of the loop for all writes that finish together."""

import asyncio
import threading

import pytest

from flightdb.errors import InvalidPayload
from flightdb.model.pending import Wakeups
from flightdb.model.put import Ack


class CountingLoop:
    def __init__(self, loop):
        self.loop = loop
        self.wakeup_count = 0

    def create_future(self):
        return self.loop.create_future()

    def call_soon_threadsafe(self, callback):
        self.wakeup_count += 1
        return self.loop.call_soon_threadsafe(callback)


def from_a_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_all_that_finish_together_wake_the_loop_once():
    async def scenario():
        loop = CountingLoop(asyncio.get_running_loop())
        wakeups = Wakeups(loop)
        pairs = [wakeups.future() for _ in range(100)]

        # joined while the loop stands still, as a committer that holds the interpreter does
        from_a_thread(lambda: [done(Ack(i, 1)) for i, (_, done) in enumerate(pairs)])
        acks = await asyncio.gather(*(future for future, _ in pairs))

        assert [ack.lsn for ack in acks] == list(range(100))
        assert loop.wakeup_count == 1

    asyncio.run(scenario())


def test_outcomes_that_trickle_in_are_never_lost():
    async def scenario():
        wakeups = Wakeups(asyncio.get_running_loop())
        pairs = [wakeups.future() for _ in range(5_000)]
        halves = (pairs[:2_500], pairs[2_500:])
        threads = [
            threading.Thread(target=lambda half=half: [done(Ack(1, 1)) for _, done in half])
            for half in halves
        ]

        for thread in threads:
            thread.start()
        acks = await asyncio.wait_for(asyncio.gather(*(future for future, _ in pairs)), 20)

        assert len(acks) == 5_000
        for thread in threads:
            thread.join()

    asyncio.run(scenario())


def test_an_error_is_raised_where_the_write_waits():
    async def scenario():
        future, done = Wakeups(asyncio.get_running_loop()).future()

        from_a_thread(lambda: done(InvalidPayload("row 3: no")))

        with pytest.raises(InvalidPayload, match="row 3"):
            await future

    asyncio.run(scenario())


def test_an_outcome_for_a_wait_that_was_given_up_is_dropped():
    async def scenario():
        wakeups = Wakeups(asyncio.get_running_loop())
        left, done_left = wakeups.future()
        kept, done_kept = wakeups.future()
        left.cancel()

        from_a_thread(lambda: (done_left(Ack(1, 1)), done_kept(Ack(2, 1))))

        assert (await kept).lsn == 2

    asyncio.run(scenario())


def test_an_outcome_after_the_loop_ended_does_not_disturb_the_committer():
    async def make():
        return Wakeups(asyncio.get_running_loop()).future()

    _, done = asyncio.run(make())

    done(Ack(1, 1))
