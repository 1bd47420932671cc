import re

import pytest
from wal_rows import bodies, note, open_log, rows

from flightdb.errors import Conflict, Corruption
from flightdb.wal.disk import RealDisk
from flightdb.wal.log import Log

SEGMENT = 2048


def small_log(directory):
    """Two segments: a closed one, and a newest one of five appends. Gives all bodies and the frames of the newest."""
    log = open_log(directory, segment_bytes=SEGMENT)
    placed = []
    for text in ("one", "two", "three" * 20):
        placed += log.append([rows(text, producer="p"), note(text)])
    placed += log.append([note("f" * 900)])
    newest = []
    while len(newest) < 5:
        newest += log.append([note(f"newest {len(newest)}", producer="who", row_count=3)])
    log.close()
    assert len(list(directory.glob("*.wal"))) == 2
    return newest


def read_back(directory):
    log = open_log(directory, segment_bytes=SEGMENT)
    try:
        return bodies(log)
    finally:
        log.close()


def test_a_tail_torn_at_any_byte_gives_all_frames_before_it_and_no_other(directory):
    newest = small_log(directory)
    whole = read_back(directory)
    path = max(directory.glob("*.wal"))
    content = path.read_bytes()
    ends = [frame.offset + 64 for frame in newest]  # each body is shorter than 64
    for at in range(ends[1], ends[-1] + 1):
        for torn in (content[:at].ljust(len(content), b"\0"), content[:at]):
            lost = [end for end in ends if torn[:end] != content[:end]]
            path.write_bytes(torn)
            assert read_back(directory) == whole[: len(whole) - len(lost)], at
            assert not any(path.read_bytes()[ends[-len(lost) - 1] :]), at


def test_a_cut_log_goes_on_where_it_was_cut(directory):
    newest = small_log(directory)
    path = max(directory.glob("*.wal"))
    content = path.read_bytes()
    path.write_bytes(content[: newest[-1].offset].ljust(len(content), b"\0"))

    log = open_log(directory, segment_bytes=SEGMENT)
    [again] = log.append([note("again")])
    log.close()

    assert again.lsn == newest[-1].lsn
    assert read_back(directory)[-2:] == [b"newest 3", b"again"]


def flips(path, start, end):
    content = path.read_bytes()
    for at in range(start, end):
        damaged = bytearray(content)
        damaged[at] ^= 1 << (at % 8)
        path.write_bytes(damaged)
        yield at
    path.write_bytes(content)


def assert_damage_is_named(directory, path, at):
    with pytest.raises(Corruption, match=re.escape(f"file={path}, offset=")) as caught:
        read_back(directory)
    assert int(re.search(r"offset=(\d+)", caught.value.message)[1]) <= at


def test_a_flipped_bit_at_any_byte_of_a_closed_segment_is_damage(directory):
    small_log(directory)
    path = min(directory.glob("*.wal"))

    for at in flips(path, 0, path.stat().st_size):
        assert_damage_is_named(directory, path, at)

    assert read_back(directory)[0] == b"one"


def test_a_flipped_bit_at_any_byte_before_the_last_append_of_the_newest_is_damage(directory):
    newest = small_log(directory)
    path = max(directory.glob("*.wal"))

    for at in flips(path, 0, newest[-2].offset + 64):
        assert_damage_is_named(directory, path, at)

    assert read_back(directory)[-1] == b"newest 4"


def test_a_flipped_bit_in_the_last_append_never_invents_or_changes_a_frame(directory):
    newest = small_log(directory)
    whole = read_back(directory)
    path = max(directory.glob("*.wal"))

    for at in flips(path, newest[-1].offset - 128, path.stat().st_size):
        expected = whole if at >= newest[-1].offset + 64 else whole[:-1]
        assert read_back(directory) == expected, at


def test_opening_damage_changes_no_byte(directory):
    newest = small_log(directory)
    path = max(directory.glob("*.wal"))
    damaged = bytearray(path.read_bytes())
    damaged[newest[1].offset] ^= 1
    path.write_bytes(damaged)

    with pytest.raises(Corruption, match=rf"offset={newest[1].offset - 128}, expected_lsn="):
        read_back(directory)

    assert path.read_bytes() == damaged


