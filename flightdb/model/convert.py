"""Arrays from one type to another, exactly or not at all; vectorised."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flightdb.errors import InvalidPayload
from flightdb.model.names import fold
from flightdb.model.packed import (
    duration_of_interval,
    interval_of_duration,
    interval_struct,
    text_of_uuid,
    uuid_of_text,
)
from flightdb.model.types import INTERVAL, UUID, is_stored_as_is, physical_of

Convert = Callable[[Any, Any, str], Any]
"""(array, type to give, column name for errors) to array."""


def to_physical_array(array: Any, logical: Any, column: str) -> Any:
    """The physical values of `array`, which is of the logical type.

    Raises:
        InvalidPayload: a value has no exact physical form (a timestamp[s] beyond the range of
            microseconds).
    """
    if is_stored_as_is(logical):
        return array
    physical = physical_of(logical)
    if logical == UUID:
        return text_of_uuid(array.storage)
    if logical == INTERVAL:
        return interval_struct(array)
    if pa.types.is_nested(logical):
        return _rebuild(array, logical, physical, column, to_physical_array)
    if pa.types.is_temporal(logical) and physical == pa.int64():
        return array.view(pa.int64())
    return exact(lambda: pc.cast(array, physical), column, logical)


def to_logical_array(array: Any, logical: Any, column: str) -> Any:
    """`array` as `logical`, by a lossless cast.

    Raises:
        InvalidPayload: the types do not fit, or a value does not.
    """
    source = array.type
    if source == logical:
        return array
    if pa.types.is_null(source):
        return pa.nulls(len(array), logical)
    if pa.types.is_dictionary(source):
        return to_logical_array(array.dictionary_decode(), logical, column)
    if source == UUID:
        return _from_uuid(array, logical, column)
    if isinstance(source, pa.BaseExtensionType):
        return to_logical_array(array.storage, logical, column)
    if logical == UUID:
        return uuid_of_text(array, column)
    if pa.types.is_nested(logical) and same_shape(source, logical):
        return _nested(array, logical, column)
    return _leaf(array, logical, column)


def castable(source: Any, logical: Any) -> bool:
    """Whether values of `source` may become `logical` ones; single values may still not fit."""
    if source == logical or pa.types.is_null(source):
        return True
    if pa.types.is_dictionary(source):
        return castable(source.value_type, logical)
    if isinstance(source, pa.BaseExtensionType):
        return _to_extension(source, logical) or castable(source.storage_type, logical)
    if pa.types.is_nested(logical):
        return same_shape(source, logical)
    return any(gives(logical) and takes(source) for gives, takes in CASTS)


def exact(compute: Callable[[], Any], column: str, wanted: Any) -> Any:
    """What `compute` gives; Arrow's refusals become InvalidPayload."""
    try:
        return compute()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        reason = str(error).split("\n")[0][:200]
        raise InvalidPayload(
            f"value does not fit the column: column={column}, expected {wanted}, reason={reason}"
        ) from None


def _to_extension(source: Any, logical: Any) -> bool:
    return source == UUID and logical in (pa.string(), pa.binary())


def _is_text(t: Any) -> bool:
    return pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t)


def _is_bytes(t: Any) -> bool:
    plain = pa.types.is_binary(t) or pa.types.is_large_binary(t) or pa.types.is_binary_view(t)
    return plain or pa.types.is_fixed_size_binary(t)


def _is_exact_number(t: Any) -> bool:
    return pa.types.is_integer(t) or pa.types.is_decimal(t)


def _is_number(t: Any) -> bool:
    return _is_exact_number(t) or pa.types.is_floating(t)


def _is_naive(t: Any) -> bool:
    return pa.types.is_timestamp(t) and t.tz is None


CASTS: tuple[tuple[Callable[[Any], bool], Callable[[Any], bool]], ...] = (
    (_is_exact_number, _is_exact_number),
    (pa.types.is_floating, _is_number),
    (pa.types.is_boolean, pa.types.is_boolean),
    (pa.types.is_string, _is_text),
    (pa.types.is_binary, lambda t: _is_bytes(t) or _is_text(t)),
    (pa.types.is_date, pa.types.is_date),
    (_is_naive, lambda t: _is_naive(t) or pa.types.is_date(t)),
    # A timestamp without a zone is taken as UTC; one with a zone never loses it.
    (lambda t: pa.types.is_timestamp(t) and t.tz is not None, pa.types.is_timestamp),
    (pa.types.is_time, pa.types.is_time),
    (pa.types.is_duration, lambda t: pa.types.is_duration(t) or t == INTERVAL),
    (lambda t: t == INTERVAL, lambda t: pa.types.is_duration(t) or t == INTERVAL),
    (lambda t: t == UUID, lambda t: _is_text(t) or t == pa.binary(16)),
)
"""(the logical type, what may become it), by family; the cast itself checks the values."""


def same_shape(source: Any, logical: Any) -> bool:
    """Whether a nested type can become the other, all the way down."""
    if pa.types.is_struct(logical):
        return pa.types.is_struct(source) and _same_fields(source, logical)
    if pa.types.is_map(logical):
        return (
            pa.types.is_map(source)
            and castable(source.key_type, logical.key_type)
            and castable(source.item_type, logical.item_type)
        )
    if not _is_list(source) or not castable(source.value_type, logical.value_type):
        return False
    if pa.types.is_fixed_size_list(logical) and pa.types.is_fixed_size_list(source):
        return bool(source.list_size == logical.list_size)
    return True


