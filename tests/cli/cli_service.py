"""A flightdb of its own, started as a person starts it."""

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from flightdb.cli.main import run

ROOT = Path(__file__).parents[2]
ANY_PORT = ["--flight-port", "0", "--rest-port", "0", "--grpc-port", "0", "--metrics-port", "0"]
READY = re.compile(
    r"ready flight=(grpc://127\.0\.0\.1:\d+) rest=(http://127\.0\.0\.1:\d+)"
    r" grpc=(127\.0\.0\.1:\d+) metrics=(http://127\.0\.0\.1:\d+/metrics)\n"
)


def environment(**more):
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def start(*arguments, directory):
    """`flightdb serve` in a process group of its own; stdout and stderr are pipes and a file."""
    with (directory.parent / f"{directory.name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "flightdb", "serve", "--data-dir", str(directory), *arguments],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )


@dataclass
class Running:
    """A service that has said ready."""

    process: subprocess.Popen
    directory: Path
    url: str
    rest: str
    grpc: str
    metrics: str

    def flightdb(self, *arguments, stdin=""):
        """A client command of this service, in this process: a second less than one of its own."""
        out, err = (io.TextIOWrapper(io.BytesIO(), write_through=True) for _ in range(2))
        kept, sys.stdin = sys.stdin, io.StringIO(stdin)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run([*arguments, "--url", self.url])
        finally:
            sys.stdin = kept
        said = [stream.buffer.getvalue().decode() for stream in (out, err)]
        return subprocess.CompletedProcess(arguments, code, *said)

    def in_own_process(self, *arguments):
        """The same in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "flightdb", *arguments],
            env=environment(FLIGHTDB_URL=self.url),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def stop(self, number=signal.SIGTERM):
        """Sends the signal; gives the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        self.process.stdout.close()
        return code


def ready(process, directory):
    """The service once it takes traffic."""
    line = process.stdout.readline()
    match = READY.fullmatch(line)
    assert match, (line, (directory.parent / f"{directory.name}.log").read_text()[-3000:])
    return Running(process, directory, *match.groups())
