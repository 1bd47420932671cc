"""Checked rows of values to one Arrow batch."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa

from flightdb.errors import InvalidPayload
from flightdb.model.conform import conform, is_guarded
from flightdb.model.table import TIMESTAMP


def to_batch(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.RecordBatch:
    """Checked rows as one batch of `schema`.

    Raises:
        InvalidPayload: a value that no check could see does not convert (a lone surrogate in a text), or is out of the
            engine's range: what is taken here has to be readable and to fit a file later.
    """
    try:
        made: Any = pa.array(rows, type=_struct(schema))
    except (pa.ArrowException, UnicodeError, ValueError, TypeError, OverflowError):
        raise _misfit(rows, schema) from None
    batch = pa.RecordBatch.from_arrays(made.flatten(), schema=schema)
    return conform(batch, schema) if _has_ranges(schema) else batch


@lru_cache(maxsize=1024)
def _struct(schema: pa.Schema) -> pa.DataType:
    """Rows as one struct array: one call into Arrow a group, not one a column."""
    return pa.struct(list(schema))


@lru_cache(maxsize=1024)
def _has_ranges(schema: pa.Schema) -> bool:
    """Whether a column's type holds values beyond the engine's range; a record's own moment is checked by its codec."""
    return any(
        is_guarded(field.type)
        for field in schema
        if not (field.name == TIMESTAMP and field.type.equals(pa.timestamp("us", tz="UTC")))
    )


def _misfit(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> InvalidPayload:
    """Names the column that does not convert."""
    for field, values in zip(schema, zip(*rows, strict=True), strict=True):
        try:
            pa.array(values, type=field.type)
        except (pa.ArrowException, UnicodeError, ValueError, TypeError, OverflowError):
            return InvalidPayload(
                f"value cannot be encoded: column={field.name!r}, expected {field.type}"
            )
    return InvalidPayload("rows cannot be encoded")
