"""Bodies and rows that the strict decoder refuses or rounds: put right, by the type of a value.

Only values of fields that are days, moments, times, durations or numbers are touched, so a note
that looks like one stays as it is.
"""

from __future__ import annotations

import datetime
import functools
import re
import typing
from collections.abc import Callable
from typing import Any

import msgspec

__all__ = ["decode_leniently", "decoder", "rounds_up", "whole_characters"]

# What the strict decoder would round up to another second, day or year.
_ALMOST = b".999999"
_FRACTION = r"(?<=[0-9]\.)([0-9]{6})[0-9]+"
_MIDNIGHT = r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_NUMBER = r"-?[0-9]{1,30}(\.[0-9]{1,30})?"
# .NET's own text of a length of time, such as 1.02:03:04.5 for a day and two hours and more.
_CLOCK = r"(-?)(?:([0-9]{1,8})\.)?([0-9]{2}):([0-9]{2}):([0-9]{2}(?:\.[0-9]+)?)"
_WEEKS = r"(-?)P([0-9]{1,9})W"
_SURROGATE = rb"\\u[dD][89a-fA-F]"
# Up to the next half of a character, or to the end: possessive, so that no place is tried twice.
_UP_TO_A_HALF = (
    rb"(?s)(?:[^\\]++|\\(?:[^u]|\Z|u(?![dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}))*+"
    rb"(?:\\u(?P<half>[dD][89a-fA-F][0-9a-fA-F]{2})|\Z)"
)
# Somebody's text that was cut has one; a body with thousands is no text.
_MOST_HALVES = 1000

_Mend = Callable[[Any], Any]


@functools.cache
def decoder(item: Any) -> msgspec.json.Decoder[Any]:
    """The decoder of a type; kept, because making one costs more than using it."""
    return msgspec.json.Decoder(item)


def rounds_up(data: bytes, item: Any) -> bool:
    """Whether a moment in a text may be so close to the next second that it would be rounded up.

    Args:
        data: What is to be decoded.
        item: The type it should have.
    """
    return _mender(item) is not None and _ALMOST in data


def decode_leniently(data: bytes, item: Any) -> Any:
    """The value, with what is known to be odd put right.

    Digits beyond microseconds are cut off (so .NET's largest date, 9999-12-31T23:59:59.9999999Z,
    stays on its day), a decimal comma becomes a point, weeks and .NET's own text become an ISO
    length of time, midnight becomes a day where a day is meant, a day midnight in UTC where a
    moment is, and a text a number, as OData writes large ones (`IEEE754Compatible`).

    Args:
        data: What the server sent.
        item: The type it should have.

    Raises:
        msgspec.MsgspecError: It can't be read even so.
    """
    mend = _mender(item)
    if mend is None or _ALMOST not in data:
        try:
            return decoder(item).decode(data)
        except msgspec.ValidationError:
            if mend is None:
                raise
    return msgspec.convert(mend(msgspec.json.decode(data)), item)


def whole_characters(body: bytes) -> bytes | None:
    r"""The body with a replacement character for each half of one; None if it has no halves.

    Programs that cut a text within an emoji leave half of it, as `\ud83d`, and many a JSON writer
    passes that on. It is no character, so that a body with one in a note could not be read at all.

    Args:
        body: What can't be read as it is.
    """
    if re.search(_SURROGATE, body) is None:
        return None
    mended = bytearray(body)
    for number, found in enumerate(re.finditer(_UP_TO_A_HALF, body)):
        start, end = found.span("half")
        if start < 0:
            return bytes(mended) if number else None
        if number == _MOST_HALVES:
            break
        mended[start:end] = b"fffd"
    return None


def _mend_day(value: Any) -> Any:
    found = re.fullmatch(_MIDNIGHT, value) if isinstance(value, str) else None
    return found[1] if found else value


def _mend_moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if re.fullmatch(_DAY, value):
        return f"{value}T00:00:00Z"
    return _mend_time(value)


def _mend_time(value: Any) -> Any:
    return re.sub(_FRACTION, r"\1", value) if isinstance(value, str) else value


def _mend_duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = re.sub(_FRACTION, r"\1", value.replace(",", "."))
    if clock := re.fullmatch(_CLOCK, value):
        sign, days, hours, minutes, seconds = clock.groups()
        return f"{sign}P{days or 0}DT{hours}H{minutes}M{seconds}S"
    weeks = re.fullmatch(_WEEKS, value)
    return f"{weeks[1]}P{int(weeks[2]) * 7}D" if weeks else value


def _mend_number(value: Any) -> Any:
    found = re.fullmatch(_NUMBER, value) if isinstance(value, str) else None
    return value if found is None else float(value) if found[1] else int(value)


_SCALARS: dict[Any, _Mend] = {
    datetime.date: _mend_day,
    datetime.datetime: _mend_moment,
    datetime.time: _mend_time,
    datetime.timedelta: _mend_duration,
    float: _mend_number,
    int: _mend_number,
}


@functools.cache
def _mender(annotation: Any) -> _Mend | None:
    """What puts values of this type right; None if there is nothing to put right in them."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return functools.partial(_mend_object, annotation)
    menders = [mend for arg in typing.get_args(annotation) if (mend := _mender(arg)) is not None]
    if not menders:
        return None
    if typing.get_origin(annotation) is list:
        return functools.partial(_mend_list, menders[0])
    return menders[0]


def _mend_object(owner: type[msgspec.Struct], value: Any) -> Any:
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
