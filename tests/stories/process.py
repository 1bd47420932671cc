"""`flightdb serve` as a process of its own: started, read, killed and started again."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

READY = re.compile(
    r"^ready flight=grpc://(?P<flight>\S+) rest=http://(?P<rest>\S+)"
    r" grpc=(?P<grpc>\S+) metrics=http://(?P<metrics>\S+)/metrics$"
)


@dataclass
class Server:
    """A running server. `flight`, `rest`, `grpc`, `metrics` are HOST:PORT."""

    process: subprocess.Popen
    flight: str
    rest: str
    grpc: str
    metrics: str
    started_s: float

    @classmethod
    def start(cls, data_dir: Path, *arguments: str, log: Path | None = None) -> "Server":
        """Waits for the ready line."""
        began = time.monotonic()
        process = spawn(data_dir, *arguments, log=log)
        line = first_line(process, 60.0)
        found = READY.match(line)
        if found is None:
            process.kill()
            rest, errors = process.communicate()
            raise AssertionError(f"no ready line: {line!r} {rest!r} {errors!r}")
        return cls(process, **found.groupdict(), started_s=time.monotonic() - began)

    def kill(self) -> None:
        """Kill -9, and wait for the end."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close()

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self._close()
        return code

    def _close(self) -> None:
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()


def spawn(data_dir: Path, *arguments: str, log: Path | None = None) -> subprocess.Popen:
    """Starts `flightdb serve` on free ports; does not wait."""
    command = [sys.executable, "-m", "flightdb", "serve", "--data-dir", str(data_dir)]
    for option in ("--flight-port", "--rest-port", "--grpc-port", "--metrics-port"):
        if option not in arguments:
            command += [option, "0"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    errors = log.open("ab") if log is not None else subprocess.PIPE
    try:
        return subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            cwd=data_dir.parent,
            text=True,
        )
    finally:
        if log is not None:
            errors.close()


def first_line(process: subprocess.Popen, timeout_s: float) -> str:
    """The first line of standard output; "" when it ends or takes too long."""
    ready, _, _ = select.select([process.stdout], [], [], timeout_s)
    return process.stdout.readline().rstrip("\n") if ready else ""
