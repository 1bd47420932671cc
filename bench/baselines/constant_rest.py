"""The REST door as it is, but that `POST /v1/data` reads its body and answers a constant.

Same uvicorn, event loop, application, routing, headers and metrics; what is left out is reading the
row and everything behind the door.
"""

import sys
import time

from prometheus_client import CollectorRegistry

from bench.baselines.service import ConstantService, MachineClock
from flightdb.rest.data import Writes
from flightdb.rest.exchange import ENCODER, Exchange
from flightdb.rest.server import RestDoor
from flightdb.rest.shapes import WriteAnswer
from flightdb.telemetry.requests import RequestMetrics

TEXT = "Data successfully ingested for table: t, ID: sensor-1"
ANSWER = ENCODER.encode(WriteAnswer(True, TEXT, "node-1", "sensor-1", 1, False))


async def constant(_writes: Writes, exchange: Exchange) -> None:
    await exchange.body(64 << 20)
    await exchange.reply(200, ANSWER)


def main() -> None:
    Writes.write = constant  # before the door takes the method from it
    registry = CollectorRegistry()
    door = RestDoor(
        ConstantService(), host="127.0.0.1", port=0, clock=MachineClock(), registry=registry
    )
    door.watch(RequestMetrics(registry).observe)
    door.start()
    print(door.port, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
