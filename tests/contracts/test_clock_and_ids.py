"""What every `Clock` and `Ids` promise, from many threads."""

import re
import threading
import time
import uuid

import pytest

from flightdb.app import RandomIds, SystemClock
from flightdb.model.clock import Clock, Ids
from flightdb.worker.names import NameClock


@pytest.fixture
def clock() -> Clock:
    return SystemClock()


@pytest.fixture
def ids() -> Ids:
    return RandomIds()


def from_threads(make, count: int) -> list:
    """What four threads got of `make`."""
    made: list[list] = [[] for _ in range(4)]

    def work(mine: list) -> None:
        mine.extend(make() for _ in range(count))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [value for mine in made for value in mine]


def test_now_is_in_microseconds_since_the_epoch(clock):
    assert abs(clock.now_us() - time.time() * 1e6) < 5e6


def test_monotonic_time_is_in_seconds_and_never_goes_back(clock):
    moments = [clock.monotonic_s() for _ in range(1_000)]
    assert moments == sorted(moments)
    began = clock.monotonic_s()
    time.sleep(0.05)
    assert 0.04 < clock.monotonic_s() - began < 2


def test_query_ids_are_32_hexadecimal_digits(ids):
    assert all(re.fullmatch("[0-9a-f]{32}", ids.query_id()) for _ in range(100))


def test_record_ids_are_version_4_uuids_in_their_usual_text(ids):
    made = [ids.record_id() for _ in range(100)]
    assert {uuid.UUID(one).version for one in made} == {4}
    assert [str(uuid.UUID(one)) for one in made] == made


def test_tokens_hold_256_bits_and_fit_a_url(ids):
    made = [ids.token() for _ in range(100)]
    assert all(re.fullmatch("[A-Za-z0-9_-]{43,}", one) for one in made)


@pytest.mark.parametrize("kind", ["query_id", "record_id", "token"])
def test_ids_are_unique_over_threads(ids, kind):
    made = from_threads(getattr(ids, kind), 2_000)
    assert len(set(made)) == len(made)


class StandingClock:
    """A clock that stands, and can be put back."""

    moment_us = 1_000

    def now_us(self) -> int:
        return self.moment_us

    def monotonic_s(self) -> float:
        return 0.0


def test_names_of_files_grow_whatever_the_wall_clock_does():
    wall = StandingClock()
    names = NameClock(wall, worker_number=7)
    made = [names.next_ns() for _ in range(3)]
    wall.moment_us = 10
    made.append(names.next_ns())
    names.pass_by("t/_packed/2026-01-31/9000007.parquet")
    names.pass_by("t/part-00000-of-spark.parquet")
    names.pass_by("t/_packed/2026-01-31/" + "9" * 40 + ".parquet")
    made.append(names.next_ns())

    assert made == sorted(set(made))
    assert {name % 1_000 for name in made} == {7}
    assert made[-1] == 9_001_007


def test_names_of_files_are_unique_over_threads(clock):
    names = NameClock(clock)
    made = from_threads(names.next_ns, 2_000)
    assert len(set(made)) == len(made)
