"""The first step: everything that the old account holds, read once and kept for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from jibble_async.errors import ConfigurationError, MigrationError
from jibble_legacy.migration.ledger.ledger import Ledger, note, put
from jibble_legacy.migration.moments import milliseconds, moment_at
from jibble_legacy.migration.progress import OnProgress, Progress, ends_at, silent
from jibble_legacy.migration.reading.estimating import Estimate, estimate, requests_for
from jibble_legacy.migration.reading.missing import Missing
from jibble_legacy.migration.reading.old_rows import read_entry, read_row
from jibble_legacy.migration.reading.storage import (
    Changes,
    changed_since,
    keep_entries,
    keep_page,
    keep_rows,
)
from jibble_legacy.migration.reading.walk import Place, Spot, following, place_at
from jibble_legacy.migration.source import OldPage, Source
from jibble_legacy.migration.states import Exit, Kind

__all__ = ["ExtractReport", "extract", "require_extracted"]

_LISTS = (Kind.TEAM, Kind.PERSON, Kind.ACTIVITY, Kind.CLIENT, Kind.POWER_UP, Kind.ENTRY)


class _Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a run is: at a place of a list, among the rows at its end, or past all of them."""

    kind: Kind | None
    place: Place = Place()
    is_rest: bool = False


class _Run(msgspec.Struct, frozen=True):
    """One reading of the old account, over as many lives of the program as it takes."""

    number: int
    is_delta: bool
    began: int
    since: int | None
    position: _Position


class ExtractReport(msgspec.Struct, frozen=True):
    """What the ledger holds of the old account, and what this call added.

    Attributes:
        exit: How it ended.
        run: The number of the reading; a delta is one of its own.
        delta: Whether it read only what changed.
        requests: Requests of this call that were answered.
        new: Entries that were not known.
        changed: Entries that were known otherwise.
        entries: Entries that the ledger holds.
        flawed: Those of them that can't be read.
        listed: Rows that lists hold, by kind.
        gone: What entries name and the old account no longer has, by kind.
        pages: Pages that are kept.
        chain: The last value of their chain, in hexadecimal.
        began: When the reading began, and `ended` when it ended, by this machine's clock.
    """

    exit: Exit
    run: int
    delta: bool
    requests: int
    new: int
    changed: int
    entries: int
    flawed: int
    listed: dict[str, int]
    gone: dict[str, int]
    pages: int
    chain: str
    began: datetime
    ended: datetime


async def extract(
    ledger: Ledger,
    source: Source,
    *,
    delta: bool = False,
    on_progress: OnProgress | None = None,
) -> ExtractReport:
    """Read the old account into the ledger, from where the last call ended.

    What was read whole is not read again; `delta` reads what changed since. What was deleted since
    can't be seen by either.

    Args:
        ledger: Where it is kept.
        source: The old account.
        delta: Whether to read what changed since the last whole reading.
        on_progress: Called after each page.

    Raises:
        ConfigurationError: The ledger is of another account.
        MigrationError: A delta before everything was read once, or the server does not do as it
            is asked.
        JibbleError: A call failed for good. The next call goes on from there.

    Example:
        >>> report = await extract(ledger, Source(LegacyClient("a token")))
        >>> print(report.entries, report.chain)
    """
    return await _Extraction(ledger, source, on_progress or silent).run(delta)


def require_extracted(ledger: Ledger) -> None:
    """See to it that everything was read once, and that no reading is under way.

    Args:
        ledger: The one to look into.

    Raises:
        MigrationError: It was not.
    """
    last = ledger.read("SELECT kind, ended FROM run ORDER BY number DESC LIMIT 1")
    if not last:
        raise MigrationError("nothing was read from the old account: run extract first")
    kind, ended = last[0]
    if ended is None:
        again = "extract --delta" if kind == "delta" else "extract"
        raise MigrationError(f"the old account is not read to its end: run {again} again")