def test_later_frames_of_the_same_unfinished_append_are_cut_not_taken_for_damage(directory):
    log = open_log(directory)
    log.append([note("kept")])
    first, second, _ = log.append([note("lost"), note("survives"), note("survives too")])
    log.close()
    path = max(directory.glob("*.wal"))
    content = bytearray(path.read_bytes())
    content[first.offset - 64 : first.offset + 64] = bytes(128)
    path.write_bytes(content)

    assert read_back(directory) == [b"kept"]
    assert not any(path.read_bytes()[first.offset - 64 :])
    assert second.lsn == first.lsn + 1


def test_a_cut_that_was_itself_cut_short_is_finished_by_the_next_opening(directory):
    log = open_log(directory)
    log.append([note("kept")])
    frames = log.append([note(f"torn {i}") for i in range(6)])
    log.close()
    path = max(directory.glob("*.wal"))
    content = bytearray(path.read_bytes())
    for kept in (frames[2], frames[5]):
        for frame in frames:
            if frame is not kept:
                content[frame.offset - 64 : frame.offset + 64] = bytes(128)
        path.write_bytes(content)
        assert read_back(directory) == [b"kept"]


def test_a_copy_of_a_frame_inside_a_body_is_not_taken_for_a_frame(directory):
    log = open_log(directory, segment_bytes=1 << 16)
    log.append([note("a")])
    later = log.append([note("later")])[0]
    log.close()
    copied = max(directory.glob("*.wal")).read_bytes()[later.offset - 64 : later.offset + 64]
    other = directory.parent / "other"
    log = open_log(other, segment_bytes=1 << 16)
    [torn] = log.append([note(copied * 20)])
    log.close()
    path = max(other.glob("*.wal"))
    content = path.read_bytes()
    path.write_bytes(content[: torn.offset + 1000].ljust(len(content), b"\0"))

    assert read_back(other) == []


def test_bytes_behind_the_last_frame_of_a_closed_segment_are_damage(directory):
    small_log(directory)
    path = min(directory.glob("*.wal"))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(1000))  # as a crash before the trim leaves it
    assert read_back(directory)[0] == b"one"

    path.write_bytes(path.read_bytes()[:-1] + b"x")

    with pytest.raises(Corruption, match=re.escape(f"file={path}, offset={size}")):
        read_back(directory)


def test_a_whole_frame_that_is_not_the_next_lsn_is_not_read(directory):
    newest = small_log(directory)
    whole = read_back(directory)
    path = max(directory.glob("*.wal"))
    content = bytearray(path.read_bytes())
    end = newest[-1].offset + 64
    content[end : end + 192] = content[newest[-2].offset - 128 : newest[-2].offset + 64]
    path.write_bytes(content)

    assert read_back(directory) == whole


def test_a_missing_segment_is_damage(directory):
    log = open_log(directory)
    for _ in range(3):
        log.append([note(b"x" * 5000)])
    log.close()
    first, second, third = sorted(directory.glob("*.wal"))
    second.unlink()

    with pytest.raises(Corruption, match=re.escape(f"file={first}")):
        read_back(directory)
    third.unlink()
    assert read_back(directory) == [b"x" * 5000]


def test_a_segment_under_another_name_is_damage(directory):
    small_log(directory)
    path = min(directory.glob("*.wal"))
    path.rename(path.with_name("00000000000000000002.wal"))

    with pytest.raises(Corruption, match="not the one that its name says"):
        read_back(directory)


def test_a_stray_file_that_calls_itself_a_segment_is_damage(directory):
    small_log(directory)
    (directory / "notes.wal").write_bytes(b"")

    with pytest.raises(Corruption, match=r"notes\.wal"):
        read_back(directory)


def test_another_workers_log_is_refused(directory):
    small_log(directory)

    with pytest.raises(Conflict, match="of another worker"):
        Log.open(directory, worker_id=b"0123456789abcdef", max_bytes=1 << 20, disk=RealDisk())
