"""Which files of a table can hold rows that a predicate lets through: removes only what cannot match."""

import math
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa

from flightdb.model.segment import Segment
from flightdb.planner.predicate import (
    Condition,
    Constant,
    Literal,
    Moment,
    Parameter,
    Predicate,
    moment,
)

_MS = 1_000
"""Statistics give times to the millisecond: a bound may be off by one."""

STRING_BOUND_MIN = 32
"""Writers may cut string bounds of at least this many characters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def prune(
    segments: Sequence[Segment],
    predicate: Predicate,
    schema: pa.Schema,
    parameters: Sequence[object] = (),
) -> tuple[Segment, ...]:
    """The segments that may hold rows for which all of `predicate` is true, in order.

    `schema` is the table's logical schema; `parameters` are the bound values, as Python values or Arrow scalars.
    """
    tests = [
        test
        for condition in predicate
        if (test := _test(condition, schema, parameters)) is not None
    ]
    if not tests:
        return tuple(segments)
    return tuple(segment for segment in segments if all(test(segment) for test in tests))


def _test(
    condition: Condition, schema: pa.Schema, parameters: Sequence[object]
) -> Callable[[Segment], bool] | None:
    """Whether a segment may match; None where nothing can be said."""
    index = schema.get_field_index(condition.column)
    ordering = None if index < 0 else _ordering(schema.field(index).type)
    if ordering is None:
        return None
    intervals = []
    for value in condition.values:
        interval = ordering.constant(_bound(value, parameters))
        if interval is None:
            return None
        intervals.append(interval)
    operator = "=" if condition.operator == "in" else condition.operator
    return lambda segment: _may_match(segment, condition.column, operator, intervals, ordering)


def _may_match(
    segment: Segment, column: str, operator: str, intervals: list[Any], ordering: "_Ordering"
) -> bool:
    if segment.null_counts.get(column) == segment.row_count and segment.row_count:
        return False
    bounds = segment.bounds.get(column)
    if bounds is None:
        return True
    low, high = ordering.low(bounds[0]), ordering.high(bounds[1])
    if low is None or high is None:
        return True
    compare = _COMPARE[operator]
    return any(compare(low, high, interval, ordering) for interval in intervals)


def _equal(low: Any, high: Any, interval: Any, ordering: "_Ordering") -> bool:
    return not (ordering.is_above(low, interval[1]) or ordering.is_below(high, interval[0]))


def _less(low: Any, high: Any, interval: Any, ordering: "_Ordering") -> bool:
    return not ordering.is_above(low, interval[1])


def _greater(low: Any, high: Any, interval: Any, ordering: "_Ordering") -> bool:
    # NaN is greater than all numbers here and in no statistics.
    return ordering.has_nan or not ordering.is_below(high, interval[0])


_COMPARE = {"=": _equal, "<": _less, "<=": _less, ">": _greater, ">=": _greater}


def _bound(value: Constant, parameters: Sequence[object]) -> object:
    """A Python value; a Moment stays one. Not bound gives None."""
    if isinstance(value, Literal):
        return value.value
    if isinstance(value, Parameter):
        found = parameters[value.index - 1] if value.index <= len(parameters) else None
        return _python(found)
    return value


def _python(value: object) -> object:
    if isinstance(value, pa.Scalar):
        if pa.types.is_timestamp(value.type) and value.type.unit == "ns":
            return None
        value = value.as_py()
    if isinstance(value, datetime):
        at = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return Moment((at - _EPOCH) // timedelta(microseconds=1))
    if isinstance(value, date):
        return Moment(
            (datetime(value.year, value.month, value.day, tzinfo=UTC) - _EPOCH)
            // timedelta(microseconds=1)
        )
    return value


class _Ordering:
    """How a column's values compare: a constant as an interval that surely holds it, bounds likewise."""

    has_nan = False

    def constant(self, value: Any) -> tuple[Any, Any] | None:
        """The interval for a constant, None where it does not compare in the column's own order."""
        raise NotImplementedError

    def low(self, bound: Any) -> Any:
        """A value not above the least one in the file, None where not known."""
        raise NotImplementedError

    def high(self, bound: Any) -> Any:
        """A value not below the greatest one in the file, None where not known."""
        raise NotImplementedError

    def is_above(self, low: Any, value: Any) -> bool:
        """Whether all values of a file are greater than `value`."""
        return bool(low > value)

    def is_below(self, high: Any, value: Any) -> bool:
        """Whether all values of a file are less than `value`."""
        return bool(high < value)


