"""The rows of a Parquet file as they were written."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flightdb.errors import Corruption, NotFound


def read_batches(path: Path, rows_max: int = 65_536) -> Iterator[pa.RecordBatch]:
    """Physical rows in file order, `rows_max` a batch; page checksums are verified.

    Raises:
        NotFound: no such file.
        Corruption: a damaged file.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield from file.iter_batches(rows_max)
    except FileNotFoundError:
        raise NotFound(f"file not found: path={path}") from None
    except (pa.ArrowException, OSError) as error:
        raise Corruption(f"parquet file is damaged: path={path}, reason={error}") from None
