"""What a load reads of a set: all of it, or what changed since the load before.

Nothing is given to dlt before it is known whether a row may be missing. Until then a set that is
read as a whole lies in a folder beside the pipeline's state, where a load that was killed goes on.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.api.set_names import SetName
from jibble_async.errors import ConfigurationError
from jibble_async.export.ahead import Give
from jibble_async.export.exporter import Exporter
from jibble_async.export.journal.manifest import Manifest, read_manifest
from jibble_async.export.patience import patient
from jibble_async.export.proof.asking import account_of
from jibble_async.export.proof.plan import Extent
from jibble_async.export.proof.sweep import OVERLAP, server_mark, settle
from jibble_async.export.proof.verdicts import Outcome, SweptRow, Verdict
from jibble_async.export.report import ExportReport
from jibble_async.export.since_last import latest_changes
from jibble_async.export.sinks import Format
from jibble_async.export.sync import Reconcile, is_due
from jibble_async.integrations.dlt.destination import HeldThere, TableThere
from jibble_async.integrations.dlt.flat_rows import FlatRows
from jibble_async.tables.rows import rows_of_lines

__all__ = ["Asked", "Before", "Proof", "SetLoaded", "read_set"]

# Rows of a table, which becomes a row group of a file; and about as many bytes of lines.
_ROWS, _BYTES = 20_000, 1 << 24
_UNCOUNTED = "what the destination holds can't be asked, so rows that are gone may be in it"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is loaded of a set, and how.

    Attributes:
        set: The set.
        since, until: The days.
        include_archived: Whether archived rows stay.
        secrets: Whether what opens a kiosk is kept.
        columns: Those that are wanted; None for all.
        reconcile: How often all ids are looked through.
        lag: Seconds that a change may take until it can be seen.
        concurrency: Windows of days in flight.
        give_up_after: Seconds that an outage may last.
    """

    set: SetName
    since: date | None = None
    until: date | None = None
    include_archived: bool = True
    secrets: bool = False
    columns: tuple[str, ...] | None = None
    reconcile: Reconcile = "weekly"
    lag: float
    concurrency: int
    give_up_after: float

    @property
    def extent(self) -> Extent:
        """The rows that are meant."""
        return Extent(
            set=self.set,
            since=self.since,
            until=self.until,
            include_archived=self.include_archived,
            as_sent=False,
        )


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the load before, which dlt keeps as the resource's state.

    Attributes:
        account: What tells the organization from others.
        request: What the table was loaded with.
        columns: The columns that it has.
        reconciled: When all ids were looked through last.
    """

    account: str | None
    request: dict[str, Any]
    columns: list[str]
    reconciled: str


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a load, before its rows are given.

    Attributes:
        outcome: Whether rows may be missing.
        reason: Why it is no more.
        whole: Whether all of the set was read.
        mark: The server's time from which on changes are not in it.
        counted: What the server counted.
        before: What the next load has to know.
    """

    outcome: Outcome
    reason: str
    whole: bool
    mark: str
    counted: int | None
    before: Before


class SetLoaded(msgspec.Struct, frozen=True, kw_only=True):
    """What was given in the end.

    Attributes:
        rows: Rows that come in, or take the place of others.
        deleted: Rows that are to be deleted.
        new_fields: Fields that the vocabulary does not know, and in how many rows they came.
    """

    rows: int
    deleted: int
    new_fields: dict[str, int]


_Given: TypeAlias = Any  # a Proof, then pyarrow Tables, then a SetLoaded


async def read_set(
    client: BaseClient[Any],
    give: Give[_Given],
    asked: Asked,
    rows: FlatRows,
    *,
    folder: Path,
    before: Before | None,
    start: datetime | None,
    there: TableThere | None,
) -> None:
    """Read a set, and give a `Proof`, tables, and a `SetLoaded`.

    Args:
        client: Makes the calls.
        give: Gets them.
        asked: What is read.
        rows: Makes the tables.
        folder: Where it lies meanwhile, if it is read as a whole.
        before: What is known of the load before; None if there was none.
        start: The moment from which on changes are to be looked for, if there was one.
        there: The table that was loaded; None if it can't be asked.

    Raises:
        ConfigurationError: The table is of another organization.
        JibbleError: It can't be read.
    """
    client = patient(client, asked.give_up_after)
    now = await _before(client, asked, rows)
    reading = _Reading(client, give, asked, rows, now)
    if before is not None and before.account not in {None, now.account}:
        raise ConfigurationError(
            f"the table of {asked.set} was loaded from another organization: load this one into "
            "a dataset of its own, by a pipeline of its own"
        )
    is_stamped = asked.extent.raw_set(client).changes is not None
    if before is not None and start is not None and is_stamped:
        is_same = (before.request, before.columns) == (now.request, now.columns)
        if is_same and await reading.changes(before, start, there):
            return
    unseen_before = is_stamped and before is not None and there is None
    await reading.whole(folder, there if is_stamped else None, uncounted=unseen_before)


async def _before(client: BaseClient[Any], asked: Asked, rows: FlatRows) -> Before:
    raw = asked.extent.raw_set(client)
    request = {
        "host": session_of(client).base(raw.service),
        "since": asked.since,
        "until": asked.until,
        "include_archived": asked.include_archived,
        "secrets": asked.secrets,
    }
    plain: dict[str, Any] = msgspec.to_builtins(request)
    moment: datetime = session_of(client).caller.config.clock.now()
    return Before(
        account=await account_of(client),
        request=plain,
        columns=rows.columns,
        reconciled=moment.isoformat(),
    )


