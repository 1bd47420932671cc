"""Dropping a table in steps that a crash may interrupt anywhere.

1. a marker `TABLE/_dropped/<id>.json` that names the incarnation and its files: from here on the
   table is gone, and opening the catalog finishes the drop;
2. its log is deleted, the entry that names the incarnation last: the name is free;
3. `collect` deletes the files, then the marker.
"""

import json
from collections.abc import Iterable

from flightdb.catalog.log import DROPPED, LOG, Files
from flightdb.catalog.replay import replay
from flightdb.errors import AlreadyExists, Corruption, NotFound
from flightdb.model.snapshot import Snapshot


def marker_path(table: str, table_id: str) -> str:
    """The marker of an incarnation."""
    return f"{table}/{DROPPED}/{table_id}.json"


def mark(files: Files, snapshot: Snapshot) -> None:
    """Step 1, durable on return; done before is no error."""
    paths = [segment.path for segment in snapshot.segments]
    body = json.dumps({"id": snapshot.table.id, "files": paths}).encode()
    try:
        files.put(marker_path(snapshot.table.name, snapshot.table.id), body)
    except AlreadyExists:
        return


def delete_log(files: Files, table: str) -> None:
    """Step 2: entries from the newest to the oldest, checkpoints first."""
    found = sorted(meta.path for meta in files.list(f"{table}/{LOG}/"))
    entries = [path for path in found if path.endswith(".json")]
    others = [path for path in found if not path.endswith(".json")]
    files.delete(others) if others else None
    for path in reversed(entries):
        files.delete([path])


def collect_files(files: Files, table: str, table_id: str, paths: Iterable[str]) -> int:
    """Step 3; gives how many files were there. Nothing when the marker is gone: done before."""
    marker = marker_path(table, table_id)
    if not files.exists(marker):
        return 0
    there = {meta.path for meta in files.list(f"{table}/")}
    doomed = [f"{table}/{path}" for path in paths if f"{table}/{path}" in there]
    if doomed:
        files.delete(doomed)
    files.delete([marker])
    return len(doomed)


def finish_drops(files: Files, table: str, markers: Iterable[str]) -> None:
    """What is left of each drop in this folder; leaves a table alone that was made since."""
    for marker in markers:
        table_id = marker.rpartition("/")[2].removesuffix(".json")
        try:
            paths = [str(path) for path in json.loads(files.get(marker))["files"]]
        except (ValueError, KeyError, TypeError) as error:
            raise Corruption(f"drop marker is damaged: path={marker}, reason={error}") from None
        if _is_log_of(files, table, table_id):
            delete_log(files, table)
        collect_files(files, table, table_id, paths)


def _is_log_of(files: Files, table: str, table_id: str) -> bool:
    try:
        return replay(files, table).table.id == table_id
    except NotFound:
        return False
    except Corruption:
        first = f"{table}/{LOG}/{0:020d}.json"
        # Half deleted: a log that was made since has its first entry and reads well.
        return not files.exists(first) or table_id.encode() in files.get(first)