def _same_fields(source: Any, logical: Any) -> bool:
    known = {fold(field.name): field.type for field in logical}
    return all(
        fold(field.name) in known and castable(field.type, known[fold(field.name)])
        for field in source
    )


def _is_list(t: Any) -> bool:
    return (
        pa.types.is_list(t)
        or pa.types.is_large_list(t)
        or pa.types.is_fixed_size_list(t)
        or pa.types.is_list_view(t)
        or pa.types.is_large_list_view(t)
    )


def _nested(array: Any, logical: Any, column: str) -> Any:
    """Layout first (views, large offsets, fixed sizes to plain lists), then the children."""
    if pa.types.is_struct(logical):
        return _struct(array, logical, column)
    if not pa.types.is_map(logical) and not pa.types.is_list(array.type):
        plain = pa.list_(array.type.value_type)
        array = exact(lambda: pc.cast(array, plain), column, logical)
    if not pa.types.is_fixed_size_list(logical):
        return _rebuild(array, logical, logical, column, to_logical_array)
    plain = pa.list_(logical.value_type)
    rebuilt = _rebuild(array, plain, plain, column, to_logical_array)
    return exact(lambda: pc.cast(rebuilt, logical), column, logical)


def _struct(array: Any, logical: Any, column: str) -> Any:
    by_name = {fold(field.name): index for index, field in enumerate(array.type)}
    found = array.flatten()
    children = [
        to_logical_array(found[by_name[fold(field.name)]], field.type, f"{column}.{field.name}")
        if fold(field.name) in by_name
        else pa.nulls(len(array), field.type)
        for field in logical
    ]
    return pa.StructArray.from_arrays(children, fields=list(logical), mask=array.is_null())


def _rebuild(array: Any, source: Any, wanted: Any, column: str, convert: Convert) -> Any:
    """The same nesting over converted children; `source` gives the children their logical types.

    Offsets are made anew so that a slice of a large batch converts its own rows only.
    """
    if not len(array):
        # Some writers send no offsets at all for no rows.
        return pa.array([], wanted)
    mask = array.is_null() if array.null_count else None
    if pa.types.is_struct(source):
        # Flattened: what lies under a null struct is null too, whatever the sender left there.
        fields = [
            convert(child, field.type, f"{column}.{field.name}")
            for child, field in zip(array.flatten(), source, strict=True)
        ]
        return pa.StructArray.from_arrays(fields, fields=list(wanted), mask=mask)
    if pa.types.is_fixed_size_list(source):
        array = pc.cast(array, pa.list_(source.value_type))
    first, last = array.offsets[0].as_py(), array.offsets[-1].as_py()
    offsets = pc.subtract(array.offsets, pa.scalar(first, pa.int32()))
    if pa.types.is_map(source):
        keys = convert(array.keys.slice(first, last - first), source.key_type, f"{column}.key")
        items = convert(array.items.slice(first, last - first), source.item_type, f"{column}.value")
        return pa.MapArray.from_arrays(offsets, keys, items, type=wanted, mask=mask)
    values = convert(array.values.slice(first, last - first), source.value_type, f"{column}[]")
    return pa.ListArray.from_arrays(offsets, values, type=wanted, mask=mask)


def _leaf(array: Any, logical: Any, column: str) -> Any:
    source = array.type
    if not castable(source, logical):
        raise InvalidPayload(
            f"column has another type: column={column}, expected {logical}, type={source}"
        )
    if source == INTERVAL:
        return exact(lambda: duration_of_interval(array, column).cast(logical), column, logical)
    if logical == INTERVAL:
        return exact(lambda: interval_of_duration(array), column, logical)
    if _is_naive(source) and pa.types.is_timestamp(logical) and logical.tz is not None:
        plain = pa.timestamp(logical.unit)
        return exact(lambda: pc.cast(array, plain).view(logical), column, logical)
    cast = exact(lambda: pc.cast(array, logical), column, logical)
    if pa.types.is_floating(logical) and _may_lose(source, logical):
        _check_float(array, cast, column)
    return cast


def _may_lose(source: Any, floating: Any) -> bool:
    """Whether the cast to a floating type loses digits unseen; of integers Arrow itself checks it."""
    if pa.types.is_floating(source):
        return bool(source.bit_width > floating.bit_width)
    return not pa.types.is_integer(source)


def _check_float(array: Any, cast: Any, column: str) -> None:
    """Arrow narrows floats and decimals without a check; here the way back must give the same
    value.
    """
    back = exact(lambda: pc.cast(cast, array.type), column, cast.type)
    is_same = pc.equal(back, array)
    if pa.types.is_floating(array.type):
        is_same = pc.or_(is_same, pc.is_nan(array))
    if pc.all(is_same).as_py() is False:
        row = pc.index(is_same, value=False).as_py()
        raise InvalidPayload(
            f"value does not fit the column: column={column}, expected {cast.type}, row={row}"
        )


def _from_uuid(array: Any, logical: Any, column: str) -> Any:
    if pa.types.is_string(logical):
        return text_of_uuid(array.storage)
    return to_logical_array(array.storage, logical, column)
