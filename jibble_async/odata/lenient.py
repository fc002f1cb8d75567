"""Rows that the strict decoder refuses: .NET's extremes and odd digits, put right by type.

Only values of fields that are dates, times or durations are touched, so a note that looks like
one stays as it is.
"""

from __future__ import annotations

import datetime
import functools
import re
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from jibble_async.entities import ValueObject

__all__ = ["decode_leniently"]

_FRACTION = r"(?<=[0-9]\.)([0-9]{6})[0-9]+"
_WEEKS = r"(-?)P([0-9]+)W"

_Mend = Callable[[Any], Any]


def decode_leniently(row: bytes, item: Any) -> Any:
    """The row, with what is known to be odd put right.

    Digits beyond microseconds are cut off (so .NET's largest date, 9999-12-31T23:59:59.9999999Z,
    stays on its day), a decimal comma becomes a point, and weeks become days.

    Args:
        row: The row as the server sent it.
        item: The type it should have.

    Raises:
        msgspec.MsgspecError: It can't be read even so.
    """
    try:
        return msgspec.json.decode(row, type=item)
    except msgspec.ValidationError:
        mend = _mender(item)
        if mend is None:
            raise
        return msgspec.convert(mend(msgspec.json.decode(row)), item)


def _mend_moment(value: Any) -> Any:
    return re.sub(_FRACTION, r"\1", value) if isinstance(value, str) else value


def _mend_duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = re.sub(_FRACTION, r"\1", value.replace(",", "."))
    weeks = re.fullmatch(_WEEKS, value)
    return f"{weeks[1]}P{int(weeks[2]) * 7}D" if weeks else value


_SCALARS: dict[Any, _Mend] = {
    datetime.datetime: _mend_moment,
    datetime.time: _mend_moment,
    datetime.timedelta: _mend_duration,
}


@functools.cache
def _mender(annotation: Any) -> _Mend | None:
    """What puts values of this type right; None if there is nothing to put right in them."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, ValueObject):
        return functools.partial(_mend_object, annotation)
    menders = [mend for arg in typing.get_args(annotation) if (mend := _mender(arg)) is not None]
    if not menders:
        return None
    if typing.get_origin(annotation) is list:
        return functools.partial(_mend_list, menders[0])
    return menders[0]


def _mend_object(owner: type[ValueObject], value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    mended: dict[Any, Any] = {**value}
    for field in msgspec.structs.fields(owner):
        mend = _mender(field.type)
        if mend is not None and field.encode_name in mended:
            mended[field.encode_name] = mend(mended[field.encode_name])
    return mended


def _mend_list(mend: _Mend, value: Any) -> Any:
    items: Any = value
    return [mend(item) for item in items] if isinstance(value, list) else value
