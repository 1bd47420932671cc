"""The effective settings for a person: a table, or YAML with whence each value came as comments."""

from collections.abc import Iterator

import yaml
from rich.table import Table

from flightdb.settings.knobs import Knob, knobs, value_at
from flightdb.settings.load import LoadedSettings
from flightdb.settings.tree import Settings


def as_table(loaded: LoadedSettings) -> Table:
    """One row a setting; secrets are masked."""
    table = Table("setting", "value", "default", "source", header_style="bold")
    for knob, value, source in _lines(loaded):
        style = "bold" if knob.path in loaded.sources else "dim"
        table.add_row(knob.path, knob.text(value), knob.text(knob.default), source, style=style)
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
        lines.append(f"{'  ' * len(parents)}{name}: {_scalar(knob, value)}  # {origin}")
    return "\n".join(lines) + "\n"


def _lines(loaded: LoadedSettings) -> Iterator[tuple[Knob, object, str]]:
    for knob in knobs(Settings):
        value = value_at(loaded.settings, knob.path)
        yield knob, value, loaded.sources.get(knob.path, "default")


def _scalar(knob: Knob, value: object) -> str:
    """The value as a YAML scalar that reads back as the same setting."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return knob.text(value)
    return yaml.safe_dump(knob.text(value), width=1000).removesuffix("\n...\n").strip()
