"""What is asked of the new account: who and what is there, and which entries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from jibble_async.api.base_client import session_of
from jibble_async.core.retry import RetryPolicy
from jibble_async.entities import (
    Activity,
    CommonStatus,
    EntryStatus,
    Person,
    PersonStatus,
    Project,
    TimeEntry,
)
from jibble_async.errors import APIError, MigrationError, NotFoundError
from jibble_async.query.vocabulary import fields
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.planning.matching import There, TherePerson, ThereThing
from jibble_legacy.migration.planning.snapshots import Seen

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = [
    "Account",
    "account_of",
    "address_of",
    "bind",
    "clock_of",
    "entries_changed_since",
    "entry_of",
    "in_bulk",
    "look_around",
]

_WORKSPACE = "workspace"
_PAGE = 1000
_RETRY = RetryPolicy(attempts=4, throttled_attempts=6)
_ENTRY = fields(TimeEntry)
# What tells whose an entry is, and whether it was made by a migration.
_COLUMNS = ["id", "person_id", "time", "type", "status", "platform"]


class Account(msgspec.Struct, frozen=True):
    """An account, as a ledger remembers the one it writes to.

    Attributes:
        base: What its address is called where it is written down.
        organization: The id of the organisation.
        name: The organisation's, for people to read.
    """

    base: str
    organization: str
    name: str = ""


def in_bulk(target: JibbleClient) -> JibbleClient:
    """The client for writes by the thousand: interactive calls go first, and nothing is hurried.

    A write is sent once by itself; what is safe to repeat is, and an outage of minutes is not
    waited out: a lane pauses.
    """
    return target.with_options(timeout=None, priority="bulk", retry=_RETRY)


async def account_of(target: JibbleClient, base: str | None = None) -> Account:
    """The account that the credentials are of.

    Args:
        target: A client of the new account.
        base: What its address is called where it is written down; by default the URL.

    Raises:
        MigrationError: Neither the token nor the server tells.
    """
    told = (await target.whoami()).organization_id
    seen = {each.id: each.name or "" async for each in target.organizations.list()}
    organization = told or next(iter(seen), None)
    if organization is None:
        raise MigrationError("the credentials are of no organisation: give those of an API key")
    return Account(base or address_of(target), organization, seen.get(organization, ""))


async def look_around(target: JibbleClient) -> There:
    """Who and what is there, removed people and archived things included.

    Args:
        target: A client of the new account.

    Raises:
        JibbleError: A call failed for good.
    """
    identity = await target.whoami()
    people = [
        _person(each) async for each in target.people.list(include_removed=True, page_size=_PAGE)
    ]
    if not all(person.zone for person in people):
        zones = await _tracked_zones(target)
        people = [_zoned(person, zones) for person in people]
    activities = target.activities.list(include_archived=True, page_size=_PAGE)
    projects = target.projects.list(include_archived=True, page_size=_PAGE)
    return There(
        person=None if identity.person_id is None else identity.person_id.lower(),
        people=tuple(people),
        activities=tuple([_thing(each) async for each in activities]),
        projects=tuple([_thing(each) async for each in projects]),
    )


async def entries_changed_since(
    target: JibbleClient, since: datetime | None
) -> AsyncIterator[Sequence[Seen]]:
    """The entries that were made or changed since a moment, archived ones included, in pages.

    Args:
        target: A client of the new account.
        since: A moment by the server's clock; None for all entries.

    Raises:
        JibbleError: A call failed for good.
        DecodeError: A row can't be read, without which it can't be told what is there.
    """
    pager = target.time_entries.list(
        where=None if since is None else _ENTRY.updated_at >= since,
        include_archived=True,
        select=_COLUMNS,
        page_size=_PAGE,
    )
    async for page in pager.pages():
        yield [_seen(each) for each in page.items]


async def entry_of(target: JibbleClient, id: str) -> TimeEntry | None:
    """An entry by its id, whosever it is and archived or not; None if there is none.

    Raises:
        DecodeError: It can't be read.
        JibbleError: The call failed for good.
    """
    try:
        return await target.time_entries.get(id)
    except NotFoundError:
        return None


async def bind(ledger: Ledger, account: Account) -> None:
    """See to it that a ledger writes to one account only; meta `target` says which.

    Args:
        ledger: The migration's.
        account: The one that the credentials are of.

    Raises:
        MigrationError: The ledger belongs to another one.
    """
    bound = ledger.get("target")
    if bound is None:
        await ledger.put("target", account)
    elif (bound["base"], bound["organization"].lower()) != (
        account.base,
        account.organization.lower(),
    ):
        raise MigrationError(
            f"the ledger writes to the organisation {bound['organization']} at {bound['base']}, "
            f"and these credentials are of {account.organization} at {account.base}: use those of "
            "the former, or begin another ledger"
        )


def address_of(target: JibbleClient) -> str:
    """The URL by which the new account is told from others."""
    return session_of(target).base(_WORKSPACE).rstrip("/")


def clock_of(target: JibbleClient) -> datetime:
    """The present moment, by the client's clock."""
    return session_of(target).caller.config.clock.now()


async def _tracked_zones(target: JibbleClient) -> dict[str, str]:
    """The zones as the time-tracking host knows them; none if it does not tell."""
    rows = target.paginate(
        "time-tracking", "/v1/People", params={"$orderby": "id"}, page_size=_PAGE
    )
    try:
        return {
            str(row.get("id", "")).lower(): row.get("timeSheetTimeZone")
            or row.get("timeZone")
            or ""
            async for row in rows
        }
    except APIError:
        return {}


def _person(person: Person) -> TherePerson:
    return TherePerson(
        id=person.id.lower(),
        name=person.full_name or "",
        email=person.email or "",
        code=person.code or "",
        removed=person.status == PersonStatus.REMOVED,
        zone=person.time_sheet_time_zone or person.time_zone or "",
    )


def _zoned(person: TherePerson, zones: dict[str, str]) -> TherePerson:
    zone = person.zone or zones.get(person.id, "")
    return replace(person, zone=zone)


def _thing(thing: Activity | Project) -> ThereThing:
    return ThereThing(
        id=thing.id.lower(),
        name=thing.name or "",
        description=thing.description or "",
        active=thing.status != CommonStatus.ARCHIVED,
    )


def _seen(entry: TimeEntry) -> Seen:
    platform = entry.platform
    return Seen(
        id=entry.id.lower(),
        person=(entry.person_id or "").lower(),
        ms=None if entry.time is None else milliseconds(entry.time),
        kind=str(entry.type or ""),
        active=entry.status != EntryStatus.ARCHIVED,
        device=(platform.device_name if platform is not None else None) or "",
        version=(platform.client_version if platform is not None else None) or "",
    )
