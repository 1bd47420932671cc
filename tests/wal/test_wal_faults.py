import os
import subprocess
import sys
import threading
from random import Random

import pytest
from faulty_disk import IO_ERROR, NO_SPACE, FaultyDisk, PowerLost
from wal_rows import EVENTS, bodies, note, open_log, rows

from flightdb.errors import Conflict, Overloaded, Unavailable
from flightdb.wal.frames import FrameKind
from flightdb.wal.log import WalFailed, WalFull

ALL = 1 << 60


def appended_until_power_is_lost(log, random, acknowledged):
    """Appends of random sizes; gives what was being appended when the power went, [] if it did not."""
    pending = []
    try:
        for i in range(random.randrange(5, 40)):
            pending = [
                note(f"{log.next_lsn}.{i}.{j}." + "x" * random.choice((0, 10, 600, 3000, 9000)))
                for j in range(random.choice((1, 1, 2, 5)))
            ]
            log.append(pending)
            acknowledged += [frame.body for frame in pending]
            pending = []
    except PowerLost:
        return [frame.body for frame in pending]
    return []


@pytest.mark.parametrize("block", range(6))
def test_power_loss_at_any_call_loses_no_acknowledged_frame_and_invents_none(tmp_path, block):
    for seed in range(block * 50, block * 50 + 50):
        random = Random(seed)
        disk = FaultyDisk(seed)
        directory = tmp_path / str(seed)
        acknowledged = []
        for _ in range(4):
            disk.stop_at_call = disk.calls + random.randrange(1, 60)
            try:
                log = open_log(directory, disk)
            except PowerLost:
                disk.lose_power()
                continue
            assert_is_prefix(bodies(log), acknowledged, [], seed)
            pending = appended_until_power_is_lost(log, random, acknowledged)
            log.close()
            disk.lose_power()

            log = open_log(directory, disk)
            read = bodies(log)
            log.close()

            assert_is_prefix(read, acknowledged, pending, seed)
            acknowledged = read
            disk.lose_power()


def assert_is_prefix(read, acknowledged, pending, seed):
    """All that was acknowledged, then any first part of what was being appended."""
    extra = len(read) - len(acknowledged)
    assert 0 <= extra <= len(pending), f"seed={seed}"
    assert read == acknowledged + pending[:extra], f"seed={seed}"


@pytest.mark.parametrize("block", range(4))
def test_power_loss_while_segments_are_deleted_leaves_no_gap_and_no_row_that_was_not_flushed(
    tmp_path, block
):
    for seed in range(block * 25, block * 25 + 25):
        random = Random(seed)
        disk = FaultyDisk(seed)
        directory = tmp_path / str(seed)
        log = open_log(directory, disk)
        log.carry = lambda: [note("producers", kind=FrameKind.PRODUCER)]
        placed = [log.append([rows(f"{i}" + "x" * 3000)])[0] for i in range(8)]
        flushed = placed[random.randrange(8)].lsn
        disk.stop_at_call = disk.calls + random.randrange(1, 14)
        try:
            log.truncate({EVENTS: flushed}, keep_from_lsn=ALL)
            log.append([rows("last")])
        except PowerLost:
            pass
        log.close()
        disk.lose_power()

        log = open_log(directory, disk)
        frames = list(log.replay())
        log.close()

        assert [f.lsn for f in placed if f.lsn > flushed] == [
            f.lsn for f in frames if f.kind == FrameKind.DATA and flushed < f.lsn <= placed[-1].lsn
        ], f"seed={seed}"
        assert any(frame.kind == FrameKind.PRODUCER for frame in frames), f"seed={seed}"


