"""One `Settings` from command line, environment, file and defaults, and whence each came."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, YamlConfigSettingsSource

from flightdb.settings.checks import check_together
from flightdb.settings.errors import SettingsError, explain, written
from flightdb.settings.knobs import ENVIRONMENT_PREFIX, Knob, knobs, sections
from flightdb.settings.tree import Settings

Flat = dict[str, Any]
"""Setting path to the value as it was written."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings in force. `sources`: path to whence the value came, unless it is the default."""

    settings: Settings
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Layer:
    values: Flat
    name: str

    def origin(self, path: str) -> str:
        if self.name == "environment":
            return f"environment {_KNOBS[path].variable}" if path in _KNOBS else "environment"
        return self.name


_KNOBS: Mapping[str, Knob] = {knob.path: knob for knob in knobs(Settings)}
_SECTIONS = frozenset(section.path for section in sections(Settings))


def load_settings(
    file: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
) -> LoadedSettings:
    """Reads, merges, checks; the command line goes before the environment, that before the file.

    `overrides`: path to value, from the command line. `environment`: this process's if None.

    Raises:
        SettingsError: a file that cannot be read, an unknown key, a value out of bounds; the
            message names key, value and bound, or the nearest known key.
    """
    layers = (
        _Layer(_from_file(file), f"file {file}"),
        _Layer(_from_environment(environment), "environment"),
        _Layer(dict(overrides or {}), "command line"),
    )
    merged: Flat = {}
    sources: dict[str, str] = {}
    for layer in layers:
        for path, value in layer.values.items():
            merged[path] = value
            sources[path] = layer.origin(path)
    _refuse_unknown(sources)
    try:
        settings = Settings(**_nested(merged))
    except ValidationError as error:
        raise explain(error, _KNOBS, sources) from None
    check_together(settings)
    return LoadedSettings(settings, sources)


def _from_file(file: Path | None) -> Flat:
    if file is None:
        return {}
    try:
        file.read_bytes()  # the source below takes a missing file for an empty one
        document = YamlConfigSettingsSource(Settings, yaml_file=file, yaml_file_encoding="utf-8")()
    except OSError as error:
        raise SettingsError(
            f"cannot read the settings file: {error.strerror}, file={file}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError) as error:
        raise SettingsError(
            f"settings file is not a YAML mapping: {_where(error)}file={file}"
        ) from None
    return _flat(document, f"file {file}")


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}, " if mark is not None else ""


def _from_environment(environment: Mapping[str, str] | None) -> Flat:
    source = EnvSettingsSource(Settings)
    given = os.environ if environment is None else environment  # noqa: TID251 - the one place that reads it
    _refuse_single_underscores(given)
    # No `__`, no setting: FLIGHTDB_URL is the clients', Kubernetes makes FLIGHTDB_PORT and such.
    names = {n: v for n, v in given.items() if n.startswith(ENVIRONMENT_PREFIX) and "__" in n}
    source.env_vars = {name.lower(): value for name, value in names.items()}
    for name in names:
        path = name.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
        if path not in _KNOBS:
            raise SettingsError(_unknown(path, f"environment {name}"))
    return _flat(source(), "environment")


def _refuse_single_underscores(given: Mapping[str, str]) -> None:
    """FLIGHTDB_SERVER_REST_PORT is meant for the setting, and would be passed over in silence."""
    meant = {knob.variable.replace("__", "_"): knob for knob in _KNOBS.values()}
    for name, value in given.items():
        # A Kubernetes service `flightdb-metrics` makes FLIGHTDB_METRICS_PORT=tcp://...
        if name in meant and not value.startswith(("tcp://", "udp://")):
            raise SettingsError(
                f"unknown setting: expected {meant[name].variable}, from environment {name}"
            )


def _flat(document: Mapping[Any, Any], origin: str, prefix: str = "") -> Flat:
    flat: Flat = {}
    for key, value in document.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and path not in _KNOBS:
            flat |= _flat(value, origin, f"{path}.")
        elif path in _SECTIONS:
            if value is not None:  # `buffer:` with nothing under it
                raise SettingsError(
                    f"invalid setting: {path}, expected keys under it, value={written(value)}, from {origin}"
                )
        else:
            flat[path] = value
    return flat


def _nested(flat: Flat) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        *parents, name = path.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[name] = value
    return tree


def _refuse_unknown(sources: Mapping[str, str]) -> None:
    for path, origin in sources.items():
        if path not in _KNOBS:
            raise SettingsError(_unknown(path, origin))


def _unknown(path: str, origin: str) -> str:
    from rapidfuzz import process  # only an error needs it

    name = re.split(r"\.", path)[-1]
    nearest = process.extractOne(path, list(_KNOBS), processor=None)
    same = [known for known in _KNOBS if known.endswith("." + name)]
    known = same[0] if len(same) == 1 else nearest[0]
    return f"unknown setting: {path}, nearest known: {known}, from {origin}"
