import pytest
from wal_rows import EVENTS, USERS, bodies, note, open_log, rows

from flightdb.wal.frames import FrameKind

ALL = 1 << 60
PAGE = 5000  # an append of this size fills a segment of 4096


def segment_of(log, *tables):
    """One segment with a row of each table; gives the last lsn of each."""
    placed = log.append([rows("r" * PAGE, table) for table in tables])
    return {frame.table_id: frame.lsn for frame in placed}


def test_segments_go_oldest_first_when_all_their_rows_are_flushed(open_wal, directory):
    log = open_wal()
    first, second = segment_of(log, EVENTS), segment_of(log, USERS)
    segment_of(log, EVENTS)
    before = log.size_bytes

    freed = log.truncate(first, keep_from_lsn=ALL)

    assert freed > PAGE
    assert log.size_bytes == before - freed
    assert len(list(directory.glob("*.wal"))) == 2
    assert log.truncate(first | second, keep_from_lsn=ALL) > PAGE
    assert len(list(directory.glob("*.wal"))) == 1
    assert sum(path.stat().st_size for path in directory.glob("*.wal")) == log.size_bytes


def test_a_flushed_segment_stays_while_an_older_one_is_not_flushed(open_wal, directory):
    log = open_wal()
    segment_of(log, EVENTS)
    second = segment_of(log, USERS)
    segment_of(log, USERS)

    assert log.truncate(second, keep_from_lsn=ALL) == 0
    assert len(list(directory.glob("*.wal"))) == 3


def test_every_table_of_a_segment_must_be_flushed_to_its_last_row_there(open_wal):
    log = open_wal()
    last = segment_of(log, EVENTS, USERS)
    segment_of(log, EVENTS)

    assert log.truncate({EVENTS: last[EVENTS]}, keep_from_lsn=ALL) == 0
    assert log.truncate(last | {USERS: last[USERS] - 1}, keep_from_lsn=ALL) == 0
    assert log.truncate(last, keep_from_lsn=ALL) > 0


def test_a_segment_stays_while_its_last_lsn_is_to_be_kept(open_wal):
    log = open_wal()
    segment_of(log, EVENTS)
    last = log.next_lsn - 1
    segment_of(log, EVENTS)

    assert log.truncate({EVENTS: ALL}, keep_from_lsn=last) == 0
    assert log.truncate({EVENTS: ALL}, keep_from_lsn=last + 1) > 0


def test_the_newest_segment_never_goes_and_the_lsns_go_on(open_wal, directory):
    log = open_wal()
    for _ in range(3):
        segment_of(log, EVENTS)
    expected = log.next_lsn

    log.truncate({EVENTS: ALL}, keep_from_lsn=ALL)

    assert len(list(directory.glob("*.wal"))) == 1
    log = open_wal()
    assert log.next_lsn == expected
    assert log.append([note("x")])[0].lsn == expected


def test_what_is_carried_opens_each_new_segment(open_wal):
    log = open_wal()
    log.carry = lambda: [note("producers", kind=FrameKind.PRODUCER)]
    for _ in range(3):
        placed = log.append([rows("r" * PAGE)])
        assert [frame.kind for frame in placed] == [FrameKind.DATA]

    log.truncate({EVENTS: ALL}, keep_from_lsn=ALL)

    frames = list(open_wal().replay())
    assert [frame.kind.name for frame in frames] == ["PRODUCER", "SCHEMA", "DATA"]


def test_nothing_goes_while_a_crash_left_the_newest_segment_without_what_is_carried(
    open_wal, directory
):
    log = open_wal()
    log.carry = lambda: [note("producers", kind=FrameKind.PRODUCER), note("more")]
    log.append([rows("first")])
    log.append([rows("r" * PAGE)])
    log.close()
    newest = max(directory.glob("*.wal"))
    content = newest.read_bytes()
    newest.write_bytes(content[: content.index(b"more")].ljust(len(content), b"\0"))

    log = open_wal()
    log.carry = lambda: [note("producers again", kind=FrameKind.PRODUCER)]
    assert log.truncate({EVENTS: ALL}, keep_from_lsn=ALL) == 0
    log.append([note("x")])

    assert log.truncate({EVENTS: ALL}, keep_from_lsn=ALL) > 0
    assert b"producers again" in bodies(open_wal())


def test_truncate_reads_the_same_rules_from_disk_after_opening(directory):
    log = open_log(directory)
    last = segment_of(log, EVENTS, USERS)
    segment_of(log, EVENTS)
    log.close()

    log = open_log(directory)

    assert log.truncate({EVENTS: ALL}, keep_from_lsn=ALL) == 0
    assert log.truncate(last, keep_from_lsn=ALL) > 0
    log.close()


@pytest.mark.parametrize("count", [0, 1])
def test_a_log_of_no_closed_segment_has_nothing_to_free(open_wal, count):
    log = open_wal()
    for _ in range(count):
        segment_of(log, EVENTS)

    assert log.truncate({EVENTS: ALL}, keep_from_lsn=ALL) == 0
