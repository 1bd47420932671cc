"""Durations and sizes as people write them: `30s`, `1h30m`, `64MiB`."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

SECONDS_BY_UNIT = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
BYTES_BY_UNIT = {
    "B": 1,
    "KiB": KIB,
    "MiB": MIB,
    "GiB": GIB,
    "TiB": 1 << 40,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
}
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)(ms|h|m|s))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]i?B|B)?", re.IGNORECASE)


def parse_duration(value: object) -> object:
    """Seconds: `"1m30s"` gives 90.0; a bare number is seconds; what is no text is left as it is.

    Raises:
        ValueError: text that is no duration.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not _DURATION.fullmatch(text):
        raise ValueError("expected a duration such as 500ms, 30s, 5m or 1h30m")
    return sum(float(n) * SECONDS_BY_UNIT[unit] for n, unit in _DURATION_PART.findall(text))


def parse_size(value: object) -> object:
    """Bytes: `"64MiB"` gives 67108864; a bare number is bytes; what is no text is left as it is.

    Raises:
        ValueError: text that is no size.
    """
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError("expected a size such as 65536, 64KiB, 64MiB or 1GB")
    number, unit = match.groups()
    factors = {name.lower(): factor for name, factor in BYTES_BY_UNIT.items()}
    return int(float(number) * factors[(unit or "B").lower()])


def parse_port(value: object) -> object:
    """A port number; the spec's `":8080"` is taken too."""
    return value.removeprefix(":") if isinstance(value, str) else value


def format_duration(seconds: float) -> str:
    """The shortest exact text: 90.0 gives `1m30s`, 0.5 gives `500ms`."""
    left, text = round(seconds * 1000), ""
    for unit, factor in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, left = divmod(left, factor)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def format_size(size_bytes: int) -> str:
    """The largest binary unit that is exact: 67108864 gives `64MiB`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        count, rest = divmod(size_bytes, BYTES_BY_UNIT[unit])
        if count and not rest:
            return f"{count}{unit}"
    return f"{size_bytes}B"


def parse_path(value: object) -> object:
    """A path; empty text means none, not the current directory."""
    return None if value == "" else value


class DurationUnit:
    """Marks a field whose value is seconds, written as a duration."""


class SizeUnit:
    """Marks a field whose value is bytes, written as a size."""


Seconds = Annotated[float, BeforeValidator(parse_duration), DurationUnit()]
Bytes = Annotated[int, BeforeValidator(parse_size), SizeUnit()]
OptionalPath = Annotated[Path | None, BeforeValidator(parse_path)]
PortNumber = Annotated[int, BeforeValidator(parse_port)]
