"""What the catalog needs of an object store, and where a table's log lies in it."""

import re
from collections.abc import Iterable, Sequence
from typing import Protocol

LOG = "_delta_log"
DROPPED = "_dropped"
"""Folder of markers, one an incarnation that was dropped: see `catalog/drops.py`."""

ENTRY = re.compile(r"(\d{20})\.json")
CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(\.\d{10}\.\d{10})?\.parquet")


class Meta(Protocol):
    """An object in a listing."""

    @property
    def path(self) -> str:
        """Its name."""
        ...

    @property
    def size_bytes(self) -> int:
        """Its size."""
        ...


class Files(Protocol):
    """The part of `storage.store.ObjectStore` that the catalog uses; the same words, the same
    promises.
    """

    @property
    def url(self) -> str:
        """The root as deltalake takes it."""
        ...

    def put(self, path: str, body: bytes) -> None:
        """Creates the object, durable on return; AlreadyExists."""
        ...

    def get(self, path: str) -> bytes:
        """The whole object; NotFound."""
        ...

    def exists(self, path: str) -> bool:
        """Whether it is there."""
        ...

    def list(self, prefix: str) -> Iterable[Meta]:
        """All objects whose name begins so."""
        ...

    def delete(self, paths: Sequence[str]) -> None:
        """Deletes what is there."""
        ...

    def sync(self, paths: Sequence[str]) -> None:
        """Makes what a library wrote durable."""
        ...


def entry_path(table: str, version: int) -> str:
    """The log entry of a version."""
    return f"{table}/{LOG}/{version:020d}.json"


def checkpoint_path(table: str, version: int) -> str:
    """The checkpoint of a version, where there is one."""
    return f"{table}/{LOG}/{version:020d}.checkpoint.parquet"


def last_checkpoint_path(table: str) -> str:
    """The hint that names the newest checkpoint."""
    return f"{table}/{LOG}/_last_checkpoint"
