"""Batches from outside: what is taken, what is refused and in which words."""

from decimal import Decimal

import pyarrow as pa
import pytest

from flightdb.errors import Corruption, InvalidPayload, InvalidRequest, TooLarge
from flightdb.model.schema import (
    check_foreign,
    check_foreign_schema,
    conform,
    decode_type,
    encode_type,
    evolve,
    logical_of,
    logical_projection,
    physical_schema,
    to_physical,
    widens,
)


def batch(**columns):
    return pa.RecordBatch.from_arrays(
        [v if isinstance(v, pa.Array) else pa.array(v) for v in columns.values()], list(columns)
    )


def schema(**kinds):
    return pa.schema(list(kinds.items()))


# --- types ---


def test_declared_types_become_what_the_engine_holds():
    declared = pa.schema(
        [
            pa.field("d", pa.dictionary(pa.int32(), pa.large_string()), nullable=False),
            pa.field("t", pa.timestamp("s", "Europe/Berlin"), metadata={"a": "b"}),
            ("v", pa.list_view(pa.float16())),
            ("b", pa.binary(4)),
            ("x", pa.decimal128(3, -2)),
            ("c", pa.time32("ms")),
        ],
        metadata={"k": "v"},
    )

    kept = logical_of(declared)

    assert kept.types == [
        pa.string(),
        pa.timestamp("us", "UTC"),
        pa.list_(pa.float32()),
        pa.binary(),
        pa.decimal128(5, 0),
        pa.time64("us"),
    ]
    assert not kept.field("d").nullable
    assert kept.metadata is None
    assert kept.field("t").metadata is None
    assert logical_of(kept) == kept


def test_physical_types_say_the_same_numbers_outside():
    kinds = schema(a=pa.uint8(), b=pa.uint64(), c=pa.timestamp("ns"), d=pa.uuid())

    assert physical_schema(kinds).types == [
        pa.int16(),
        pa.decimal128(20, 0),
        pa.int64(),
        pa.string(),
    ]


def test_each_type_that_differs_has_sql_that_gives_it_back():
    kinds = pa.schema([('a"b', pa.uint8()), ("s", pa.string())])

    assert logical_projection(kinds) == (('a"b', 'CAST("a""b" AS UTINYINT)'), ("s", None))


UNHOLDABLE = {
    "null": pa.null(),
    "run_end": pa.run_end_encoded(pa.int32(), pa.int64()),
    "union": pa.dense_union([pa.field("x", pa.int8())]),
    "wide": pa.decimal256(76, 1),
    "no_fields": pa.struct([]),
    "no_width": pa.binary(0),
    "twice": pa.struct([("x", pa.int8()), ("X", pa.int8())]),
    "empty_array": pa.list_(pa.int8(), 0),
}


@pytest.mark.parametrize("name", UNHOLDABLE)
@pytest.mark.parametrize("wrap", [lambda t: t, pa.list_, lambda t: pa.struct([("in", t)])])
def test_a_type_without_an_exact_form_is_refused_by_name_at_any_depth(name, wrap):
    kinds = pa.schema([(name, wrap(UNHOLDABLE[name]))])

    with pytest.raises(InvalidRequest, match=f"column={name}"):
        logical_of(kinds)
    with pytest.raises(InvalidPayload, match=f"column={name}"):
        check_foreign_schema(kinds)


def test_types_nested_without_end_are_refused():
    kind = pa.int8()
    for _ in range(40):
        kind = pa.list_(kind)

    with pytest.raises(InvalidRequest, match="column=deep"):
        logical_of(pa.schema([("deep", kind)]))


@pytest.mark.parametrize("name", ["", "x" * 256, "a\0b", "__flightdb_x"])
def test_a_name_that_no_column_may_have_is_refused(name):
    with pytest.raises(InvalidRequest, match="column name"):
        logical_of(pa.schema([(name, pa.int8())]))


def test_columns_whose_names_differ_in_case_only_are_refused():
    with pytest.raises(InvalidRequest, match=r"twice.*column=A"):
        logical_of(schema(a=pa.int8(), A=pa.int8()))


# --- conform ---


def test_a_batch_of_the_schema_is_taken_as_it_is():
    b = batch(a=[1, 2], b=["x", None])

    assert conform(b, b.schema) is b


def test_columns_are_found_by_name_in_any_order_and_case():
    kinds = schema(a=pa.int64(), b=pa.string(), c=pa.float64())

    found = conform(batch(B=["x"], A=[1]), kinds)

    assert found.to_pylist() == [{"a": 1, "b": "x", "c": None}]
    assert found.schema == kinds


def test_a_column_that_the_table_lacks_is_refused_with_those_it_has():
    with pytest.raises(InvalidPayload, match="column=z, the table has a, b"):
        conform(batch(z=[1]), schema(a=pa.int64(), b=pa.int64()))


def test_a_missing_column_that_allows_no_null_is_refused():
    kinds = pa.schema([pa.field("a", pa.int64(), nullable=False), ("b", pa.int64())])

    with pytest.raises(InvalidPayload, match="missing: column=a"):
        conform(batch(b=[1]), kinds)


