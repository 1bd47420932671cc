"""Load from `wrk` and `ghz`, one process a measurement, with exact figures from their own output."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.process import ROOT

SCRIPT = Path(__file__).parent / "wrk" / "request.lua"


@dataclass
class Load:
    """`p50_ms` is a request's time as the client sees it."""

    requests_per_s: float
    p50_ms: float
    count: int


@dataclass
class Request:
    """`body` is sent as it is by every connection."""

    path: str
    body: bytes
    media: str = "application/json"
    is_cached: bool = True


def wrk(address: str, request: Request, *, connections: int, seconds: float, scratch: Path) -> Load:
    """One thread, which is more than one server process can keep busy.

    Raises:
        RuntimeError: any answer was not 2xx, or a connection failed.
    """
    body = scratch / "body"
    body.write_bytes(request.body)
    command = [_tool("wrk"), "-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s"]
    command += ["-s", str(SCRIPT), f"http://{address}{request.path}"]
    command += ["--", str(body), request.media, "" if request.is_cached else "no-cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.rpartition("RESULT ")[2])
    if found["errors"] or not found["requests"]:
        raise RuntimeError(f"requests failed: {found}")
    return Load(found["requests"] / found["seconds"], found["p50_us"] / 1e3, found["requests"])


def ghz(
    address: str, message: dict, *, connections: int, seconds: float = 0.0, count: int = 0
) -> Load:
    """`OlapService/Write` over as many connections as calls at once, for a time or a count.

    Raises:
        RuntimeError: a call failed for another reason than the end of the time.
    """
    command = [_tool("ghz"), "--insecure", "--proto", str(ROOT / "proto/olap/v1/olap.proto")]
    command += ["-i", str(ROOT / "proto"), "--call", "olap.v1.OlapService/Write", "-O", "json"]
    command += [
        "-c",
        str(connections),
        "--connections",
        str(connections),
        "-d",
        json.dumps(message),
    ]
    command += ["-n", str(count)] if count else ["-z", f"{seconds}s", "--duration-stop", "wait"]
    done = subprocess.run([*command, address], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if found["statusCodeDistribution"].keys() != {"OK"}:
        raise RuntimeError(f"calls failed: {found['statusCodeDistribution']}")
    middle = [each["latency"] for each in found["latencyDistribution"] if each["percentage"] == 50]
    return Load(found["rps"], middle[0] / 1e6, found["count"])


def _tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(Path.home() / "go" / "bin"))
    if found is None:
        raise RuntimeError(f"{name} is not installed: see bench/README.md")
    return found
