"""The gRPC door as it is, but that `olap.v1.OlapService/Write` answers a constant.

Same grpc.aio server, event loop and handlers, the request parsed by gRPC's own machinery; what is
left out is reading the row and everything behind the door.
"""

import sys
import time

from bench.baselines.service import ConstantService, MachineClock
from flightdb.rpc.generated.olap.v1 import olap_pb2 as olap
from flightdb.rpc.methods import Call
from flightdb.rpc.olap import OlapService
from flightdb.rpc.server import RpcDoor

ANSWER = olap.WriteResponse(
    success=True, message="Data successfully ingested for table: t, ID: sensor-1"
)


async def constant(
    _service: OlapService, _request: olap.WriteRequest, _call: Call
) -> olap.WriteResponse:
    return ANSWER


def main() -> None:
    OlapService.Write = constant  # before the door takes the method from it
    door = RpcDoor(ConstantService(), host="127.0.0.1", port=0, clock=MachineClock())
    door.start()
    print(door.port, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
