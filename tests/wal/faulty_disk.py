"""A disk that does what a real one may do to us: fail, tear a write, stop at any call, and forget what was not synced.

It writes to a real directory, so that the log reads real files, and remembers beside it what is durable. After
`lose_power` the directory holds one of the states that a power loss at that moment may leave: of each unsynced write
any of its 512-byte sectors, of unsynced names any, of an unsynced file length any.
"""

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from flightdb.wal.disk import RealDisk

SECTOR = 512


class PowerLost(Exception):
    """The machine stopped in the middle of a call."""


@dataclass
class File:
    durable: bytearray = field(default_factory=bytearray)
    unsynced: list[tuple[int, bytes]] = field(default_factory=list)
    length: int = 0


class FaultyDisk(RealDisk):
    def __init__(self, seed: int = 0, *, stop_at_call: int | None = None, fail: dict | None = None):
        self.random = Random(seed)
        self.stop_at_call = stop_at_call
        self.fail = fail or {}
        self.calls = 0
        self.called: list[str] = []
        self.free = 1 << 40
        self.files: dict[int, File] = {}
        self.names: dict[Path, int] = {}
        self.durable_names: dict[Path, int] = {}
        self.unsynced_names: list[tuple[str, Path, Path | None]] = []
        self.opened: dict[int, int] = {}

    def create(self, path):
        self._call("create")
        descriptor = super().create(path)
        number = len(self.files)
        self.files[number] = File()
        self.names[path] = self.opened[descriptor] = number
        self.unsynced_names.append(("create", path, None))
        return descriptor

    def open(self, path):
        self._call("open")
        descriptor = super().open(path)
        self.opened[descriptor] = self.names[path]
        return descriptor

    def allocate(self, file, size_bytes):
        self._call("allocate")
        super().allocate(file, size_bytes)
        self._file(file).length = max(self._file(file).length, size_bytes)

    def write(self, file, pieces, offset):
        content = b"".join(bytes(memoryview(piece)) for piece in pieces)
        try:
            self._call("write")
        except PowerLost:
            self._file(file).unsynced.append((offset, content))
            raise
        self._file(file).unsynced.append((offset, content))
        super().write(file, pieces, offset)
        self._file(file).length = max(self._file(file).length, offset + len(content))

    def sync(self, file):
        self._call("sync")
        entry = self._file(file)  # what is durable is ours to decide: the real disk is not asked
        entry.durable = bytearray(Path(f"/proc/self/fd/{file}").read_bytes())
        entry.unsynced.clear()

    def trim(self, file, size_bytes):
        self._call("trim")
        super().trim(file, size_bytes)
        self._file(file).length = size_bytes

    def rename(self, old, new):
        self._call("rename")
        super().rename(old, new)
        self.names[new] = self.names.pop(old)
        self.unsynced_names.append(("rename", old, new))

    def unlink(self, path):
        self._call("unlink")
        super().unlink(path)
        del self.names[path]
        self.unsynced_names.append(("unlink", path, None))

    def sync_directory(self, path):
        self._call("sync_directory")
        self.durable_names = dict(self.names)
        self.unsynced_names.clear()

    def free_bytes(self, path):
        return self.free

    def lose_power(self):
        """Leaves in the directory what the disk kept; the next Log opens with this same disk, all of it durable."""
        kept = self._kept_names()
        for path in set(self.names) - set(kept):
            path.unlink()
        for path, number in kept.items():
            entry = self.files[number]
            content = self._kept_bytes(entry)
            path.write_bytes(content)
            entry.durable, entry.length = bytearray(content), len(content)
            entry.unsynced.clear()
        self.names, self.durable_names = dict(kept), dict(kept)
        self.unsynced_names.clear()
        self.stop_at_call = None

    def _kept_names(self):
        """Some state between the durable names and the current ones: each change kept or not."""
        kept = dict(self.durable_names)
        for kind, path, new in self.unsynced_names:
            if self.random.random() < 0.5:
                continue
            if kind == "create" and path in self.names:
                kept[path] = self.names[path]
            elif kind == "rename" and new in self.names:
                kept.pop(path, None)
                kept[new] = self.names[new]
            elif kind == "unlink":
                kept.pop(path, None)
        return kept

    def _kept_bytes(self, entry):
        length = self.random.choice((len(entry.durable), entry.length))
        content = bytearray(entry.durable[:length].ljust(length, b"\0"))
        for offset, written in entry.unsynced:
            odds = self.random.choice((0.0, 0.5, 0.9, 1.0))
            at = 0
            while at < len(written):
                end = min(len(written), (offset + at) // SECTOR * SECTOR + SECTOR - offset)
                if self.random.random() < odds and offset + end <= length:
                    content[offset + at : offset + end] = written[at:end]
                at = end
        return bytes(content)

    def _file(self, descriptor):
        return self.files[self.opened[descriptor]]

    def _call(self, name):
        self.calls += 1
        self.called.append(name)
        if self.calls == self.stop_at_call:
            raise PowerLost(name)
        if name in self.fail:
            code = self.fail[name]
            raise OSError(code, os.strerror(code))


NO_SPACE = errno.ENOSPC
IO_ERROR = errno.EIO
