"""Probe: a few entries at the oldest moment show what a server keeps, and are archived again.

It writes, so it is kept like any write: each try has a key of its own, which is on the disk before
it is sent, and whatever an earlier probe left over there is archived before the next begins.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec.structs import replace

from jibble_async.entities import EntryStatus, Person, PersonStatus, TimeEntry
from jibble_async.errors import ConfigurationError, ConflictError, JibbleError
from jibble_async.query.vocabulary import fields
from jibble_legacy.migration.ledger.ledger import Ledger, note, put
from jibble_legacy.migration.marks import PROBE
from jibble_legacy.migration.moments import EARLIEST, milliseconds, moment_at
from jibble_legacy.migration.progress import OnProgress, Progress, silent
from jibble_legacy.migration.states import Exit, State
from jibble_legacy.migration.target import account_of, bind, entry_of
from jibble_legacy.migration.writing.edits import archived
from jibble_legacy.migration.writing.lanes import SETTLE, Event, event_of, nonce_of
from jibble_legacy.migration.writing.patience import Patience
from jibble_legacy.migration.writing.probed import Answer, Probed, Witness, judged
from jibble_legacy.migration.writing.stopping import Planned
from jibble_legacy.migration.writing.writes import sent_once, space_of

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["ProbeReport", "probe"]

# An offset that no server guesses: nobody who reads this is likely to live in Nepal.
_OFFSET = 20_700
_TRIES = 3
_NOTE = "jibble migration probe {key} — Überstunden 客先 مراجعة ☕👩🏽‍🔧 e\u0301 "
_LENGTH = 500
_AROUND = timedelta(seconds=10)


class ProbeReport(msgspec.Struct, frozen=True):
    """What a probe found.

    Attributes:
        verdict: What may be relied on.
        person: As whom it was tried.
        ms: The moment at which it was tried.
        exchanges: How many requests and answers the ledger has of it.
        standing: Whether an earlier probe found this, and nothing was sent now.
        exit: What a program ends with.
    """

    verdict: Probed
    person: str
    ms: int
    exchanges: int
    standing: bool = False
    exit: Exit = Exit.CLEAN


class _Try(msgspec.Struct, frozen=True):
    """One entry that a probe sends: `n` and `key` are the ledger's."""

    n: int
    key: str
    sent: Planned
    before: frozenset[str]


async def probe(
    ledger: Ledger,
    target: JibbleClient,
    *,
    again: bool = False,
    settle: float = SETTLE,
    base: str | None = None,
    on_progress: OnProgress = silent,
) -> ProbeReport:
    """What the new account keeps of an entry at the oldest moment; asked once.

    Args:
        ledger: Of the migration.
        target: A client of the new account.
        again: Whether to ask again, though that is known.
        settle: Seconds after which an entry whose answer was lost can't arrive any more.
        base: What the new account's address is called in the ledger; by default the URL.
        on_progress: Told of each try.

    Raises:
        ConfigurationError: There is nothing to migrate, or the credential is nobody's.
        MigrationError: Nothing was extracted yet, or the ledger writes to another account.
        JibbleError: It could not be asked; what was made is archived by the next probe.
    """
    kept = ledger.get("probe")
    probing = _Probing(ledger, target, Patience(target, settle), on_progress)
    if kept is not None and not again:
        verdict = msgspec.convert(kept, Probed)
        if verdict.stop is None:
            return probing.report(verdict, standing=True)
    await bind(ledger, await account_of(target, base))
    await probing.clean_up()
    return probing.report(await probing.verdict(), standing=False)


