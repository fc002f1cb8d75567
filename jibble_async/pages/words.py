"""Values in the words of a page: texts that can't break it, lengths of time, days, moments."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal

__all__ = [
    "Html",
    "clean_text",
    "clock_words",
    "day_words",
    "hours_words",
    "minutes_words",
    "money_words",
    "span_words",
]

# What HTML and XML can't hold, and what would turn the direction of a line.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_MINUTE = timedelta(minutes=1)


class Html(str):
    """HTML that is whole as it is: a template takes it unescaped."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def clean_text(text: str) -> str:
    """A text without what no document may hold."""
    return _UNSAFE.sub(" ", text)


def hours_words(length: timedelta) -> str:
    """A length of time in hours and minutes, such as `1,168:30`."""
    minutes = round(abs(length) / _MINUTE)
    sign = "-" if length < timedelta(0) and minutes else ""
    return f"{sign}{minutes // 60:,}:{minutes % 60:02}"


def minutes_words(length: timedelta) -> str:
    """The same without what is over a minute, as spreadsheets show a time."""
    return hours_words(length - length % _MINUTE if length > timedelta(0) else length)


def day_words(day: date) -> str:
    """A day, such as `Mon 6 Jul 2026`, in English whatever the locale."""
    weekday = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")[day.weekday()]
    return f"{weekday} {day.day} {_MONTHS[day.month - 1][:3]} {day.year}"


def span_words(since: date, until: date) -> str:
    """A span of days, such as `1 July 2026 to 31 July 2026`."""
    first, last = (f"{day.day} {_MONTHS[day.month - 1]} {day.year}" for day in (since, until))
    return first if since == until else f"{first} to {last}"


def clock_words(at: datetime | time) -> str:
    """A time of day, such as `22:05`."""
    return f"{at.hour:02}:{at.minute:02}"


def money_words(amount: Decimal) -> str:
    """An amount with its thousands apart."""
    return f"{amount:,}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