@pytest.mark.parametrize("call", ["write", "sync"])
def test_an_append_that_fails_is_final(directory, call):
    disk = FaultyDisk()
    log = open_log(directory, disk)
    log.append([note("safe")])

    disk.fail = {call: IO_ERROR}
    with pytest.raises(WalFailed, match=f"path={directory}, error={os.strerror(IO_ERROR)}"):
        log.append([note("lost")])
    disk.fail = {}

    assert log.is_failed
    assert issubclass(WalFailed, Unavailable)
    calls = disk.calls
    with pytest.raises(WalFailed, match="has failed"):
        log.append([note("never")])
    with pytest.raises(WalFailed, match="has failed"):
        log.truncate({}, keep_from_lsn=ALL)
    assert disk.calls == calls
    log.close()
    assert disk.calls == calls


@pytest.mark.parametrize(
    "call", ["create", "write", "sync", "rename", "sync_directory", "trim", "allocate"]
)
def test_a_rotation_that_fails_is_final_and_loses_nothing(directory, call):
    disk = FaultyDisk()
    log = open_log(directory, disk)
    log.append([note("safe")])

    disk.fail = {call: IO_ERROR}
    with pytest.raises(WalFailed):
        log.append([note(b"x" * 5000)])
    disk.fail = {}

    assert log.is_failed
    log.close()
    disk.lose_power()
    log = open_log(directory, disk)
    assert bodies(log) == [b"safe"]
    log.close()


def test_an_interrupt_in_the_middle_of_an_append_is_final(directory):
    disk = FaultyDisk()
    log = open_log(directory, disk)
    log.append([note("safe")])
    disk.stop_at_call = disk.calls + 2

    with pytest.raises(PowerLost):
        log.append([note("unknown")])

    with pytest.raises(WalFailed):
        log.append([note("never")])
    log.close()


def test_a_failed_delete_is_final(directory):
    disk = FaultyDisk()
    log = open_log(directory, disk)
    for _ in range(3):
        log.append([note(b"x" * 5000)])

    disk.fail = {"sync_directory": IO_ERROR}
    with pytest.raises(WalFailed):
        log.truncate({}, keep_from_lsn=ALL)

    assert log.is_failed
    log.close()


def fill(log, sent):
    while True:
        log.append([note(f"{len(sent)}" + "x" * 3500)])
        sent.append(len(sent))


def test_a_full_quota_refuses_before_anything_is_written_until_segments_are_deleted(directory):
    disk = FaultyDisk()
    log = open_log(directory, disk, max_bytes=32_000)
    sent = []
    with pytest.raises(WalFull, match=rf"path={directory}, which=quota, bytes=\d+, limit=32000"):
        fill(log, sent)
    assert issubclass(WalFull, Overloaded)
    assert 5 <= len(sent) <= 8
    assert log.size_bytes <= 32_000
    next_lsn, calls = log.next_lsn, disk.calls

    with pytest.raises(WalFull):
        log.append([note(b"x" * 3500)])
    assert (log.next_lsn, disk.calls, log.is_failed) == (next_lsn, calls, False)

    assert log.truncate({}, keep_from_lsn=ALL) > 0
    assert log.append([note(b"y" * 3500)])[0].lsn == next_lsn
    log.close()


def test_a_full_log_can_be_emptied_right_after_opening(directory):
    log = open_log(directory, max_bytes=32_000)
    with pytest.raises(WalFull):
        fill(log, [])
    log.close()

    log = open_log(directory, max_bytes=32_000)
    with pytest.raises(WalFull):
        log.append([note(b"x" * 3500)])
    assert log.truncate({}, keep_from_lsn=ALL) > 0
    log.append([note(b"x" * 3500)])
    log.close()


def test_the_log_stops_before_the_disk_is_full_and_goes_on_when_there_is_room(directory):
    disk = FaultyDisk()
    log = open_log(directory, disk, free_bytes_min=1 << 20)
    log.append([note("before")])
    disk.free = (1 << 20) + 4159  # a segment of 4160 is needed

    calls = disk.calls
    with pytest.raises(
        WalFull, match=f"path={directory}, which=free disk space, bytes=1052735, limit=1048576"
    ):
        log.append([note(b"x" * 4000)])
    assert disk.calls == calls

    disk.free += 1
    log.append([note(b"x" * 4000)])
    log.close()
    log = open_log(directory, disk)
    assert bodies(log) == [b"before", b"x" * 4000]
    log.close()


