"""One immutable Parquet file of a table."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Segment:
    """A data file as the log names it.

    `path` is relative to the table's folder. `stats` is the Delta statistics document of the file
    (`numRecords`, `minValues`, `maxValues`, `nullCount`), as text, of the physical values; "" if unknown.
    `modified_us`: when the file was written, microseconds since the epoch.
    """

    path: str
    row_count: int
    size_bytes: int
    stats: str = ""
    modified_us: int = 0

    @cached_property
    def bounds(self) -> Mapping[str, tuple[Any, Any]]:
        """Column to (min, max) as JSON values; a column that is missing has no known bounds."""
        if not self.stats:
            return {}
        document = json.loads(self.stats)
        low, high = document.get("minValues") or {}, document.get("maxValues") or {}
        return {name: (low[name], high[name]) for name in low if name in high}

    @cached_property
    def null_counts(self) -> Mapping[str, Any]:
        """Column to number of nulls, where known; a struct column has a mapping of its own."""
        return (json.loads(self.stats).get("nullCount") or {}) if self.stats else {}
