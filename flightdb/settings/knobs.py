"""The settings as a flat list, by path: `buffer.wal.dir`."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from flightdb.settings.units import DurationUnit, SizeUnit, format_duration, format_size

ENVIRONMENT_PREFIX = "FLIGHTDB_"
MASK = "********"


@dataclass(frozen=True, slots=True)
class Knob:
    """One setting. `unit`: duration, size or "". `low`, `high`: inclusive, None for no bound."""

    path: str
    doc: str
    default: object
    unit: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    is_secret: bool

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return ENVIRONMENT_PREFIX + self.path.replace(".", "__").upper()

    def text(self, value: object) -> str:
        """A value as a person writes it; a secret is masked."""
        if self.is_secret:
            return MASK if value else ""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float) and self.unit == "duration":
            return format_duration(value)
        if isinstance(value, int) and self.unit == "size":
            return format_size(value)
        return "" if value is None else str(value)

    @property
    def expected(self) -> str:
        """What a value may be, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.text(_whole(self.low))} to {self.text(_whole(self.high))}"
        return ""


@dataclass(frozen=True, slots=True)
class SectionDoc:
    """A group of settings: its path and what its docstring says."""

    path: str
    doc: str


def knobs(model: type[BaseModel], prefix: str = "") -> Iterator[Knob]:
    """Every setting under `model`, in the order of the tree."""
    for name, field in model.model_fields.items():
        section = _section(field)
        if section is None:
            yield _knob(prefix + name, field)
        else:
            yield from knobs(section, f"{prefix}{name}.")


def sections(model: type[BaseModel], prefix: str = "") -> Iterator[SectionDoc]:
    """Every group under `model`, parents first."""
    for name, field in model.model_fields.items():
        section = _section(field)
        if section is not None:
            yield SectionDoc(prefix + name, (section.__doc__ or "").strip())
            yield from sections(section, f"{prefix}{name}.")


def value_at(model: BaseModel, path: str) -> object:
    """The effective value of one setting."""
    value: Any = model
    for name in path.split("."):
        value = getattr(value, name)
    return value


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _knob(path: str, field: FieldInfo) -> Knob:
    metadata = field.metadata
    return Knob(
        path=path,
        doc=field.description or "",
        default=field.default,
        unit=_unit(metadata),
        low=next((_number(mark.ge) for mark in metadata if isinstance(mark, Ge)), None),
        high=next((_number(mark.le) for mark in metadata if isinstance(mark, Le)), None),
        choices=_choices(field.annotation),
        is_secret=field.annotation is SecretStr,
    )


def _unit(metadata: list[Any]) -> str:
    if any(isinstance(mark, DurationUnit) for mark in metadata):
        return "duration"
    return "size" if any(isinstance(mark, SizeUnit) for mark in metadata) else ""


def _choices(annotation: object) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return tuple(str(choice) for choice in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return tuple(member.value for member in annotation)
    return ()


def _number(bound: object) -> float | None:
    return bound if isinstance(bound, int | float) else None


def _whole(number: float) -> float:
    return int(number) if float(number).is_integer() else number
