"""Paired runs: flightdb and its baseline take turns, and what counts is the ratio of each pair."""

import math
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Goal:
    """A bound on the median of `of`: "ratio" (flightdb / baseline) or "ours" (flightdb's figure)."""

    of: str
    sign: str
    bound: float
    unit: str = ""

    def holds(self, value: float) -> bool:
        return {
            "<": value < self.bound,
            "<=": value <= self.bound,
            ">=": value >= self.bound,
        }[self.sign]

    def text(self) -> str:
        bound = figure(self.bound)
        return f"{self.sign} {bound}x" if self.of == "ratio" else f"{self.sign} {bound} {self.unit}"


@dataclass
class Row:
    """One line of the report. `ours[i]` and `base[i]` were taken one after the other."""

    name: str
    unit: str
    goals: list[Goal]
    ours: list[float] = field(default_factory=list)
    base: list[float] = field(default_factory=list)
    baseline: str = ""
    note: str = ""

    def ratios(self) -> list[float]:
        return [a / b for a, b in zip(self.ours, self.base, strict=True)] if self.base else []

    def verdict(self) -> str:
        values = {"ratio": self.ratios(), "ours": self.ours}
        if not self.goals:
            return "-"
        held = [g.holds(statistics.median(values[g.of])) for g in self.goals if values[g.of]]
        if len(held) < len(self.goals):
            return "not measured"
        return "met" if all(held) else "missed"

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict()}


@dataclass
class Bench:
    """What a workload is given: `scratch` is an empty directory that is removed afterwards."""

    runs: int
    quick: bool
    cache: Path
    scratch: Path

    def pairs(
        self,
        row: Row,
        ours: Callable[[], float],
        base: Callable[[], float] | None = None,
        *,
        warm_ups: int = 1,
    ) -> Row:
        """Fills `row`: A B A B ..., after `warm_ups` turns that do not count."""
        for turn in range(-warm_ups, self.runs):
            a = ours()
            b = base() if base is not None else 0.0
            if turn < 0:
                continue
            row.ours.append(a)
            if base is not None:
                row.base.append(b)
            beside = f", ratio {ratio(a / b)}" if base is not None else ""
            say(f"{row.name} [{turn + 1}/{self.runs}] {figure(a)} {row.unit}{beside}")
        return row


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def spread(values: list[float], show: Callable[[float], str] | None = None) -> str:
    """`median [min..max]`."""
    if not values:
        return "-"
    low, middle, high = ((show or figure)(f(values)) for f in (min, statistics.median, max))
    return f"{middle} [{low}..{high}]"


def figure(value: float) -> str:
    """Three digits that mean something, and no exponent: `1,850,000`, `481`, `2.01`."""
    if value == 0:
        return "0"
    return f"{round(value, 2 - math.floor(math.log10(abs(value)))):,.10g}"


def ratio(value: float) -> str:
    return f"{value:.2f}"


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)
