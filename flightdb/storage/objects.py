"""Stores: a local directory whose every change is durable on return, and memory."""

import errno
import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from flightdb.errors import AlreadyExists, InvalidRequest, NotFound, Unavailable
from flightdb.storage.memory import MemoryStore
from flightdb.storage.store import ObjectMeta, checksum_file

__all__ = ["LocalStore", "MemoryStore"]

TEMPORARY = "_tmp"
"""Folder under the root for bytes on their way; never listed, emptied when the store is opened."""

LINK_ATTEMPTS = 5
"""A folder may be removed, being empty, between making it and linking into it."""


class LocalStore:
    """Objects as files under one directory, on one filesystem.

    An object appears by a hard link to a synced file, so it is there whole or not at all after a
    power loss, and two creators of one name have one winner. Plain system calls: neither obstore
    nor deltalake syncs anything on a local disk.
    """

    def __init__(self, root: Path) -> None:
        """Makes `root` when it is not there; the caller keeps other processes away from it."""
        self._root = root.absolute()
        self._counter = itertools.count()
        self._durable: set[Path] = set()
        try:
            _make_root(self._root)
            shutil.rmtree(self._root / TEMPORARY, ignore_errors=True)
            (self._root / TEMPORARY).mkdir(mode=0o700)
        except OSError as error:
            raise Unavailable(_words("data directory cannot be used", self._root, error)) from None
        self._durable.add(self._root)

    @property
    def url(self) -> str:
        """The absolute path of the directory."""
        return str(self._root)

    def put(self, path: str, body: bytes) -> None:
        """Writes, syncs, links."""
        source = self._root / TEMPORARY / f"{os.getpid()}-{next(self._counter)}"
        try:
            source.write_bytes(body)
            self._create(path, source)
        except OSError as error:
            raise Unavailable(_words("object cannot be written", path, error)) from None
        finally:
            source.unlink(missing_ok=True)

    def put_file(self, path: str, source: Path) -> None:
        """Links `source`, copied first when it lies on another filesystem, and unlinks it."""
        try:
            if source.stat().st_dev == self._root.stat().st_dev:
                self._create(path, source)
            else:
                staged = self._root / TEMPORARY / f"{os.getpid()}-{next(self._counter)}"
                shutil.copyfile(source, staged)
                self._create(path, staged)
                staged.unlink(missing_ok=True)
            source.unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(_words("object cannot be written", path, error)) from None

    def get(self, path: str) -> bytes:
        """Reads the file."""
        try:
            return self._path(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"object not found: path={path}") from None
        except OSError as error:
            raise Unavailable(_words("object cannot be read", path, error)) from None

    def checksum(self, path: str) -> str:
        """Of the file."""
        try:
            return checksum_file(self._path(path))
        except (FileNotFoundError, NotADirectoryError):
            raise NotFound(f"object not found: path={path}") from None

    def exists(self, path: str) -> bool:
        """Whether a file of that name is there."""
        return self._path(path).is_file()

    def list(self, prefix: str) -> Iterator[ObjectMeta]:
        """Walks the folder that the prefix names, or its parent."""
        start = self._root / prefix.rpartition("/")[0]
        for folder, folders, files in os.walk(start, onerror=_raise_listing):
            if Path(folder) == self._root and TEMPORARY in folders:
                folders.remove(TEMPORARY)
            for name in files:
                found = Path(folder) / name
                path = found.relative_to(self._root).as_posix()
                if path.startswith(prefix) and (meta := _meta(found, path)):
                    yield meta

    def delete(self, paths: Sequence[str]) -> None:
        """Unlinks the files and folders that become empty, and syncs the folders that stay."""
        changed: set[Path] = set()
        try:
            for path in paths:
                target = self._path(path)
                target.unlink(missing_ok=True)
                changed.add(target.parent)
            kept = {self._remove_empty(folder) for folder in changed}
            for folder in kept:
                _sync(folder)
        except OSError as error:
            raise Unavailable(_words("objects cannot be deleted", paths[0], error)) from None

    def sync(self, paths: Sequence[str]) -> None:
        """Syncs each file, then each folder once."""
        try:
            targets = [self._path(path) for path in paths]
            for target in targets:
                _sync(target)
            for folder in {target.parent for target in targets}:
                self._sync_folder(folder)
        except OSError as error:
            raise Unavailable(_words("objects cannot be synced", paths[0], error)) from None

    def openable(self, path: str) -> str:
        """The file's absolute path."""
        return str(self._path(path))

    def _path(self, path: str) -> Path:
        if not path or any(part in ("", ".", "..") for part in path.split("/")) or "\x00" in path:
            raise InvalidRequest(f"invalid object name: path={path[:200]!r}")
        return self._root / path

    def _create(self, path: str, source: Path) -> None:
        target = self._path(path)
        _sync(source)
        for attempt in range(LINK_ATTEMPTS):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(source, target)
                break
            except FileExistsError:
                raise AlreadyExists(f"object exists: path={path}") from None
            except FileNotFoundError:
                if attempt + 1 == LINK_ATTEMPTS:
                    raise
        self._sync_folder(target.parent)

    def _sync_folder(self, folder: Path) -> None:
        """Syncs the folder, and every parent whose entry for it may not be on disk yet."""
        _sync(folder)
        while folder not in self._durable:
            _sync(folder.parent)
            self._durable.add(folder)
            folder = folder.parent

    def _remove_empty(self, folder: Path) -> Path:
        """Removes `folder` and its parents while they are empty; gives the first that stays."""
        while folder != self._root:
            try:
                self._durable.discard(folder)
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                break
            folder = folder.parent
        return folder


def _make_root(root: Path) -> None:
    missing = [folder for folder in (root, *root.parents) if not folder.exists()]
    root.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        _sync(folder.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _meta(found: Path, path: str) -> ObjectMeta | None:
    try:
        status = found.stat()
    except FileNotFoundError:
        return None
    return ObjectMeta(path, status.st_size, status.st_mtime_ns // 1_000)


def _raise_listing(error: OSError) -> None:
    """A folder that is gone has no objects; any other failure must not read as an empty listing."""
    if not isinstance(error, FileNotFoundError):
        raise Unavailable(_words("objects cannot be listed", error.filename, error)) from None


def _words(what: str, path: object, error: OSError) -> str:
    return f"{what}: path={path}, reason={error.strerror or error}"
