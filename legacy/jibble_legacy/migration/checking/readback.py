"""The new account's entries, read back person by person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from jibble_async.entities import EntryStatus, TimeEntry
from jibble_async.errors import MigrationError
from jibble_async.query.vocabulary import fields
from jibble_legacy.migration.checking.comparing import Found
from jibble_legacy.migration.moments import milliseconds, moment_at
from jibble_legacy.migration.target import entry_of
from jibble_legacy.migration.writing.lanes import nonce_of

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["PersonRows", "ThereEntry", "all_rows", "one_row", "person_rows", "require_listed"]

_FIELDS = fields(TimeEntry)
_PAGE = 1000
_DAY = timedelta(days=1)


class ThereEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry of the new account.

    Attributes:
        found: What of it is compared.
        local: Its moment on the person's clock, as the server says it.
        created: When the server made it, in milliseconds.
        mark: The nonce that it carries, in small letters.
        program: The program that made it, as far as the server kept that.
        device: The device, which for ours is the old id.
    """

    found: Found
    local: str
    created: int | None
    mark: str
    program: str
    device: str

    def carries(self, key: str) -> bool:
        """Whether it is known by a key of ours: as its id or as its nonce."""
        return key in (self.mark, self.found.id.lower())


class PersonRows(msgspec.Struct, frozen=True):
    """What a person has in the new account.

    Attributes:
        rows: By id, archived ones too.
        unreadable: The ids of rows that can't be read; empty texts for those without one.
        requests: Pages that they came in.
    """

    rows: dict[str, ThereEntry]
    unreadable: list[str]
    requests: int


async def person_rows(target: JibbleClient, person: str, since: int, until: int) -> PersonRows:
    """All entries of a person from one moment to another, archived ones too.

    Args:
        target: The new account.
        person: A GUID.
        since: The first moment, in milliseconds; a day earlier is asked for, too.
        until: The last moment; a day later is asked for, too.

    Raises:
        JibbleError: They could not be read.
    """
    unreadable: list[str] = []
    span = _FIELDS.time.between(moment_at(since) - _DAY, moment_at(until) + _DAY)
    pager = target.time_entries.list(
        where=(_FIELDS.person_id == person) & span,
        include_archived=True,
        page_size=_PAGE,
        on_bad_row=lambda _, raw: unreadable.append(_id_in(raw)),
    )
    rows: dict[str, ThereEntry] = {}
    requests = 0
    async for page in pager.pages():
        requests += 1
        rows.update((there.found.id, there) for there in map(_there, page.items))
    return PersonRows(rows, unreadable, requests)


async def all_rows(target: JibbleClient) -> AsyncIterator[tuple[list[ThereEntry], int]]:
    """All entries of the new account, archived ones too, and how many can't be read, in pages.

    Args:
        target: The new account.

    Raises:
        JibbleError: They could not be read.
    """
    unreadable: list[bytes] = []
    pager = target.time_entries.list(
        include_archived=True,
        page_size=_PAGE,
        on_bad_row=lambda _, raw: unreadable.append(raw),
    )
    async for page in pager.pages():
        yield [_there(entry) for entry in page.items], len(unreadable)
        unreadable.clear()


async def one_row(target: JibbleClient, id: str) -> ThereEntry | None:
    """An entry by its id, whosever it is; None if there is none.

    Raises:
        DecodeError: It can't be read.
        JibbleError: The call failed for good.
    """
    entry = await entry_of(target, id)
    return None if entry is None else _there(entry)


def require_listed(person: str, span: tuple[int, int], found: Iterable[ThereEntry | None]) -> None:
    """See to it that the list of a person's entries has what ids show to be theirs.

    Args:
        person: Whose, by the new id.
        span: The first and the last moment that it is of, in milliseconds.
        found: What was not in it, and was asked for by its id.

    Raises:
        MigrationError: It has not: it would not show what was written twice either.
    """
    first, last = span
    left_out = [
        there.found.id
        for there in found
        if there is not None
        and there.found.active
        and (there.found.person or "").lower() == person.lower()
        and there.found.ms is not None
        and first <= there.found.ms <= last
    ]
    if left_out:
        raise MigrationError(
            f"the new account's list of the entries of {person} leaves out {len(left_out)} that it "
            f"has, such as {left_out[0]}: what else it leaves out can't be told; verify again"
        )


def _there(entry: TimeEntry) -> ThereEntry:
    platform, time = entry.platform, entry.time
    found = Found(
        # Nobody promises that an id is always spelt alike, and everything is told by it.
        id=entry.id.lower(),
        person=entry.person_id,
        ms=None if time is None else milliseconds(time),
        digits=time is not None and time.microsecond % 1000 != 0,
        type=entry.type,
        day=None if entry.belongs_to_date is None else entry.belongs_to_date.isoformat(),
        offset=None if entry.offset is None else round(entry.offset.total_seconds()),
        activity=entry.activity_id,
        project=entry.project_id,
        note=entry.note,
        active=entry.status != EntryStatus.ARCHIVED,
        updated=_stamp(entry.updated_at),
    )
    local = entry.local_time
    return ThereEntry(
        found,
        "" if local is None else local.replace(tzinfo=None).isoformat(" ", "seconds"),
        _stamp(entry.created_at),
        nonce_of(entry),
        (platform.client_version or "") if platform else "",
        (platform.device_name or "") if platform else "",
    )


def _stamp(moment: datetime | None) -> int | None:
    return None if moment is None else milliseconds(moment)


class _Head(msgspec.Struct, gc=False):
    id: str = ""


def _id_in(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=_Head).id.lower()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
