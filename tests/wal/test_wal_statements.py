from wal_rows import EVENTS, USERS, bodies, note, rows

from flightdb.wal.frames import FrameKind


def commit(statement):
    return note("commit", kind=FrameKind.COMMIT, statement=statement)


def test_frames_of_a_statement_count_only_with_its_commit(open_wal):
    log = open_wal()
    log.append([rows("a1", statement=1), rows("b1", USERS, statement=1), commit(1)])
    log.append([rows("a2", statement=2), rows("alone")])
    log.append([rows("b2", statement=2)])

    assert bodies(open_wal()) == [b"a1", b"b1", b"commit", b"alone"]


def test_a_commit_may_follow_in_a_later_append_and_segment(open_wal):
    log = open_wal()
    log.append([rows("a", statement=7)])
    log.append([note(b"x" * 5000)])
    log.append([rows("b", statement=7), commit(7)])

    assert bodies(open_wal()) == [b"a", b"x" * 5000, b"b", b"commit"]


def test_frames_after_the_commit_of_their_number_need_another(open_wal):
    log = open_wal()
    log.append([rows("a", statement=7), commit(7), rows("b", statement=7)])

    assert bodies(open_wal()) == [b"a", b"commit"]


def test_a_statement_cut_short_by_a_crash_is_not_finished_by_the_next_of_its_number(open_wal):
    open_wal().append([rows("before the crash", statement=1)])
    open_wal().append([rows("after the crash", statement=1), commit(1)])

    assert bodies(open_wal()) == [b"after the crash", b"commit"]


def test_rows_of_a_dead_statement_hold_no_segment_back(open_wal):
    log = open_wal()
    log.append([rows("dead", EVENTS, statement=1)])
    log.append([note(b"x" * 5000)])
    log.append([note("newest")])
    assert log.truncate({}, keep_from_lsn=1 << 60) == 0

    log = open_wal()
    log.append([note(b"y" * 5000)])

    assert log.truncate({}, keep_from_lsn=1 << 60) > 0
    assert bodies(open_wal()) == [b"y" * 5000]


def test_rows_of_a_committed_statement_hold_their_segment_after_opening_too(open_wal):
    log = open_wal()
    log.append([rows("alive", EVENTS, statement=1)])
    log.append([note(b"x" * 5000)])
    log.append([commit(1)])

    log = open_wal()
    log.append([note("newest")])

    assert log.truncate({}, keep_from_lsn=1 << 60) == 0
    assert log.truncate({EVENTS: 2}, keep_from_lsn=1 << 60) > 0
