"""What the Delta catalog leaves on disk: found again, read by others, and mended after a crash."""

import json
from dataclasses import replace
from pathlib import Path

import deltalake
import pyarrow as pa
import pytest

from flightdb.catalog.delta import DeltaCatalog
from flightdb.catalog.drops import marker_path
from flightdb.catalog.replay import replay
from flightdb.errors import CommitUnknown, Conflict, Corruption, NotFound
from flightdb.model.schema import conform, logical_of, to_physical
from flightdb.model.segment import Segment
from flightdb.model.snapshot import Commit
from flightdb.model.table import Table, TableKind
from flightdb.storage.layout import segment_path
from flightdb.storage.objects import LocalStore
from flightdb.storage.parquet import write_parquet


class FixedClock:
    def now_us(self):
        return 1_700_000_000_000_000

    def monotonic_s(self):
        return 0.0


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "store")


def reopen(store):
    return DeltaCatalog.open(store, FixedClock())


def table(name="events", schema=None):
    return Table(name, "", TableKind.PLAIN, schema or pa.schema([("n", pa.uint8())]))


def put_rows(store, tmp_path, schema, batch, path, name="events"):
    """A real data file, as a worker puts it."""
    local = tmp_path / "flush.parquet"
    rows = pa.Table.from_batches([to_physical(conform(batch, schema), schema)])
    written = write_parquet(local, rows)
    store.put_file(f"{name}/{path}", local)
    modified_us = 1_700_000_000_000_000
    return Segment(path, written.row_count, written.size_bytes, written.stats, modified_us)


def segment(path):
    return Segment(path, 1, 100, '{"numRecords":1}', 1_700_000_000_000_000)


def test_everything_is_found_again_after_a_restart(store):
    catalog = reopen(store)
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a%2Fb/1.parquet"), segment("ü x")), positions={"w/1": 7}))
    wider = replace(t, schema=pa.schema([*t.schema, ("m", pa.time64("us"))]), schema_version=1)
    catalog.commit(Commit(wider, changes_schema=True))
    catalog.commit(Commit(wider, (segment("c"),), frozenset({"ü x"}), positions={"w/1": 8}))
    before = catalog.load("events")

    after = reopen(store).load("events")

    assert after.table == before.table
    assert (after.version, after.positions) == (before.version, {"w/1": 8})
    assert set(after.segments) == set(before.segments)


def test_a_replacement_is_found_again_with_its_settings(store):
    catalog = reopen(store)
    t = catalog.create(table()).table
    new = replace(
        t, schema=pa.schema([("at", pa.timestamp("us"))]), schema_version=1, time_column="at"
    )
    catalog.commit(Commit(new, (segment("z"),), changes_schema=True, replaces=True))

    assert reopen(store).load("events").table == new


def test_versions_and_files_are_what_deltalake_sees(store):
    catalog = reopen(store)
    t = catalog.create(table()).table
    for number in range(120):
        removed = frozenset({f"f{number - 2}"} if number > 1 and number % 3 == 0 else ())
        catalog.commit(Commit(t, (segment(f"f{number}"),), removed, positions={"w": number}))

    ours = replay(store, "events")
    theirs = deltalake.DeltaTable(f"{store.url}/events")

    assert any(meta.path.endswith(".checkpoint.parquet") for meta in store.list("events/"))
    assert ours.version == theirs.version() == catalog.load("events").version == 120
    assert {f"{store.url}/events/{s.path}" for s in ours.segments} == set(theirs.file_uris())
    assert theirs.transaction_version("flightdb/w") == ours.positions["w"] == 119
    assert set(ours.segments) == set(catalog.load("events").segments)


