"""Local copies that are kept in step: what changed since the last run is merged in by id."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.api.raw import RawSet
from jibble_async.api.set_names import SetName
from jibble_async.errors import ConfigurationError, JibbleError, NotSupportedError
from jibble_async.export.copies import Copy, Kept, Source, copy_at
from jibble_async.export.exporter import Exporter
from jibble_async.export.files.disk import DiskThread
from jibble_async.export.journal.held import HeldOffLoop
from jibble_async.export.patience import GIVE_UP_AFTER, patient
from jibble_async.export.proof.asking import account_of
from jibble_async.export.proof.plan import Extent
from jibble_async.export.proof.sweep import settle
from jibble_async.export.proof.verdicts import Outcome
from jibble_async.export.report import ExportProgress, Meter
from jibble_async.export.sinks import Format
from jibble_async.version import __version__

__all__ = ["Reconcile", "SetSynced", "Sync", "SyncReport", "is_due"]

Reconcile: TypeAlias = Literal["always", "daily", "weekly", "monthly", "never"]

_DAYS = {"always": 0, "daily": 1, "weekly": 7, "monthly": 30}
# Runs of the same hour are not to the minute.
_EARLY = timedelta(hours=1)


class SetSynced(msgspec.Struct, frozen=True, kw_only=True):
    """What was done for one set."""

    set: SetName
    """The set."""
    whole: bool
    """Whether it was read as a whole, and not only what changed."""
    outcome: Outcome
    """What is known of the copy."""
    reason: str
    """Why it is no more than that; empty if it is proved."""
    rows: int
    """Rows in the copy."""
    changed: int
    """Rows that came, whether new, changed or archived, where it was not read as a whole."""
    dropped: int
    """Rows that were deleted for good."""
    reconciled: bool
    """Whether all ids were looked through, wanted or because there were too many."""
    requests: int
    """Requests that the client sent for it."""
    seconds: float
    """Time that it took."""


class SyncReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did."""

    sets: list[SetSynced]
    """The sets that are in step."""
    failed: dict[SetName, JibbleError]
    """Why others are as they were before."""


