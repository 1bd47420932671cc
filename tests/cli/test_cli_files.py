"""Reading data files: formats, compressions, inference, and what is wrong where."""

import gzip
import zipfile

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest

from flightdb.cli.align import align
from flightdb.cli.failure import USAGE, Failure
from flightdb.cli.files import open_rows

TABLE = pa.table({"a": pa.array([1, 2, None], pa.int64()), "b": ["x", "y", "z"]})
LONG = 700_000
"""Rows that fill more than the first block of a text file."""


def read(path, types=None):
    rows = open_rows(path, types or {})
    table = pa.Table.from_batches(list(rows.batches), schema=rows.schema)
    position = rows.position()
    rows.close()
    return table, position


def write(path, form):
    if form == "parquet":
        parquet.write_table(TABLE, path)
    elif form == "csv":
        csv.write_csv(TABLE, path)
    elif form == "ndjson":
        path.write_text('{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n{"a": null, "b": "z"}\n')
    else:
        maker = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with maker(str(path), TABLE.schema) as writer:
            writer.write_table(TABLE)
    return path


@pytest.mark.parametrize("form", ["parquet", "csv", "ndjson", "arrow", "arrows"])
def test_every_format_gives_the_same_rows(tmp_path, form):
    # given
    path = write(tmp_path / f"rows.{form}", form)

    # when
    table, position = read(path)

    # then
    assert table.equals(TABLE)
    assert position == path.stat().st_size


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".zip"])
def test_a_compressed_file_is_read_through(tmp_path, suffix):
    # given
    plain, path = write(tmp_path / "rows.csv", "csv"), tmp_path / f"rows.csv{suffix}"
    if suffix == ".gz":
        path.write_bytes(gzip.compress(plain.read_bytes()))
    elif suffix == ".zst":
        path.write_bytes(pa.compress(plain.read_bytes(), "zstd", asbytes=True))
        with pa.CompressedOutputStream(str(path), "zstd") as stream:
            stream.write(plain.read_bytes())
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(plain, "rows.csv")

    # then
    assert read(path)[0].equals(TABLE)


def test_a_csv_value_that_clashes_with_the_inferred_type_is_named_by_line_and_column(tmp_path):
    # given a number column whose last line holds text, far behind the first block
    path = tmp_path / "clash.csv"
    path.write_text("id,zip code\n" + "1234567,12345\n" * LONG + "7,AB-1\n")

    # when
    with pytest.raises(Failure) as refused:
        read(path)

    # then
    assert refused.value.code == USAGE
    assert refused.value.message == (
        f"cannot read the file: column zip code: line {LONG + 2}: CSV conversion error to int64:"
        f" invalid value 'AB-1'; --type zip code=string takes any text, file={path}"
    )


def test_a_type_given_goes_before_what_is_inferred(tmp_path):
    # given
    path = tmp_path / "zip.csv"
    path.write_text("zip\n00123\n")

    # then
    assert read(path, {"zip": pa.string()})[0].to_pydict() == {"zip": ["00123"]}


def test_a_csv_column_that_begins_with_nulls_alone_is_text(tmp_path):
    # given
    path = tmp_path / "late.csv"
    path.write_text("a,note\n" + "1234567890,\n" * LONG + "7,hello\n")

    # when
    table, _ = read(path)

    # then
    assert table.schema.field("note").type == pa.string()
    assert table["note"][LONG].as_py() == "hello"


def test_a_csv_row_with_too_many_values_is_named_by_its_line(tmp_path):
    # given
    path = tmp_path / "ragged.csv"
    path.write_text("a,b\n1,2\n1,2,3\n")

    # then
    with pytest.raises(Failure, match="line 3: Expected 2 columns, got 3: 1,2,3"):
        read(path)


def test_an_ndjson_value_of_another_type_is_named_by_its_line(tmp_path):
    # given
    path = tmp_path / "clash.ndjson"
    path.write_text('{"a": 1}\n' * LONG + '{"a": "text"}\n')

    # then
    with pytest.raises(
        Failure,
        match=rf"line {LONG + 1}: JSON parse error: Column\(/a\) changed from number to string",
    ):
        read(path)


@pytest.mark.parametrize(
    "name", ["broken.parquet", "broken.arrow", "broken.csv.gz", "broken.csv.zip", "empty.csv"]
)
def test_a_file_that_is_not_what_its_name_says_is_one_clear_line(tmp_path, name):
    # given
    path = tmp_path / name
    path.write_bytes(b"" if name.startswith("empty") else b"no such thing" * 10)

    # then
    with pytest.raises(Failure, match=f"^cannot read.*file={path}") as refused:
        read(path)
    assert refused.value.code == USAGE


def test_text_of_another_encoding_is_refused_and_not_taken_for_bytes(tmp_path):
    # given
    file = tmp_path / "latin.csv"
    file.write_bytes("name,n\nZürich,1\n".encode("latin-1"))

    # then
    with pytest.raises(Failure, match=r"not UTF-8 text: .* --type name=binary, column=name, file="):
        open_rows(file, {})
    rows = open_rows(file, {"name": pa.binary()})
    with rows.opened:
        assert rows.schema.field("name").type == pa.binary()


def test_a_zip_of_two_files_is_refused(tmp_path):
    # given
    path = tmp_path / "two.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a\n1\n")
        archive.writestr("b.csv", "a\n1\n")

    # then
    with pytest.raises(Failure, match="expected one file in the zip, found 2"):
        read(path)


def test_later_files_take_the_schema_of_the_first(tmp_path):
    # given
    batch = pa.record_batch({"b": pa.array([1], pa.int32())})
    schema = pa.schema([("a", pa.string()), ("b", pa.int64())])

    # then
    assert align(batch, schema, tmp_path).to_pylist() == [{"a": None, "b": 1}]


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (pa.record_batch({"c": [1]}), "a column that the first file has not: column=c"),
        (pa.record_batch({"b": ["x"]}), "expected int64, column=b"),
    ],
)
def test_a_later_file_that_does_not_fit_is_named(tmp_path, batch, message):
    with pytest.raises(Failure, match=message):
        align(batch, pa.schema([("b", pa.int64())]), tmp_path)
