"""DuckDB's errors as ours: one table, by the words its messages begin with.

By text, not by class: an error while streaming arrives through Arrow as an OSError with the same
text.
"""

import re
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from flightdb.errors import (
    Cancelled,
    Corruption,
    FlightdbError,
    Internal,
    InvalidQuery,
    Overloaded,
    PermissionDenied,
    Unsupported,
)
from flightdb.model.cancellation import Cancellation
from flightdb.model.names import RESERVED_PREFIX

EngineError = (duckdb.Error, OSError, pa.ArrowException, RuntimeError)
"""What DuckDB and its Arrow stream raise."""

MESSAGE_BYTES_MAX = 2048
"""Metadata of an RPC must stay under 8 KiB; one message is not the only thing in it."""

_CALLERS = {
    "Binder",
    "Catalog",
    "Constraint",
    "Conversion",
    "Decimal",
    "Divide by Zero",
    "Expression",
    "Invalid",
    "Invalid Input",
    "Invalid type",
    "Mismatch Type",
    "Out of Range",
    "Parameter Not Allowed",
    "Parser",
    "Sequence",
    "Settings",
    "Syntax",
    "Invalid Type",
    "Invalid Configuration",
}
"""Errors that the SQL or its values cause."""

_KIND = re.compile(r"^\s*(?:[\w.]*(?:Exception|Error): )?([A-Za-z][A-Za-z ]*?) Error: ?")
_LINE = re.compile(r"\n+LINE \d+: .*", re.DOTALL)
_PARQUET = re.compile(
    r"magic bytes|TProtocol|thrift|footer|snappy|zstd|decompress|corrupt|parquet", re.I
)


def translate(
    error: BaseException, cancellation: Cancellation | None, files: Sequence[str] = ()
) -> FlightdbError:
    """The flightdb error that `error` means; `files` are the paths the statement reads."""
    if isinstance(error, FlightdbError):
        return error
    if cancellation is not None and cancellation.error is not None:
        return cancellation.error
    text = str(error)
    match = _KIND.match(text)
    kind = match.group(1) if match else ""
    body = clean(text[match.end() :] if match else text)
    file = next((path for path in files if path in text), None)
    if file is not None or kind == "IO" or (files and _is_damage(kind, text)):
        return _storage(file, files)
    if kind in _CALLERS:
        return InvalidQuery(f"{kind.lower()} error: {body}")
    return _by_kind(kind, body)


def _by_kind(kind: str, body: str) -> FlightdbError:
    if kind == "INTERRUPT":
        return Cancelled("query was stopped: the engine was closed or interrupted")
    if kind == "Out of Memory":
        return Overloaded(
            "query needs more memory than the engine has: expected less data or fewer groups"
        )
    if kind == "Permission":
        return PermissionDenied("reading files from SQL is not allowed")
    if kind == "Not implemented":
        return Unsupported(f"engine does not have this: {body}")
    return Internal("engine failed")


def parse_error(message: str, position: str | None) -> InvalidQuery:
    """The error of the parser's own answer."""
    at = int(position) if position is not None and position.isdigit() else None
    said = clean(message)
    if 'near "default"' in said.lower():  # the table of writes that name none
        said += '; a table of this name is written in double quotes: "default"'
    return InvalidQuery(f"parser error: {said}", position=at)


def clean(text: str) -> str:
    """The message on one line, without source excerpt, made names and addresses, cut to 2 KiB."""
    text = _LINE.sub("", text)
    text = re.sub(r"\n\nSee also .*", "", text, flags=re.DOTALL)
    text = re.sub(RESERVED_PREFIX + r"\w*", "source", text)
    text = re.sub(r"\s*\n\s*", "; ", text.strip())
    text = re.sub(r"\s+", " ", text)
    if len(text.encode()) > MESSAGE_BYTES_MAX - 64:
        text = text.encode()[: MESSAGE_BYTES_MAX - 67].decode(errors="ignore") + "..."
    return text


def _is_damage(kind: str, text: str) -> bool:
    return kind in ("Invalid Input", "Invalid", "Serialization", "") and bool(_PARQUET.search(text))


def _storage(file: str | None, files: Sequence[str]) -> FlightdbError:
    if not files:
        return PermissionDenied("reading files from SQL is not allowed")
    name = "/".join(file.split("/")[-4:]) if file else ""
    return Corruption(f"stored file cannot be read: file={name or 'unknown'}")
