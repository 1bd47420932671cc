"""The system calls that the log makes, as a protocol, so that a test can lose power between any two."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa

Piece = bytes | pa.Buffer
"""Bytes to write; never copied on the way to the kernel."""

_PIECES_MAX = os.sysconf("SC_IOV_MAX")


class Disk(Protocol):
    """Files on one machine. All paths are absolute; every method raises OSError and leaves its meaning to the caller."""

    def create(self, path: Path) -> int:
        """A new, empty file, mode 0600, open for writing; replaces one of that name."""
        ...

    def open(self, path: Path) -> int:
        """An existing file, open for writing."""
        ...

    def close(self, file: int) -> None:
        """Gives the descriptor back; makes nothing durable."""
        ...

    def allocate(self, file: int, size_bytes: int) -> None:
        """Makes the file `size_bytes` long, its blocks reserved, what is new reading as zeros."""
        ...

    def write(self, file: int, pieces: Sequence[Piece], offset: int) -> None:
        """Writes all pieces, one after the other, beginning at `offset`. Not durable, not atomic."""
        ...

    def sync(self, file: int) -> None:
        """Makes the file's bytes and length durable (fdatasync). Never to be called again after it failed."""
        ...

    def trim(self, file: int, size_bytes: int) -> None:
        """Cuts the file to `size_bytes`. Not durable."""
        ...

    def rename(self, old: Path, new: Path) -> None:
        """Gives a file another name in its directory, atomically. Not durable."""
        ...

    def unlink(self, path: Path) -> None:
        """Removes the name. Not durable."""
        ...

    def sync_directory(self, path: Path) -> None:
        """Makes the names in the directory durable."""
        ...

    def free_bytes(self, path: Path) -> int:
        """Bytes that this process may still allocate where `path` lies."""
        ...

    def read(self, path: Path) -> bytes:
        """The whole file, by read calls: a bad sector is an OSError here, where a memory map would end the process."""
        ...

    def salt(self) -> int:
        """32 random bits."""
        ...


class RealDisk:
    """The operating system's (Linux)."""

    def create(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def open(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def close(self, file: int) -> None:
        os.close(file)

    def allocate(self, file: int, size_bytes: int) -> None:
        os.posix_fallocate(file, 0, size_bytes)

    def write(self, file: int, pieces: Sequence[Piece], offset: int) -> None:
        views = [memoryview(piece) for piece in pieces]
        at = 0
        while at < len(views):
            written = os.pwritev(file, views[at : at + _PIECES_MAX], offset)
            if not written and any(view.nbytes for view in views[at : at + _PIECES_MAX]):
                raise OSError(errno.EIO, "the kernel took no byte")
            offset += written
            while at < len(views) and written >= views[at].nbytes:
                written -= views[at].nbytes
                at += 1
            if written:  # a short write: the rest of this piece goes first next time
                views[at] = views[at][written:]

    def sync(self, file: int) -> None:
        os.fdatasync(file)

    def trim(self, file: int, size_bytes: int) -> None:
        os.ftruncate(file, size_bytes)

    def rename(self, old: Path, new: Path) -> None:
        old.rename(new)

    def unlink(self, path: Path) -> None:
        path.unlink()

    def sync_directory(self, path: Path) -> None:
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def free_bytes(self, path: Path) -> int:
        status = os.statvfs(path)
        return status.f_bavail * status.f_frsize

    def read(self, path: Path) -> bytes:
        return path.read_bytes()

    def salt(self) -> int:
        return int.from_bytes(os.urandom(4), "little")
