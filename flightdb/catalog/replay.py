"""A table's snapshot from its Delta log: the newest checkpoint, then the entries after it.

Read here, not by deltalake, because it cannot list app transactions (positions of workers that we
have not heard of), because loading it costs 250 ms and 60 MB before the first commit, and because
a damaged entry must be named, never skipped. Held to deltalake's own view by a test.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from flightdb.catalog.log import CHECKPOINT, ENTRY, LOG, Files, entry_path
from flightdb.catalog.schemas import read_schema
from flightdb.errors import Corruption, NotFound
from flightdb.model.encode import decode_table
from flightdb.model.segment import Segment
from flightdb.model.snapshot import Snapshot

APP = "flightdb/"
"""App transaction ids: this and a worker id carries the worker's position."""

SCHEMA_APP = "flightdb.schema"
"""App transaction that carries the schema version, so that it changes with the schema."""

FEATURES = frozenset({"timestampNtz"})
"""Reader features that we understand; another one may change what files mean."""


@dataclass(slots=True)
class _State:
    metadata: dict[str, Any] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=dict)
    added: dict[str, dict[str, Any]] = field(default_factory=dict)
    transactions: dict[str, int] = field(default_factory=dict)


def replay(files: Files, table: str, version: int | None = None) -> Snapshot:
    """The snapshot at `version`, or the newest. `table` is the folder.

    Raises:
        NotFound: there is no log, or not at that version.
        Corruption: an entry or checkpoint is missing, empty or half-written; the file is named.
    """
    entries, checkpoints = _versions(files, table, version)
    if not entries and not checkpoints:
        raise NotFound(f"table has no log: name={table}")
    state = _State()
    base = max(checkpoints, default=-1)
    for path in checkpoints.get(base, ()):
        _apply_all(state, _checkpoint(files, path))
    last = max((base, *entries))
    for number in range(base + 1, last + 1):
        _apply_all(state, _entry(files, entry_path(table, number), table))
    if version is not None and last != version:
        raise NotFound(f"version is not in the log: name={table}, version={version}")
    return _snapshot(state, table, last)


def _versions(
    files: Files, table: str, version: int | None
) -> tuple[set[int], dict[int, list[str]]]:
    entries: set[int] = set()
    checkpoints: dict[int, list[str]] = {}
    for found in files.list(f"{table}/{LOG}/"):
        name = found.path.rpartition("/")[2]
        if match := ENTRY.fullmatch(name):
            entries.add(int(match[1]))
        elif match := CHECKPOINT.fullmatch(name):
            checkpoints.setdefault(int(match[1]), []).append(found.path)
    if version is not None:
        entries = {number for number in entries if number <= version}
        checkpoints = {number: paths for number, paths in checkpoints.items() if number <= version}
    return entries, checkpoints


def _entry(files: Files, path: str, table: str) -> Iterator[dict[str, Any]]:
    try:
        body = files.get(path)
    except NotFound:
        raise Corruption(f"log entry is missing: path={path}") from None
    if not body.strip():
        raise Corruption(f"log entry is empty: path={path}")
    for number, line in enumerate(body.splitlines(), start=1):
        try:
            action = json.loads(line)
        except ValueError as error:
            raise Corruption(
                f"log entry is damaged: path={path}, line={number}, reason={error}"
            ) from None
        if not isinstance(action, dict):
            raise Corruption(
                f"log entry is damaged: path={path}, line={number}, expected an object"
            )
        yield action


def _checkpoint(files: Files, path: str) -> Iterator[dict[str, Any]]:
    # Late: this module brings pandas along where that is installed, 440 ms.
    from pyarrow import dataset

    columns = ("add", "metaData", "protocol", "txn")
    try:
        body: Any = pa.BufferReader(files.get(path))
        source = dataset.ParquetFileFormat().make_fragment(body)
        present = [name for name in columns if name in source.physical_schema.names]
        rows = source.to_table(columns=present).to_pylist(maps_as_pydicts="strict")
    except (pa.ArrowException, OSError) as error:
        reason = str(error).split("\n")[0][:200]
        raise Corruption(f"checkpoint is damaged: path={path}, reason={reason}") from None
    for row in rows:
        yield {kind: body for kind, body in row.items() if body is not None}


def _apply_all(state: _State, actions: Iterator[dict[str, Any]]) -> None:
    for action in actions:
        for kind, body in action.items():
            if kind == "add":
                state.added[body["path"]] = body
            elif kind == "remove":
                state.added.pop(body["path"], None)
            elif kind == "metaData":
                state.metadata = body
            elif kind == "protocol":
                state.protocol = body
            elif kind == "txn":
                state.transactions[body["appId"]] = int(body["version"])


def _snapshot(state: _State, name: str, version: int) -> Snapshot:
    if not state.metadata:
        raise Corruption(f"log has no metadata: name={name}, version={version}")
    unknown = set(state.protocol.get("readerFeatures") or ()) - FEATURES
    if unknown:
        raise Corruption(
            f"table needs delta features that are not known here: name={name}, "
            f"features={', '.join(sorted(unknown))}"
        )
    schema, beside = read_schema(state.metadata["schemaString"])
    properties = {**(state.metadata.get("configuration") or {}), **beside}
    if SCHEMA_APP in state.transactions:
        properties["flightdb.schema_version"] = str(state.transactions[SCHEMA_APP])
    table = decode_table(name, state.metadata["id"], schema, properties)
    positions = {
        app.removeprefix(APP): lsn for app, lsn in state.transactions.items() if app.startswith(APP)
    }
    segments = tuple(_segment(body) for body in state.added.values())
    is_evolved = table.schema_version > 0
    return Snapshot(table, version, segments, positions, is_evolved)


def _segment(body: dict[str, Any]) -> Segment:
    stats = body.get("stats") or ""
    row_count = json.loads(stats).get("numRecords", 0) if stats else 0
    modified_us = int(body["modificationTime"]) * 1_000
    return Segment(unquote(body["path"]), row_count, int(body["size"]), stats, modified_us)
