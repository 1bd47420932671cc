"""What every catalog promises."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa
import pytest

from flightdb.catalog.delta import DeltaCatalog
from flightdb.catalog.memory import MemoryCatalog
from flightdb.errors import AlreadyExists, Conflict, InvalidRequest, NotFound
from flightdb.model.segment import Segment
from flightdb.model.snapshot import Commit
from flightdb.model.table import IdRules, Table, TableKind, TableOptions, record_schema
from flightdb.storage.objects import LocalStore


class FixedClock:
    def now_us(self):
        return 1_700_000_000_000_000

    def monotonic_s(self):
        return 0.0


@pytest.fixture(params=["memory", "delta"])
def catalog(request, tmp_path):
    if request.param == "memory":
        return MemoryCatalog(FixedClock())
    return DeltaCatalog.open(LocalStore(tmp_path / "store"), FixedClock())


def table(name="events", schema=None, **more):
    schema = schema or pa.schema([("id", pa.string()), ("n", pa.uint8())])
    return Table(name, "", TableKind.PLAIN, schema, **more)


def segment(path, rows=1):
    return Segment(path, rows, 100, f'{{"numRecords":{rows}}}', 1_700_000_000_000_000)


def test_a_new_table_is_empty_at_version_0(catalog):
    made = catalog.create(table())

    assert made.version == 0
    assert made.segments == ()
    assert made.table.id
    assert made.table.created_at_us == 1_700_000_000_000_000
    assert catalog.load("events") == made
    assert catalog.tables() == [made.table]


def test_names_compare_without_case(catalog):
    made = catalog.create(table("Events"))

    assert catalog.load("eVENTS") == made
    with pytest.raises(AlreadyExists, match="name=events"):
        catalog.create(table("events"))


def test_a_table_of_no_such_name_is_not_found(catalog):
    with pytest.raises(NotFound, match="name=nothing"):
        catalog.load("nothing")
    with pytest.raises(NotFound):
        catalog.drop(table("nothing"))


def test_a_column_without_a_physical_form_is_refused_by_name(catalog):
    with pytest.raises(InvalidRequest, match=r"column=b\[\]"):
        catalog.create(table(schema=pa.schema([("b", pa.list_(pa.null()))])))
    assert catalog.tables() == []


def test_all_settings_of_a_table_are_kept(catalog):
    options = TableOptions(
        buffer_size=7, properties={"a": "ü"}, id_validation=IdRules(9, ".*", "x")
    )
    made = catalog.create(
        table(
            schema=record_schema(pa.schema([("v", pa.timestamp("ns"))])),
            options=options,
            id_column="id",
            time_column="timestamp",
        )
    )

    assert made.table.options == options
    assert (made.table.id_column, made.table.time_column) == ("id", "timestamp")
    assert made.table.schema == record_schema(pa.schema([("v", pa.timestamp("ns"))]))


def test_each_commit_makes_the_next_version(catalog):
    t = catalog.create(table()).table

    first = catalog.commit(Commit(t, (segment("a/1.parquet", 3),), positions={"w": 4}))
    second = catalog.commit(Commit(t, (segment("a/2.parquet"),), positions={"w": 5, "x": 1}))

    assert (first.version, second.version) == (1, 2)
    assert second.row_count == 4
    assert second.positions == {"w": 5, "x": 1}
    assert catalog.load("events") == second
    assert catalog.at(t, 1) == first
    assert first.segments == (segment("a/1.parquet", 3),)


def test_a_retry_of_a_position_adds_nothing(catalog):
    t = catalog.create(table()).table
    commit = Commit(t, (segment("a"),), positions={"w": 4})
    once = catalog.commit(commit)

    again = catalog.commit(commit)
    late = catalog.commit(Commit(t, (segment("b"),), positions={"w": 3}))

    assert again == once
    assert late == once


def test_a_position_may_move_without_files(catalog):
    t = catalog.create(table()).table

    moved = catalog.commit(Commit(t, positions={"w": 9}))

    assert moved.version == 1
    assert moved.positions == {"w": 9}


def test_files_are_swapped_in_one_commit(catalog):
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"), segment("b"), segment("c"))))

    swapped = catalog.commit(Commit(t, (segment("ab", 2),), frozenset({"a", "b"})))

    assert sorted(s.path for s in swapped.segments) == ["ab", "c"]


def test_commits_from_many_threads_all_land_once(catalog):
    t = catalog.create(table()).table

    def append(number):
        return catalog.commit(Commit(t, (segment(f"f{number}"),), positions={f"w{number}": 1}))

    with ThreadPoolExecutor(4) as pool:
        versions = sorted(snapshot.version for snapshot in pool.map(append, range(16)))

    assert versions == list(range(1, 17))
    assert {s.path for s in catalog.load("events").segments} == {f"f{n}" for n in range(16)}
    assert len(catalog.load("events").positions) == 16


def test_of_two_threads_that_swap_one_file_one_wins(catalog):
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"),)))

    def swap(name):
        try:
            return catalog.commit(Commit(t, (segment(name),), frozenset({"a"})))
        except Conflict:
            return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(swap, ["b", "c"]))

    assert outcomes.count(None) == 1
    assert len(catalog.load("events").segments) == 1


def test_two_swaps_of_the_same_file_conflict(catalog):
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"),)))
    catalog.commit(Commit(t, (segment("b"),), frozenset({"a"})))

    with pytest.raises(Conflict, match="a"):
        catalog.commit(Commit(t, (segment("c"),), frozenset({"a"})))

    assert [s.path for s in catalog.load("events").segments] == ["b"]


def test_columns_are_added_to_a_table_with_files(catalog):
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"),)))
    wider = pa.schema([*t.schema, pa.field("at", pa.timestamp("ns"))])

    changed = catalog.commit(
        Commit(replace(t, schema=wider, schema_version=1), changes_schema=True)
    )

    assert changed.version == 2
    assert changed.table.schema == wider
    assert changed.table.schema_version == 1
    assert changed.is_evolved
    assert [s.path for s in changed.segments] == ["a"]
    assert catalog.commit(Commit(changed.table, (segment("b"),))).version == 3


def test_a_replacement_changes_rows_schema_and_settings_in_one_commit(catalog):
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"),), positions={"w": 1}))
    other = pa.schema([("when", pa.timestamp("us")), ("u", pa.uuid())])
    new = replace(t, schema=other, schema_version=1, id_column="u", time_column="when")

    replaced = catalog.commit(
        Commit(new, (segment("z"),), positions={"w": 2}, changes_schema=True, replaces=True)
    )

    assert [s.path for s in replaced.segments] == ["z"]
    assert replaced.table == new
    assert not replaced.is_evolved
    assert catalog.commit(Commit(new, (segment("y"),))).row_count == 2


def test_a_replacement_may_leave_nothing(catalog):
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"),)))

    assert catalog.commit(Commit(t, replaces=True)).segments == ()


def test_a_dropped_table_is_gone_and_its_name_free(catalog):
    t = catalog.create(table()).table
    catalog.commit(Commit(t, (segment("a"),)))

    last = catalog.drop(t)
    again = catalog.create(table())

    assert [s.path for s in last.segments] == ["a"]
    assert again.segments == ()
    assert again.table.id != t.id
    with pytest.raises(NotFound):
        catalog.drop(t)
    with pytest.raises(Conflict):
        catalog.commit(Commit(t, (segment("b"),)))
    with pytest.raises(NotFound):
        catalog.at(t, 0)


def test_a_commit_to_a_dropped_table_is_not_found(catalog):
    t = catalog.create(table()).table
    catalog.drop(t)

    with pytest.raises(NotFound):
        catalog.commit(Commit(t, (segment("b"),)))
    assert catalog.tables() == []


def test_a_table_may_begin_with_files_and_positions(catalog):
    made = catalog.create(table(), (segment("a/1.parquet", 3),), {"w": 7})

    assert made.version == 0
    assert made.row_count == 3
    assert made.positions == {"w": 7}
    assert made.table.kind is TableKind.PLAIN
    after = catalog.commit(Commit(made.table, (segment("a/2.parquet", 2),), positions={"w": 9}))
    assert (after.version, after.row_count, after.positions) == (1, 5, {"w": 9})
    with pytest.raises(AlreadyExists, match="name=events"):
        catalog.create(table(), (segment("a/3.parquet"),), {"w": 1})
    assert catalog.load("events") == after


def test_all_settings_of_a_table_that_begins_with_files_are_kept(catalog):
    options = TableOptions(buffer_size=5, properties={"a": "b"}, id_validation=IdRules(9))
    made = catalog.create(
        table(options=options, id_column="id", time_column=""), (segment("a/1.parquet"),)
    )

    assert made.table.options == options
    assert made.table.id_column == "id"
    assert made.table.schema.field("n").type == pa.uint8()
    grown = replace(
        made.table,
        schema=made.table.schema.append(pa.field("more", pa.int64())),
        schema_version=1,
    )
    after = catalog.commit(Commit(grown, changes_schema=True))
    assert after.table.options == options
    assert after.table.schema.names == ["id", "n", "more"]
