"""What an export asks of a server: a page by its place, a count, the server's clock."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from jibble_async.api.base_client import BaseClient
from jibble_async.api.raw import RawSet
from jibble_async.api.session import Session
from jibble_async.core.caller import Caller
from jibble_async.core.cursor import short_hash
from jibble_async.core.pages import PageContent, PageSource, RawRow, RowHead
from jibble_async.core.progress import require_fitting
from jibble_async.core.wire import Reply
from jibble_async.export.proof.anchored import Lengths

__all__ = ["Answer", "account_of", "ask", "count", "lengths_of"]

# Where an answer has no `Date`, a clock of this machine is all there is, and it may be wrong.
_WITHOUT_DATE = timedelta(days=1)
_LENGTHS: WeakKeyDictionary[Caller, dict[str, Lengths]] = WeakKeyDictionary()


class Answer(msgspec.Struct, frozen=True):
    """A page, and when it was given.

    Attributes:
        rows: What came.
        heads: What was read of each row.
        counted: Rows of the whole set as the server counts them, if it does.
        date: By the server's clock, to the second before; or a day ago, if it does not tell.
    """

    rows: Sequence[RawRow]
    heads: Sequence[RowHead]
    counted: int | None
    date: datetime

    @property
    def believed(self) -> int | None:
        """What it counted, unless that has no room for the rows beside it."""
        is_possible = self.counted is not None and self.counted >= len(self.rows)
        return self.counted if is_possible else None


def lengths_of(session: Session, raw: RawSet) -> Lengths:
    """What is known of the lengths of a service's pages; the same for all walks of a client."""
    known = _LENGTHS.setdefault(session.caller, {})
    return known.setdefault(f"{raw.service} {raw.shape.__name__}", Lengths())


async def ask(session: Session, source: PageSource[RawRow], skip: int, top: int) -> Answer:
    """The page of a set at a place.

    Args:
        session: Makes the call.
        source: The set.
        skip: Rows before it.
        top: Rows to ask for.

    Raises:
        JibbleError: The call failed for good.
    """
    read = functools.partial(_read, session, source, top)
    return await session.call(source.request(skip, top), read)


async def count(session: Session, source: PageSource[RawRow]) -> tuple[int | None, datetime]:
    """How many rows the server counts, if it does, and when by its clock; raises as `ask`."""
    answer = await ask(session, source, 0, 1)
    return answer.believed, answer.date


async def account_of(client: BaseClient[Any]) -> str | None:
    """What tells an account from others and does not give it away, if it is known."""
    whoami = getattr(client, "whoami", None)
    organization = None if whoami is None else (await whoami()).organization_id
    return None if organization is None else short_hash(organization)


def _read(session: Session, source: PageSource[RawRow], top: int, reply: Reply) -> Answer:
    require_fitting(reply, top, source.row_bytes)
    content: PageContent[RawRow] = source.read(reply, None)
    session.emitter.page_read(source.operation, None, content.received, content.total)
    return Answer(content.items, content.heads, content.total, _date(session, reply))


def _date(session: Session, reply: Reply) -> datetime:
    try:
        return parsedate_to_datetime(reply.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return session.caller.config.clock.now() - _WITHOUT_DATE
