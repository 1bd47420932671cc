"""gRPC: `python over_grpc.py 127.0.0.1:8080`. The protos are in `proto/`; here the code that flightdb ships is used."""

import sys
from collections.abc import Iterator

import grpc

from flightdb.rpc.generated.miniodb.v1 import miniodb_pb2, miniodb_pb2_grpc


def record(number: int) -> miniodb_pb2.DataRecord:
    """A row with an id, the time of now and two payload keys."""
    made = miniodb_pb2.DataRecord(id=f"s{number}")
    made.timestamp.GetCurrentTime()
    made.payload.update({"number": number, "is_even": number % 2 == 0})
    return made


def messages() -> Iterator[miniodb_pb2.StreamWriteRequest]:
    """A thousand rows, a hundred a message."""
    for start in range(0, 1000, 100):
        rows = [record(number) for number in range(start, start + 100)]
        yield miniodb_pb2.StreamWriteRequest(table="example_stream", records=rows)


def main(address: str) -> None:
    """Streams rows in and all of them out again."""
    with grpc.insecure_channel(address) as channel:
        stub = miniodb_pb2_grpc.MinIODBServiceStub(channel)
        print(stub.StreamWrite(messages(), timeout=30))
        question = miniodb_pb2.StreamQueryRequest(
            sql="SELECT * FROM example_stream ORDER BY number", batch_size=300
        )
        answers = stub.StreamQuery(question, timeout=30)
        print(sum(len(answer.records) for answer in answers))


if __name__ == "__main__":
    main(sys.argv[1])
