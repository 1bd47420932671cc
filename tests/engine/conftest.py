"""One engine over a directory of its own, and files and buffers to read."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flightdb.engine.duckdb import DuckDBEngine
from flightdb.model.cancellation import Cancellation
from flightdb.model.schema import to_physical
from flightdb.model.source import ArrowSegment, BufferPart, Fragment, TableSource


@dataclass(frozen=True)
class Desk:
    engine: DuckDBEngine
    data: Path

    def write(self, name: str, batch: pa.RecordBatch) -> str:
        """A Parquet file with the physical form of `batch`."""
        path = self.data / name
        pq.write_table(pa.Table.from_batches([to_physical(batch, batch.schema)]), path)
        return str(path)

    def ask(
        self, sql: str, *sources: TableSource, parameters: tuple[object, ...] | None = None
    ) -> pa.Table:
        return self.engine.run(Fragment(sql, sources, parameters), Cancellation()).read_all()


def buffer(*batches: pa.RecordBatch) -> BufferPart:
    """Rows inline, one segment a batch."""
    segments = []
    for batch in batches:
        body = batch.serialize()
        segments.append(ArrowSegment("", 0, body.size, batch.num_rows, body))
    return BufferPart(batches[0].schema, tuple(segments))


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    root = tmp_path_factory.mktemp("engine")
    (root / "data").mkdir()
    engine = DuckDBEngine(data_dir=root / "data", temp_dir=root / "temp", memory_bytes=256 << 20)
    yield Desk(engine, root / "data")
    engine.close()
