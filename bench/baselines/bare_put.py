"""do_put with nothing around it: each batch appended as Arrow IPC, fdatasync, acknowledged."""

import os
import sys
from pathlib import Path

import pyarrow as pa
from pyarrow import flight


class BarePut(flight.FlightServerBase):
    """One file a stream in the directory of the argument, removed when the stream ends."""

    def __init__(self, directory: Path) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self._directory = directory
        self._count = 0

    def do_put(
        self,
        context: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: flight.MetadataRecordBatchReader,
        writer: flight.FlightMetadataWriter,
    ) -> None:
        self._count += 1
        path = self._directory / f"stream-{self._count}.arrows"
        with path.open("wb", buffering=0) as file, pa.ipc.new_stream(file, reader.schema) as sink:
            for chunk in reader:
                sink.write_batch(chunk.data)
                os.fdatasync(file.fileno())
                writer.write(pa.py_buffer(b"{}"))
        path.unlink()


if __name__ == "__main__":
    server = BarePut(Path(sys.argv[1]))
    print(server.port, flush=True)
    server.serve()