def test_free_space_is_watched_within_a_segment_too(directory):
    disk = FaultyDisk()
    log = open_log(
        directory, disk, segment_bytes=8 << 20, max_bytes=64 << 20, free_bytes_min=1 << 20
    )
    log.append([note("before")])
    disk.free = 1000

    with pytest.raises(WalFull, match="free disk space"):
        fill(log, [])
    with pytest.raises(WalFull, match="free disk space"):
        log.append([note("small")])
    log.close()


def test_a_disk_that_fills_while_a_segment_is_made_is_full_not_failed(directory):
    disk = FaultyDisk()
    log = open_log(directory, disk)
    log.append([note("before")])

    disk.fail = {"allocate": NO_SPACE}
    with pytest.raises(WalFull, match="which=disk"):
        log.append([note(b"x" * 4000)])
    disk.fail = {}

    assert not log.is_failed
    assert sorted(path.name for path in directory.iterdir()) == ["00000000000000000001.wal", "lock"]
    log.append([note(b"x" * 4000)])
    log.close()


def test_a_second_log_on_the_directory_is_refused_and_names_the_holder(directory):
    log = open_log(directory)

    with pytest.raises(Conflict, match=f"directory={directory}, pid={os.getpid()}"):
        open_log(directory)

    log.close()
    open_log(directory).close()


def test_a_process_that_dies_leaves_no_lock_and_all_it_acknowledged(directory):
    script = """
import os, sys
from pathlib import Path
from wal_rows import open_log, note
log = open_log(Path(sys.argv[1]))
for i in range(20):
    log.append([note(f"{i}" + "x" * 900)])
    print(i, flush=True)
os.kill(os.getpid(), 9)
"""
    here = os.path.dirname(__file__)
    path = os.pathsep.join([here, *sys.path])
    child = subprocess.run(
        [sys.executable, "-c", script, str(directory)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": path},
    )
    assert child.returncode == -9, child.stderr
    assert len(child.stdout.split()) == 20

    log = open_log(directory)
    assert bodies(log) == [f"{i}".encode() + b"x" * 900 for i in range(20)]
    log.close()


def test_the_directory_is_private(directory):
    open_log(directory / "deeper").close()
    assert (directory / "deeper").stat().st_mode & 0o777 == 0o700


def test_an_append_is_one_write_and_one_fdatasync(directory):
    disk = FaultyDisk()
    log = open_log(directory, disk, segment_bytes=1 << 20, max_bytes=1 << 24)
    log.append([note("first")])

    disk.called.clear()
    log.append([note(b"x" * 5000) for _ in range(50)])

    assert disk.called == ["write", "sync"]
    log.close()


def test_more_pieces_than_one_system_call_takes_are_all_written(directory):
    log = open_log(directory, segment_bytes=16 << 20, max_bytes=1 << 26)
    sent = [b"%05d" % i + b"x" * 4200 for i in range(1500)]

    log.append([note(body) for body in sent])
    log.close()

    log = open_log(directory)
    assert bodies(log) == sent
    log.close()


def test_segments_are_deleted_while_another_thread_appends(directory):
    log = open_log(directory, max_bytes=1 << 24)
    stop = threading.Event()
    freed = []

    def truncate():
        while not stop.is_set():
            freed.append(log.truncate({EVENTS: ALL}, keep_from_lsn=ALL))

    thread = threading.Thread(target=truncate)
    thread.start()
    placed = [log.append([rows("x" * 900)])[0] for _ in range(200)]
    stop.set()
    thread.join()
    log.close()

    assert sum(freed) > 0
    log = open_log(directory)
    lsns = [frame.lsn for frame in log.replay()]
    assert lsns == list(range(lsns[0], placed[-1].lsn + 1))
    log.close()
