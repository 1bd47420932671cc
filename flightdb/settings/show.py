"""The effective settings for a person: a table, or YAML with whence each value came as comments."""

from collections.abc import Iterator

import yaml
from rich.table import Table

from flightdb.settings.knobs import Knob, knobs, value_at
from flightdb.settings.load import LoadedSettings
from flightdb.settings.tree import Settings

NONE = "null"


def as_table(loaded: LoadedSettings) -> Table:
    """One row a setting; secrets are masked."""
    table = Table("setting", "value", "default", "source", header_style="bold")
    for knob, value, source in _lines(loaded):
        style = "bold" if knob.path in loaded.sources else "dim"
        table.add_row(knob.path, value, knob.text(knob.default), source, style=style)
    return table


def as_yaml_text(loaded: LoadedSettings) -> str:
    """The tree as YAML that `--config` takes again, unless a secret is in it: those are masked."""
    lines: list[str] = []
    open_sections: list[str] = []
    for knob, value, source in _lines(loaded):
        *parents, name = knob.path.split(".")
        common = 0
        while common < min(len(parents), len(open_sections)) and (
            parents[common] == open_sections[common]
        ):
            common += 1
        new = range(common, len(parents))
        lines.extend(f"{'  ' * depth}{parents[depth]}:" for depth in new)
        open_sections = parents
        origin = source if source == "default" else f"{source}, default {knob.text(knob.default)!r}"
        lines.append(f"{'  ' * len(parents)}{name}: {_scalar(value)}  # {origin}")
    return "\n".join(lines) + "\n"


def _lines(loaded: LoadedSettings) -> Iterator[tuple[Knob, str, str]]:
    for knob in knobs(Settings):
        value = value_at(loaded.settings, knob.path)
        yield (
            knob,
            NONE if value is None else knob.text(value),
            loaded.sources.get(knob.path, "default"),
        )


def _scalar(text: str) -> str:
    """The text as a YAML scalar that reads back as the same setting."""
    if text == "":
        return '""'
    if text in (NONE, "true", "false") or text.isdecimal():
        return text
    return str(yaml.safe_dump(text, width=1000).removesuffix("\n...\n").strip())
