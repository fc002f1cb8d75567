"""Whether a server gives rows a new `updatedAt` when they change, as all proof rests on it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from jibble_async.entities import EntryStatus, TimeEntry
from jibble_async.query.vocabulary import fields

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["StampProbe", "probe_updated_at"]

_FIELDS = fields(TimeEntry)
_MOST = 200
# Between the moments at which a new row was made and last changed there may be so much.
_AT_ONCE = timedelta(seconds=1)
_MARK = " (probe of updatedAt by jibble-async)"


class StampProbe(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of `updatedAt`.

    Attributes:
        archived: Archived time entries that were looked at; to archive one is a change.
        unstamped: How many of these were never changed since they were made, says `updatedAt`.
        edited: Whether it grew with each change of the entry's note; None if none was made.
        found: Whether the entry was found by it after that, as an export looks for changes.
    """

    archived: int
    unstamped: int
    edited: bool | None = None
    found: bool | None = None

    @property
    def holds(self) -> bool | None:
        """Whether what was seen agrees with "every change sets it"; None if nothing was."""
        if self.edited is None and not self.archived:
            return None
        return not self.unstamped and self.edited is not False and self.found is not False


async def probe_updated_at(client: JibbleClient, entry_id: str | None = None) -> StampProbe:
    """What can be seen of `updatedAt` being set by changes.

    Without `entry_id` nothing is changed: archived time entries are looked at, whose `updatedAt`
    must be later than `createdAt`. With it, and only then, the note of that entry is changed and
    changed back, which leaves it a later `updatedAt`. Take one that nobody else changes now, best
    one made for it. That moves to another day set it, too, is left to infer.

    Args:
        client: Makes the calls.
        entry_id: A time entry whose note may be changed for a moment.

    Raises:
        ConfigurationError: The id is no GUID.
        NotFoundError: There is no such entry.
        JibbleError: A call failed for good. If the note could not be changed back, the error has a
            note that says what it was.

    Example:
        >>> probe = await probe_updated_at(client)
        >>> if probe.holds is False:
        ...     print(f"{probe.unstamped} of {probe.archived} archived entries have no later stamp")
    """
    newest = client.time_entries.list(
        where=_FIELDS.status == EntryStatus.ARCHIVED,
        include_archived=True,
        select=["created_at", "updated_at"],
        order_by=_FIELDS.created_at.desc(),
        page_size=_MOST,
        limit=_MOST,
    )
    stamps = [
        (entry.created_at, entry.updated_at)
        for entry in await newest.collect()
        if entry.created_at is not None
    ]
    unstamped = sum(updated is None or updated - created < _AT_ONCE for created, updated in stamps)
    seen = StampProbe(archived=len(stamps), unstamped=unstamped)
    if entry_id is None:
        return seen
    edited, found = await _edit(client, entry_id)
    return msgspec.structs.replace(seen, edited=edited, found=found)


async def _edit(client: JibbleClient, entry_id: str) -> tuple[bool, bool]:
    entries = client.time_entries
    before = await entries.get(entry_id)
    try:
        await entries.update(entry_id, note=(before.note or "") + _MARK)
        during = await entries.get(entry_id)
    finally:
        try:
            await entries.update(entry_id, note=before.note)
        except BaseException as error:
            error.add_note(f"the note of the time entry {entry_id} may still end in {_MARK!r}")
            raise
    after = await entries.get(entry_id)
    stamps = [entry.updated_at for entry in (before, during, after)]
    first, second, third = stamps
    if first is None or second is None or third is None:
        return False, False
    pager = entries.list(
        where=(_FIELDS.updated_at >= third) & (_FIELDS.id == entry_id), include_archived=True
    )
    return first < second < third, await pager.first() is not None