class _Reading:
    """One load of a set."""

    def __init__(
        self,
        client: BaseClient[Any],
        give: Give[_Given],
        asked: Asked,
        rows: FlatRows,
        now: Before,
    ) -> None:
        self._client = client
        self._give = give
        self._asked = asked
        self._rows = rows
        self._now = now

    async def changes(self, before: Before, start: datetime, there: TableThere | None) -> bool:
        """Give what changed; False, and nothing is given, if that proves nothing."""
        asked, client, mark = self._asked, self._client, start.isoformat()
        if there is None:
            verdict, kept, gone = await self._uncounted(mark)
            looks = False
        else:
            held = HeldThere(there)
            looks = is_due(asked.reconcile, client, before.reconciled)
            verdict = await settle(
                client,
                asked.extent,
                mark,
                held,
                reconcile=looks,
                overlap=timedelta(seconds=asked.lag),
            )
            if verdict.outcome is Outcome.NOT_PROVED:
                return False
            # What of the changed rows is there is asked for by the count.
            await held.count()
            kept, gone = held.kept, held.gone
        reconciled = self._now.reconciled if looks or verdict.dropped else before.reconciled
        await self._prove(verdict, msgspec.structs.replace(self._now, reconciled=reconciled))
        for first in range(0, len(kept), _ROWS):
            some = [(row.id, row.raw) for row in kept[first : first + _ROWS]]
            await self._give(await asyncio.to_thread(self._rows.table, some))
        await self._finish(len(kept), gone)
        return True

    async def _uncounted(self, mark: str) -> tuple[Verdict, list[SweptRow], list[str]]:
        """The same where nothing can be compared with the table."""
        asked = self._asked
        lag = timedelta(seconds=asked.lag)
        until = await server_mark(self._client, asked.extent, overlap=lag)
        found = await latest_changes(self._client, asked.extent, mark)
        verdict = Verdict(outcome=Outcome.COMPLETE, reason=_UNCOUNTED, mark=until)
        kept = [row for row in found if row.in_scope]
        return verdict, kept, [row.id for row in found if not row.in_scope]

    async def whole(self, folder: Path, there: TableThere | None, *, uncounted: bool) -> None:
        """Give all rows, and the deletion of those that the table has beyond them.

        Args:
            folder: Where they lie meanwhile.
            there: The table, if it can be asked and may have some.
            uncounted: Whether it may have some, and can't be asked.
        """
        report, manifest = await self._exported(folder)
        outcome = Outcome(manifest.outcome)
        moment = datetime.fromisoformat(manifest.mark) + OVERLAP if manifest.mark else None
        lag = timedelta(seconds=self._asked.lag)
        mark = "" if moment is None else (moment - lag).isoformat()
        reason = manifest.reason
        if uncounted and outcome is Outcome.PROVED:
            outcome, reason = Outcome.COMPLETE, _UNCOUNTED
        verdict = Verdict(outcome=outcome, reason=reason, mark=mark, counted=report.counted)
        await self._prove(verdict, self._now, whole=True)
        count = 0
        known: set[str] = set()
        left = await asyncio.to_thread(there.ids) if there is not None else []
        lines = _lines(folder / part.name for part in manifest.parts)
        while (text := await asyncio.to_thread(next, lines, None)) is not None:
            rows = rows_of_lines(text)
            known.update(rows.ids if left else ())
            count += len(rows)
            await self._give(await asyncio.to_thread(self._rows.table, rows))
        if not count:
            await self._give(self._rows.table([]))
        await self._finish(count, [key for key in left if key not in known])
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _exported(self, folder: Path) -> tuple[ExportReport, Manifest]:
        asked = self._asked

        def exporter(*, resume: bool) -> Exporter:
            return Exporter(
                self._client,
                asked.set,
                out=f"{folder}/",
                since=asked.since,
                until=asked.until,
                format=Format.JSONL,
                include_archived=asked.include_archived,
                secrets=asked.secrets,
                concurrency=asked.concurrency,
                resume=resume,
                give_up_after=asked.give_up_after,
            )

        await asyncio.to_thread(folder.mkdir, 0o700, parents=True, exist_ok=True)
        try:
            report = await exporter(resume=True).run()
        except ConfigurationError:
            # What was begun is of other days, or of another version.
            report = await exporter(resume=False).run()
        manifest = await asyncio.to_thread(read_manifest, folder)
        assert manifest is not None
        return report, manifest

    async def _prove(self, verdict: Verdict, before: Before, *, whole: bool = False) -> None:
        proof = Proof(
            outcome=verdict.outcome,
            reason=verdict.reason,
            whole=whole,
            mark=verdict.mark,
            counted=verdict.counted,
            before=before,
        )
        await self._give(proof)

    async def _finish(self, count: int, gone: list[str]) -> None:
        for first in range(0, len(gone), _ROWS):
            await self._give(self._rows.deletions(gone[first : first + _ROWS]))
        new = dict(sorted(self._rows.new_fields.items()))
        await self._give(SetLoaded(rows=count, deleted=len(gone), new_fields=new))


def _lines(paths: Iterable[Path]) -> Iterator[bytes]:
    """Whole lines of files, some thousand at a time."""
    for path in paths:
        with open(path, "rb") as file:
            rest = b""
            while piece := file.read(_BYTES):
                head, cut, tail = (rest + piece).rpartition(b"\n")
                rest = tail
                if cut:
                    yield head + cut
            if rest:
                yield rest
