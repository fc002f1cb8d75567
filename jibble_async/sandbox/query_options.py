"""OData query options read from a raw query string, strictly.

`+` means a space, as in a form, so an offset must be sent as `%2B` (observed: parameters). A
system option that is unknown, repeated or malformed is refused; parameters without `$` are left to
the function that takes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from jibble_async.sandbox.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOP_LEVEL = frozenset({"select", "expand", "filter", "orderby", "skip", "top", "count"})
_IGNORED = frozenset({"format"})


@dataclass(frozen=True, slots=True)
class Expand:
    """One navigation property of `$expand` and the options in its parentheses."""

    name: str
    options: Options


@dataclass(frozen=True, slots=True)
class Options:
    """What a request asks of a set. `None` means that the option was not sent."""

    select: tuple[str, ...] | None = None
    expand: tuple[Expand, ...] = ()
    filter: str | None = None
    orderby: str | None = None
    skip: int = 0
    top: int | None = None
    count: bool = False


def pairs(query: str) -> list[tuple[str, str]]:
    """The decoded parameters of a raw query string, in order.

    Args:
        query: What follows `?`, percent-encoded.
    """
    parts = [part.partition("=") for part in query.split("&") if part]
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in parts]


def parse_options(query: str) -> Options:
    """The system options of a request.

    Args:
        query: The raw query string.

    Raises:
        Refusal: 400, naming the option that is unknown, repeated or malformed.
    """
    return _options((name, value) for name, value in pairs(query) if name.startswith("$"))


def _options(items: Iterable[tuple[str, str]]) -> Options:
    values: dict[str, str] = {}
    for raw, value in items:
        name = raw.strip().removeprefix("$").lower()
        if not raw.strip().startswith("$") or name not in _TOP_LEVEL | _IGNORED:
            raise bad_request(f"The query option {raw.strip()!r} is not supported.")
        if name in values:
            raise bad_request(f"The query option '${name}' was sent more than once.")
        values[name] = value.strip()
    return Options(
        select=_names(values["select"]) if "select" in values else None,
        expand=tuple(_expand(item) for item in split(values.get("expand", ""), ",")),
        filter=values.get("filter"),
        orderby=values.get("orderby"),
        skip=_whole("skip", values.get("skip", "0")),
        top=_whole("top", values["top"]) if "top" in values else None,
        count=_flag("count", values.get("count", "false")),
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(split(text, ","))
    if not names:
        raise bad_request("The query option '$select' is empty.")
    return names


def _expand(text: str) -> Expand:
    name, parenthesis, inner = text.partition("(")
    if not parenthesis:
        return Expand(text, Options())
    if not inner.endswith(")"):
        raise bad_request(f"The '$expand' item {text!r} does not end in ')'.")
    parts = (part.partition("=") for part in split(inner[:-1], ";"))
    return Expand(name.strip(), _options((option, value) for option, _, value in parts))


def _whole(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise bad_request(f"The query option '${name}' must not be {text!r}: a number from 0 up.")
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise bad_request(f"The query option '${name}' must be true or false, not {text!r}.")
    return text.lower() == "true"


def split(text: str, separator: str) -> list[str]:
    """The parts of a list, cut at separators outside parentheses and quotes.

    Raises:
        Refusal: 400, parentheses or quotes are not balanced, or a part is empty.

    Example:
        >>> split("a,b($select=c,d)", ",")
        ['a', 'b($select=c,d)']
    """
    if not text.strip():
        return []
    parts, depth, quoted, start = list[str](), 0, False, 0
    for place, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "()":
            depth += 1 if letter == "(" else -1
            if depth < 0:
                break
        elif letter == separator and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    if depth or quoted:
        raise bad_request(f"Parentheses or quotes are not balanced in {text!r}.")
    parts.append(text[start:].strip())
    if not all(parts):
        raise bad_request(f"There is an empty item in {text!r}.")
    return parts
