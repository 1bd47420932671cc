"""How a command fails: one line on stderr and an exit code that says whose turn it is."""

import os
import sys
from typing import NoReturn

REFUSED = 1
"""The server answered, and refused."""

USAGE = 2
"""The command line, a setting, a file, or this machine (a taken port) is wrong."""

UNREACHABLE = 3
"""No server answered; trying again may help."""

UNFLUSHED = 4
"""`serve` has ended, but could not flush: the rows are in the write-ahead log, and readable after the next start."""

INTERRUPTED = 130
"""Ctrl-C, as shells count it."""


class Failure(Exception):
    """Ends the command: `message` goes to stderr as one line, `code` to the shell."""

    def __init__(self, message: str, code: int) -> None:
        """`code`: REFUSED, USAGE or UNREACHABLE."""
        super().__init__(message)
        self.message = message
        self.code = code


class ReaderGone(Exception):
    """Who reads our stdout (`| head`) has enough; no failure."""


def say(message: str) -> None:
    """One line on stderr, whatever is in `message`."""
    print("flightdb: " + " ".join(message.split()), file=sys.stderr)


def vanish(message: str, code: int) -> NoReturn:
    """Says so and ends the process at once, its connections open: to the server they break, and it stops their calls."""
    say(message)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
