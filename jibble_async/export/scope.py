"""Which rows are meant, told from a row itself and not from what the server was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from jibble_async.api.raw import RawSet
from jibble_async.core.pages import RawRow
from jibble_async.errors import DecodeError, PaginationError

__all__ = ["Mark", "Scope"]


class Mark(msgspec.Struct, frozen=True, gc=False):
    """What of a row decides whether it is meant, as the server writes it.

    Attributes:
        stamp: The moment of its last change.
        day: The day that it belongs to.
        status: What may say that it is left out.
    """

    stamp: Any = None
    day: Any = None
    status: Any = None


class Scope:
    """The rows of some days, archived ones left out or not.

    A server that does not know a part of a filter may ignore it: then every window holds the whole
    set, all pages fit together, and only the rows can tell.

    Args:
        raw: The set.
        since: The first day.
        until: The last day, included.
    """

    def __init__(self, raw: RawSet, since: date | None, until: date | None) -> None:
        self._since = "" if since is None else since.isoformat()
        self._until = "9999-12-31" if until is None else until.isoformat()
        self._dated = raw.day is not None and (since is not None or until is not None)
        self._archived = None if raw.archived is None else raw.archived[1]
        names = {"stamp": raw.stamp, "day": raw.day if self._dated else None}
        names["status"] = None if raw.archived is None else raw.archived[0]
        fields = [
            (own, Any, msgspec.field(name=wire, default=None))
            for own, wire in names.items()
            if wire is not None
        ]
        shape: Any = msgspec.defstruct("Mark", fields, bases=(Mark,), frozen=True, gc=False)
        self._decode = msgspec.json.Decoder(list[shape]).decode
        self._checks = self._dated or self._archived is not None

    def marks(self, rows: Sequence[RawRow]) -> list[Mark]:
        """What decides about each row.

        Raises:
            DecodeError: A row can't be read.
        """
        try:
            marks: list[Mark] = self._decode(b"[%b]" % b",".join([bytes(raw) for _, raw in rows]))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise DecodeError(f"rows can't be read: {error}") from None
        return marks

    def admits(self, mark: Mark) -> bool:
        """Whether a row is meant."""
        if self._archived is not None and mark.status == self._archived:
            return False
        # A day may be written as a moment: only its date counts.
        return not self._dated or self._since <= str(mark.day)[:10] <= self._until

    def require(self, rows: Sequence[RawRow]) -> None:
        """Refuse rows that were not asked for; one pass over them, and nothing where all are meant.

        Raises:
            PaginationError: The server gives what it was not asked for.
        """
        if not self._checks or not rows:
            return
        for (key, _), mark in zip(rows, self.marks(rows), strict=True):
            if not self.admits(mark):
                raise PaginationError(
                    f"the server gave the row {key!r}, of day {mark.day} and status "
                    f"{mark.status}, which was not asked for: it ignores a part of the filter, "
                    "so nothing can be said of what it gives"
                )
