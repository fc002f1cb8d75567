"""What all resources of the old API do: list, get and delete."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from typing import Any, NoReturn, TypeVar, Unpack

from msgspec import UNSET, UnsetType

from jibble_async.api.listing import Deletable, ListOptions, Routes, offered_as, query_of
from jibble_async.api.raw import RawSet
from jibble_async.api.writing import change
from jibble_async.core.pager import Pager
from jibble_async.core.paging import Paging
from jibble_async.core.wire import Reply
from jibble_async.entities.base import Entity
from jibble_async.errors import ConfigurationError, NotSupportedError
from jibble_async.query.expressions import Expression
from jibble_async.query.values import IdLike, is_guid, shown
from jibble_legacy.columns import wire_values
from jibble_legacy.config import MAX_PAGE_SIZE
from jibble_legacy.days import WorkingDays
from jibble_legacy.pages import LoopBackPages, Span
from jibble_legacy.raw_pages import RawLoopBackPages
from jibble_legacy.rows import entity_reader, rows_reader
from jibble_legacy.session import SERVICE, LegacySession

__all__ = [
    "LegacyResource",
    "PlainLegacyResource",
    "optional_id",
    "refusal",
    "require_id",
    "routes_of",
]

E = TypeVar("E", bound=Entity)

_ID = r"[A-Za-z0-9]{1,64}"


def routes_of(path: str, name: str) -> Routes:
    """What can be done with a kind of thing (documented: old-calls).

    Args:
        path: What it is called in paths.
        name: What clients offer it as.
    """
    many = f"/api/v1/{path}"
    return Routes.of(SERVICE, many, f"{many}/{{id}}", name=name, change="PUT")


class LegacyResource(Deletable[E], exportable=True):
    """A kind of thing that the old API knows.

    The class of a kind says at its head what it is called in paths (`path=`), and what clients
    offer it as (`name=`), if that is not its own name.
    """

    def __init_subclass__(
        cls, *, path: str | None = None, name: str | None = None, **options: Any
    ) -> None:
        if path is not None:
            options["routes"] = routes_of(path, name or offered_as(cls))
        super().__init_subclass__(**options)

    def __init__(self, session: LegacySession) -> None:
        super().__init__(session)
        self._session: LegacySession = session

    def _pager(
        self,
        conditions: Iterable[Expression | None],
        options: ListOptions,
        *,
        days: WorkingDays | None = None,
        between: Span = (None, None),
    ) -> Pager[E]:
        size = options.get("page_size", self._session.page_size)
        if size is not None and size > MAX_PAGE_SIZE:
            raise ConfigurationError(
                f"page_size={size}: the old API gives {MAX_PAGE_SIZE} rows at most"
            )
        source: LoopBackPages[E] = LoopBackPages(
            self.routes.listing,
            self._session.base(SERVICE),
            rows_reader(self.entity),
            query_of(self.entity, conditions, options),
            days=days,
            between=between,
        )
        return Pager(source, self._session, Paging.of(options, page_size=size))

    def _raw_set(
        self, since: date | None, until: date | None, *, include_archived: bool, as_sent: bool
    ) -> RawSet:
        """The rows as bytes; see `jibble_async.api.raw.raw_set_of`."""
        if include_archived:
            raise NotSupportedError(
                "include_archived=True: the old API keeps nothing that was deleted; leave it out"
            )
        # The days of rows that stay as they are matter only for leaving some out.
        dated = self.spans and not (as_sent and since is None and until is None)
        days, size = self._session.days if dated else None, self._session.page_size
        pages = RawLoopBackPages(
            self.routes.listing,
            self._session.base(SERVICE),
            self.entity,
            size=size,
            as_sent=as_sent,
            days=days,
            between=(since, until),
        )
        return RawSet(SERVICE, self.entity, pages, size, self._check(days))

    def _check(self, days: WorkingDays | None) -> Callable[[], Awaitable[None]] | None:
        """What is found out before rows are exported with their days, if anything need be."""

    async def _change(self, id: str, **values: Any) -> E:
        """The entity as it is after a change of the fields that are given."""
        cleared = [name for name, value in values.items() if value is None]
        if cleared:
            raise NotSupportedError(
                f"{', '.join(cleared)} can't be cleared: the old API has no words for it; "
                "nothing was sent"
            )
        checked, sent = require_id(id, "id"), wire_values(self.entity, **values)
        return await change(self._session, self.routes.change, checked, sent, self._reader())

    def _checked_id(self, id: IdLike, label: str) -> str:
        return require_id(id, label)

    def _reader(self) -> Callable[[Reply], E]:
        read: Callable[[Reply], E] = entity_reader(self.entity)
        return read


class PlainLegacyResource(LegacyResource[E]):
    """A kind of thing that is listed as it is."""

    def list(self, *, where: Expression | None = None, **options: Unpack[ListOptions]) -> Pager[E]:
        """The members.

        The old API sends whole objects, so `select` is refused. Nothing is added to the order, as
        `stable` would have it. Pages can't be counted, and come one after the other whatever
        `concurrency` is. `page_size=None` leaves the first page to the server.

        Args:
            where: A condition.
            **options: See `ListOptions`.

        Raises:
            ConfigurationError: An argument that can't be used.
            NotSupportedError: Something that the old API has no words for.
        """
        return self._pager([where], options)


def require_id(value: Any, label: str) -> str:
    """The id.

    Args:
        value: What the caller gave.
        label: What it is the id of, for the error.

    Raises:
        ConfigurationError: It is none of the old API's.
    """
    if is_guid(value):
        raise ConfigurationError(f"{label}: {value!r} is an id of the current API, not the old one")
    if not isinstance(value, str) or re.fullmatch(_ID, value) is None:
        raise ConfigurationError(
            f"{label}: {shown(value)} is no id, which has letters and digits only"
        )
    return value


def optional_id(value: str | UnsetType | None, label: str) -> str | UnsetType | None:
    """The id, if one is given; raises as `require_id` does."""
    return value if value is None or value is UNSET else require_id(value, label)


def refusal(what: str, reason: str) -> Any:
    """A method for what the old API does not offer: it raises `NotSupportedError`, always.

    Args:
        what: The method.
        reason: Why, and what to do instead.
    """

    async def refuse(*_: Any, **__: Any) -> NoReturn:
        raise NotSupportedError(f"{what}: {reason}; nothing was sent")

    refuse.__doc__ = f"Nothing, but `NotSupportedError`: {reason}."
    return refuse
