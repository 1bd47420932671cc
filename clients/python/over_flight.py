"""Plain Arrow Flight: `python over_flight.py grpc://127.0.0.1:8815`."""

import json
import sys
import uuid

import pyarrow as pa
from pyarrow import flight


def main(address: str) -> None:
    """Streams batches, waits for each acknowledgement, sends one again, reads all back."""
    path = flight.FlightDescriptor.for_path("example_events")
    batch = pa.record_batch({"id": ["e1", "e2"], "value": [1, 2]})
    producer = str(uuid.uuid4())
    with flight.connect(address) as client:
        writer, replies = client.do_put(path, batch.schema)
        with writer:
            # The last one repeats the first: the same producer and number, so nothing is doubled.
            for number in (1, 2, 1):
                mark = json.dumps({"producer": producer, "seq": number}).encode()
                writer.write_with_metadata(batch, mark)
                print(json.loads(replies.read().to_pybytes()))
            writer.done_writing()
        question = flight.FlightDescriptor.for_command(b"SELECT count(*) AS n FROM example_events")
        [endpoint] = client.get_flight_info(question).endpoints
        print(client.do_get(endpoint.ticket).read_all().to_pylist())


if __name__ == "__main__":
    main(sys.argv[1])
