"""Small messages that claim to be large: refused by every door, with the server's memory bounded and given back."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import flight

from flightdb.flight.commands import pack
from flightdb.flight.generated import flight_sql_pb2 as pb
from tests.stories.doors import Doors, Refused, arrow_stream, flight_errors
from tests.stories.process import Server

MIB = 1 << 20
SLACK_MIB = 96
"""What ordinary work may take meanwhile."""

ARROW_MIB = 512
"""Arrow's bound in these tests; by default it is a quarter of the machine's memory."""

BILLIONS = (1 << 31) - 1
EXISTS = {"if_not_exist": 2, "if_exists": 2}


class Watched:
    """A server in a process of its own, whose memory is looked at."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.doors = Doors(server.flight, server.rest, server.grpc)
        self._folder = Path("/proc", str(server.process.pid))

    def mib(self, name: str) -> int:
        text = self._folder.joinpath("status").read_text()
        return int(re.search(rf"{name}:\s+(\d+)", text)[1]) // 1024

    def forget_peak(self) -> int:
        """The memory now, from which the peak counts anew."""
        self._folder.joinpath("clear_refs").write_text("5")
        return self.mib("VmRSS")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("memory")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MIMALLOC_RESERVE_OS_MEMORY", f"{ARROW_MIB}MiB")
        server = Server.start(folder / "data", log=folder / "log")
    watched = Watched(server)
    watched.doors.ingest("t", pa.record_batch({"n": pa.array([1], pa.int64())}), "create")
    yield watched
    watched.doors.close()
    assert server.stop() == 0


def ingest_raw(doors: Doors, batch: pa.RecordBatch, options: Any) -> None:
    """What adbc_ingest sends, but as large and as compressed as we like."""
    command = pb.CommandStatementIngest(table="t", table_definition_options=EXISTS)
    descriptor = flight.FlightDescriptor.for_command(pack(command))
    with flight_errors():
        writer, reader = doors.flight.do_put(descriptor, batch.schema, options)
        with writer:
            writer.write_batch(batch)
            writer.done_writing()
            reader.read()


SENDERS = {
    "do_put": lambda doors, batch, options: doors.put(
        "t", batch, options=flight.FlightCallOptions(write_options=options)
    ),
    "ingest": lambda doors, batch, options: ingest_raw(
        doors, batch, flight.FlightCallOptions(write_options=options)
    ),
    "rest": lambda doors, batch, options: doors.rest_arrow(
        "t", arrow_stream(batch, options=options)
    ),
}


def run_ends() -> Any:
    return pa.RunEndEncodedArray.from_arrays(pa.array([BILLIONS], pa.int32()), pa.array([7]))


def dictionary() -> Any:
    indices = pa.array(np.zeros(MIB, np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array(["x" * MIB]))


CLAIMS = {
    "nulls": lambda: pa.nulls(BILLIONS),
    "run ends": run_ends,
    "empty structs": lambda: pa.StructArray.from_buffers(pa.struct([]), BILLIONS, [None]),
    "no width": lambda: pa.FixedSizeBinaryArray.from_buffers(pa.binary(0), BILLIONS, [None, pa.py_buffer(b"")]),
    "a dictionary": dictionary,
}  # fmt: skip


@pytest.mark.parametrize("door", SENDERS)
@pytest.mark.parametrize("claim", CLAIMS)
def test_columns_that_claim_billions_of_rows_cost_nothing(claim: str, door: str, watched: Watched):
    batch = pa.record_batch({"n": CLAIMS[claim]()})
    before = watched.forget_peak()
    with pytest.raises(Refused, match=r"column=n|too large|too many rows"):
        SENDERS[door](watched.doors, batch, pa.ipc.IpcWriteOptions())
    assert watched.mib("VmHWM") - before < SLACK_MIB
    assert watched.doors.count("t") == 1


def test_rows_beyond_what_arrow_can_count_are_refused(watched: Watched):
    batch = pa.record_batch({"n": pa.Array.from_buffers(pa.null(), 1 << 40, [None])})
    for door in SENDERS.values():
        with pytest.raises(Refused, match="column=n"):
            door(watched.doors, batch, pa.ipc.IpcWriteOptions(allow_64bit=True))


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
@pytest.mark.parametrize("door", SENDERS)
def test_a_batch_that_swells_is_refused_and_its_memory_given_back(
    door: str, codec: str, watched: Watched
):
    """REST looks before it decompresses; pyarrow.flight has decompressed before we are asked."""
    swollen_mib = 256
    batch = pa.record_batch({"n": np.zeros(swollen_mib * MIB // 8, np.int64)})
    options = pa.ipc.IpcWriteOptions(compression=codec)
    if codec == "zstd":
        assert swollen_mib * MIB > 30_000 * len(arrow_stream(batch, options=options))
    before = watched.forget_peak()
    with pytest.raises(Refused, match="too large"):
        SENDERS[door](watched.doors, batch, options)
    allowed = 0 if door == "rest" else swollen_mib
    assert watched.mib("VmHWM") - before < allowed + SLACK_MIB
    # Arrow's allocator gives back what another of its threads freed when it has work again.
    assert settled(lambda: is_back(watched, before))
    assert watched.doors.count("t") == 1


def is_back(watched: Watched, before_mib: int) -> bool:
    other = pa.record_batch({"other": np.zeros(MIB, np.int64)})
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pytest.raises(Refused, match="unknown column"):
        SENDERS["do_put"](watched.doors, other, options)
    return watched.mib("VmRSS") - before_mib < SLACK_MIB


@pytest.mark.parametrize("door", SENDERS)
def test_a_batch_that_swells_beyond_arrows_bound_takes_nothing(door: str, watched: Watched):
    batch = pa.record_batch({"n": np.zeros((ARROW_MIB + 64) * MIB // 8, np.int64)})
    before = watched.forget_peak()
    with pytest.raises(Refused, match="too large"):
        SENDERS[door](watched.doors, batch, pa.ipc.IpcWriteOptions(compression="zstd"))
    assert watched.mib("VmHWM") - before < SLACK_MIB
    assert watched.doors.count("t") == 1


def test_a_body_of_100_mb_takes_no_more_than_its_limit(watched: Watched):
    before = watched.forget_peak()
    for content in (b" " * (100 * MIB), (b" " * MIB for _ in range(100))):
        with pytest.raises(Refused) as refused:
            watched.doors.post("/v1/data", content)
        assert (refused.value.code, refused.value.slug) == ("413", "too_large")
    assert watched.mib("VmHWM") - before < 64 + SLACK_MIB
    with pytest.raises(Refused, match="larger than max"):
        watched.doors.olap_write("t", "b", {"s": "x" * (100 * MIB)})
    assert watched.mib("VmHWM") - before < 64 + SLACK_MIB


def settled(is_so: Any, within_s: float = 3.0) -> bool:
    until = time.monotonic() + within_s
    while not is_so() and time.monotonic() < until:
        time.sleep(0.05)
    return is_so()
