"""How a set of rows is walked over, as the caller of a `list()` wants it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self, TypeAlias, TypedDict

import msgspec

from jibble_async.checks import require_counts
from jibble_async.core.cursor import Cursor
from jibble_async.errors import ConfigurationError, DecodeError

__all__ = ["BadRowHandler", "PageOptions", "Paging"]

_SHORTEST_KEY = 16

BadRowHandler: TypeAlias = Callable[[DecodeError, bytes], None]
"""Gets the error for a row that can't be read, and the row as the server sent it."""


class PageOptions(TypedDict, total=False):
    """The arguments of every `list()` that say how it is walked over."""

    page_size: int | None
    """Rows to ask for at a time."""
    limit: int | None
    """Rows to deliver at most."""
    concurrency: int
    """Pages in flight; they are delivered in order."""
    resume_from: Cursor | str | None
    """The cursor of a page, or of an error, to go on from."""
    verify: bool
    """Let pages overlap by a row, and raise `PaginationError` if rows moved."""
    on_bad_row: BadRowHandler | None
    """Gets rows that can't be read; without it the first one is a `DecodeError`."""
    cursor_key: bytes | None
    """Signs every cursor that is handed out, and takes back none but such."""


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """The same, complete and checked: what a pager and its walks go by.

    A `page_size` of None leaves the number of rows to the server.

    Raises:
        ConfigurationError: A number out of range, or a key that is too short.
    """

    page_size: int | None = None
    limit: int | None = None
    concurrency: int = 1
    resume_from: Cursor | str | None = None
    verify: bool = False
    on_bad_row: BadRowHandler | None = None
    cursor_key: bytes | None = None

    def __post_init__(self) -> None:
        # An overlap of one row needs another row to go on by.
        least = {"limit": 0, "concurrency": 1, "page_size": 2 if self.verify else 1}
        require_counts(
            "a list", "limit", "page_size", **{name: getattr(self, name) for name in least}
        )
        for name, number in least.items():
            value = getattr(self, name)
            if value is not None and value < number:
                raise ConfigurationError(f"{name}={value}: at least {number} is needed")
        if self.verify and self.page_size is None:
            raise ConfigurationError("verify=True needs a page_size: seams are between offsets")
        key: Any = self.cursor_key
        if key is not None and (not isinstance(key, bytes) or len(key) < _SHORTEST_KEY):
            raise ConfigurationError(f"cursor_key= takes bytes, {_SHORTEST_KEY} or more of them")

    def __repr__(self) -> str:
        # A key is nobody's business.
        return "<Paging>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []

    @classmethod
    def of(cls, options: Mapping[str, Any], **decided: Any) -> Self:
        """The paging that the arguments of a `list()` ask for.

        Args:
            options: The arguments; those that are not about paging are left aside.
            **decided: What is used whatever they say.
        """
        given = {name: options[name] for name in cls.__struct_fields__ if name in options}
        return cls(**{**given, **decided})
