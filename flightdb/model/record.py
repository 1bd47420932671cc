"""A record of the spec: an id, a moment and a payload."""

from collections.abc import Mapping
from typing import NamedTuple

DEFAULT_TABLE = "default"
"""The table of a write that names none (`contract.md` 3.1 table_management.default_table)."""


class Record(NamedTuple):
    """One row for a record table, not checked yet.

    `id` "" means: to be made by the table's strategy, an error where it has none. `timestamp_us`: microseconds since
    the epoch, UTC. `payload` values: None, bool, int, float, str, bytes, and dict or list (kept as JSON).
    """

    id: str
    timestamp_us: int
    payload: Mapping[str, object]
