"""Record batches on their way to a client."""

from collections.abc import Iterator

import pyarrow as pa
from pyarrow import flight

from flightdb.coordinator.service import Answer
from flightdb.flight.call import Call
from flightdb.flight.errors import to_wire


def answer_stream(answer: Answer, call: Call) -> flight.FlightDataStream:
    """The answer as a stream that translates errors while it flows.

    Closes the answer and ends the call with it.
    """
    batches = _translated(answer, call)
    # Run up to the first yield, so that the end of an unread stream runs the `finally` below.
    next(batches)
    return flight.GeneratorStream(answer.batches.schema, batches)


def _translated(answer: Answer, call: Call) -> Iterator[pa.RecordBatch]:
    try:
        yield pa.RecordBatch.from_pylist([], schema=answer.batches.schema)
        yield from answer.batches
    except Exception as error:  # noqa: BLE001  (the seam: every error is translated, none swallowed)
        raise to_wire(error, call.query_id) from None
    finally:
        answer.batches.close()
        call.end()


def table_stream(table: pa.Table) -> flight.FlightDataStream:
    """A table in memory as a stream."""
    return flight.RecordBatchStream(table)
