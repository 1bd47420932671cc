"""A file as a stream of uncompressed bytes that knows how far it is in the file."""

import bz2
import gzip
import io
import lzma
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

import pyarrow as pa

from flightdb.cli.failure import USAGE, Failure

COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz", ".lz4", ".zip")


class CountedFile(io.FileIO):
    """A file read once, front to back; `position` counts the bytes read of it."""

    position = 0

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # the stub's Buffer has no len
        """As the base class, counted."""
        count = super().readinto(buffer) or 0
        self.position = max(self.position, self.tell())
        return count


def open_bytes(path: Path, opened: ExitStack) -> tuple[CountedFile, IO[bytes]]:
    """The file, and its content without the compression that its suffix names.

    `opened` closes both. A zip file must hold one file.

    Raises:
        Failure: it cannot be read, or a zip holds several files.
    """
    try:
        file = CountedFile(path)
    except OSError as error:
        raise Failure(f"cannot read: {error.strerror}, file={path}", USAGE) from None
    buffered = opened.enter_context(io.BufferedReader(file, 1 << 20))
    try:
        return file, _uncompressed(path, buffered, opened)
    except (OSError, zipfile.BadZipFile) as error:
        raise Failure(f"cannot read: {error}, file={path}", USAGE) from None


def data_suffix(path: Path) -> str:
    """The suffix that names the format: `.csv` of `flights.csv.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def _uncompressed(
    path: Path, stream: "io.BufferedReader[CountedFile]", opened: ExitStack
) -> IO[bytes]:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast("IO[bytes]", opened.enter_context(gzip.GzipFile(fileobj=stream)))
    if suffix == ".bz2":
        return opened.enter_context(bz2.BZ2File(stream))
    if suffix == ".xz":
        return opened.enter_context(lzma.LZMAFile(stream))
    if suffix in (".zst", ".lz4"):
        return cast(
            "IO[bytes]", pa.CompressedInputStream(stream, "zstd" if suffix == ".zst" else "lz4")
        )
    if suffix == ".zip":
        return _only_member(path, stream, opened)
    return stream


def _only_member(
    path: Path, stream: "io.BufferedReader[CountedFile]", opened: ExitStack
) -> IO[bytes]:
    archive = opened.enter_context(zipfile.ZipFile(stream))
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if len(names) != 1:
        raise Failure(f"expected one file in the zip, found {len(names)}, file={path}", USAGE)
    return opened.enter_context(archive.open(names[0]))
