"""What entries name and no list shows: asked for by its id, once."""

from __future__ import annotations

import sqlite3
from typing import Any, cast

import msgspec

from jibble_legacy.migration.ledger.ledger import Ledger, put
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.progress import OnProgress, Progress
from jibble_legacy.migration.reading.old_rows import OldRow, read_row
from jibble_legacy.migration.reading.storage import keep_page, keep_rows
from jibble_legacy.migration.source import OldPage, Source
from jibble_legacy.migration.states import Kind

__all__ = ["Missing"]

_TRIED = "include_person"
_PERSON = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


class Missing:
    """Asks for what is missing, one after the other.

    Args:
        ledger: Where it is kept.
        source: The old account.
        run: The number of the extraction.

    Attributes:
        requests: Requests that were answered.
    """

    def __init__(self, ledger: Ledger, source: Source, run: int) -> None:
        self._ledger = ledger
        self._source = source
        self._run = run
        self.requests: int = 0

    async def ask(self, tell: OnProgress) -> None:
        """Ask for all that is missing.

        Args:
            tell: Called after each.

        Raises:
            JibbleError: A call failed for good.
        """
        names = self._ledger.read(
            "SELECT n, kind, id FROM source WHERE row IS NULL AND gone IS NULL ORDER BY n"
        )
        for done, (number, kind, key) in enumerate(names, 1):
            await self._one(number, Kind(kind), key)
            tell(Progress("extract", "missing", done, len(names)))

    async def _one(self, number: int, kind: Kind, key: str) -> None:
        page = await self._source.one(kind, key)
        self.requests += 1
        # What came with an entry is kept with the news that its person is gone, or neither is: in
        # the next life it would not be asked for again.
        included = await self._included(key) if page is None and kind is Kind.PERSON else None
        now = milliseconds(self._source.now())

        def keep(connection: sqlite3.Connection) -> None:
            if page is not None:
                self._keep(connection, kind, page, read_row(page.rows[0]), key)
                return
            if included is not None:
                known = _person_in(included)
                put(connection, _TRIED, known is not None)
                self._keep(connection, kind, included, known, key)
            connection.execute("UPDATE source SET gone = ? WHERE n = ?", (now, number))

        await self._ledger.write(keep)

    async def _included(self, person: str) -> OldPage | None:
        """An entry with its person in it, unless it is known that this shows nothing more."""
        if self._ledger.get(_TRIED) is False:
            return None
        page = await self._source.entry_with_person(person)
        self.requests += 1
        return page

    def _keep(
        self,
        connection: sqlite3.Connection,
        kind: Kind,
        page: OldPage,
        row: OldRow | None,
        key: str,
    ) -> None:
        page = msgspec.structs.replace(page, kind=kind)
        number = keep_page(connection, self._run, page)
        if row is not None:
            row = msgspec.structs.replace(row, id=key)
            keep_rows(connection, self._run, kind, number, [row])
            # It is in no list.
            connection.execute(
                "UPDATE source SET run = NULL WHERE kind = ? AND id = ?", (kind, key)
            )


def _person_in(page: OldPage) -> OldRow | None:
    """The person in an entry, if there is more of it than its id."""
    try:
        rows = _PERSON.decode(page.body)
        raw = rows[0]["person"] if rows and "person" in rows[0] else None
        found: Any = None if raw is None else msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if raw is None or not isinstance(found, dict) or len(cast("dict[str, Any]", found)) < 2:
        return None
    return read_row(raw)