@pytest.mark.parametrize("kind", [pa.int64(), pa.int32()])
def test_a_null_where_none_may_be_is_refused_with_its_row(kind):
    kinds = pa.schema([pa.field("a", pa.int64(), nullable=False)])
    b = pa.RecordBatch.from_arrays([pa.array([1, None], kind)], schema=pa.schema([("a", kind)]))

    with pytest.raises(InvalidPayload, match="column=a, row=1"):
        conform(b, kinds)


def test_a_batch_that_lies_about_its_nulls_is_refused():
    kinds = pa.schema([pa.field("a", pa.int64(), nullable=False)])
    b = pa.RecordBatch.from_arrays([pa.array([1, None])], schema=kinds)

    with pytest.raises(InvalidPayload, match="column=a, row=1"):
        conform(b, kinds)


FITS = {
    "narrower": ([1, 127], pa.int64(), pa.int8()),
    "unsigned": ([1, 255], pa.int64(), pa.uint8()),
    "float": ([2**53], pa.int64(), pa.float64()),
    "halves": ([0.5, float("inf")], pa.float64(), pa.float32()),
    "decimal": ([Decimal("1.50")], pa.decimal128(5, 2), pa.decimal128(3, 1)),
    "huge": ([Decimal(7)], pa.decimal128(38, 0), pa.int64()),
    "seconds": ([1], pa.timestamp("s"), pa.timestamp("us", "UTC")),
    "zone": ([1], pa.timestamp("s", "Asia/Tokyo"), pa.timestamp("us", "UTC")),
    "date": ([1], pa.date32(), pa.timestamp("us")),
    "text": (["a"], pa.string_view(), pa.string()),
    "dictionary": (["a"], pa.dictionary(pa.int8(), pa.string()), pa.string()),
    "uuid": (["12345678-1234-5678-1234-567812345678"], pa.string(), pa.uuid()),
    "wait": ([1], pa.duration("s"), pa.duration("ms")),
    "list": ([[1], None], pa.large_list(pa.int64()), pa.list_(pa.int8())),
    "fixed": ([[1, 2], None], pa.list_(pa.int64()), pa.list_(pa.int8(), 2)),
    "struct": ([{"B": 1}, None], pa.struct([("B", pa.int64())]), pa.struct([("a", pa.int8()), ("b", pa.int8())])),
    "map": ([[("k", 1)]], pa.map_(pa.string(), pa.int64()), pa.map_(pa.string(), pa.int8())),
    "nothing": ([None], pa.null(), pa.list_(pa.int8())),
}  # fmt: skip


@pytest.mark.parametrize("name", FITS)
def test_a_lossless_cast_is_made(name):
    values, source, wanted = FITS[name]
    if pa.types.is_dictionary(source):
        column = pa.array(values).dictionary_encode()
    else:
        column = pa.array(values, source)

    found = conform(batch(c=column), schema(c=wanted))

    assert found.schema == schema(c=wanted)
    assert found.column(0).null_count == values.count(None)
    found.validate(full=True)


def test_casts_keep_the_values():
    def cast(name):
        values, source, wanted = FITS[name]
        return conform(batch(c=pa.array(values, source)), schema(c=wanted)).column(0)

    assert cast("unsigned").to_pylist() == [1, 255]
    assert cast("huge").to_pylist() == [7]
    assert cast("decimal").to_pylist() == [Decimal("1.5")]
    assert cast("zone").view(pa.int64()).to_pylist() == [1_000_000]
    assert cast("fixed").to_pylist() == [[1, 2], None]
    assert cast("struct").to_pylist() == [{"a": None, "b": 1}, None]
    assert cast("uuid").storage.to_pylist() == [bytes.fromhex("12345678123456781234567812345678")]


MISFITS = {
    "too wide": ([128], pa.int64(), pa.int8()),
    "negative": ([-1], pa.int64(), pa.uint8()),
    "inexact": ([2**53 + 1], pa.int64(), pa.float64()),
    "half": ([0.1], pa.float64(), pa.float32()),
    "float": ([1.0], pa.float64(), pa.int64()),
    "text": (["1"], pa.string(), pa.int64()),
    "number": ([1], pa.int64(), pa.string()),
    "bytes": ([b"a"], pa.binary(), pa.string()),
    "rescale": ([Decimal("1.55")], pa.decimal128(5, 2), pa.decimal128(3, 1)),
    "fine time": ([1], pa.timestamp("ns"), pa.timestamp("us")),
    "lost zone": ([1], pa.timestamp("us", "UTC"), pa.timestamp("us")),
    "not a uuid": (["zz"], pa.string(), pa.uuid()),
    "bool": ([True], pa.bool_(), pa.int64()),
    "inner": ([[300]], pa.list_(pa.int64()), pa.list_(pa.int8())),
    "field": ([{"z": 1}], pa.struct([("z", pa.int8())]), pa.struct([("a", pa.int8())])),
    "length": ([[1]], pa.list_(pa.int8()), pa.list_(pa.int8(), 2)),
    "infinite": ([2**63 - 1], pa.int64(), pa.timestamp("us")),
    "fine wait": ([1], pa.duration("ns"), pa.duration("ns")),
    "long wait": ([2**62], pa.duration("s"), pa.duration("s")),
    "infinity": ([2**63 - 1], pa.timestamp("us"), pa.timestamp("us")),
}


