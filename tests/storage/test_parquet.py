"""Data files: the same rows the same bytes, and bounds that hold every value."""

import datetime
import json
import math
import tempfile
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from flightdb.errors import Corruption, NotFound, Unavailable
from flightdb.storage.parquet import ParquetSink, dictionary_columns, read_footer, write_parquet


def rows(count):
    ids = [f"id{n % 7}" for n in range(count)]
    texts = [f"{n} text" for n in range(count)]
    kinds = pa.schema([("id", pa.string()), ("text", pa.string()), ("n", pa.int64())])
    return pa.table({"id": ids, "text": texts, "n": range(count)}, kinds)


def test_the_same_rows_give_the_same_bytes_whatever_the_batches(tmp_path):
    table = rows(1_000)
    one, two = tmp_path / "one", tmp_path / "two"
    write_parquet(one, table, row_group_rows=300, footer={"k": "v"})
    batches = table.to_batches(max_chunksize=100)

    written = write_parquet(
        two, batches, schema=table.schema, row_group_rows=300, footer={"k": "v"}
    )

    assert one.read_bytes() == two.read_bytes()
    assert written.row_count == 1_000
    assert written.size_bytes == two.stat().st_size
    assert pq.read_table(two).equals(table)


def test_row_groups_have_the_size_asked_for(tmp_path):
    path = tmp_path / "f"

    write_parquet(path, rows(1_000), row_group_rows=300)

    metadata = pq.read_metadata(path)
    counts = [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)]
    assert counts == [300, 300, 300, 100]


def test_a_footer_is_read_back(tmp_path):
    path = tmp_path / "f"
    write_parquet(path, rows(10), footer={"flightdb.worker": "w", "flightdb.rows": "ü"})

    footer = read_footer(path)

    assert footer.metadata == {"flightdb.worker": "w", "flightdb.rows": "ü"}
    assert (footer.row_count, footer.row_group_count) == (10, 1)
    assert footer.schema == rows(1).schema


def test_an_empty_file_has_a_schema_and_no_bounds(tmp_path):
    written = write_parquet(tmp_path / "f", rows(0))

    assert json.loads(written.stats)["numRecords"] == 0
    assert json.loads(written.stats)["minValues"] == {}
    assert pq.read_table(tmp_path / "f").schema == rows(0).schema


def test_dictionaries_are_for_texts_that_repeat():
    assert dictionary_columns(rows(1_000)) == ["id"]


def test_pages_are_checksummed(tmp_path):
    path = tmp_path / "f"
    table = pa.table({"n": pa.array(range(10_000), pa.int64())})
    write_parquet(path, table)
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))

    with pytest.raises(OSError, match="CRC"):
        pq.read_table(path, page_checksum_verification=True)


def test_an_aborted_file_is_gone(tmp_path):
    path = tmp_path / "f"

    def fail():
        with ParquetSink(path, rows(0).schema) as sink:
            for batch in rows(200_000).to_batches():
                sink.write_batch(batch)
            assert path.exists()
            assert sink.row_count == 200_000
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert not path.exists()


def test_a_full_disk_is_unavailable_and_leaves_nothing():
    path = Path("/dev/full")

    with pytest.raises(Unavailable, match="/dev/full"):
        ParquetSink(path / "no", rows(0).schema).close()


def test_a_damaged_or_missing_file_is_named(tmp_path):
    (tmp_path / "bad").write_bytes(b"PAR1 no")

    with pytest.raises(Corruption, match="bad"):
        read_footer(tmp_path / "bad")
    with pytest.raises(NotFound, match="none"):
        read_footer(tmp_path / "none")


def document(table, **more):
    with tempfile.TemporaryDirectory() as folder:
        written = write_parquet(Path(folder) / "f", table, **more)
    return json.loads(written.stats, parse_float=Decimal, parse_int=Decimal)


def moment(value):
    """Microseconds of a bound."""
    naive = datetime.datetime.fromisoformat(value.removesuffix("Z"))
    return (naive - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)


def day(value):
    return (datetime.date.fromisoformat(value) - datetime.date(1970, 1, 1)).days


INT64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
LONG = st.builds(lambda a, b: a * 40 + b, TEXT, TEXT)
CASES = {
    "int": (pa.int64(), INT64, Decimal),
    "float": (pa.float64(), st.floats(), float),
    "float32": (pa.float32(), st.floats(width=32), float),
    "decimal": (
        pa.decimal128(38, 4),
        st.integers(-(10**38) + 1, 10**38 - 1).map(lambda v: Decimal(f"{v}e-4")),
        lambda v: v,
    ),
    "small decimal": (pa.decimal128(15, 2), st.decimals(-1000, 1000, places=2), lambda v: v),
    "text": (pa.string(), TEXT | LONG, lambda v: v),
    "instant": (pa.timestamp("us"), INT64, moment),
    "utc": (pa.timestamp("us", "UTC"), INT64, moment),
    "recent": (pa.timestamp("us"), st.integers(-(10**7), 10**7), moment),
    "day": (pa.date32(), st.integers(-(2**31), 2**31 - 1), day),
}
RAW = {"instant": pa.int64(), "utc": pa.int64(), "recent": pa.int64(), "day": pa.int32()}


@pytest.mark.parametrize("name", CASES)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_bounds_contain_every_value(name, data):
    kind, values, decode = CASES[name]
    items = data.draw(st.lists(st.none() | values, min_size=1, max_size=12))
    raw = RAW.get(name)
    array = pa.array(items, raw).view(kind) if raw else pa.array(items, kind)
    table = pa.table({"nested": [{"x": 1}] * len(items), "c": array})

    found = document(table, row_group_rows=data.draw(st.integers(1, 12)))

    assert found["numRecords"] == len(items)
    assert found["nullCount"]["c"] == items.count(None)
    if "c" in found["minValues"]:
        low, high = decode(found["minValues"]["c"]), decode(found["maxValues"]["c"])
        kept = [v for v in items if v is not None]
        assert not any(isinstance(v, float) and not math.isfinite(v) for v in kept)
        assert all(low <= v <= high for v in kept)


@pytest.mark.parametrize("name", ["int", "small decimal", "recent", "text"])
def test_ordinary_columns_do_have_bounds(name):
    kind, _, _ = CASES[name]
    items = {"int": [1, 2], "small decimal": [Decimal("1.50")], "recent": [1], "text": ["a"]}[name]
    array = (
        pa.array(items, RAW.get(name, kind)).view(kind) if name in RAW else pa.array(items, kind)
    )

    found = document(pa.table({"c": array}))

    assert "c" in found["minValues"]
    assert "c" in found["maxValues"]


def test_bounds_of_decimals_are_exact():
    value = Decimal("12345678901234567890.1234")

    found = document(pa.table({"c": pa.array([value], pa.decimal128(38, 4))}))

    assert found["minValues"]["c"] == value == found["maxValues"]["c"]


def test_a_column_with_nan_has_no_bounds():
    found = document(pa.table({"c": [1.0, math.nan], "d": [1.0, 2.0]}))

    assert set(found["minValues"]) == {"d"}
