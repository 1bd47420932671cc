"""A service in the foreground: one ready line, signals, an orderly end."""

import os
import select
import signal
import sys
from types import FrameType
from typing import NoReturn

from flightdb.app import App
from flightdb.cli.failure import INTERRUPTED, UNFLUSHED, USAGE, say
from flightdb.errors import FlightdbError
from flightdb.settings import Settings


def run(settings: Settings) -> NoReturn:
    """Starts, says ready, waits for a signal, drains, and ends the process."""
    stop = StopSignals()
    try:
        app = App.start(settings)
    except FlightdbError as error:
        say(error.message)
        end(USAGE)
    except OSError as error:
        say(f"cannot start: {error.strerror or error}, file={error.filename}")
        end(USAGE)
    print(app.ready_line, flush=True)
    stop.wait()
    try:
        app.stop()
    except FlightdbError as error:
        say(f"not all rows were flushed, they are safe in the write-ahead log: {error.message}")
        end(UNFLUSHED)
    end(0)


def end(code: int) -> NoReturn:
    """Ends the process at once: all is closed, and libraries' own endings only take time and print."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class StopSignals:
    """SIGTERM and SIGINT as something to wait for; a second SIGINT ends the process at once.

    A pipe, because a lock taken in a signal handler can be held already by the code it interrupts.
    """

    def __init__(self) -> None:
        """Takes over both signals, for the main thread."""
        self._read, self._write = os.pipe()
        self._interrupts = 0
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def wait(self) -> None:
        """Returns once one of them came, before this call or after."""
        select.select([self._read], [], [])

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._interrupts += number == signal.SIGINT
        if self._interrupts > 1:
            os._exit(INTERRUPTED)
        os.write(self._write, b"x")
