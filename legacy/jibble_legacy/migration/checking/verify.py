"""The step that proves: the new account read back whole, against what was written and extracted.

Nothing is believed that the writing said: each person's entries are read, archived ones too, and
compared field by field in both directions; hours are added up on both sides by one rule; the
pages of the old account are hashed again.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from jibble_async.errors import ConfigurationError, DecodeError, MigrationError
from jibble_legacy.migration.checking.comparing import Difference, Known, Sent, Verdict
from jibble_legacy.migration.checking.judging import Findings, Person, Written, findings
from jibble_legacy.migration.checking.readback import (
    PersonRows,
    ThereEntry,
    one_row,
    person_rows,
    require_listed,
)
from jibble_legacy.migration.checking.repair import finish_repairs, repair_extras
from jibble_legacy.migration.checking.samples import samples
from jibble_legacy.migration.checking.tally import Tally
from jibble_legacy.migration.ledger.ledger import Ledger, note
from jibble_legacy.migration.marks import entry_key
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.progress import OnProgress, Progress, silent
from jibble_legacy.migration.reading.extract import require_extracted
from jibble_legacy.migration.reading.reread import Mode, reread
from jibble_legacy.migration.reading.storage import check_pages
from jibble_legacy.migration.report.files import write_report
from jibble_legacy.migration.report.gathering import gathered
from jibble_legacy.migration.report.numbers import Numbers
from jibble_legacy.migration.report.verdict import Colour, judgement
from jibble_legacy.migration.source import Source
from jibble_legacy.migration.states import WRITTEN, Exit, Kind, State
from jibble_legacy.migration.target import account_of, bind, clock_of
from jibble_legacy.migration.writing.probed import Probed
from jibble_legacy.migration.writing.writes import space_of

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["VerifyReport", "verify"]

_WRITES = """
SELECT w.entry, e.id, coalesce(e.person, 0), w.ms, w.type, w.day, w.offset, w.person, w.activity,
    w.project, e.note, w.state, w.target, w.stamp, w.generation,
    (SELECT count(*) FROM past WHERE past.entry = w.entry)
FROM write AS w JOIN entry AS e ON e.n = w.entry WHERE w.lane = ?
"""
_TARGETS = """
SELECT t.target, t.n FROM thing AS t
WHERE t.kind = ? AND t.target IS NOT NULL AND EXISTS (SELECT 1 FROM write WHERE lane = t.n)
ORDER BY lower(t.target), t.n
"""
# What was written has to be what was extracted, unless somebody corrected it in a file.
_UNLIKE = """
SELECT count(*) FROM write AS w JOIN entry AS e ON e.n = w.entry
WHERE w.hash = e.hash AND w.state <> 'stale'
AND (w.ms <> e.ms OR w.type <> CASE e.action WHEN 1 THEN 'In' WHEN 2 THEN 'Out' END)
AND NOT EXISTS (SELECT 1 FROM answer WHERE file = 'rejects.csv' AND id = e.id)
"""
# Entries of a person that are asked for by id if they are not among those of the person.
_LOOKED_UP = 20


class VerifyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification found.

    Attributes:
        exit: Clean only if the page may be signed.
        colour: Of the page.
        headline: What the page says first.
        reasons: All that speaks against signing.
        numbers: All that the page says.
        repaired: Entries that were there twice and were archived by this call.
        files: What was written.
    """

    exit: Exit
    colour: Colour
    headline: str
    reasons: Sequence[str]
    numbers: Numbers
    repaired: int = 0
    files: Sequence[str] = ()


async def verify(
    ledger: Ledger,
    target: JibbleClient,
    source: Source | None = None,
    *,
    mode: Mode = "delta",
    repair: bool = False,
    folder: Path | None = None,
    sample: int = 12,
    seed: str = "",
    base: str | None = None,
    on_progress: OnProgress | None = None,
) -> VerifyReport:
    """Read both accounts again, and say whether the migration may be signed.

    Args:
        ledger: What was extracted and written.
        target: The new account.
        source: The old account; without it, it is not read again, and the page says so.
        mode: How it is read: what changed and a sample, or all of it.
        repair: Whether entries that carry one mark twice are ended by archiving the later one.
            Nothing else is ever changed.
        folder: Where the page and its files are written; None for nowhere.
        sample: How many entries the page shows side by side.
        seed: A word that they are drawn by, beside the hash of the source.
        base: What the new account's address is called where it is written down; by default the
            URL.
        on_progress: Called after each person.

    Raises:
        ConfigurationError: `full` without the old account.
        MigrationError: Nothing was extracted, the ledger is damaged, or belongs to another account.
        JibbleError: An account could not be read.

    Example:
        >>> report = await verify(ledger, jibble, source, folder=Path("report"))
        >>> print(report.headline)
    """
    if mode == "full" and source is None:
        raise ConfigurationError("mode='full' reads the old account: give its source, too")
    require_extracted(ledger)
    await bind(ledger, await account_of(target, base))
    verification = _Verification(ledger, target, on_progress or silent)
    return await verification.run(source, mode, repair, folder, sample, seed)


