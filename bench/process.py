"""Servers as processes of their own, on free ports, with their CPU time and memory."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
READY = re.compile(
    r"^ready flight=grpc://(?P<flight>\S+) rest=http://(?P<rest>\S+) grpc=(?P<grpc>\S+) metrics="
)
NO_FLUSH = {
    "FLIGHTDB_BUFFER__FLUSH_INTERVAL": "1h",
    "FLIGHTDB_BUFFER__BUFFER_SIZE": "1000000000",
    "FLIGHTDB_BUFFER__FLUSH_BYTES": "4GiB",
    "FLIGHTDB_BUFFER__MAX_BYTES": "8GiB",
}
NO_CACHE = {"FLIGHTDB_QUERY_OPTIMIZATION__QUERY_CACHE__ENABLED": "false"}


class Process:
    """A child that prints one line when it is ready; a context manager that ends it."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        environment: Mapping[str, str] | None = None,
        ready_s_max: float = 120.0,
    ) -> None:
        self._log = log
        began = time.monotonic()
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
                cwd=log.parent,
                text=True,
            )
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], ready_s_max)
        self.line = self._process.stdout.readline().rstrip("\n") if ready else ""
        self.started_s = time.monotonic() - began
        if not self.line:
            self._process.kill()
            self._process.wait()
            tail = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"no ready line: {' '.join(command)}\n{tail}")

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._end()

    def kill(self) -> None:
        """Kill -9."""
        self._process.kill()
        self._end()

    def _end(self) -> None:
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_s(self) -> float:
        """User and system time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, name: str = "VmRSS") -> float:
        """`VmRSS` or, the most it ever was, `VmHWM`; in MB (10^6)."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024 / 1e6


class Server(Process):
    """`flightdb serve`. `flight`, `rest` and `grpc` are HOST:PORT."""

    def __init__(self, directory: Path, environment: Mapping[str, str] | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.data_dir = directory / "data"
        ports = [f"--{door}-port" for door in ("flight", "rest", "grpc", "metrics")]
        command = [sys.executable, "-m", "flightdb", "serve", "--data-dir", str(self.data_dir)]
        command += [part for port in ports for part in (port, "0")]
        super().__init__(command, directory / "server.log", environment)
        found = READY.match(self.line)
        if found is None:
            self.kill()
            raise RuntimeError(f"no ready line: {self.line!r}")
        self.flight, self.rest, self.grpc = found["flight"], found["rest"], found["grpc"]

    def __enter__(self) -> "Server":
        return self


class Baseline(Process):
    """A module of `bench.baselines`; `address` is HOST:PORT."""

    def __init__(self, name: str, directory: Path, *arguments: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", f"bench.baselines.{name}", *arguments]
        super().__init__(command, directory / f"{name}.log")
        self.address = f"127.0.0.1:{self.line}"

    def __enter__(self) -> "Baseline":
        return self


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
