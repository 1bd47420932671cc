"""Parameters of statements: the types that drivers are told, and the rows that they send."""

import pyarrow as pa
import pyarrow.types as kinds

from flightdb.errors import InvalidPayload, TooLarge
from flightdb.flight.call import Call
from flightdb.flight.reading import Incoming

ROWS_BYTES_MAX = 256 << 20
"""Parameter rows of one executemany; more belongs into an ingest, which streams."""


def declared(parameters: pa.Schema) -> pa.Schema:
    """The parameter schema that every driver can fill.

    JDBC writes milliseconds into a timestamp whatever its unit, Go's database/sql sends 64-bit
    integers only, and JDBC takes no value for a null type: so timestamps are declared in ms,
    integers as int64, unknowns as text. The values are cast to the real type when the statement
    runs, exactly or with an error.
    """
    return pa.schema([field.with_type(_declared(field.type)) for field in parameters])


def _declared(kind: pa.DataType) -> pa.DataType:
    if kinds.is_integer(kind):
        return pa.int64()
    if kinds.is_timestamp(kind):
        return pa.timestamp("ms", tz=kind.tz)
    if kinds.is_null(kind):
        return pa.string()
    return kind


def read_parameters(incoming: Incoming, call: Call) -> pa.RecordBatch | None:
    """All rows that the client sends, as one batch; None when it sends no columns.

    Raises:
        InvalidPayload: cannot be decoded.
        TooLarge: more than `ROWS_BYTES_MAX`.
    """
    schema = incoming.schema
    if not len(schema):
        return None
    batches: list[pa.RecordBatch] = []
    size = 0
    for batch in incoming.batches(call):
        size += batch.nbytes
        if size > ROWS_BYTES_MAX:
            raise TooLarge(
                f"parameter rows are too large: max_bytes={ROWS_BYTES_MAX}, expected an ingest for more"
            )
        batches.append(batch)
    if len(batches) == 1:
        return batches[0]
    try:
        table = pa.Table.from_batches(batches, schema=schema).combine_chunks()
    except pa.ArrowException as error:
        raise InvalidPayload(f"parameter rows do not fit together: {error}") from None
    return next(iter(table.to_batches()), pa.RecordBatch.from_pylist([], schema=schema))
