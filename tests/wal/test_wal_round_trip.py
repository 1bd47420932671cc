import dataclasses
import gc
import uuid

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from wal_rows import EVENTS, SCHEMA, USERS, bodies, note, open_log, rows

from flightdb.errors import Internal, InvalidRequest, NotFound, TooLarge
from flightdb.wal.frames import FrameKind, NewFrame

WRITTEN = [f.name for f in dataclasses.fields(NewFrame) if f.name != "body"]
CONTROL = [kind for kind in FrameKind if kind not in (FrameKind.SCHEMA, FrameKind.DROP)]

new_frames = st.builds(
    NewFrame,
    kind=st.sampled_from(CONTROL),
    table_id=st.sampled_from([EVENTS, USERS]),
    schema_version=st.just(1),
    producer=st.text(max_size=63),
    sequence=st.integers(0, 2**64 - 1),
    row_count=st.integers(0, 2**32 - 1),
    body=st.binary(max_size=300) | st.sampled_from([b"", b"x" * 4096, b"y" * 4097, b"z" * 20_000]),
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(new_frames, max_size=5), max_size=6))
def test_what_was_appended_is_read_back_field_by_field(tmp_path_factory, appends):
    directory = tmp_path_factory.mktemp("wal")
    log = open_log(directory)
    placed = [frame for frames in appends for frame in log.append(frames)]
    log.close()

    log = open_log(directory)
    read = [frame for frame in log.replay() if frame.kind != FrameKind.SCHEMA]

    sent = [frame for frames in appends for frame in frames]
    assert [dataclasses.replace(frame, body=None) for frame in read] == placed
    for new, frame in zip(sent, read, strict=True):
        assert [getattr(new, name) for name in WRITTEN] == [
            getattr(frame, name) for name in WRITTEN
        ]
        assert frame.body.to_pybytes() == new.body
        assert frame.offset % 64 == 0
        with open(frame.path, "rb") as file:
            file.seek(frame.offset)
            assert file.read(frame.size_bytes) == new.body
    log.close()


def test_every_lsn_is_one_more_than_the_last_over_segments_and_openings(open_wal):
    log = open_wal()
    for i in range(30):
        log.append([rows(f"row {i}" * 30)])

    log = open_wal()
    log.append([note("after")])
    lsns = [frame.lsn for frame in open_wal().replay()]

    assert lsns == list(range(1, lsns[-1] + 1))
    assert log.next_lsn == lsns[-1] + 1


def test_a_record_batch_is_read_in_place_at_an_aligned_address(open_wal):
    batch = pa.record_batch({"a": range(1000), "b": [str(i) for i in range(1000)]}, schema=SCHEMA)
    open_wal(segment_bytes=1 << 16).append(
        [
            NewFrame(
                FrameKind.DATA,
                EVENTS,
                1,
                producer="p" * 100,
                row_count=1000,
                body=batch.serialize(),
            )
        ]
    )

    log = open_wal()
    [frame] = [frame for frame in log.replay() if frame.kind == FrameKind.DATA]
    before = pa.total_allocated_bytes()
    read = pa.ipc.read_record_batch(frame.body, log.schema(EVENTS, 1))

    assert read.equals(batch)
    assert frame.body.address % 64 == 0
    assert pa.total_allocated_bytes() == before
    start = read.column(0).buffers()[1].address
    assert frame.body.address < start < frame.body.address + frame.body.size
    log.close()
    del log, frame
    gc.collect()
    assert read.column(0)[999].as_py() == 999


def test_each_segment_has_the_schemas_of_its_rows(open_wal, directory):
    log = open_wal()
    wider = SCHEMA.append(pa.field("c", pa.float64(), metadata={"k": "v"}))
    log.register_schema(EVENTS, 2, wider)
    for i in range(40):
        log.append(
            [
                rows("e" * 200),
                rows("u" * 200, USERS),
                dataclasses.replace(rows(f"{i}"), schema_version=2),
            ]
        )

    log = open_wal()
    frames = list(log.replay())

    assert len({frame.path for frame in frames}) > 3
    for path in {frame.path for frame in frames}:
        seen = set()
        for frame in (f for f in frames if f.path == path):
            key = (frame.table_id, frame.schema_version)
            if frame.kind == FrameKind.SCHEMA:
                assert key not in seen
                seen.add(key)
            else:
                assert key in seen
    assert log.schema(EVENTS, 2).equals(wider, check_metadata=True)


def test_a_known_schema_is_not_written_again_after_opening(open_wal):
    open_wal().append([rows("one")])
    open_wal().append([rows("two")])

    assert [f.kind.name for f in open_wal().replay()] == ["SCHEMA", "DATA", "DATA"]


def test_rows_without_a_registered_schema_are_refused_before_anything_is_written(open_wal):
    log = open_wal()

    with pytest.raises(Internal, match="schema of a frame was not registered"):
        log.append([note("first"), rows("x", str(uuid.UUID(int=99)))])
    with pytest.raises(NotFound, match="schema_version=5"):
        log.schema(EVENTS, 5)

    assert log.next_lsn == 1
    log.append([note("second")])
    assert bodies(open_wal()) == [b"second"]


def test_a_dropped_tables_schemas_are_forgotten(open_wal):
    log = open_wal()
    log.append([rows("x"), note("", kind=FrameKind.DROP, table_id=EVENTS)])

    with pytest.raises(NotFound):
        log.schema(EVENTS, 1)


@pytest.mark.parametrize(
    ("frame", "error"),
    [
        (note("", producer="é" * 128), "producer is longer than 255 bytes"),
        (note("", table_id="events"), "not a uuid"),
        (note("", table_id=EVENTS.upper()), "not a uuid in lowercase"),
        (note("", sequence=-1), "does not fit"),
        (note("", row_count=1 << 32), "does not fit"),
        (note("", statement=1 << 64), "does not fit"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused_and_the_log_goes_on(open_wal, frame, error):
    log = open_wal()
    log.append([note("one")])

    with pytest.raises(InvalidRequest, match=error):
        log.append([note("never"), frame])

    log.append([note("two")])
    assert bodies(open_wal()) == [b"one", b"two"]


def test_an_append_larger_than_a_segment_gets_a_larger_segment(open_wal, directory):
    log = open_wal()
    large = b"L" * 100_000

    log.append([note("before")])
    log.append([note(large), note(large)])
    log.append([note("after")])

    assert bodies(open_wal()) == [b"before", large, large, b"after"]
    assert len(list(directory.glob("*.wal"))) == 3


def test_an_append_that_could_never_fit_is_too_large(open_wal):
    log = open_wal(max_bytes=1 << 16)

    with pytest.raises(TooLarge, match="limit=32768"):
        log.append([note(b"x" * 40_000)])

    log.append([note("small")])
    assert bodies(open_wal()) == [b"small"]


def test_one_append_of_thousands_of_frames_is_read_back_whole(open_wal):
    open_wal(max_bytes=1 << 26).append([note(f"{i}") for i in range(40_000)])
    open_wal(max_bytes=1 << 26).append([note("later")])

    assert bodies(open_wal()) == [f"{i}".encode() for i in range(40_000)] + [b"later"]


def test_an_empty_append_writes_nothing(open_wal):
    log = open_wal()
    assert log.append([]) == []
    assert log.next_lsn == 1


def test_replay_after_an_append_is_refused(open_wal):
    log = open_wal()
    log.append([note("x")])

    with pytest.raises(Internal, match="replayed after an append"):
        log.replay()