class _Exact(_Ordering):
    """Integers and decimals."""

    def constant(self, value: Any) -> tuple[Any, Any] | None:
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            return None
        if isinstance(value, Decimal) and not value.is_finite():
            return None
        return Fraction(value), Fraction(value)

    def low(self, bound: Any) -> Any:
        return self._fraction(bound, -math.inf)

    def high(self, bound: Any) -> Any:
        return self._fraction(bound, math.inf)

    def _fraction(self, bound: Any, toward: float) -> Any:
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            return None
        if isinstance(bound, int):
            return Fraction(bound)
        # A decimal that went through a double.
        return Fraction(_step(bound, toward)) if math.isfinite(bound) else None


class _Float(_Ordering):
    """Floating point: constants are rounded to the column's precision, each way."""

    has_nan = True

    def __init__(self, bits: int) -> None:
        self._bits = bits

    def constant(self, value: Any) -> tuple[Any, Any] | None:
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return None
        try:
            number = float(value)
        except OverflowError:
            return None
        if not math.isfinite(number) or (self._bits == 32 and abs(number) > 3e38):
            return None
        if self._bits == 32:
            single = struct.unpack("f", struct.pack("f", number))[0]
            width = abs(single) * 2**-22 + 2**-148
            return min(single, number) - width, max(single, number) + width
        return _step(number, -math.inf), _step(number, math.inf)

    def low(self, bound: Any) -> Any:
        return self._number(bound, -math.inf)

    def high(self, bound: Any) -> Any:
        return self._number(bound, math.inf)

    def _number(self, bound: Any, toward: float) -> Any:
        if (
            isinstance(bound, bool)
            or not isinstance(bound, int | float)
            or not math.isfinite(bound)
        ):
            return None
        return _step(float(bound), toward)


class _Text(_Ordering):
    """Strings, by code point, which is the order of their UTF-8 bytes."""

    def constant(self, value: Any) -> tuple[Any, Any] | None:
        return (value, value) if isinstance(value, str) else None

    def low(self, bound: Any) -> Any:
        return bound if isinstance(bound, str) else None

    def high(self, bound: Any) -> Any:
        return bound if isinstance(bound, str) else None

    def is_below(self, high: Any, value: Any) -> bool:
        if len(high) < STRING_BOUND_MIN:
            return bool(high < value)
        # Maybe cut: all that begins with it may be there.
        return bool(high < value[: len(high)])


class _Time(_Ordering):
    """Dates and timestamps up to microseconds, against moments and ISO text."""

    def constant(self, value: Any) -> tuple[Any, Any] | None:
        at = (
            value.value
            if isinstance(value, Moment)
            else moment(value)
            if isinstance(value, str)
            else None
        )
        return None if at is None else (at, at)

    def low(self, bound: Any) -> Any:
        return self._micros(bound, -_MS)

    def high(self, bound: Any) -> Any:
        return self._micros(bound, _MS)

    def _micros(self, bound: Any, slack: int) -> Any:
        at = moment(bound) if isinstance(bound, str) else None
        return None if at is None else at + slack


def _ordering(type_: Any) -> _Ordering | None:
    if pa.types.is_integer(type_) or pa.types.is_decimal(type_):
        return _Exact()
    if pa.types.is_float32(type_) or pa.types.is_float64(type_):
        return _Float(type_.bit_width)
    if pa.types.is_string(type_):
        return _Text()
    if pa.types.is_date(type_) or (pa.types.is_timestamp(type_) and type_.unit != "ns"):
        return _Time()
    return None


def _step(value: float, toward: float) -> float:
    return math.nextafter(math.nextafter(value, toward), toward)
