"""Any value of any type goes to Parquet and comes back through the engine as it was."""

import math
import tempfile
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from flightdb.model.names import quote
from flightdb.model.schema import (
    check_foreign,
    conform,
    logical_of,
    logical_projection,
    physical_schema,
    to_physical,
)
from flightdb.storage.parquet import read_footer, write_parquet


def integers(bits, signed=True):
    low = -(2 ** (bits - 1)) if signed else 0
    return st.integers(low, 2 ** (bits - signed) - 1)


def raw(kind, low, high, storage=None):
    """Integers viewed as a temporal type."""
    storage = storage or pa.int64()
    return kind, st.integers(low, high), lambda values: pa.array(values, storage).view(kind)


def plain(kind, values):
    return kind, values, lambda items: pa.array(items, kind)


def interval(values):
    return pa.array(
        [None if v is None else pa.MonthDayNano([v[0], v[1], v[2] * 1_000]) for v in values],
        pa.month_day_nano_interval(),
    )


US = (-9_223_372_022_400_000_000, 2**63 - 2)
LEAVES = [
    plain(pa.bool_(), st.booleans()),
    *[plain(getattr(pa, f"int{b}")(), integers(b)) for b in (8, 16, 32, 64)],
    *[plain(getattr(pa, f"uint{b}")(), integers(b, False)) for b in (8, 16, 32, 64)],
    plain(pa.float32(), st.floats(width=32)),
    plain(pa.float64(), st.floats()),
    plain(pa.string(), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))),
    plain(pa.binary(), st.binary(max_size=20)),
    plain(pa.decimal128(9, 2), st.decimals(-9999999, 9999999, places=2)),
    plain(pa.decimal128(38, 0), st.integers(-(10**38) + 1, 10**38 - 1).map(Decimal)),
    raw(pa.date32(), -2_147_483_646, 2_147_483_646, pa.int32()),
    raw(pa.timestamp("s"), -9_223_372_022_400, 9_223_372_036_853),
    raw(pa.timestamp("ms"), -9_223_372_022_400_000, 9_223_372_036_853_999),
    raw(pa.timestamp("us"), *US),
    raw(pa.timestamp("ns"), -9_223_286_400_000_000_000, 2**63 - 2),
    raw(pa.timestamp("us", "UTC"), *US),
    raw(pa.timestamp("ns", "UTC"), -9_223_286_400_000_000_000, 2**63 - 2),
    raw(pa.time64("us"), 0, 86_400_000_000 - 1),
    raw(pa.time64("ns"), 0, 86_400_000_000_000 - 1),
    (
        pa.month_day_nano_interval(),
        st.tuples(integers(32), integers(32), st.integers(-(2**63) // 1_000 + 1, 2**63 // 1_000)),
        interval,
    ),
    (
        pa.uuid(),
        st.binary(min_size=16, max_size=16),
        lambda v: pa.ExtensionArray.from_storage(pa.uuid(), pa.array(v, pa.binary(16))),
    ),
]


@st.composite
def columns(draw, rows):
    _, values, build = draw(st.sampled_from(LEAVES))

    def leaf(n):
        return build(draw(st.lists(st.none() | values, min_size=n, max_size=n)))

    mask = pa.array(draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), pa.bool_())
    shape = draw(st.sampled_from(["leaf", "list", "fixed", "struct", "map", "list of struct"]))
    if shape == "leaf":
        return leaf(rows)
    if shape == "fixed":
        return pa.FixedSizeListArray.from_arrays(leaf(rows * 2), 2, mask=mask)
    if shape == "struct":
        return pa.StructArray.from_arrays([leaf(rows), leaf(rows)], ["a", 'b"c'], mask=mask)
    offsets = pa.array(range(0, rows * 2 + 1, 2), pa.int32())
    if shape == "list":
        return pa.ListArray.from_arrays(offsets, leaf(rows * 2), mask=mask)
    if shape == "map":
        keys = pa.array([f"k{i}" for i in range(rows * 2)])
        return pa.MapArray.from_arrays(offsets, keys, leaf(rows * 2), mask=mask)
    inner = pa.StructArray.from_arrays([leaf(rows * 2)], ["x"])
    return pa.ListArray.from_arrays(offsets, inner, mask=mask)


def same(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or a == b
    return a == b


def comparable(array):
    """Values of any type as Python ones without loss: temporal types as their integers."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        return comparable(array.storage)
    if pa.types.is_temporal(kind) and kind != pa.month_day_nano_interval():
        return array.view(pa.int32() if kind.bit_width == 32 else pa.int64()).to_pylist()
    valid = array.is_valid().to_pylist()
    if pa.types.is_struct(kind):
        fields = [comparable(array.field(i)) for i in range(kind.num_fields)]
        rows = [list(row) for row in zip(*fields, strict=True)]
    elif pa.types.is_map(kind):
        keys, items = comparable(array.keys), comparable(array.items)
        at = array.offsets.to_pylist()
        rows = [list(zip(keys[a:b], items[a:b], strict=True)) for a, b in pairwise(at)]
    elif pa.types.is_list(kind):
        items, at = comparable(array.values), array.offsets.to_pylist()
        rows = [items[a:b] for a, b in pairwise(at)]
    elif pa.types.is_fixed_size_list(kind):
        items, n = comparable(array.values), kind.list_size
        rows = [items[i * n : i * n + n] for i in range(len(array))]
    else:
        return array.to_pylist()
    return [row if ok else None for row, ok in zip(rows, valid, strict=True)]


def read_back(con, path, schema):
    expressions = [
        f"{sql or quote(name)} AS {quote(name)}" for name, sql in logical_projection(schema)
    ]
    sql = f"SELECT {', '.join(expressions)} FROM read_parquet('{path}')"
    return con.sql(sql).to_arrow_table()


@pytest.fixture(scope="module")
def con():
    connection = duckdb.connect(config={"threads": 1})
    connection.sql("SET TimeZone='UTC'")
    return connection


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_every_value_of_every_type_comes_back_as_it_was(con, data):
    rows = data.draw(st.integers(1, 4))
    column = data.draw(columns(rows))
    batch = pa.RecordBatch.from_arrays([column], ['c o"l'])
    schema = logical_of(batch.schema)
    check_foreign(batch)
    kept = conform(batch, schema)
    physical = to_physical(kept, schema)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.parquet"
        write_parquet(path, pa.Table.from_batches([physical]))
        outside = read_footer(path).schema
        answer = read_back(con, path, schema)

    assert kept.schema == schema
    assert physical.schema.equals(physical_schema(schema))
    assert outside.field(0).type == physical.schema.field(0).type
    back = answer.column(0).combine_chunks()
    has_uuid = "uuid" in str(schema.field(0).type)
    # The engine gives a UUID to Arrow as its text, which is what the file holds.
    expected = physical.column(0) if has_uuid else kept.column(0)
    assert has_uuid or back.type == schema.field(0).type
    assert same(comparable(back), comparable(expected))
