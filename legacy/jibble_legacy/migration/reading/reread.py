"""The old account read again, to see whether it still is what was extracted. Writes nothing there.

Reading all of it costs as much as the extraction did, so by default what changed since is asked
for, and some pages that the hash of all pages draws: nobody chose them. Only reading all of it
shows everything that was deleted since; what was deleted before, nothing shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec.structs import replace

from jibble_async.errors import MigrationError
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.progress import OnProgress, Progress
from jibble_legacy.migration.reading.old_rows import OldEntry, read_entry
from jibble_legacy.migration.reading.storage import changed_since, page_rows
from jibble_legacy.migration.reading.walk import Place, following, place_at
from jibble_legacy.migration.source import Source
from jibble_legacy.migration.states import Kind

__all__ = ["Mode", "Reread", "drawn", "gone_from", "reread"]

Mode = Literal["delta", "full"]
_DRAWN = 12
_KEPT_EVERY = 20


class Reread(msgspec.Struct, frozen=True):
    """What reading the old account again found.

    Attributes:
        mode: How it was read.
        requests: How many requests that took.
        rows: Rows that came.
        changed: Those that are not what was extracted.
        new: Those that were not extracted.
        gone: Rows that were extracted, and did not come again.
        pages: Pages that were drawn.
    """

    mode: Mode
    requests: int = 0
    rows: int = 0
    changed: int = 0
    new: int = 0
    gone: int = 0
    pages: int = 0

    @property
    def differences(self) -> int:
        """Rows by which the old account differs from what was extracted."""
        return self.changed + self.new + self.gone

    @property
    def words(self) -> str:
        """What was read, for people."""
        found = f"{self.new:,} new, {self.changed:,} changed, {self.gone:,} deleted"
        if not self.differences:
            found = "all as they were extracted"
        if self.mode == "full":
            return f"all of it, {self.rows:,} entries: {found}"
        return (
            f"what changed since it was extracted, and {self.pages:,} pages drawn by their hash, "
            f"{self.rows:,} entries: {found}"
        )


class _Position(msgspec.Struct, frozen=True):
    """A reading of everything that goes on in the next life of the program.

    Attributes:
        chain: Of the pages that it is compared with.
        place: Where it is.
        seen: A bit for each entry that came, by its number.
    """

    chain: str
    place: Place
    found: Reread
    seen: bytes


async def reread(
    ledger: Ledger, source: Source, mode: Mode, *, seed: str, on_progress: OnProgress
) -> Reread:
    """What the old account is now, against what was extracted.

    Args:
        ledger: Holds what was extracted.
        source: The old account.
        mode: `delta` or `full`.
        seed: What pages are drawn by, beside their hash.
        on_progress: Called after each page.

    Raises:
        JibbleError: A call failed for good; a full reading goes on from there next time.
    """
    reading = _Reading(ledger, source, on_progress)
    if mode == "full":
        return await reading.whole()
    return await reading.sampled(seed)


def drawn(chain: str, seed: str, among: Sequence[int], most: int) -> list[int]:
    """Some of several numbers, drawn by a hash: the same for everybody, and nobody's choice.

    Args:
        chain: The hash of all that was extracted.
        seed: A word of one's own; may be empty.
        among: What to draw from.
        most: How many to draw.
    """

    def lot(number: int) -> bytes:
        return hashlib.sha256(f"{chain} {seed} {number}".encode()).digest()

    return sorted(sorted(among, key=lot)[:most])


def gone_from(kept: Sequence[OldEntry], now: Sequence[OldEntry]) -> list[str]:
    """The ids of rows of a page that are not on the same page any more, and ought to be.

    What was added before them moves the last rows to the next page; so the rows at the last moment
    of the page, and those after it, prove nothing.

    Args:
        kept: The page as it was extracted, in the order of moments.
        now: The page as it is.
    """
    ids = {row.id for row in now}
    last = max((row.ms for row in now if row.ms is not None), default=None)
    if last is None:
        return []
    return [row.id for row in kept if row.id not in ids and row.ms is not None and row.ms < last]


class _Reading:
    def __init__(self, ledger: Ledger, source: Source, tell: OnProgress) -> None:
        self._ledger = ledger
        self._source = source
        self._tell = tell
        self._told: set[str] = set()
        self._chain: str = ledger.get("chain", "")

    async def sampled(self, seed: str) -> Reread:
        found = Reread("delta")
        place: Place | None = place_at(changed_since(self._ledger))
        while place is not None:
            rows = await self._page(place, "updated_at")
            found, _ = self._compared(found, rows)
            place = following(place, [row.spot("updated_at") for row in rows])
        numbers = [
            number
            for (number,) in self._ledger.read(
                "SELECT p.number FROM page AS p JOIN run AS r ON r.number = p.run "
                "WHERE p.kind = ? AND r.kind = 'full' AND p.rows > 0",
                Kind.ENTRY,
            )
        ]
        for number in drawn(self._chain, seed, numbers, _DRAWN):
            found = await self._drawn_page(found, number)
        return found

    async def _drawn_page(self, found: Reread, number: int) -> Reread:
        asked = self._ledger.value("SELECT request FROM page WHERE number = ?", number)
        rows = await self._page(_place(asked), "date")
        found, _ = self._compared(found, rows)
        try:
            kept = [read_entry(raw) for raw in page_rows(self._ledger, number)]
        except MigrationError:
            # It is a flaw of the ledger, and says nothing of the old account.
            return found
        # A row that was extracted again later is on another page for a reason.
        gone = [
            each
            for each in gone_from(kept, rows)
            if each not in self._told
            and self._ledger.value("SELECT 1 FROM entry WHERE id = ? AND page = ?", each, number)
        ]
        self._told.update(gone)
        return replace(found, pages=found.pages + 1, gone=found.gone + len(gone))

    async def whole(self) -> Reread:
        most = self._ledger.value("SELECT max(n) FROM entry") or 0
        seen = bytearray(most // 8 + 1)
        found, place = Reread("full"), Place()
        kept = self._ledger.get("reread")
        if kept is not None:
            position = msgspec.convert(kept, _Position)
            if position.chain == self._chain:
                found, place, seen = position.found, position.place, bytearray(position.seen)
        at: Place | None = place
        while at is not None:
            rows = await self._page(at, "date")
            found, numbers = self._compared(found, rows)
            for n in numbers:
                seen[n // 8] |= 1 << n % 8
            at = following(at, [row.spot("date") for row in rows])
            if at is not None and found.requests % _KEPT_EVERY == 0:
                await self._ledger.put("reread", _Position(self._chain, at, found, bytes(seen)))
        await self._ledger.put("reread", None)
        gone = sum(
            not seen[n // 8] >> n % 8 & 1 for (n,) in self._ledger.scan("SELECT n FROM entry")
        )
        return replace(found, rows=most - gone + found.new, gone=gone)

    async def _page(self, place: Place, field: str) -> list[OldEntry]:
        page = await self._source.page(Kind.ENTRY, place, field)
        return [read_entry(raw) for raw in page.rows]

    def _compared(self, found: Reread, rows: Sequence[OldEntry]) -> tuple[Reread, list[int]]:
        """The count with these rows, and the numbers of those that were extracted."""
        numbers: list[int] = []
        changed = new = 0
        for row in rows:
            known = self._ledger.read("SELECT n, hash FROM entry WHERE id = ?", row.id)
            numbers += [n for n, _ in known]
            if row.id in self._told or (known and known[0][1] == row.hash):
                continue
            # A page begins with the row that the last one ended with.
            self._told.add(row.id)
            changed, new = changed + bool(known), new + (not known)
        found = replace(
            found,
            requests=found.requests + 1,
            rows=found.rows + len(rows),
            changed=found.changed + changed,
            new=found.new + new,
        )
        self._tell(Progress("verify", "old account", found.rows))
        return found, numbers


def _place(request: str) -> Place:
    """The place that a page of time entries was asked for at, from its request."""
    asked = parse_qs(urlsplit(request).query)
    text = asked.get("filter[where][date][gte]", [""])[0]
    return Place(None, text, int(asked.get("filter[skip]", ["0"])[0]))
