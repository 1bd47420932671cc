"""Records to rows of a table: checks every value against its column, exactly or not at all.

One codec a table and schema version. A value that fits is taken; an integer where a float is expected, or a float that
is a whole number where an integer is expected, is converted when exact; all else is refused by name. What only a new
or wider column could hold is handed back as `Misfit`, so that the caller can change the schema and come again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from flightdb.errors import InvalidPayload, InvalidRequest
from flightdb.model.conform import TIMESTAMP_BOUNDS
from flightdb.model.ids import check_id
from flightdb.model.names import fold
from flightdb.model.put import Rows
from flightdb.model.record import Record
from flightdb.model.table import ID, TIMESTAMP, Table, TableKind

COLUMNS_MAX = 2_000
"""A payload key makes a column; more than this in one table is a key that should have been a value."""

_MOMENT_MIN, _MOMENT_MAX = TIMESTAMP_BOUNDS["us"]
_Check = Callable[[object], object]


@dataclass(frozen=True, slots=True)
class Misfit:
    """Fields that the table needs before these records fit: new columns, or wider types of present ones."""

    fields: tuple[pa.Field, ...]


class _Unfit(Exception):
    """A value does not fit its column; carries the type that would hold it, if one would."""

    def __init__(self, wanted: pa.DataType | None) -> None:
        super().__init__()
        self.wanted = wanted


class RecordCodec:
    """Checks records against one table at one schema version. Immutable, thread-safe."""

    def __init__(self, table: Table, new_id: Callable[[], str]) -> None:
        """`new_id` makes ids for tables that generate them."""
        self.table = table
        self._new_id = new_id
        self._width = len(table.schema)
        self._slots = {
            field.name: (index, _checker(field.type)) for index, field in enumerate(table.schema)
        }
        self._folded = {fold(name): name for name in self._slots}
        self._is_record = table.kind is TableKind.RECORD
        # In a plain table columns of these names may be anything; then they are written as payload keys.
        self._id_slot = self._own_slot(ID, pa.types.is_string)
        self._time_slot = self._own_slot(TIMESTAMP, pa.types.is_timestamp)
        self._time_unit = (
            "us" if self._time_slot is None else table.schema.field(self._time_slot).type.unit
        )
        self._required = tuple(
            index for index, field in enumerate(table.schema) if not field.nullable
        )

    def _own_slot(self, name: str, fits: Callable[[pa.DataType], bool]) -> int | None:
        if name not in self._slots or not fits(self.table.schema.field(name).type):
            return None
        return self._slots.pop(name)[0]

    def encode(self, records: Sequence[Record]) -> Rows | Misfit:
        """The records as rows in schema order, or what the table lacks.

        Raises:
            InvalidPayload: a value fits no column; row number (from 0), column and reason are named.
            InvalidRequest: an id is missing or against the table's rules.
        """
        rows: list[tuple[object, ...]] = []
        made: list[str] = []
        wanted: dict[str, pa.Field] = {}
        for number, record in enumerate(records):
            row: list[object] = [None] * self._width
            self._place_identity(row, record, number, made)
            self._place_payload(row, record.payload, wanted, number)
            if self._required:
                self._check_required(row, number)
            rows.append(tuple(row))
        if wanted:
            return Misfit(tuple(wanted.values()))
        return Rows(tuple(rows), tuple(made))

    def _place_payload(
        self,
        row: list[object],
        payload: Mapping[str, object],
        wanted: dict[str, pa.Field],
        number: int,
    ) -> None:
        for key, value in payload.items():
            slot = self._slots.get(key)
            if slot is None:
                slot = self._other_slot(key, value, payload, wanted, number)
            if slot is None or value is None:
                continue
            try:
                row[slot[0]] = slot[1](value)
            except _Unfit as unfit:
                self._want(slot[0], value, unfit, wanted, number)

    def _place_identity(
        self, row: list[object], record: Record, number: int, made: list[str]
    ) -> None:
        if self._id_slot is None:
            if record.id:
                raise InvalidPayload(
                    f"table has no id column: row={number}, table={self.table.name}"
                )
        else:
            row[self._id_slot] = self._checked_id(record.id, number, made)
        if self._time_slot is not None:
            if not _MOMENT_MIN <= record.timestamp_us <= _MOMENT_MAX:
                raise InvalidPayload(f"timestamp is out of range: row={number}")
            row[self._time_slot] = _moment(record.timestamp_us, self._time_unit, number)

    def _checked_id(self, given: str, number: int, made: list[str]) -> str | None:
        options = self.table.options
        if not given:
            if options.auto_generate_id:
                made.append(self._new_id())
                return made[-1]
            if not self._is_record:
                return None
            raise InvalidRequest(
                "id is missing: this table takes the writer's ids (create it with auto_generate_id=true to have them"
                f" made), row={number}, table={self.table.name}"
            )
        if self._is_record:
            check_id(given, options.id_validation, number)
        return given

    def _other_slot(
        self,
        key: str,
        value: object,
        payload: Mapping[str, object],
        wanted: dict[str, pa.Field],
        number: int,
    ) -> tuple[int, _Check] | None:
        """The column of a key that is not spelled as a column is; None where it must be made first."""
        name = self._folded.get(fold(key))
        if name is not None and name in self._slots:
            if name in payload:
                raise InvalidPayload(
                    f"two payload keys name one column: row={number}, keys={name!r} and {key!r}"
                )
            return self._slots[name]
        if name is not None and self._is_record:
            raise InvalidPayload(
                f"payload key is reserved: {key!r} is the record's own field, row={number}"
            )
        if not self._is_record:
            raise InvalidPayload(
                f"unknown column: expected one of {', '.join(self.table.schema.names[:20])},"
                f" row={number}, column={key!r}"
            )
        if value is None:
            return None
        _check_key(key, number)
        found = _type_of(value)
        if found is None:
            raise InvalidPayload(
                f"value cannot be stored: column={key!r}, expected a type of JSON and at most 64 bits,"
                f" got {_described(value)}, row={number}"
            )
        _check_named_once(wanted, key, payload, number)
        _add_wanted(wanted, key, found, number)
        if self._width + len(wanted) > COLUMNS_MAX:
            raise InvalidPayload(
                f"too many columns: at most {COLUMNS_MAX} in a table, table={self.table.name}, column={key!r}"
            )
        return None

    def _want(
        self,
        slot: int,
        value: object,
        unfit: _Unfit,
        wanted: dict[str, pa.Field],
        number: int,
    ) -> None:
        field = self.table.schema.field(slot)
        if unfit.wanted is not None and self._is_record:
            wanted[fold(field.name)] = pa.field(field.name, unfit.wanted)
            return
        raise InvalidPayload(
            f"value does not fit its column: column={field.name!r}, expected {field.type},"
            f" got {_described(value)}, row={number}"
        )

    def _check_required(self, row: list[object], number: int) -> None:
        for index in self._required:
            if row[index] is None:
                raise InvalidPayload(
                    f"column must not be null: column={self.table.schema.field(index).name!r}, row={number}"
                )


def _check_key(key: str, number: int) -> None:
    if not key or len(key) > 255 or "\x00" in key or not _is_text(key):
        raise InvalidPayload(
            f"payload key cannot name a column: expected 1 to 255 characters, row={number}, key={key[:40]!r}"
        )


def _check_named_once(
    wanted: Mapping[str, pa.Field], key: str, payload: Mapping[str, object], number: int
) -> None:
    before = wanted.get(fold(key))
    if before is not None and before.name != key and before.name in payload:
        raise InvalidPayload(
            f"two payload keys name one column: row={number}, keys={before.name!r} and {key!r}"
        )


def _is_text(key: str) -> bool:
    """Whether it has a form in UTF-8: a lone surrogate has none."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _add_wanted(wanted: dict[str, pa.Field], key: str, found: pa.DataType, number: int) -> None:
    before = wanted.get(fold(key))
    if before is None or before.type.equals(found):
        wanted[fold(key)] = before or pa.field(key, found)
        return
    if {before.type, found} == {pa.int64(), pa.float64()}:
        wanted[fold(key)] = pa.field(before.name, pa.float64())
        return
    raise InvalidPayload(
        f"rows of one request disagree: column={key!r} is {before.type} and {found}, row={number}"
    )


