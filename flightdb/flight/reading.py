"""Record batches that a client sends with DoPut."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import flight

from flightdb.errors import Cancelled, InvalidPayload, TooLarge
from flightdb.flight.call import Call
from flightdb.model.foreign import BATCH_BYTES_MAX

DECODED_BYTES_MAX = 2 * BATCH_BYTES_MAX
"""More is refused here, where it can be freed at once; the core looks at the rest more closely."""


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
            TooLarge: a batch is far over what may be written; its memory is given back.
            Cancelled: the client left before the end of its stream: what came is not all.
        """
        number = 0
        while True:
            try:
                chunk = self._reader.read_chunk()
            except StopIteration:
                break
            except MemoryError:
                raise _too_large(number) from None
            except (pa.ArrowException, flight.FlightError) as error:
                self._check_present(call)
                raise InvalidPayload(
                    f"batch cannot be decoded: {_reason(error)}, batch={number}"
                ) from None
            batch = chunk.data
            if batch is not None:
                # pyarrow has decompressed it by now, and a client says how large that becomes.
                if batch.get_total_buffer_size() > DECODED_BYTES_MAX:
                    del chunk, batch
                    pa.default_memory_pool().release_unused()
                    raise _too_large(number)
                metadata = chunk.app_metadata
                yield Sent(batch, b"" if metadata is None else metadata.to_pybytes())
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


def _too_large(number: int) -> TooLarge:
    return TooLarge(
        f"batch is too large: expected at most {BATCH_BYTES_MAX} bytes decompressed, batch={number}"
    )


def _reason(error: BaseException) -> str:
    return str(error).split(". Detail:", maxsplit=1)[0].strip() or type(error).__name__