class Sync:
    """Keeps a local copy of sets in step.

    The first run exports each set as a whole; one that ends early is gone on with by the next.
    After that a run asks for what has changed since the one before, archived rows included, and
    merges it by id; then it compares the numbers of rows, as an export does. What can't be proved
    so, and sets that do not say when a row changed, are read as a whole again. Whoever reads the
    copy sees a set as it was before a run, or after it.

    Args:
        client: Makes the calls; a client of either API. The old one's sets are read as a whole.
        into: A folder, with one of Parquet files and a `manifest.json` for each set, or a name that
            ends in `.duckdb`, for a database with a table for each.
        sets: Which sets; by default all that can be asked for.
        since: The first working day that is kept; only for rows that belong to days.
        include_archived: Whether archived rows and removed people stay in it.
        secrets: Keep what opens a kiosk, such as a person's PIN.
        reconcile: How often all ids are looked through for rows that were deleted for good, even if
            the numbers agree.
        concurrency: Windows in flight where a set is read as a whole.
        give_up_after: Seconds that an outage may last.
        on_progress: Called with the set after every page of one that is read as a whole.

    Raises:
        ConfigurationError: An argument that can't be used.
        NotSupportedError: The client's API has no such set.

    Example:
        >>> report = await Sync(client, "copy.duckdb", sets=["time_entries", "people"]).run()
        >>> report.failed
        {}
    """

    def __init__(
        self,
        client: BaseClient[Any],
        into: str | os.PathLike[str],
        *,
        sets: Sequence[SetName] | None = None,
        since: date | None = None,
        include_archived: bool = False,
        secrets: bool = False,
        reconcile: Reconcile = "weekly",
        concurrency: int = 4,
        give_up_after: float | None = GIVE_UP_AFTER,
        on_progress: Callable[[SetName, ExportProgress], None] | None = None,
    ) -> None:
        if reconcile not in get_args(Reconcile):
            offered = ", ".join(get_args(Reconcile))
            raise ConfigurationError(f"reconcile={reconcile!r}: there are {offered}")
        self._client = patient(client, give_up_after)
        self._into = Path(into)
        self._since = since
        self._include_archived = include_archived
        self._secrets = secrets
        self._reconcile: Reconcile = reconcile
        self._concurrency = concurrency
        self._give_up_after = give_up_after
        self._on_progress = on_progress
        self._sets = self._wanted(sets)

    async def run(self) -> SyncReport:
        """Put the copy in step.

        A set that fails holds up no other one.

        Raises:
            ConfigurationError: It can't be written.
            ExportError: Another program has it open.
        """
        disk = DiskThread()
        try:
            copy = await disk.run(functools.partial(copy_at, self._into))
        except BaseException:
            disk.forget()
            raise
        try:
            account = await account_of(self._client)
            done: list[SetSynced] = []
            failed: dict[SetName, JibbleError] = {}
            for what, raw in self._sets.items():
                try:
                    done.append(await self._one(copy, disk, what, raw, account))
                except JibbleError as error:
                    failed[what] = error
            return SyncReport(sets=done, failed=failed)
        finally:
            await disk.end(copy.close)

    def _wanted(self, sets: Sequence[SetName] | None) -> dict[SetName, RawSet]:
        found: dict[SetName, RawSet] = {}
        for what in get_args(SetName) if sets is None else sets:
            try:
                found[what] = self._extent(what).raw_set(self._client)
            except (ConfigurationError, NotSupportedError):
                # Some have to be asked for by person or by days.
                if sets is not None:
                    raise
        return found

    def _extent(self, what: SetName) -> Extent:
        has_days = getattr(getattr(self._client, what, None), "spans", False)
        return Extent(
            set=what,
            since=self._since if has_days else None,
            include_archived=self._include_archived,
            as_sent=False,
        )

    async def _one(
        self, copy: Copy, disk: DiskThread, what: SetName, raw: RawSet, account: str | None
    ) -> SetSynced:
        meter = Meter(session_of(self._client), raw.service)
        source = Source(
            set=what,
            shape=raw.shape,
            secrets=self._secrets,
            account=account,
            library=__version__,
        )
        kept = await disk.run(functools.partial(copy.kept, source))
        done: SetSynced | None = None
        if kept is not None:
            kept.require_same(self._into, self._request(what, raw), account)
            if raw.changes is not None and kept.mark and kept.is_current:
                done = await self._merge(copy, disk, source, kept, meter)
        if done is None:
            done = await self._read_whole(copy, disk, source, meter, is_first=kept is None)
        return done

    def _request(self, what: SetName, raw: RawSet) -> dict[str, Any]:
        """What an export's manifest would say of this; the names are those of `Job.request`."""
        extent = self._extent(what)
        asked = {
            "set": what,
            "since": extent.since,
            "until": None,
            "include_archived": self._include_archived,
            "host": session_of(self._client).base(raw.service),
            "secrets": self._secrets,
        }
        plain: dict[str, Any] = msgspec.to_builtins(asked)
        return plain

    async def _merge(
        self, copy: Copy, disk: DiskThread, source: Source, kept: Kept, meter: Meter
    ) -> SetSynced | None:
        """Merge what changed; None if nothing is proved by that."""
        looks = is_due(self._reconcile, self._client, kept.reconciled)
        stack = contextlib.ExitStack()
        try:
            update = await disk.run(lambda: stack.enter_context(copy.updating(source)))
            verdict = await settle(
                self._client,
                self._extent(source.set),
                kept.mark,
                HeldOffLoop(update, disk),
                reconcile=looks,
            )
            if verdict.outcome is Outcome.NOT_PROVED:
                return None
            reconciled = looks or verdict.dropped > 0
            moment = verdict.mark if reconciled else kept.reconciled
            rows = await disk.run(functools.partial(update.commit, verdict, moment))
        finally:
            # In its turn, also when nobody waits any more.
            await disk.run(stack.close)
        return SetSynced(
            set=source.set,
            whole=False,
            outcome=verdict.outcome,
            reason=verdict.reason,
            rows=rows,
            changed=verdict.swept,
            dropped=verdict.dropped,
            reconciled=reconciled,
            requests=meter("requests"),
            seconds=meter.seconds,
        )

    async def _read_whole(
        self, copy: Copy, disk: DiskThread, source: Source, meter: Meter, *, is_first: bool
    ) -> SetSynced:
        extent = self._extent(source.set)
        out = await disk.run(functools.partial(copy.staging, source.set))

        def exporter(*, resume: bool) -> Exporter:
            return Exporter(
                self._client,
                source.set,
                out=f"{out}/",
                since=extent.since,
                format=Format.PARQUET,
                include_archived=self._include_archived,
                secrets=self._secrets,
                concurrency=self._concurrency,
                resume=resume,
                give_up_after=self._give_up_after,
                on_progress=self._showing(source.set),
            )

        try:
            report = await exporter(resume=is_first).run()
        except ConfigurationError:
            if not is_first:
                raise
            # What was begun is of another version, for one.
            report = await exporter(resume=False).run()
        await disk.run(functools.partial(copy.adopt, source, report.outcome))
        return SetSynced(
            set=source.set,
            whole=True,
            outcome=report.outcome,
            reason=report.reason,
            rows=report.rows,
            changed=report.swept,
            dropped=report.dropped,
            reconciled=True,
            requests=meter("requests"),
            seconds=meter.seconds,
        )

    def _showing(self, what: SetName) -> Callable[[ExportProgress], None] | None:
        show = self._on_progress
        return None if show is None else lambda progress: show(what, progress)


def is_due(reconcile: Reconcile, client: BaseClient[Any], last: str) -> bool:
    """Whether all ids are to be looked through.

    Args:
        reconcile: How often.
        client: Tells the time.
        last: When that was done last.
    """
    if reconcile == "never":
        return False
    now: datetime = session_of(client).caller.config.clock.now()
    age = now - datetime.fromisoformat(last)
    return age >= timedelta(days=_DAYS[reconcile]) - _EARLY
