"""Rows on their way to a table's owner, and the owner's answer.

Named tuples, not frozen dataclasses: one is made for each small write, and a frozen dataclass takes 1 us a field.
"""

from collections.abc import Callable
from typing import NamedTuple

import pyarrow as pa

from flightdb.errors import FlightdbError
from flightdb.model.table import Table


class Rows(NamedTuple):
    """Rows in Python values, checked against `table.schema` by its codec: one tuple a row, in schema order.

    Kept as rows of values, not Arrow, because a batch a row costs more than the row (30 us against 3).
    """

    values: tuple[tuple[object, ...], ...]
    made_ids: tuple[str, ...] = ()
    """Ids that the table made for records that came without one, in their order."""


class TablePut(NamedTuple):
    """Rows for one table: `rows` already fit `table.schema` exactly (names, order, types)."""

    table: Table
    rows: "Rows | pa.RecordBatch"


class Put(NamedTuple):
    """One atomic write of rows into one or more tables.

    `producer` and `sequence` make a repeat a no-op: a sequence at or below the last one seen from that producer for
    the first table is answered with what was answered then. `producer` "" means no such promise.
    """

    tables: tuple[TablePut, ...]
    producer: str = ""
    sequence: int = 0


class Ack(NamedTuple):
    """The rows are durable and visible. `lsn`: WAL position that contains them; `row_count` as first answered.

    `made_ids`: the ids that the table made for records that came without one, in their order.
    """

    lsn: int
    row_count: int
    is_repeat: bool = False
    made_ids: tuple[str, ...] = ()


Done = Callable[[Ack | FlightdbError], None]
"""Called once, from any thread, quickly: it must not block or raise."""
