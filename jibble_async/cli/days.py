"""Which days a command is about: named, or from one to another."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, TypeAlias
from zoneinfo import ZoneInfo

from cyclopts import Parameter, Token

from jibble_async.cli.connection import Common, connect, is_current
from jibble_async.cli.output import say
from jibble_async.cli.periods import Period, Span, period_of
from jibble_async.errors import ConfigurationError, NotFoundError, PermissionDeniedError
from jibble_async.query.days import require_span

if TYPE_CHECKING:
    from jibble_legacy import LegacyClient

    from jibble_async.client import JibbleClient

__all__ = ["ANY_DAYS", "Days", "Ends", "connect_days", "connect_span", "days_of", "now", "today_of"]

Ends: TypeAlias = tuple[date | None, date | None]
"""The first day and the last one, which is included, as far as they are given."""

# Somewhere on earth it is yesterday still, and somewhere tomorrow already.
_AROUND = (timedelta(days=-1), timedelta(days=1))


def _to_period(_: object, tokens: Sequence[Token]) -> Period:
    try:
        return period_of(tokens[0].value)
    except ConfigurationError as error:
        raise ValueError(str(error)) from None


@Parameter(name="*")
@dataclass(frozen=True)
class Days:
    """Which days.

    Attributes:
        since: The first day, such as 2026-10-01.
        until: The last day, included.
        period: Or last-month, this-week, 2026-W31, 2026-07 ...
    """

    since: date | None = None
    until: date | None = None
    period: Annotated[
        Period | None, Parameter(converter=_to_period, n_tokens=1, accepts_keys=False)
    ] = None

    def require(self, *, all: bool = True) -> None:
        """Refuse what names no days, or names them twice, before anything is sent.

        Args:
            all: Whether both ends are needed.

        Raises:
            ConfigurationError: That is so.
        """
        if self.period is not None and (self.since is not None or self.until is not None):
            raise ConfigurationError("give --period, or --since and --until, not both")
        if all and self.period is None and (self.since is None or self.until is None):
            raise ConfigurationError(
                "which days? Give --period, such as last-month, or --since and --until"
            )
        require_span(self.since, self.until)

    def around(self, today: date) -> Ends:
        """Days among which they are, wherever on earth it is asked what day it is.

        Args:
            today: The day it is here.
        """
        if self.period is None:
            return self.since, self.until
        spans = [self.period.days(today + shift) for shift in (*_AROUND, timedelta(0))]
        return min(since for since, _ in spans), max(until for _, until in spans)

    def at(self, today: date) -> Ends:
        """The first day and the last one, if they are known.

        Args:
            today: The day it is where people work.
        """
        return (self.since, self.until) if self.period is None else self.period.days(today)


ANY_DAYS = Days()


def now(zone: tzinfo | None = None) -> datetime:
    """The moment it is, in a zone, or in this machine's."""
    return datetime.now(zone).astimezone(zone)


@contextlib.asynccontextmanager
async def connect_days(common: Common, days: Days) -> AsyncGenerator[tuple[JibbleClient, Ends]]:
    """The client of a command that is about days, and the first and the last one, where given.

    What day it is, is asked of the organisation's time zone, so that a program that runs at night
    somewhere else means the same days.

    Args:
        common: What every command takes.
        days: Which days.

    Raises:
        ConfigurationError: They are given twice, or in the wrong order; or as `connect` raises it.
    """
    days.require(all=False)
    async with connect(common, *days.around(now().date())) as client:
        yield client, await days_of(client, days)


@contextlib.asynccontextmanager
async def connect_span(common: Common, days: Days) -> AsyncGenerator[tuple[JibbleClient, Span]]:
    """The same for a command that needs a first day and a last one.

    Raises:
        ConfigurationError: One is missing; or as `connect_days` raises it.
    """
    days.require()
    async with connect_days(common, days) as (client, (since, until)):
        assert since is not None
        assert until is not None
        yield client, (since, until)


async def days_of(client: JibbleClient | LegacyClient, days: Days, zone: str | None = None) -> Ends:
    """The first day and the last one, for an organisation; asks only if a name needs it.

    Args:
        client: Whom to ask; see `today_of`.
        days: Which days.
        zone: Where people work; see `today_of`.
    """
    if days.period is None or days.period.fixed is not None:
        return days.at(date.min)
    return days.at(await today_of(client, zone))


async def today_of(client: JibbleClient | LegacyClient, zone: str | None = None) -> date:
    """The day it is where an organisation counts its days; by this machine's clock if unknown.

    Args:
        client: Whom to ask for the organisation's time zone, if its API knows one.
        zone: The zone, where it is known.
    """
    if zone is None and is_current(client):
        zone = await _zone(client)
    try:
        return now(None if zone is None else ZoneInfo(zone)).date()
    except (KeyError, ValueError, OSError):
        # A name that is no zone's, or none that a file could have.
        say(f"no zone {zone!r} is known here: the days are those of this machine's clock")
        return now().date()


async def _zone(client: JibbleClient) -> str | None:
    """The zone by which an organisation counts its days; None if it is not to be seen."""
    try:
        mine = (await client.whoami()).organization_id
        found = (
            await client.organizations.list().first()
            if mine is None
            else await client.organizations.get(mine)
        )
    except (NotFoundError, PermissionDeniedError):
        found = None
    return None if found is None else found.time_sheet_time_zone or found.time_zone
