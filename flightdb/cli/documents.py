"""docs/settings.md and docs/errors.md, written from the code that they describe."""

from collections.abc import Iterator
from pathlib import Path

from flightdb.settings.knobs import Knob, knobs, sections
from flightdb.settings.tree import Settings


def write_documents(directory: Path) -> None:
    """Writes both files into `directory`."""
    from flightdb.cli.error_table import errors_document

    directory.mkdir(parents=True, exist_ok=True)
    (directory / "settings.md").write_text(settings_document(), encoding="utf-8")
    (directory / "errors.md").write_text(errors_document(), encoding="utf-8")


def settings_document() -> str:
    """Every setting: key, default, what it may be, what it does."""
    return "\n".join(_settings_lines()) + "\n"


def _settings_lines() -> Iterator[str]:
    yield _SETTINGS_HEAD
    by_section: dict[str, list[Knob]] = {}
    for knob in knobs(Settings):
        by_section.setdefault(knob.path.rpartition(".")[0], []).append(knob)
    for section in sections(Settings):
        members = by_section.get(section.path, [])
        if not members:
            continue
        yield f"## {section.path}\n\n{section.doc}\n"
        yield "| key | default | may be | what it does |\n|---|---|---|---|"
        for knob in members:
            default = knob.text(knob.default)
            cells = (
                f"`{knob.path.rpartition('.')[2]}`",
                f"`{default}`" if default else "",
                knob.expected,
            )
            yield "| " + " | ".join((*(_cell(cell) for cell in cells), _cell(knob.doc))) + " |"
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


_SETTINGS_HEAD = """# Settings

<!-- Written by `flightdb config docs docs`; a test holds it to the code. -->

A setting comes from, first found: the command line of `flightdb serve`, the environment,
the file of `--config`, its default.

- **File**: YAML, the sections below as a tree. An unknown key is an error that names the nearest
  known one.
- **Environment**: `FLIGHTDB_` and the key's path in capitals, with `__` between its parts:
  `buffer.wal.max_size` is `FLIGHTDB_BUFFER__WAL__MAX_SIZE`.
- **Durations** are written `500ms`, `30s`, `5m`, `1h30m`; **sizes** `64KiB`, `128MiB`, `1GB`.
  A bare number is seconds or bytes.
- `flightdb config print` shows every value in force and where it comes from.
"""