class _Extraction:
    """One call of `extract`."""

    def __init__(self, ledger: Ledger, source: Source, tell: OnProgress) -> None:
        self._ledger = ledger
        self._source = source
        self._tell = tell
        self._kept = Changes()
        self._requests = 0

    async def run(self, delta: bool) -> ExtractReport:
        self._require_base()
        run = self._last_run()
        is_whole = self._ledger.value("SELECT 1 FROM run WHERE kind = 'full' AND ended IS NOT NULL")
        if delta and not is_whole:
            raise MigrationError("there is no delta before everything was read once: run extract")
        is_under_way = self._ledger.value("SELECT 1 FROM run WHERE ended IS NULL")
        if is_whole and not delta:
            return self._report()
        if run is None or not is_under_way:
            run = await self._begin(delta)
        else:
            await self._require_account()
        while run.position.kind is not None:
            run = await self._read_page(run)
        await self._read_missing(run)
        await self._ledger.write(lambda connection: self._end(connection, run.number))
        return self._report()

    def _last_run(self) -> _Run | None:
        found = self._ledger.read(
            "SELECT number, kind, began, since, position FROM run ORDER BY number DESC LIMIT 1"
        )
        if not found:
            return None
        number, kind, began, since, position = found[0]
        where = msgspec.json.decode(position, type=_Position)
        return _Run(number, kind == "delta", began, since, where)

    def _require_base(self) -> None:
        known = self._ledger.get("source")
        if known is not None and known["base"] != self._source.base:
            raise ConfigurationError(
                f"{self._ledger.path} holds {known['base']}, and this is {self._source.base}: "
                "name another ledger for it"
            )

    async def _require_account(self) -> OldPage:
        """The first page of teams, which tell one account from another."""
        page = await self._ask(Kind.TEAM, Place(), None)
        known = self._ledger.get("source")
        teams = {read_row(row).id for row in page.rows}
        if known is not None and known["teams"] and not teams & set(known["teams"]):
            raise ConfigurationError(
                f"{self._ledger.path} holds the account with the teams "
                f"{', '.join(known['teams'])}, and these credentials are of another one "
                f"({', '.join(sorted(teams)) or 'without a team'}): name another ledger for it"
            )
        return page

    async def _begin(self, delta: bool) -> _Run:
        asked = None if delta else await self._estimate()
        page = await self._require_account()
        since = changed_since(self._ledger) if delta else None
        number = 1 + (self._ledger.value("SELECT max(number) FROM run") or 0)
        began = milliseconds(self._source.now())
        run = _Run(number, delta, began, since, _Position(Kind.TEAM))

        def begin(connection: sqlite3.Connection) -> _Run:
            connection.execute(
                "INSERT INTO run (number, kind, began, server_began, since) VALUES (?, ?, ?, ?, ?)",
                (number, "delta" if delta else "full", began, milliseconds(page.date), since),
            )
            if asked is not None:
                teams = sorted(read_row(row).id for row in page.rows)
                put(connection, "source", {"base": self._source.base, "teams": teams})
                put(connection, "estimate", asked)
            note(connection, began, "delta begun" if delta else "extraction begun", run=number)
            return self._keep(connection, run, page)

        return await self._ledger.write(begin)

    async def _estimate(self) -> Estimate:
        found = await estimate(self._source)
        self._requests += found.asked
        asks = f"{found.requests:,} requests"
        self._tell(Progress("extract", "estimate", found.rows, found.most, found.ends, asks))
        return found

    async def _ask(self, kind: Kind, place: Place, field: str | None) -> OldPage:
        page = await self._source.page(kind, place, field)
        self._requests += 1
        return page

    async def _read_page(self, run: _Run) -> _Run:
        kind, place = run.position.kind, run.position.place
        assert kind is not None
        page = await self._ask(kind, place, _field(run, kind))
        run = await self._ledger.write(lambda connection: self._keep(connection, run, page))
        self._tell_of(kind)
        return run

    def _keep(self, connection: sqlite3.Connection, run: _Run, page: OldPage) -> _Run:
        """Keep a page with its rows, and where it goes on from there: all or nothing."""
        kind, is_rest = page.kind, run.position.is_rest
        number, new = keep_page(connection, run.number, page), 0
        if kind is Kind.ENTRY:
            entries = [read_entry(row) for row in page.rows]
            spots: Sequence[Spot] = [entry.spot(_field(run, kind) or "") for entry in entries]
            kept = keep_entries(connection, number, entries)
            new = kept.new
            self._kept = Changes(self._kept.new + kept.new, self._kept.changed + kept.changed)
        else:
            rows = [read_row(row) for row in page.rows]
            spots = [Spot(row.id) for row in rows]
            keep_rows(connection, run.number, kind, number, rows)
        at = run.position.place
        place = _further(connection, at, len(spots), new) if is_rest else following(at, spots)
        if place is not None:
            position = _Position(kind, place, is_rest)
        elif kind is Kind.ENTRY and not run.is_delta and not is_rest:
            # Where a server puts last what has no moment, no condition on the moment shows it: it
            # is asked for by its place, from half a page before, since rows may be deleted.
            skip = max(0, _entries(connection) - self._source.size // 2)
            position = _Position(kind, Place(skip=skip), is_rest=True)
        else:
            position = _first(run, kind)
        connection.execute(
            "UPDATE run SET position = ? WHERE number = ?",
            (msgspec.json.encode(position).decode(), run.number),
        )
        return msgspec.structs.replace(run, position=position)

    async def _read_missing(self, run: _Run) -> None:
        missing = Missing(self._ledger, self._source, run.number)
        try:
            await missing.ask(self._tell)
        finally:
            self._requests += missing.requests

    def _end(self, connection: sqlite3.Connection, number: int) -> None:
        now = milliseconds(self._source.now())
        connection.execute("UPDATE run SET ended = ? WHERE number = ?", (now, number))
        note(connection, now, "extraction ended", run=number)

    def _tell_of(self, kind: Kind) -> None:
        table = "entry" if kind is Kind.ENTRY else "source"
        done = self._ledger.value(f"SELECT max(n) FROM {table}") or 0  # noqa: S608
        if kind is not Kind.ENTRY:
            self._tell(Progress("extract", kind, done))
            return
        most = max(self._ledger.get("estimate", {}).get("most", 0), done)
        left = requests_for(most - done, self._source.size)
        ends = ends_at(self._source.now(), left, self._source.quota)
        self._tell(Progress("extract", kind, done, most, ends))

    def _report(self) -> ExtractReport:
        ledger = self._ledger
        number, kind, began, ended = ledger.read(
            "SELECT number, kind, began, ended FROM run WHERE ended IS NOT NULL"
            " ORDER BY number DESC LIMIT 1"
        )[0]
        return ExtractReport(
            exit=Exit.CLEAN,
            run=number,
            delta=kind == "delta",
            requests=self._requests,
            new=self._kept.new,
            changed=self._kept.changed,
            entries=ledger.value("SELECT count(*) FROM entry"),
            flawed=ledger.value("SELECT count(*) FROM entry WHERE flaw IS NOT NULL"),
            listed=dict(
                ledger.read("SELECT kind, count(*) FROM source WHERE run IS NOT NULL GROUP BY kind")
            ),
            gone=dict(
                ledger.read(
                    "SELECT kind, count(*) FROM source WHERE gone IS NOT NULL GROUP BY kind"
                )
            ),
            pages=ledger.value("SELECT max(number) FROM page"),
            chain=ledger.get("chain"),
            began=moment_at(began),
            ended=moment_at(ended),
        )


def _field(run: _Run, kind: Kind) -> str | None:
    """The field in whose order a list is read; none where rows are few and have no moment."""
    if kind is not Kind.ENTRY:
        return None
    return "updated_at" if run.is_delta else "date"


def _entries(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM entry").fetchone()
    return int(count)


def _further(connection: sqlite3.Connection, place: Place, rows: int, new: int) -> Place | None:
    """Where the rest of the list of entries goes on; None if it was seen to its end.

    That is a place beyond all that is known at which there is nothing, or nothing new if the server
    does not heed places. So one that gives a row at a time is read to its end as well.
    """
    if not rows or (not new and place.skip >= _entries(connection)):
        return None
    return Place(skip=place.skip + (max(1, rows // 2) if new else rows))


def _first(run: _Run, kind: Kind) -> _Position:
    """Where the list after one begins."""
    after = _LISTS.index(kind) + 1
    if after == len(_LISTS):
        return _Position(None)
    if _LISTS[after] is Kind.ENTRY and run.since is not None:
        return _Position(Kind.ENTRY, place_at(run.since))
    return _Position(_LISTS[after])
