"""One process to a log: an advisory lock on a file beside the segments."""

import fcntl
import os
from pathlib import Path

from flightdb.errors import Conflict


class DirectoryLock:
    """Holds `<directory>/lock` from construction to `close`, or to the end of the process however it ends.

    Raises:
        Conflict: another Log, in this process or another, holds it; the message names the directory and the pid.
    """

    def __init__(self, directory: Path) -> None:
        """The directory exists."""
        self._file = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(self._file, 32, 0).decode("ascii", "replace").strip()
            os.close(self._file)
            raise Conflict(
                f"write-ahead log is in use: directory={directory}, pid={pid or 'unknown'}"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Lets another process open the log."""
        os.close(self._file)
