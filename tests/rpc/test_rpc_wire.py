"""Encoded records are what protobuf itself would make of the rows."""

import datetime
import decimal
import math
import uuid

import pyarrow as pa
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings, strategies as st

from flightdb.rpc.convert import payload_of
from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2 as miniodb
from flightdb.rpc.wire import Responses, encoded_records

UTC = datetime.UTC


def records_of(table):
    [batch] = table.combine_chunks().to_batches()
    return [miniodb.DataRecord.FromString(body) for body in encoded_records(batch)]


def value_of(array):
    [record] = records_of(pa.table({"v": array}))
    return MessageToDict(record.payload)["v"]


rows = st.lists(
    st.fixed_dictionaries(
        {
            "i": st.none() | st.integers(-(2**63), 2**63 - 1),
            "f": st.none() | st.floats(allow_nan=False),
            "t": st.none() | st.text(),
            "b": st.none() | st.booleans(),
            "l": st.none() | st.lists(st.integers(-5, 5)),
            "s": st.none() | st.fixed_dictionaries({"x": st.none() | st.text()}),
        }
    ),
    min_size=1,
    max_size=20,
)
SCHEMA = pa.schema(
    [
        ("i", pa.int64()),
        ("f", pa.float64()),
        ("t", pa.string()),
        ("b", pa.bool_()),
        ("l", pa.list_(pa.int64())),
        ("s", pa.struct([("x", pa.string())])),
    ]
)


@settings(max_examples=100, deadline=None)
@given(rows)
def test_rows_come_back_from_their_encoding(given_rows):
    records = records_of(pa.Table.from_pylist(given_rows, SCHEMA))

    found = [payload_of(record.payload) for record in records]
    wanted = [
        {**row, "i": str(row["i"]) if row["i"] and abs(row["i"]) > 2**53 else row["i"]}
        for row in given_rows
    ]
    assert found == wanted


@settings(max_examples=100, deadline=None)
@given(
    st.none() | st.text(),
    st.none() | st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)),
)
def test_id_and_timestamp_come_back(id, moment):
    moment = moment and moment.replace(tzinfo=UTC)
    [record] = records_of(
        pa.table(
            {
                "id": pa.array([id], pa.string()),
                "timestamp": pa.array([moment], pa.timestamp("us", "UTC")),
            }
        )
    )

    assert record.id == (id or "")
    assert record.HasField("timestamp") == (moment is not None)
    if moment:
        assert record.timestamp.ToDatetime(UTC) == moment


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_of_every_unit_keep_their_moment(unit):
    [record] = records_of(pa.table({"timestamp": pa.array([-1], pa.timestamp(unit))}))

    scale = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    assert record.timestamp.ToNanoseconds() == -(10**9) // scale


def test_an_id_that_is_a_number_is_text_and_other_kinds_stay_in_the_payload():
    [record] = records_of(pa.table({"id": [7], "timestamp": ["noon"]}))

    assert record.id == "7"
    assert payload_of(record.payload) == {"timestamp": "noon"}


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (pa.array([2**53]), float(2**53)),
        (pa.array([2**53 + 1]), str(2**53 + 1)),
        (pa.array([2**64 - 1], pa.uint64()), str(2**64 - 1)),
        (pa.array([12], pa.decimal128(38, 0)), 12),
        (pa.array([10**30], pa.decimal128(38, 0)), str(10**30)),
        (pa.array([decimal.Decimal("1.50")]), "1.50"),
        (pa.array([b"ab"]), "YWI="),
        (pa.array([datetime.date(2024, 2, 29)]), "2024-02-29"),
        (pa.array([datetime.time(1, 2, 3)]), "01:02:03"),
        (pa.array([0], pa.timestamp("us", "UTC")), "1970-01-01T00:00:00Z"),
        (pa.array([1], pa.timestamp("ns", "UTC")), "1970-01-01T00:00:00.000000001Z"),
        (pa.array([uuid.UUID(int=5).bytes], pa.uuid()), str(uuid.UUID(int=5))),
        (pa.array(["a"]).dictionary_encode(), "a"),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), {"k": 1}),
        (pa.array([[{"x": [1.5, None]}]]), [{"x": [1.5, None]}]),
        (pa.array([1.5], pa.float32()), 1.5),
        (pa.array([None], pa.null()), None),
        (pa.array(['{"a": [1]}'], pa.json_()), {"a": [1]}),
    ],
    ids=str,
)
def test_other_types_have_a_plain_form(array, wanted):
    assert value_of(array) == wanted


def test_infinity_and_nan_are_numbers():
    records = records_of(pa.table({"v": [math.inf, math.nan]}))

    found = [record.payload.fields["v"].number_value for record in records]
    assert found[0] == math.inf
    assert math.isnan(found[1])


def test_slices_are_encoded_from_their_own_rows():
    batch = pa.record_batch({"id": list("abc"), "l": [[1], [2], [3]]}).slice(1, 1)

    [record] = [miniodb.DataRecord.FromString(body) for body in encoded_records(batch)]

    assert (record.id, payload_of(record.payload)) == ("b", {"l": [2.0]})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), max_size=5), st.integers(1, 7))
def test_responses_hold_every_record_once_and_only_the_last_ends(counts, batch_size):
    responses = Responses(batch_size)
    bodies = []
    number = 0
    for count in counts:
        numbers = range(number, number + count)
        bodies += responses.add(
            [miniodb.DataRecord(id=str(n)).SerializeToString() for n in numbers]
        )
        number += count
    bodies.append(responses.last())

    found = [miniodb.StreamQueryResponse.FromString(body) for body in bodies]
    ids = [record.id for response in found for record in response.records]
    assert ids == [str(n) for n in range(number)]
    assert [response.has_more for response in found] == [True] * (len(found) - 1) + [False]
    assert all(len(response.records) == batch_size for response in found[:-1])
    assert number == 0 or found[-1].records
