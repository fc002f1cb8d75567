"""A server's words without the values of what it was asked: it may quote a filter, or a body."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from jibble_async.core.operation import Request

__all__ = ["blanked"]

_BLANK = "…"
# Numbers and names of fields: no values of anybody's.
_HARMLESS = frozenset({"$top", "$skip", "$count", "$select", "$orderby"})
_QUOTED = r"'((?:[^']|'')*)'"
# Outside of quotes what has a digit is a value: a number, a day, an id.
_UNQUOTED = r"[\w.:+@-]*\d[\w.:+@-]*"
# As much of a value as a server may quote of it, where it does not quote the whole.
_PART = 6
_LONGEST = 10_000


def blanked(text: str, request: Request) -> str:
    """The text with a mark in place of each value of the request's options and body.

    Args:
        text: What the server said.
        request: What it was asked.
    """
    hidden = [False] * len(text)
    lower = text.lower()
    for value in set(_values(request)):
        for start, end in _places(value.lower(), lower):
            hidden[start:end] = [True] * (end - start)
    shown = "".join("\0" if hide else each for each, hide in zip(text, hidden, strict=True))
    return re.sub("\0+", _BLANK, shown)


def _places(value: str, text: str) -> Iterator[tuple[int, int]]:
    """Where the value, or a part of it that is long enough, stands in the text."""
    if len(value) < _PART:
        for found in re.finditer(rf"(?<!\w){re.escape(value)}(?!\w)", text):
            yield found.span()
        return
    start = 0
    while start + _PART <= len(text):
        end = start + _PART
        if text[start:end] not in value:
            start += 1
            continue
        while end < len(text) and text[start : end + 1] in value:
            end += 1
        yield start, end
        start = end


def _values(request: Request) -> Iterator[str]:
    for option in request.url.raw_query_string.split("&"):
        name, _, sent = option.partition("=")
        value = unquote(sent)
        if unquote(name).lower() in _HARMLESS or not value:
            continue
        parts = [value] if not name.startswith("$") else _literals(value)
        for part in (part[:_LONGEST] for part in parts):
            yield from {part, part.replace("''", "'"), quote(part), quote(part, safe="")}
    if request.body is not None:
        yield from _texts(request.body)


def _literals(value: str) -> Iterable[str]:
    quoted: list[str] = re.findall(_QUOTED, value)
    return [*filter(None, quoted), *re.findall(_UNQUOTED, re.sub(_QUOTED, " ", value))]


def _texts(body: bytes) -> Iterator[str]:
    try:
        left: list[Any] = [msgspec.json.decode(body)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    while left:
        value = left.pop()
        inner: Any = value
        if isinstance(value, dict):
            left.extend(inner.values())
        elif isinstance(value, list):
            left.extend(inner)
        elif isinstance(value, str) and value:
            yield value[:_LONGEST]