def test_other_readers_see_the_same_numbers(store, tmp_path):
    schema = logical_of(
        pa.schema(
            [
                ("u8", pa.uint8()),
                ("u64", pa.uint64()),
                ("ns", pa.timestamp("ns")),
                ("ms", pa.timestamp("ms")),
                ("tz", pa.timestamp("s", "Europe/Berlin")),
                ("time", pa.time32("s")),
                ("d", pa.decimal128(38, 10)),
                ("uuid", pa.uuid()),
                ("span", pa.month_day_nano_interval()),
                ("wait", pa.duration("ms")),
                ("items", pa.list_(pa.uint16())),
            ]
        )
    )
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([200, None], pa.uint8()),
            pa.array([2**64 - 1, 0], pa.uint64()),
            pa.array([1, 2], pa.timestamp("ns")),
            pa.array([1, -1], pa.timestamp("ms")),
            pa.array([1, 2], pa.timestamp("s", "Europe/Berlin")),
            pa.array([1, 2], pa.time32("s")),
            pa.array([1, 2]).cast(pa.decimal128(38, 10)),
            pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(16), None], pa.binary(16))),
            pa.array([pa.MonthDayNano([1, -2, 3000]), None]),
            pa.array([5, None], pa.duration("ms")),
            pa.array([[65535, None], None], pa.list_(pa.uint16())),
        ],
        schema.names,
    )
    catalog = reopen(store)
    t = catalog.create(table(schema=schema)).table
    path = segment_path("a/ü%", "2026-01-01", 1)
    catalog.commit(Commit(t, (put_rows(store, tmp_path, schema, batch, path),)))

    rows = deltalake.DeltaTable(f"{store.url}/events").to_pyarrow_table()

    assert rows["u8"].to_pylist() == [200, None]
    assert [int(v) for v in rows["u64"].to_pylist()] == [2**64 - 1, 0]
    assert rows["ns"].to_pylist() == [1, 2]
    assert rows["ms"].cast(pa.int64()).to_pylist() == [1_000, -1_000]
    assert rows["tz"].cast(pa.int64()).to_pylist() == [1_000_000, 2_000_000]
    assert rows["time"].to_pylist() == [1_000_000, 2_000_000]
    assert [int(v) for v in rows["d"].to_pylist()] == [1, 2]
    assert rows["uuid"].to_pylist() == ["00000000-0000-0000-0000-000000000000", None]
    assert rows["span"].to_pylist() == [{"months": 1, "days": -2, "nanos": 3000}, None]
    assert rows["wait"].to_pylist() == [5, None]
    assert rows["items"].to_pylist() == [[65535, None], None]
    assert reopen(store).load("events").table.schema == schema


@pytest.mark.parametrize("damage", [b"", b'{"commitInfo":{}}\n{"add":{"pa', b"[]"])
def test_a_damaged_log_entry_is_named_not_skipped(store, damage):
    catalog = reopen(store)
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"),)))
    entry = Path(store.openable("events/_delta_log/00000000000000000001.json"))
    entry.write_bytes(damage)

    with pytest.raises(Corruption, match=r"events/_delta_log/0{19}1\.json"):
        reopen(store)


@pytest.mark.parametrize("size", [0, 100])
def test_a_data_file_cut_short_is_named_at_start(store, tmp_path, size):
    catalog = reopen(store)
    t = catalog.create(table()).table
    batch = pa.RecordBatch.from_pydict({"n": [1]})
    made = put_rows(store, tmp_path, t.schema, batch, "x/2026-01-01/1.parquet")
    catalog.commit(Commit(t, (made,)))
    with Path(store.openable(f"events/{made.path}")).open("rb+") as file:
        file.truncate(size)

    with pytest.raises(Corruption, match=r"events/x/2026-01-01/1\.parquet"):
        reopen(store)


def test_a_missing_log_entry_is_named(store):
    catalog = reopen(store)
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"),)))
    catalog.commit(Commit(t, (segment("b"),)))
    Path(store.openable("events/_delta_log/00000000000000000001.json")).unlink()

    with pytest.raises(Corruption, match=r"missing.*0{19}1\.json"):
        reopen(store)


def test_a_commit_of_another_writer_is_found_and_kept(store):
    catalog = reopen(store)
    t = catalog.create(table()).table
    other = reopen(store)
    other.commit(Commit(t, (segment("theirs"),), positions={"other": 1}))

    mine = catalog.commit(Commit(t, (segment("mine"),), positions={"me": 1}))

    assert {s.path for s in mine.segments} == {"theirs", "mine"}
    assert mine.version == 2
    assert mine.positions == {"other": 1, "me": 1}


