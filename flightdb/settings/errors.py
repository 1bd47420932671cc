"""What is wrong with a setting, in one line."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from flightdb.settings.knobs import MASK, Knob


class SettingsError(Exception):
    """A setting is wrong; the message names it, its value, what is allowed and whence it came."""


def explain(
    error: ValidationError, known: Mapping[str, Knob], sources: Mapping[str, str]
) -> SettingsError:
    """The first of pydantic's findings in our form, and how many more there are."""
    findings = error.errors(include_url=False, include_context=True)
    first = findings[0]
    path = _path(first["loc"], known)
    knob = known.get(path)
    value = first["input"] if knob is None or not knob.is_secret else MASK
    expected = _expected(dict(first), knob)
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    origin = sources.get(path, "default")
    return SettingsError(
        f"invalid setting: {path}, {expected}, value={written(value)}, from {origin}{more}"
    )


def written(value: object) -> str:
    """The value as YAML has it, not as Python has."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _path(location: tuple[int | str, ...], known: Mapping[str, Knob]) -> str:
    """The setting's path: the location may go on into a list or mapping."""
    parts = [str(part) for part in location]
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in known:
            return ".".join(parts[:end])
    return ".".join(parts)


def _expected(finding: dict[str, Any], knob: Knob | None) -> str:
    if finding["type"] == "value_error":
        return str(finding["ctx"]["error"])
    if knob is not None and knob.expected:
        return f"expected {knob.expected}"
    return str(finding["msg"]).replace("Input should", "should").replace("String should", "should")
