"""Batches of several files brought to the schema of the first."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from flightdb.cli.failure import USAGE, Failure


def align(batch: pa.RecordBatch, schema: pa.Schema, path: Path) -> pa.RecordBatch:
    """The batch with exactly `schema`: columns by name, missing ones null, types cast without loss.

    Raises:
        Failure: a column that the first file has not, or a value that does not fit.
    """
    if batch.schema.equals(schema):
        return batch
    unknown = sorted(set(batch.schema.names) - set(schema.names))
    if unknown:
        raise Failure(
            f"a column that the first file has not: column={unknown[0]}, file={path}", USAGE
        )
    columns = [_column(batch, field, path) for field in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _column(batch: pa.RecordBatch, field: "pa.Field[Any]", path: Path) -> Any:
    index = batch.schema.get_field_index(field.name)
    if index < 0:
        return pa.nulls(batch.num_rows, field.type)
    try:
        return batch.column(index).cast(field.type)
    except pa.ArrowException as error:
        raise Failure(
            f"a value does not fit the first file's type: {error}, expected {field.type},"
            f" column={field.name}, file={path}",
            USAGE,
        ) from None
