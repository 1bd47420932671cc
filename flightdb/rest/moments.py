"""Moments as text."""

import pyarrow as pa


def rfc3339(moment_us: int) -> str | None:
    """`2026-01-31T12:00:00.000001Z` for microseconds since the epoch; None for 0, never."""
    if moment_us == 0:
        return None
    # By Arrow, since a table may hold moments that Python's years 1 to 9999 do not.
    text: str = pa.scalar(moment_us, pa.timestamp("us", "UTC")).cast(pa.string()).as_py()
    return text.replace(" ", "T", 1)