class _Verification:
    def __init__(self, ledger: Ledger, target: JibbleClient, tell: OnProgress) -> None:
        self._ledger = ledger
        self._target = target
        self._tell = tell
        probed = msgspec.convert(ledger.get("probe", {}), Probed)
        kept = probed.kept
        self._by_twin = probed.by_twin
        self._known = Known(
            whole_seconds=probed.whole_seconds,
            own_day="belongsToDate" not in kept,
            own_offset="offset" not in kept,
        )
        self._space = space_of(ledger)
        self._tally = Tally()
        self._repaired = 0
        self._number = 0

    async def run(
        self,
        source: Source | None,
        mode: Mode,
        repair: bool,
        folder: Path | None,
        sample: int,
        seed: str,
    ) -> VerifyReport:
        self._check()
        self._number = await self._ledger.write(self._begin)
        if repair:
            self._repaired = await finish_repairs(self._ledger, self._target, self._now)
        await self._people(repair)
        again = None
        if source is not None:
            again = await reread(self._ledger, source, mode, seed=seed, on_progress=self._tell)
        self._tally.reread, self._tally.seed = again, seed
        self._tally.samples = await samples(
            self._ledger, self._target, self._known, wanted=sample, seed=seed
        )
        await self._ledger.write(self._end)
        numbers, files = gathered(self._ledger), list[str]()
        if folder is not None:
            numbers, files = write_report(self._ledger, folder, numbers)
        said = judgement(numbers)
        return VerifyReport(
            exit=Exit.CLEAN if said.colour is Colour.GREEN else Exit.LEFT,
            colour=said.colour,
            headline=said.headline,
            reasons=said.reasons,
            numbers=numbers,
            repaired=self._repaired,
            files=files,
        )

    def _check(self) -> None:
        self._ledger.check()
        flaws = self._tally.flaws
        try:
            check_pages(self._ledger)
        except MigrationError as error:
            flaws.append(str(error))
        unlike = self._ledger.value(_UNLIKE)
        if unlike:
            flaws.append(
                "1 entry was written otherwise than it was extracted"
                if unlike == 1
                else f"{unlike:,} entries were written otherwise than they were extracted"
            )

    def _begin(self, connection: sqlite3.Connection) -> int:
        cursor = connection.execute("INSERT INTO verification (at) VALUES (?)", (self._now(),))
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _end(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "UPDATE verification SET ended = ?, detail = ? WHERE n = ?",
            (self._now(), msgspec.json.encode(self._tally).decode(), self._number),
        )
        # Only the last one is asked for; differences of a million rows would fill the file.
        connection.execute("DELETE FROM difference WHERE verification < ?", (self._number,))
        note(connection, self._now(), "verified", number=self._number)

    async def _people(self, repair: bool) -> None:
        span = self._ledger.read("SELECT min(ms), max(ms) FROM write")[0]
        if span[0] is None:
            return
        people = list(_people_of(self._ledger))
        for done, (target, lanes) in enumerate(people, 1):
            found = await self._person(target, lanes, span)
            if repair and found.extras:
                ended = await repair_extras(self._ledger, self._target, found.extras, self._now)
                self._repaired += ended
                if ended:
                    found = await self._person(target, lanes, span)
            await self._ledger.write(functools.partial(self._keep, found=found, lanes=lanes))
            self._tally.add(target, found)
            self._tell(Progress("verify", "people", done, len(people)))

    async def _person(self, target: str, lanes: Sequence[int], span: tuple[int, int]) -> Findings:
        came = await person_rows(self._target, target, *span)
        self._tally.requests += came.requests
        self._tally.rows += len(came.rows)
        written = [each for lane in lanes for each in self._written(lane, target)]
        elsewhere, unreadable = await self._elsewhere(written, came)
        require_listed(target, span, elsewhere.values())
        before = self._ledger.read("SELECT id FROM snapshot WHERE person = ?", target)
        mine = {each.target for each in written}
        person = Person(
            written,
            came.rows,
            {*came.unreadable, *unreadable},
            elsewhere,
            {each for (each,) in before},
            {each for each in came.rows if each not in mine and self._answers(each)},
        )
        return findings(person, self._known, self._keys, by_twin=self._by_twin)

    def _answers(self, target: str) -> bool:
        return self._ledger.value("SELECT 1 FROM write WHERE target = ?", target) is not None

    def _written(self, lane: int, target: str) -> Iterator[Written]:
        for row in self._ledger.scan(_WRITES, lane):
            entry, old_id, source, ms, kind, day, offset, person, activity, project = row[:10]
            text, state, answer, stamp, generation, revisions = row[10:]
            sent = Sent(
                person=person or target,
                ms=ms,
                type=kind,
                day=day,
                offset=offset,
                activity=activity,
                project=project,
                note=text,
                written=stamp,
            )
            yield Written(entry, old_id, source, sent, State(state), answer, generation, revisions)

    async def _elsewhere(
        self, written: Sequence[Written], came: PersonRows
    ) -> tuple[dict[str, ThereEntry | None], list[str]]:
        """Entries that are not among those of the person, asked for by their ids."""
        missing = [
            each.target
            for each in written
            if each.state in WRITTEN
            and each.target is not None
            and each.target not in came.rows
            and each.target not in came.unreadable
        ]
        found: dict[str, ThereEntry | None] = {}
        unreadable: list[str] = []
        for each in missing[:_LOOKED_UP]:
            self._tally.requests += 1
            try:
                found[each] = await one_row(self._target, each)
            except DecodeError:
                unreadable.append(each)
        return found, unreadable

    def _keys(self, written: Written) -> Iterator[str]:
        for generation in range(written.generation + 1):
            for revision in range(written.revisions + 1):
                yield entry_key(self._space, generation, written.old_id, revision)

    def _keep(self, connection: sqlite3.Connection, found: Findings, lanes: Sequence[int]) -> None:
        """Note what was found: of what is not equal, each difference."""
        rows: list[tuple[object, ...]] = []
        for judged in found.judged:
            about = (self._number, judged.entry, judged.target, judged.verdict)
            rows += [(*about, *_columns(each)) for each in judged.differences] or [
                (*about, None, None, None, None)
            ]
        rows += [
            (self._number, extra.entry, extra.copy.id, Verdict.DOUBLED, None, None, None, None)
            for extra in found.extras
        ]
        rows += [
            (self._number, None, stray, Verdict.DOUBLED, None, None, None, None)
            for stray in found.strays
        ]
        connection.executemany(
            "INSERT INTO difference (verification, entry, target, verdict, field, was, here, why) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
        self._keep_states(connection, found, lanes)

    def _keep_states(
        self, connection: sqlite3.Connection, found: Findings, lanes: Sequence[int]
    ) -> None:
        now = self._now()
        connection.executemany(
            "UPDATE write SET state = ? WHERE lane = ? AND state = ?",
            [(State.VERIFIED, lane, State.CONFIRMED) for lane in lanes],
        )
        connection.executemany(
            "UPDATE write SET state = ? WHERE entry = ? AND state = ?",
            [
                (State.CONFIRMED, judged.entry, State.VERIFIED)
                for judged in found.judged
                if not judged.verdict.right
            ],
        )
        connection.executemany(
            "INSERT INTO extra (target, entry, kind, state, since) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (target) DO UPDATE SET kind = excluded.kind, state = excluded.state",
            [
                (
                    extra.copy.id,
                    extra.entry,
                    "marked" if extra.is_marked else "twin",
                    State.CONFIRMED,
                    now,
                )
                for extra in found.extras
            ],
        )

    def _now(self) -> int:
        return milliseconds(clock_of(self._target))


def _people_of(ledger: Ledger) -> Iterator[tuple[str, list[int]]]:
    """The people of the new account who were written to, and the lanes of each."""
    lanes: list[int] = []
    person = ""
    for target, lane in ledger.read(_TARGETS, Kind.PERSON):
        if person and target.lower() != person.lower():
            yield person, lanes
            lanes = []
        person = target
        lanes.append(lane)
    if person:
        yield person, lanes


def _columns(difference: Difference) -> tuple[object, ...]:
    return difference.field, difference.was, difference.found, difference.why
