"""Which rows are meant, told from a row itself and not from what the server was asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from jibble_async.api.raw import RawSet
from jibble_async.core.pages import RowHead
from jibble_async.errors import PaginationError

__all__ = ["Scope"]


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
        self._archived = raw.archived

    def admits(self, head: RowHead) -> bool:
        """Whether a row is meant."""
        if self._archived is not None and head.status == self._archived:
            return False
        # A day may be written as a moment: only its date counts.
        return not self._dated or self._since <= str(head.day)[:10] <= self._until

    def require(self, heads: Sequence[RowHead]) -> None:
        """Refuse rows that were not asked for; one look at each, and none where all are meant.

        Raises:
            PaginationError: The server gives what it was not asked for.
        """
        if not self._dated and self._archived is None:
            return
        try:
            # A page has few days, and fewer kinds of status.
            kinds: Iterable[RowHead] = {(head.day, head.status): head for head in heads}.values()
        except TypeError:
            # A day or status that is an object or a list.
            kinds = heads
        for head in kinds:
            if not self.admits(head):
                raise PaginationError(
                    f"the server gave the row {head.id!r}, of day {head.day} and status "
                    f"{head.status}, which was not asked for: it ignores a part of the filter, "
                    "so nothing can be said of what it gives"
                )
