"""The progress of a load: a bar on a terminal, and one line at its end anywhere."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress as Bar,
    TextColumn,
)


class Progress:
    """Counts rows and bytes; use as a context manager."""

    def __init__(self, table: str, size_bytes: int) -> None:
        """`size_bytes`: of all files."""
        self._table = table
        self._row_count = 0
        self._started = time.monotonic()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=10),  # all of it fits 80 columns
            DownloadColumn(binary_units=True),
            TextColumn("{task.fields[rows]}"),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task(f"loading {table}", total=size_bytes, rows="")

    def __enter__(self) -> "Progress":
        """Shows the bar."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Takes the bar away."""
        self.stop()

    def stop(self) -> None:
        """Takes the bar away, so that a line of another kind is the last one."""
        self._bar.stop()

    def advance(self, row_count: int, position_bytes: int) -> None:
        """More rows were sent; `position_bytes` of all files are behind us."""
        self._row_count += row_count
        rate = self._row_count / max(1e-9, time.monotonic() - self._started)
        shown = f"{self._row_count:,} rows, {rate:,.0f} rows/s"
        self._bar.update(self._task, completed=position_bytes, rows=shown)

    def finish(self, row_count: int) -> None:
        """The server has stored `row_count` rows."""
        self._bar.stop()
        seconds = time.monotonic() - self._started
        rate = row_count / max(1e-9, seconds)
        print(
            f"loaded {row_count:,} rows into {self._table} in {seconds:.1f} s ({rate:,.0f} rows/s)"
        )