def test_a_swap_of_files_that_another_writer_swapped_conflicts(store):
    catalog = reopen(store)
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"), segment("b"))))
    other = reopen(store)
    other.commit(Commit(t, (segment("ab"),), frozenset({"a", "b"})))

    with pytest.raises(Conflict):
        catalog.commit(Commit(t, (segment("ab2"),), frozenset({"a", "b"})))

    assert [s.path for s in catalog.load("events").segments] == ["ab"]


def test_a_commit_whose_answer_was_lost_is_not_made_twice(store):
    catalog = reopen(store)
    t = catalog.create(table()).table
    commit = Commit(t, (segment("a"),), positions={"w": 1})
    reopen(store).commit(commit)

    again = catalog.commit(commit)

    assert again.version == 1
    assert [s.path for s in again.segments] == ["a"]


def test_a_log_that_cannot_be_read_makes_a_commit_unknown(store):
    catalog = reopen(store)
    t = catalog.create(table()).table
    log = Path(store.openable("events/_delta_log"))
    log.rename(log.with_name("elsewhere"))

    with pytest.raises(CommitUnknown, match="name=events"):
        catalog.commit(Commit(t, (segment("a"),)))


def drop_until(step, store, tmp_path):
    """A drop that a crash ends after `step`; gives the last snapshot."""
    catalog = reopen(store)
    t = catalog.create(table()).table
    batch = pa.RecordBatch.from_pydict({"n": [1]})
    made = put_rows(store, tmp_path, t.schema, batch, "x/2026-01-01/1.parquet")
    last = catalog.commit(Commit(t, (made,)))
    if step == "marker":
        paths = [s.path for s in last.segments]
        body = json.dumps({"id": t.id, "files": paths}).encode()
        store.put(marker_path("events", t.id), body)
    if step == "half a log":
        body = json.dumps({"id": t.id, "files": [s.path for s in last.segments]}).encode()
        store.put(marker_path("events", t.id), body)
        store.delete(["events/_delta_log/00000000000000000001.json"])
    if step == "log":
        catalog.drop(t)
    return last


@pytest.mark.parametrize("step", ["marker", "half a log", "log"])
def test_a_drop_that_a_crash_interrupted_is_finished_at_the_next_start(store, tmp_path, step):
    drop_until(step, store, tmp_path)

    catalog = reopen(store)

    assert catalog.tables() == []
    assert list(store.list("events/")) == []
    assert catalog.create(table()).version == 0


def test_a_table_made_again_before_the_crash_survives_the_old_ones_drop(store, tmp_path):
    last = drop_until("log", store, tmp_path)
    catalog = reopen_without_recovery(store)
    new = catalog.create(table()).table
    batch = pa.RecordBatch.from_pydict({"n": [1]})
    made = put_rows(store, tmp_path, new.schema, batch, "x/2026-01-01/2.parquet")
    catalog.commit(Commit(new, (made,)))

    again = reopen(store)

    assert again.load("events").table.id == new.id
    assert [s.path for s in again.load("events").segments] == [made.path]
    assert store.exists(f"events/{made.path}")
    assert not store.exists(f"events/{last.segments[0].path}")


def reopen_without_recovery(store):
    return DeltaCatalog(store, FixedClock())


def test_collecting_deletes_the_files_once(store, tmp_path):
    catalog = reopen(store)
    t = catalog.create(table()).table
    batch = pa.RecordBatch.from_pydict({"n": [1]})
    made = put_rows(store, tmp_path, t.schema, batch, "x/2026-01-01/1.parquet")
    catalog.commit(Commit(t, (made,)))
    last = catalog.drop(t)

    assert store.exists(f"events/{made.path}")
    assert catalog.collect(last) == 1
    assert catalog.collect(last) == 0
    assert list(store.list("")) == []


def test_an_old_version_is_read_from_the_log(store):
    catalog = reopen(store)
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"),)))
    catalog.commit(Commit(t, (segment("b"),)))

    assert [s.path for s in reopen(store).at(t, 1).segments] == ["a"]
    with pytest.raises(NotFound):
        catalog.at(t, 9)