def _type_of(value: object) -> pa.DataType | None:
    """The column type that a new payload key gets from its first value."""
    match value:
        case bool():
            return pa.bool_()
        case int():
            return pa.int64() if -(2**63) <= value < 2**63 else None
        case float():
            return pa.float64()
        case str() | dict() | list() | tuple():
            return pa.string()
        case bytes():
            return pa.binary()
        case _:
            return None


def _checker(type_: pa.DataType) -> _Check:
    """A function that gives the value to store, or raises `_Unfit`."""
    if pa.types.is_integer(type_):
        return _integer(type_)
    if pa.types.is_floating(type_):
        return _floating
    if pa.types.is_string(type_):
        return _text
    if pa.types.is_boolean(type_):
        return _boolean
    return _other(type_)


def _integer(type_: pa.DataType) -> _Check:
    bits = type_.bit_width
    signed = pa.types.is_signed_integer(type_)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)

    def check(value: object) -> object:
        kind = type(value)
        if kind is int:
            if low <= value <= high:  # type: ignore[operator]  # an int by the line above
                return value
            raise _Unfit(None)
        if kind is float:
            if value.is_integer():  # type: ignore[attr-defined]  # a float by the line above
                whole = int(value)  # type: ignore[call-overload]  # likewise
                if low <= whole <= high:
                    return whole
            raise _Unfit(pa.float64() if bits == 64 else None)
        raise _Unfit(None)

    return check


def _floating(value: object) -> object:
    kind = type(value)
    if kind is float:
        return value
    if kind is int:
        exact = _nearest(value)
        if exact == value:
            return exact
    raise _Unfit(None)


def _nearest(value: Any) -> float:
    return float(value) if abs(value) < 2**1000 else 0.0


def _text(value: object) -> object:
    kind = type(value)
    if kind is str:
        return value
    if kind is dict or kind is list:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    raise _Unfit(None)


def _boolean(value: object) -> object:
    if type(value) is bool:
        return value
    raise _Unfit(None)


def _other(type_: pa.DataType) -> _Check:
    """Types that JSON does not have: taken by Arrow's own conversion, texts also by its casts."""

    def check(value: object) -> object:
        try:
            if type(value) is str and not pa.types.is_binary(type_):
                return pa.scalar(value).cast(type_).as_py()
            return pa.scalar(value, type=type_).as_py()
        except (pa.ArrowException, ValueError, TypeError, OverflowError):
            raise _Unfit(None) from None

    return check


def _moment(timestamp_us: int, unit: str, number: int) -> int:
    """The moment in the column's unit, exactly."""
    if unit == "us":
        return timestamp_us
    if unit == "ns":
        return timestamp_us * 1_000
    moment, rest = divmod(timestamp_us, 1_000 if unit == "ms" else 1_000_000)
    if rest:
        raise InvalidPayload(
            f"timestamp is finer than its column: expected whole {unit}, row={number}"
        )
    return moment


def _described(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean"}
    text = names.get(type(value))
    if text is not None:
        return text
    return f"{'an integer' if type(value) is int else 'a number'} {str(value)[:40]}"
