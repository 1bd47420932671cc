"""A store in memory: for tests and for servers that keep nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import xxhash

from flightdb.errors import AlreadyExists, NotFound
from flightdb.storage.store import ObjectMeta


class MemoryStore:
    """Objects in an obstore memory store, gone with the process."""

    def __init__(self) -> None:
        """Empty. Loads obstore, which costs 50 ms, only here."""
        import obstore
        from obstore.exceptions import AlreadyExistsError
        from obstore.store import MemoryStore as Objects

        self._objects: Any = Objects()
        self._calls = obstore
        self._exists_error = AlreadyExistsError

    @property
    def url(self) -> str:
        """A name that no library opens."""
        return "memory://"

    def put(self, path: str, body: bytes) -> None:
        """Creates the object."""
        try:
            self._calls.put(self._objects, path, body, mode="create")
        except self._exists_error:
            raise AlreadyExists(f"object exists: path={path}") from None

    def put_file(self, path: str, source: Path) -> None:
        """Reads the file in and unlinks it."""
        self.put(path, source.read_bytes())
        source.unlink()

    def get(self, path: str) -> bytes:
        """The whole object."""
        try:
            return bytes(self._calls.get(self._objects, path).bytes())
        except FileNotFoundError:
            raise NotFound(f"object not found: path={path}") from None

    def checksum(self, path: str) -> str:
        """As `checksum_file` gives."""
        return xxhash.xxh3_128(self.get(path)).hexdigest()

    def exists(self, path: str) -> bool:
        """Whether it is there."""
        try:
            self._calls.head(self._objects, path)
        except FileNotFoundError:
            return False
        return True

    def list(self, prefix: str) -> Iterator[ObjectMeta]:
        """All that begin with `prefix`; obstore itself lists whole folders only."""
        folder = prefix.rpartition("/")[0]
        for page in self._calls.list(self._objects, prefix=folder or None):
            for found in page:
                if found["path"].startswith(prefix):
                    modified_us = int(found["last_modified"].timestamp() * 1_000_000)
                    yield ObjectMeta(found["path"], found["size"], modified_us)

    def delete(self, paths: Sequence[str]) -> None:
        """One after the other."""
        for path in paths:
            if self.exists(path):
                self._calls.delete(self._objects, path)

    def sync(self, paths: Sequence[str]) -> None:
        """Nothing to do."""

    def openable(self, path: str) -> str:
        """A URL of ours."""
        return f"memory://{path}"
