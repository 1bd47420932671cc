"""Record batches that a client sends with DoPut."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import flight

from flightdb.errors import Cancelled, InvalidPayload
from flightdb.flight.call import Call


@dataclass(frozen=True, slots=True)
class Sent:
    """One batch and the application metadata that came with it, b"" for none."""

    batch: pa.RecordBatch
    metadata: bytes


class Incoming:
    """The stream of one DoPut, read once, on the thread of the call."""

    def __init__(self, reader: flight.MetadataRecordBatchReader) -> None:
        """`reader` as pyarrow gives it to `do_put`."""
        self._reader = reader

    @property
    def schema(self) -> pa.Schema:
        """What the client says its batches are.

        Raises InvalidPayload when it sent no readable schema.
        """
        try:
            return self._reader.schema
        except (pa.ArrowException, flight.FlightError) as error:
            raise InvalidPayload(
                f"schema of the stream cannot be decoded: {_reason(error)}"
            ) from None

    def sent(self, call: Call) -> Iterator[Sent]:
        """Batches in order of arrival; blocks for the next one.

        Raises:
            InvalidPayload: a batch cannot be decoded; it is numbered from 0.
            Cancelled: the client left before the end of its stream: what came is not all.
        """
        number = 0
        while True:
            try:
                chunk = self._reader.read_chunk()
            except StopIteration:
                break
            except (pa.ArrowException, flight.FlightError, MemoryError) as error:
                self._check_present(call)
                raise InvalidPayload(
                    f"batch cannot be decoded: {_reason(error)}, batch={number}"
                ) from None
            if chunk.data is not None:
                metadata = chunk.app_metadata
                yield Sent(chunk.data, b"" if metadata is None else metadata.to_pybytes())
                number += 1
        # gRPC ends the stream of a client that has vanished just as that of one that has finished.
        self._check_present(call)

    def batches(self, call: Call) -> Iterator[pa.RecordBatch]:
        """As `sent`, without metadata."""
        for sent in self.sent(call):
            yield sent.batch

    @staticmethod
    def _check_present(call: Call) -> None:
        if call.is_gone():
            raise Cancelled("stream was cut off: the client left before its end")


def _reason(error: BaseException) -> str:
    return str(error).split(". Detail:", maxsplit=1)[0].strip() or type(error).__name__
