"""The walk over old rows by moment: where it is, and where it goes on from a page. Pure.

Rows come in the order of a moment, and the next page is asked for from the moment of the last row
on, so that a row which is deleted or added before it moves nothing. Places are counted only among
rows of one moment, or of none, and there the next page begins with the row that the last one ended
with: if it doesn't, rows moved, and those of the moment are read again. A walk ends at a page that
brings nothing but that row, whatever the server takes for a full page.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jibble_async.errors import MigrationError
from jibble_legacy.literals import instant
from jibble_legacy.migration.moments import moment_at

__all__ = ["Place", "Spot", "following", "parameters", "place_at"]

_MOST_RETURNS = 20
"""Times that the rows of one moment are read again because they moved."""


class Spot(msgspec.Struct, frozen=True, gc=False):
    """What a walk needs to know of a row.

    Attributes:
        key: What tells it from others: its id, if it has one.
        at: Its moment in ms; None if it has none.
        text: The moment as the server wrote it.
    """

    key: str
    at: int | None = None
    text: str = ""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a walk is, which is all that it needs to go on after any end of the program.

    Attributes:
        at: The moment in ms from which on rows are asked for; None for all.
        text: The same as the server wrote it.
        skip: Rows of that moment before the page.
        seam: The key of the row that the page must begin with; None if it may be any.
        returns: How often the rows of the moment were read again.
    """

    at: int | None = None
    text: str = ""
    skip: int = 0
    seam: str | None = None
    returns: int = 0


def place_at(ms: int) -> Place:
    """Where a walk begins that asks for the rows from a moment on, in ms."""
    return Place(ms, instant(moment_at(ms)))


def parameters(place: Place, field: str | None, size: int) -> list[tuple[str, str]]:
    """The query options that ask for the page at a place.

    Args:
        place: Where.
        field: The field that rows come in the order of; None for no order.
        size: Rows to ask for.
    """
    asked: list[tuple[str, str]] = []
    if place.text:
        asked.append((f"filter[where][{field}][gte]", place.text))
    if field is not None:
        asked.append(("filter[order]", f"{field} ASC"))
    asked.append(("filter[limit]", str(size)))
    if place.skip:
        asked.append(("filter[skip]", str(place.skip)))
    return asked


def following(place: Place, rows: Sequence[Spot]) -> Place | None:
    """Where a walk goes on after a page; None if that was the last one.

    Args:
        place: Where the page was asked for.
        rows: What came.

    Raises:
        MigrationError: The server does not keep to what it was asked for, so that no walk is whole.
    """
    if place.skip and (not rows or rows[0].key != place.seam):
        return _again(place)
    moments = [row for row in rows if row.at is not None]
    _require_order(place, moments)
    last = moments[-1] if moments else None
    if last is not None and last.at is not None and (place.at is None or last.at > place.at):
        return Place(last.at, last.text)
    if len(rows) <= 1:
        return None
    return Place(
        place.at, place.text, place.skip + len(rows) - 1, rows[-1].key, returns=place.returns
    )


def _again(place: Place) -> Place:
    if place.returns == _MOST_RETURNS:
        raise MigrationError(
            f"rows of {place.text or 'no moment'} moved {_MOST_RETURNS} times while they were "
            "read: go on when the old account is in less use"
        )
    return Place(place.at, place.text, returns=place.returns + 1)


def _require_order(place: Place, moments: Sequence[Spot]) -> None:
    before = place.at
    for row in moments:
        assert row.at is not None
        if before is not None and row.at < before:
            raise MigrationError(
                f"the server gave a row of {row.text}, which is before what was asked for or what "
                "came before it: it does not heed the condition or the order, without which no "
                "reading is known to be whole"
            )
        before = row.at