class _Probing:
    """One run of the probe."""

    def __init__(
        self, ledger: Ledger, target: JibbleClient, patience: Patience, on_progress: OnProgress
    ) -> None:
        self._ledger = ledger
        self._target = target
        self._patience = patience
        self._on_progress = on_progress
        self._space = space_of(ledger)

    def report(self, verdict: Probed, *, standing: bool) -> ProbeReport:
        """What is known."""
        row = self._ledger.read("SELECT person, ms FROM probe ORDER BY n DESC LIMIT 1")
        person, ms = row[0] if row else ("", 0)
        asked = self._ledger.value("SELECT count(*) FROM exchange")
        code = Exit.CLEAN if verdict.stop is None else Exit.STOPPED
        return ProbeReport(verdict, person, ms, asked, standing, code)

    async def clean_up(self) -> None:
        """Archive what earlier probes left."""
        now = self._patience.now()
        for one in self._left():
            await self._put_away(one, since=now)

    async def verdict(self) -> Probed:
        """Make entries, look at them, and put them away."""
        person = (await self._target.whoami()).person_id
        if person is None:
            raise ConfigurationError("the credential belongs to nobody: use a person's API key")
        first = self._oldest()
        there = await self._target.time_entries.near(person, moment_at(first), within=_AROUND)
        before = frozenset(row.id.lower() for row in there)
        lone = await self._answer(_planned(person, first, "Out"), before)
        entry = _planned(person, first + 1123, "In")
        one, echo, words = await self._made(entry, before)
        if echo is None:
            verdict = Probed(
                stop=f"an entry at the oldest moment, {moment_at(first):%Y-%m-%d %H:%M} UTC, is "
                f"refused: {words}"
            )
            await self.clean_up()
            return await self._kept(verdict)
        seen = Witness(
            one.key,
            one.sent,
            echo,
            by_id=await entry_of(self._target, echo.id),
            around=tuple(await self._target.time_entries.near(person, moment_at(entry.ms))),
            repeat=await self._repeated(one, echo),
            lone_out=lone,
        )
        verdict = await self._more(seen, before)
        return await self._kept(verdict)

    async def _more(self, seen: Witness, before: frozenset[str]) -> Probed:
        """The verdict after what else is asked."""
        person, ms = seen.sent.person, seen.sent.ms
        # What ends a night's work belongs to the day before.
        _, late, _ = await self._made(_planned(person, ms + 1000, "Out", days=-1), before)
        second = await self._answer(_planned(person, ms + 2000, "Out"), before)
        of_removed: Answer = "not tried"
        if (gone := await self._somebody_removed()) is not None:
            of_removed = await self._answer(_planned(gone, ms, "In"), frozenset())
        earliest = await self._earliest()
        await self.clean_up()
        row = fields(TimeEntry)
        span = row.time.between(moment_at(ms) - _AROUND, moment_at(ms) + _AROUND)
        listed = await self._target.time_entries.list(
            where=(row.person_id == person) & span
        ).collect()
        me = await self._target.people.get(person)
        verdict = judged(
            replace(
                seen,
                out_after_out=second,
                of_removed=of_removed,
                listed=tuple(listed),
                role=me.role,
                earliest=earliest,
            )
        )
        wanted = _planned(person, ms + 1000, "Out", days=-1).day
        if late is None or str(late.belongs_to_date) != wanted:
            kept = tuple(name for name in verdict.kept if name != "belongsToDate")
            verdict = replace(verdict, kept=kept)
        return verdict

    async def _kept(self, verdict: Probed) -> Probed:
        values = msgspec.to_builtins(verdict)

        def keep(connection: sqlite3.Connection) -> None:
            put(connection, "probe", values)
            note(connection, self._patience.now(), "probed", stop=verdict.stop)

        await self._ledger.write(keep)
        return verdict

    async def _answer(self, sent: Planned, before: frozenset[str]) -> Answer:
        _, echo, _ = await self._made(sent, before)
        return "refused" if echo is None else "taken"

    async def _made(
        self, sent: Planned, before: frozenset[str]
    ) -> tuple[_Try, TimeEntry | None, str]:
        """A try, the entry that it made, and the server's words if it made none.

        Raises:
            JibbleError: It could not be sent.
        """
        for _ in range(_TRIES):
            one = await self._intended(sent, before)
            try:
                echo = await self._send(one)
            except JibbleError as error:
                event = event_of(error)
                if event is Event.REFUSED:
                    await self._became(one, State.REFUSED)
                    return one, None, error.message
                if event is Event.TURNED_AWAY:
                    await self._became(one, State.PLANNED)
                    raise
                async for _last in self._patience.looks(self._patience.now()):
                    if rows := await self._rows_of(one):
                        await self._became(one, State.CONFIRMED, rows[0].id.lower())
                        return one, rows[0], ""
                await self._became(one, State.PLANNED)
            else:
                await self._became(one, State.CONFIRMED, echo.id.lower())
                return one, echo, ""
        raise ConfigurationError(f"{_TRIES} answers in a row were lost: probe again later")

    async def _repeated(self, one: _Try, echo: TimeEntry) -> str:
        """What becomes of the same request, sent again."""
        again = await self._intended(one.sent, one.before, repeats=one.key)
        try:
            second = await self._send(one)
        except ConflictError:
            await self._became(again, State.REFUSED)
            return "conflict"
        except JibbleError as error:
            if event_of(error) is Event.REFUSED:
                await self._became(again, State.REFUSED)
                return error.message
            return "lost"
        await self._became(again, State.CONFIRMED, second.id.lower())
        return "same" if second.id.lower() == echo.id.lower() else "second"

    async def _send(self, one: _Try) -> TimeEntry:
        asked = {"id": one.key, "eventId": one.key, **msgspec.to_builtins(one.sent)}
        try:
            echo = await sent_once(self._target, one.sent, one.key, device_name=PROBE)
        except JibbleError as error:
            await self._tell(one, "send", asked, str(error))
            raise
        await self._tell(one, "send", asked, echo)
        return echo

    async def _somebody_removed(self) -> str | None:
        where = fields(Person).status == PersonStatus.REMOVED
        person = await self._target.people.list(where=where, include_removed=True).first()
        return None if person is None else person.id

    async def _earliest(self) -> str | None:
        """What the server's metadata has a function for; nobody knows more of it."""
        try:
            told = await self._target.request("GET", "workspace", "/v1/MinimumAllowedDate()")
        except JibbleError:
            return None
        return str(cast("dict[str, Any]", told).get("value")) if isinstance(told, dict) else None

    def _oldest(self) -> int:
        ms = self._ledger.value("SELECT min(ms) FROM write")
        if ms is None:
            ms = self._ledger.value("SELECT min(ms) FROM entry WHERE ms >= ?", EARLIEST)
        if ms is None:
            raise ConfigurationError(
                "there is nothing to migrate: no entry was read, or `extract` comes first"
            )
        return int(ms)

    async def _intended(
        self, sent: Planned, before: Collection[str], repeats: str | None = None
    ) -> _Try:
        """A try that is on the disk before it is sent."""
        now = self._patience.now()

        def intend(connection: sqlite3.Connection) -> _Try:
            (n,) = connection.execute("SELECT count(*) + 1 FROM probe").fetchone()
            key = repeats or str(uuid.uuid5(self._space, f"probe/{n}"))
            made = replace(sent, note=_NOTE.format(key=key).ljust(_LENGTH, "·"))
            detail = msgspec.json.encode({"sent": made, "before": sorted(before)}).decode()
            name = f"{key} again" if repeats else key
            connection.execute(
                "INSERT INTO probe (n, key, at, state, person, ms, detail)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (n, name, now, State.SENT, sent.person, sent.ms, detail),
            )
            return _Try(n, key, made, frozenset(before))

        self._on_progress(Progress("probe", sent.type, 0))
        return await self._ledger.write(intend)

    async def _became(self, one: _Try, state: State, target: str | None = None) -> None:
        await self._ledger.write(
            lambda connection: connection.execute(
                "UPDATE probe SET state = ?, target = coalesce(?, target) WHERE n = ?",
                (state, target, one.n),
            )
        )

    async def _tell(self, one: _Try, what: str, asked: Any, answer: Any) -> None:
        now = self._patience.now()
        texts = tuple(msgspec.json.encode(each).decode() for each in (asked, answer))
        await self._ledger.write(
            lambda connection: connection.execute(
                "INSERT INTO exchange (probe, at, what, request, answer) VALUES (?, ?, ?, ?, ?)",
                (one.n, now, what, *texts),
            )
        )

    def _left(self) -> list[_Try]:
        """The tries that may have something over there, the last first."""
        rows = self._ledger.read(
            "SELECT n, key, detail FROM probe WHERE state IN (?, ?, ?) ORDER BY n DESC",
            State.SENT,
            State.CONFIRMED,
            State.UNDOING,
        )
        return [_Try(n, key.removesuffix(" again"), *_told(detail)) for n, key, detail in rows]

    async def _rows_of(self, one: _Try) -> list[TimeEntry]:
        """The active entries over there that a try made, by whatever the server kept of it."""
        rows = await self._target.time_entries.near(one.sent.person, moment_at(one.sent.ms))
        return [
            row
            for row in rows
            if row.status != EntryStatus.ARCHIVED
            and row.id.lower() not in one.before
            and _is_of(row, one)
        ]

    async def _put_away(self, one: _Try, since: int) -> None:
        """Archive what a try made; one whose answer was lost is awaited."""
        target: str | None = self._ledger.value("SELECT target FROM probe WHERE n = ?", one.n)
        await self._became(one, State.UNDOING if target is not None else State.SENT)
        async for last in self._patience.looks(since):
            there = {row.id.lower() for row in await self._rows_of(one)}
            # Where no moment is kept, only the id may find it.
            kept = await entry_of(self._target, one.key)
            if kept is not None and kept.status != EntryStatus.ARCHIVED:
                there.add(kept.id.lower())
            for entry_id in sorted(there | ({target} if target is not None else set())):
                await archived(self._target, entry_id)
                await self._tell(one, "archive", entry_id, "done")
            if last or target is not None:
                break
        await self._became(one, State.UNDONE)


def _planned(person: str, ms: int, kind: str, days: int = 0) -> Planned:
    local = moment_at(ms) + timedelta(seconds=_OFFSET, days=days)
    return Planned(person, ms, kind, f"{local.date()}", _OFFSET, None, None, None)


def _told(detail: str) -> tuple[Planned, frozenset[str]]:
    told = msgspec.json.decode(detail)
    return msgspec.convert(told["sent"], Planned), frozenset(told["before"])


def _is_of(row: TimeEntry, one: _Try) -> bool:
    """Whether an entry is what a try made: by a mark, or else by what it looks like."""
    nonce = nonce_of(row)
    if one.key in {row.id.lower(), nonce} or one.key in (row.note or ""):
        return True
    # No two tries lie in one second.
    same_time = row.time is not None and milliseconds(row.time) // 1000 == one.sent.ms // 1000
    return not nonce and not row.note and same_time and row.type == one.sent.type
