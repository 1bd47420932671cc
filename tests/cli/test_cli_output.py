"""The forms of an answer."""

import datetime as dt
import decimal
import io
import json

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from flightdb.cli.form import Form
from flightdb.cli.output import SHOWN_ROWS_MAX, writer

BATCH = pa.record_batch(
    {
        "i": pa.array([2**63 - 1, None], pa.int64()),
        "s": ['say "hi", all', ""],
        "d": pa.array([decimal.Decimal("1.50"), None], pa.decimal128(10, 2)),
        "t": pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns")),
        "z": pa.array([1_700_000_000_000_000, None], pa.timestamp("us", "UTC")),
        "day": pa.array([dt.date(2013, 1, 2), None]),
        "b": pa.array([b"\x00\xff", None]),
        "l": pa.array([[1, None], None], pa.list_(pa.int32())),
        "f": pa.array([float("nan"), 0.1]),
        "o": pa.array([True, None]),
    }
)


def written(form, *batches):
    stream = io.BytesIO()
    into = writer(form, batches[0].schema, stream)
    for batch in batches:
        into.write(batch)
    into.close()
    return stream.getvalue()


def test_json_is_one_array_with_exact_integers():
    # when
    rows = json.loads(written(Form.JSON, BATCH, BATCH))

    # then
    assert len(rows) == 4
    assert rows[0] == {
        "i": 2**63 - 1,
        "s": 'say "hi", all',
        "d": 1.5,
        "t": "2023-11-14T22:13:20.123456789",
        "z": "2023-11-14T22:13:20Z",
        "day": "2013-01-02",
        "b": "AP8=",
        "l": [1, None],
        "f": None,
        "o": True,
    }
    assert rows[1]["i"] is None


def test_an_interval_is_iso_8601_in_every_text_form():
    batch = pa.record_batch({"v": pa.array([(1, 2, 3_000_000)], pa.month_day_nano_interval())})
    for form in (Form.JSON, Form.CSV, Form.TABLE):
        assert b"P1M2DT0.003S" in written(form, batch)


def test_columns_of_one_name_are_all_in_the_json():
    batch = pa.RecordBatch.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    assert json.loads(written(Form.JSON, batch)) == [{"a": 1, "a_1": 2}]


def test_csv_has_one_header_and_text_for_what_csv_has_no_word_for():
    # when
    lines = written(Form.CSV, BATCH, BATCH).decode().splitlines()

    # then
    assert len(lines) == 5
    assert lines[0] == '"i","s","d","t","z","day","b","l","f","o"'
    assert lines[1].startswith('9223372036854775807,"say ""hi"", all","1.50"')
    assert '"[1,null]"' in lines[1]
    assert lines[2].startswith(',"",')


def test_arrow_and_parquet_read_back_as_the_same_rows():
    # when
    arrow = pa.ipc.open_stream(written(Form.ARROW, BATCH, BATCH)).read_all()
    packed = parquet.read_table(io.BytesIO(written(Form.PARQUET, BATCH, BATCH)))

    # then
    assert arrow.equals(pa.Table.from_batches([BATCH, BATCH])) or arrow.num_rows == 4
    assert packed.drop(["f"]).equals(pa.Table.from_batches([BATCH, BATCH]).drop(["f"]))


def test_a_table_shows_the_first_rows_and_counts_all():
    # given
    batch = pa.record_batch({"n": pa.array(range(600))})

    # when
    lines = written(Form.TABLE, batch, batch).decode().splitlines()

    # then
    assert lines[-1] == "1,200 rows, 200 of them not shown (--output csv gives all)"
    assert len([line for line in lines if line.startswith("│")]) == SHOWN_ROWS_MAX


@pytest.mark.parametrize(("form", "expected"), [(Form.JSON, b"[]\n"), (Form.CSV, b'"n"\n')])
def test_no_rows_are_a_whole_document_too(form, expected):
    # given
    stream = io.BytesIO()

    # when
    writer(form, pa.schema([("n", pa.int64())]), stream).close()

    # then
    assert stream.getvalue() == expected
