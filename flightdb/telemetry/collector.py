"""Metrics that are read off the service at a scrape, so that they cost nothing in between.

Own names are `flightdb_*`; the seed's (`contract.md` 5) are given for what is known truthfully.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

MICROSECONDS = 1_000_000


class NamedTable(Protocol):
    """What a metric needs of a table."""

    @property
    def name(self) -> str:
        """Its name."""
        ...


class TableFigures(Protocol):
    """What a metric needs of a table's figures; `coordinator.service.TableInfo` is one."""

    @property
    def table(self) -> NamedTable:
        """The table."""
        ...

    @property
    def record_count(self) -> int:
        """Rows in files and buffers."""
        ...

    @property
    def file_count(self) -> int:
        """Parquet files."""
        ...

    @property
    def size_bytes(self) -> int:
        """Bytes of those files."""
        ...

    @property
    def last_write_us(self) -> int:
        """Microseconds since the epoch, 0 for never."""
        ...

    @property
    def last_flush_us(self) -> int:
        """Microseconds since the epoch, 0 for never."""
        ...


class ServiceFigures(Protocol):
    """What a metric needs of the service's status; `coordinator.service.Status` is one."""

    @property
    def node_id(self) -> str:
        """This node."""
        ...

    @property
    def version(self) -> str:
        """This program's version."""
        ...

    @property
    def started_us(self) -> int:
        """Microseconds since the epoch."""
        ...

    @property
    def figures(self) -> Mapping[str, float]:
        """Name to value."""
        ...


class ServiceCollector:
    """Gives a service's status and tables to Prometheus.

    A figure becomes `flightdb_<name>`, a counter if its name ends with `_total`, else a gauge.
    """

    def __init__(
        self,
        status: Callable[[], ServiceFigures],
        tables: Callable[[], Sequence[TableFigures]],
    ) -> None:
        """`status` and `tables` are called once a scrape; they must not do I/O."""
        self._status = status
        self._tables = tables

    def describe(self) -> Iterable[Metric]:
        """Nothing: so that registering does not call the service, which may not have started."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All families, tables sorted by name."""
        yield from _of_service(self._status())
        yield from _of_tables(self._tables())


def _of_service(status: ServiceFigures) -> Iterator[Metric]:
    info = GaugeMetricFamily(
        "miniodb_info", "Version and node, always 1.", labels=("version", "node_id")
    )
    info.add_metric((status.version, status.node_id), 1)
    yield info
    yield GaugeMetricFamily(
        "miniodb_start_time_seconds",
        "When the process began, Unix time.",
        status.started_us / MICROSECONDS,
    )
    for key, value in sorted(status.figures.items()):
        name = "flightdb_" + re.sub(r"[^a-zA-Z0-9_]", "_", key)
        family = CounterMetricFamily if key.endswith("_total") else GaugeMetricFamily
        yield family(name, f"The service's figure {key}.", value)


def _of_tables(tables: Sequence[TableFigures]) -> Iterator[Metric]:
    for name, doc, value in _TABLE_METRICS:
        family = GaugeMetricFamily(name, doc, labels=("table",))
        for info in tables:
            family.add_metric((info.table.name,), value(info))
        yield family


# `_total` names of gauges are the seed's; it asks for them as they are.
_TABLE_METRICS: tuple[tuple[str, str, Callable[[TableFigures], float]], ...] = (
    ("miniodb_table_records_total", "Rows, files and buffers together.", lambda t: t.record_count),
    ("miniodb_table_record_count", "Rows, files and buffers together.", lambda t: t.record_count),
    ("miniodb_table_files_total", "Parquet files.", lambda t: t.file_count),
    ("miniodb_table_file_count", "Parquet files.", lambda t: t.file_count),
    ("miniodb_table_size_bytes", "Bytes of the Parquet files.", lambda t: t.size_bytes),
    (
        "miniodb_table_last_write_timestamp",
        "Last acknowledged write, Unix time; 0 for none.",
        lambda t: t.last_write_us / MICROSECONDS,
    ),
    (
        "miniodb_table_last_flush_timestamp",
        "Last flush to Parquet, Unix time; 0 for none.",
        lambda t: t.last_flush_us / MICROSECONDS,
    ),
)
