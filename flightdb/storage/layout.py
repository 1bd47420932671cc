"""Where a table's files lie: `ID/YYYY-MM-DD/<ns>.parquet`, relative to the table's folder.

`contract.md` names the layout; ids come from outside, so they are percent-encoded until no id can
leave its folder, collide with another, or be taken for one of ours.
"""

from urllib.parse import quote, unquote

import xxhash

PACKED = "_packed"
"""Folder of files that hold many ids."""

SEGMENT_CHARACTERS_MAX = 200
"""Filesystems take 255 bytes a name; longer encoded ids end in a hash."""

HASH_PREFIX_CHARACTERS = 120
"""What stays readable of a long id."""


def segment_path(record_id: str | None, day: str, ns: int) -> str:
    """The path of a file: of one id, or with None of many. `day`: `YYYY-MM-DD`, UTC.

    `ns` names the file: the clock of the sealed range, never used twice in a table.
    Example: `("a/b", "2026-01-31", 7)` gives `a%2Fb/2026-01-31/7.parquet`.
    """
    folder = PACKED if record_id is None else id_folder(record_id)
    return f"{folder}/{day}/{ns}.parquet"


def id_folder(record_id: str) -> str:
    """The id as one folder name: different ids give different names, none begins with `_` or `.`.

    Letters, digits, `-`, `_` and `.` stay; the rest is percent-encoded UTF-8. `~` begins what is
    no encoded id: alone the empty id, within a long one its hash.
    """
    encoded = quote(record_id, safe="").replace("~", "%7E")
    if encoded[:1] in ("_", "."):
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    if len(encoded) > SEGMENT_CHARACTERS_MAX:
        digest = xxhash.xxh3_128(record_id.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{encoded[:HASH_PREFIX_CHARACTERS]}~{digest}"
    return encoded or "~"


def record_id_of(path: str) -> str | None:
    """The id that a path names; None for files of many ids, and where a hash stands for the id."""
    folder = path.split("/", 1)[0]
    if folder == PACKED or ("~" in folder and folder != "~"):
        return None
    return "" if folder == "~" else unquote(folder)
