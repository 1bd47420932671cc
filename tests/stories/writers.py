"""Clients that write small rows without end and remember what was acknowledged."""

import http.client
import json
import threading
from dataclasses import dataclass, field

import grpc
from google.protobuf import json_format

from flightdb.rpc.generated.olap.v1 import olap_pb2, olap_pb2_grpc


@dataclass
class Ledger:
    """What each producer had acknowledged, in order. Thread-safe by having one list a producer."""

    acknowledged: dict[str, list[int]] = field(default_factory=dict)
    attempted: dict[str, int] = field(default_factory=dict)

    def count(self) -> int:
        return sum(map(len, self.acknowledged.values()))


class Writers:
    """16 REST and 16 gRPC clients at once, one row a request, until stopped or the server is gone."""

    def __init__(
        self, rest: str, rpc: str, ledger: Ledger, *, each: int = 16, table: str = "events"
    ):
        self._rest, self._rpc, self._table = rest, rpc, table
        self._ledger = ledger
        self._stopping = threading.Event()
        self.failures: list[str] = []
        self._threads = [
            threading.Thread(target=run, args=(f"{kind}-{number}",), daemon=True)
            for number in range(each)
            for kind, run in (("rest", self._over_rest), ("grpc", self._over_grpc))
        ]

    def start(self) -> "Writers":
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(60)

    def _rows(self, producer: str):
        """Sequences go on where the last run of this producer ended."""
        done = self._ledger.acknowledged.setdefault(producer, [])
        sequence = self._ledger.attempted.get(producer, 0)
        while not self._stopping.is_set():
            sequence += 1
            self._ledger.attempted[producer] = sequence
            yield sequence, done

    def _over_rest(self, producer: str) -> None:
        host, _, port = self._rest.rpartition(":")
        connection = http.client.HTTPConnection(host, int(port), timeout=30)
        try:
            for sequence, done in self._rows(producer):
                body = json.dumps(
                    {
                        "table": self._table,
                        "id": f"{producer}-{sequence}",
                        "payload": {"producer": producer, "seq": sequence},
                    }
                )
                connection.request("POST", "/v1/data", body, {"content-type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 200 and json.loads(text)["success"]:
                    done.append(sequence)
                elif answer.status not in (429, 503):
                    self.failures.append(f"{producer}: {answer.status} {text[:200]!r}")
                    return
        except (OSError, http.client.HTTPException):
            return  # The server is gone; what was not acknowledged may be there or not.
        finally:
            connection.close()

    def _over_grpc(self, producer: str) -> None:
        with grpc.insecure_channel(self._rpc) as channel:
            stub = olap_pb2_grpc.OlapServiceStub(channel)
            for sequence, done in self._rows(producer):
                request = olap_pb2.WriteRequest(table=self._table, id=f"{producer}-{sequence}")
                request.timestamp.GetCurrentTime()
                json_format.ParseDict({"producer": producer, "seq": sequence}, request.payload)
                try:
                    if stub.Write(request, timeout=30).success:
                        done.append(sequence)
                except grpc.RpcError as error:
                    codes = (
                        grpc.StatusCode.UNAVAILABLE,
                        grpc.StatusCode.CANCELLED,
                        grpc.StatusCode.RESOURCE_EXHAUSTED,
                        grpc.StatusCode.UNKNOWN,
                    )
                    if error.code() not in codes:
                        self.failures.append(f"{producer}: {error}")
                    return
