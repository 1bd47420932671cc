"""A stream of record batches with its schema known beforehand."""

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa


class BatchStream:
    """Record batches of one schema, read once, closed once.

    Iterating may block; it raises flightdb errors only. `close` frees what feeds it, may be called at any time, from
    any thread, more than once. Use as a context manager.
    """

    def __init__(
        self,
        schema: pa.Schema,
        batches: Iterator[pa.RecordBatch],
        close: Callable[[], None] | None = None,
    ) -> None:
        """Takes ownership of `batches`."""
        self.schema = schema
        self._batches = batches
        self._close = close

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, in order."""
        return self._batches

    def __enter__(self) -> "BatchStream":
        """Gives itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""
        self.close()

    def close(self) -> None:
        """Stops the source and frees it."""
        close, self._close = self._close, None
        if close is not None:
            close()

    def read_all(self) -> pa.Table:
        """Everything, as a table; closes at the end."""
        with self:
            return pa.Table.from_batches(list(self._batches), schema=self.schema)


def concat(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch of one or more of the same schema; a single one is given as it is."""
    if len(batches) == 1:
        return batches[0]
    joined: pa.RecordBatch = pa.concat_batches(batches)  # type: ignore[attr-defined]  # not in the stubs
    return joined
