"""Immutable objects by name, as a protocol. Names are relative, with `/`, percent-encoded where needed.

- `put` and `put_file` are create-only and atomic: an object is there whole or not at all, durable on return.
- Thread-safe.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ObjectMeta:
    """An object in a listing. `modified_us`: microseconds since the epoch."""

    path: str
    size_bytes: int
    modified_us: int


class ObjectStore(Protocol):
    """Objects under one root."""

    @property
    def url(self) -> str:
        """The root as deltalake takes it: an absolute directory path, or `s3://bucket/prefix`."""
        ...

    def put(self, path: str, body: bytes) -> None:
        """Creates the object.

        Raises:
            AlreadyExists: an object of that name is there.
            Unavailable: the store did not answer; not known whether it was created.
        """
        ...

    def put_file(self, path: str, source: Path) -> None:
        """Creates the object from a local file, which is consumed (moved where the store can). Raises as `put`."""
        ...

    def get(self, path: str) -> bytes:
        """The whole object. Raises NotFound."""
        ...

    def checksum(self, path: str) -> str:
        """Hexadecimal checksum of the object's bytes, the same function as `storage.store.checksum_file`. Raises NotFound."""
        ...

    def exists(self, path: str) -> bool:
        """Whether the object is there."""
        ...

    def list(self, prefix: str) -> Iterator[ObjectMeta]:
        """All objects whose name begins with `prefix`, recursively, in no order."""
        ...

    def delete(self, paths: Sequence[str]) -> None:
        """Deletes what is there of `paths`; what is not there is no error."""
        ...

    def sync(self, paths: Sequence[str]) -> None:
        """Makes objects that a library wrote by itself (the Delta log) durable: file and directories. No-op on S3."""
        ...

    def openable(self, path: str) -> str:
        """The name by which the engine opens the object: an absolute local path, or a URL of ours."""
        ...


def checksum_file(path: Path) -> str:
    """The checksum of a local file: xxh3 128, hexadecimal, read in pieces of 1 MiB."""
    import xxhash

    state = xxhash.xxh3_128()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            state.update(piece)
    return state.hexdigest()