@pytest.mark.parametrize("name", MISFITS)
def test_a_cast_that_would_lose_something_is_refused_by_column(name):
    values, source, wanted = MISFITS[name]
    column = (
        pa.array(values, source) if source != pa.timestamp("us") else pa.array(values).view(source)
    )

    with pytest.raises(InvalidPayload, match=r"column=c") as caught:
        conform(batch(c=column), schema(c=wanted))

    assert "\n" not in caught.value.message


def test_a_slice_converts_like_the_rows_it_shows():
    kind = pa.list_(pa.struct([("t", pa.time64("ns"))]))
    whole = batch(c=pa.array([[{"t": n}] * n for n in range(6)] + [None], kind))

    part = to_physical(whole.slice(3), whole.schema)

    assert part.column(0).to_pylist() == [[{"t": n}] * n for n in range(3, 6)] + [None]


def test_what_lies_under_a_null_struct_does_not_matter():
    kind = pa.struct([("t", pa.timestamp("s"))])
    inner = pa.array([2**63 - 1, 1], pa.int64()).view(pa.timestamp("s"))
    column = pa.StructArray.from_arrays([inner], ["t"], mask=pa.array([True, False]))

    kept = conform(batch(c=column), schema(c=kind))

    assert to_physical(kept, kept.schema).column(0).null_count == 1


def test_lists_without_rows_may_come_without_offsets():
    kind = pa.list_(pa.uint8())
    values = pa.array([], pa.uint8())
    column = pa.Array.from_buffers(kind, 0, [None, pa.py_buffer(b"")], children=[values])

    physical = to_physical(conform(batch(c=column), schema(c=kind)), schema(c=kind))

    assert physical.column(0).type == pa.list_(pa.int16())


# --- foreign batches ---


def test_a_batch_with_too_many_rows_or_bytes_is_too_large():
    with pytest.raises(TooLarge, match="rows=11"):
        check_foreign(batch(a=list(range(11))), rows_max=10)
    with pytest.raises(TooLarge, match="expected at most 10 bytes"):
        check_foreign(batch(a=[1, 2, 3]), bytes_max=10)


def test_damaged_offsets_are_refused():
    offsets = pa.array([0, 1_000_000, 3], pa.int32()).buffers()[1]
    bad = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"abc")])

    with pytest.raises(InvalidPayload, match="damaged"):
        check_foreign(batch(a=bad))


def test_text_that_is_no_utf_8_is_refused():
    bad = pa.array([b"\xff\xfe"]).view(pa.string())

    with pytest.raises(InvalidPayload, match="damaged"):
        check_foreign(batch(a=bad))


def test_a_dictionary_that_explodes_is_too_large():
    big = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000, pa.int32()), ["x" * 100_000])

    with pytest.raises(TooLarge):
        check_foreign(batch(a=big))
    with pytest.raises(TooLarge):
        check_foreign(batch(a=pa.StructArray.from_arrays([big], ["f"])))


def test_views_that_share_their_bytes_are_counted_in_full():
    view = b"\x40\x42\x0f\x00" + b"x" * 4 + bytes(8)
    views = pa.Array.from_buffers(
        pa.string_view(), 1_000, [None, pa.py_buffer(view * 1_000), pa.py_buffer(b"x" * 1_000_000)]
    )

    with pytest.raises(TooLarge):
        check_foreign(batch(a=views))


def test_an_ordinary_batch_passes():
    check_foreign(batch(a=[1], b=["x"], c=[[1.0]], d=pa.array(["a"]).dictionary_encode()))


# --- evolution ---


def test_new_columns_are_added_nullable_at_the_end():
    old = pa.schema([pa.field("id", pa.string(), nullable=False)])

    new = evolve(old, [pa.field("n", pa.int64(), nullable=False), pa.field("x", pa.null())])

    assert new.names == ["id", "n"]
    assert new.field("n").nullable
    assert widens(old, new) == frozenset()


def test_integers_that_meet_floats_become_floats():
    old = schema(n=pa.int64())

    new = evolve(old, [pa.field("N", pa.float64())])

    assert new == schema(n=pa.float64())
    assert widens(old, new) == {"n"}


def test_nothing_new_gives_the_same_schema():
    old = schema(n=pa.float64(), t=pa.timestamp("us"))

    assert evolve(old, [pa.field("n", pa.int64()), pa.field("t", pa.timestamp("s"))]) is old


def test_types_that_do_not_meet_are_named_both():
    with pytest.raises(InvalidPayload, match="column=n, expected int64, type=string"):
        evolve(schema(n=pa.int64()), [pa.field("n", pa.string())])


def test_types_survive_as_text():
    kind = pa.struct([("a", pa.list_(pa.uuid())), ("b", pa.duration("ms"))])

    assert decode_type(encode_type(kind)) == kind
    for text in ("", "!!", "AAAA"):
        with pytest.raises(Corruption):
            decode_type(text)
