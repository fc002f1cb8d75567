"""Lengths of time in the words of both APIs."""

from __future__ import annotations

from datetime import timedelta

__all__ = ["duration_text"]


def duration_text(value: timedelta) -> str:
    """A length of time in ISO 8601, in days and less, such as `P1DT6H` or `-PT0.5S`."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    seconds = value.seconds
    hours, minutes, seconds = seconds // 3600, seconds % 3600 // 60, seconds % 60
    day_part = f"{value.days}D" if value.days else ""
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    time_part = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction or not (day_part or time_part):
        time_part += f"{seconds}{fraction}S"
    return f"{sign}P{day_part}{'T' + time_part if time_part else ''}"
