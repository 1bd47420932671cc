"""What the ids of a record table may look like, checked one by one or a column at a time."""

import re
import string
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flightdb.errors import InvalidRequest
from flightdb.model.table import ID, IdRules, Table, TableKind

_USUAL = IdRules().pattern
_USUAL_BYTES = (string.ascii_letters + string.digits + "_-").encode()
"""What that pattern allows: deleting these from a column's bytes takes a quarter of the time of matching each id."""


def check_id(text: str, rules: IdRules, row: int) -> None:
    """Raises InvalidRequest, which names rule, row and id, when `text` is against the rules."""
    if len(text) > rules.max_length:
        raise InvalidRequest(
            f"id is too long: expected at most {rules.max_length} characters,"
            f" row={row}, length={len(text)}"
        )
    if rules.pattern and not _compiled(rules.pattern).fullmatch(text):
        raise InvalidRequest(
            f"id has a character that is not allowed: expected a match of {rules.pattern},"
            f" row={row}, id={text[:80]!r}"
        )
    if rules.allowed_chars and not set(text) <= set(rules.allowed_chars):
        raise InvalidRequest(
            f"id has a character that is not allowed: expected only {rules.allowed_chars[:200]},"
            f" row={row}, id={text[:80]!r}"
        )


def check_ids(batch: pa.RecordBatch, table: Table) -> None:
    """The same for the ids of a batch of `table`'s schema; a plain table has no rules.

    Raises:
        InvalidRequest: an id is against the rules; the first such row is named, from 0.
    """
    rules = table.options.id_validation
    if table.kind is not TableKind.RECORD or not len(batch):
        return
    column: Any = batch.column(batch.schema.get_field_index(ID))
    if _are_usual(column, rules):
        return
    for row, text in enumerate(column.to_pylist()):
        check_id(text, rules, row)


def _are_usual(column: Any, rules: IdRules) -> bool:
    """Whether all are surely right; False means that each has to be looked at."""
    if rules.pattern != _USUAL or rules.allowed_chars or column.null_count:
        return False
    # Characters of this pattern are one byte each, so lengths and all bytes at once say everything.
    lengths: Any = pc.min_max(pc.binary_length(column)).as_py()
    if lengths["min"] < 1 or lengths["max"] > rules.max_length:
        return False
    return not _text_bytes(column).translate(None, _USUAL_BYTES)


def _text_bytes(column: Any) -> bytes:
    """The bytes of all values, one after the other; of a column without nulls."""
    _, offsets, data = column.buffers()
    ends = memoryview(offsets).cast("i")
    start, end = ends[column.offset], ends[column.offset + len(column)]
    return bytes(data.slice(start, end - start))


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
