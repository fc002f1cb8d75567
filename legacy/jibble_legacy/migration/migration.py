"""The steps of a migration, each from the ledger in its folder."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from jibble_async.errors import ConfigurationError
from jibble_async.pages import require_templates
from jibble_legacy.client import LegacyClient
from jibble_legacy.migration.checking.recovery import RecoveryReport, recover
from jibble_legacy.migration.checking.verify import VerifyReport, verify
from jibble_legacy.migration.files.rejects import RejectsReport, export_rejects
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.ledger.opening import make_folder
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.planning.plan import plan
from jibble_legacy.migration.planning.plan_report import PlanReport
from jibble_legacy.migration.progress import OnProgress, silent
from jibble_legacy.migration.reading.estimating import Estimate, estimate
from jibble_legacy.migration.reading.extract import ExtractReport, extract
from jibble_legacy.migration.source import Source
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.status import LEDGER, Status, status_of
from jibble_legacy.migration.target import clock_of
from jibble_legacy.migration.writing.apply import ApplyReport, apply
from jibble_legacy.migration.writing.doubts import settle_doubts
from jibble_legacy.migration.writing.lanes import LANES, SETTLE
from jibble_legacy.migration.writing.probe import ProbeReport, probe
from jibble_legacy.migration.writing.resolve import ResolveReport, resolve
from jibble_legacy.migration.writing.rollback import RollbackReport, rollback

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["Migration"]


class Migration:
    """The move of an organisation's time entries from its old account to its new one.

    All that is known of it lies in a folder: the ledger, the files that people fill in, and the
    report. Each step goes on where the last one ended, however that was, and does nothing twice.
    One process at a time works in a folder.

    Args:
        folder: Made at the first step, for its owner alone.
        source: The old account's client; for `estimate`, `extract` and `verify`.
        target: The new account's client; for the steps that come after `extract`.
        source_base: What the old account's address is called where it is written down; by default
            its URL.
        target_base: The same for the new account.
        on_progress: Called with how far a step is.

    Attributes:
        folder: As given.
        open_ledger: How the ledger is opened.

    Example:
        >>> migration = Migration("acme", source=legacy, target=jibble)
        >>> await migration.extract()
        >>> plan = await migration.plan(time_zone="Europe/Berlin")
        >>> print(plan.hash, migration.status().next)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        source: LegacyClient | None = None,
        target: JibbleClient | None = None,
        source_base: str | None = None,
        target_base: str | None = None,
        on_progress: OnProgress = silent,
    ) -> None:
        self.folder: Path = Path(folder)
        self.open_ledger: Callable[..., Ledger] = Ledger.open
        self._old = source
        self._new = target
        self._source_base = source_base
        self._target_base = target_base
        self._tell = on_progress

    async def estimate(self) -> Estimate:
        """How much the old account holds, and how long it takes to read it.

        Raises:
            JibbleError: A call failed for good.
        """
        return await estimate(self._source)

    async def extract(self, *, delta: bool = False) -> ExtractReport:
        """Read the old account into the ledger; see `reading/extract.py`.

        Args:
            delta: Whether to read only what changed since it was read last.
        """
        source = self._source
        make_folder(self.folder)
        async with self._ledger("extract", create=True) as ledger:
            return await extract(ledger, source, delta=delta, on_progress=self._tell)

    async def plan(
        self,
        *,
        time_zone: str | None = None,
        trusts_zones: bool = False,
        settle: float = SETTLE,
    ) -> PlanReport:
        """Decide who and what goes where; see `planning/plan.py`.

        Args:
            time_zone: Where people worked of whom nothing else is said, as an IANA name.
            trusts_zones: Whether people who are over there worked in the zones they have there.
            settle: Seconds after which a write whose answer was lost can't arrive any more.
        """
        target = self._target
        async with self._ledger("plan") as ledger:
            return await plan(
                ledger,
                target,
                folder=self.folder,
                base=self._target_base,
                default_zone=time_zone,
                trusts_zones=trusts_zones,
                settle_doubts=functools.partial(settle_doubts, ledger, target, settle=settle),
                on_progress=self._tell,
            )

    async def probe(self, *, again: bool = False, settle: float = SETTLE) -> ProbeReport:
        """Find out what the new account keeps; see `writing/probe.py`.

        Args:
            again: Whether to ask again, though that is known.
            settle: Seconds after which an entry whose answer was lost can't arrive any more.
        """
        target = self._target
        async with self._ledger("probe") as ledger:
            return await probe(
                ledger,
                target,
                again=again,
                settle=settle,
                base=self._target_base,
                on_progress=self._tell,
            )

    async def apply(
        self,
        *,
        plan: str | None = None,
        go: bool = False,
        lanes: int = LANES,
        settle: float = SETTLE,
        only: Collection[str] = (),
        accept: Collection[str] = (),
    ) -> ApplyReport:
        """Write what was planned; see `writing/apply.py`.

        Args:
            plan: The hash of the plan that is meant.
            go: Whether to write; otherwise it only says what it would do.
            lanes: People who are written side by side.
            settle: Seconds after which a write whose answer was lost can't arrive any more.
            only: The people to be written: old ids, new ids or addresses; all if it is empty.
            accept: The fields that the new account was seen not to keep and that may differ.
        """
        target = self._target
        async with self._ledger("apply") as ledger:
            return await apply(
                ledger,
                target,
                plan=plan,
                go=go,
                lanes=lanes,
                settle=settle,
                base=self._target_base,
                only=only,
                accept=accept,
                on_progress=self._tell,
            )

    async def verify(
        self,
        *,
        source: Literal["delta", "full"] = "delta",
        repair: bool = False,
        sample: int = 12,
        seed: str = "",
    ) -> VerifyReport:
        """Compare both accounts, and write the report; see `checking/verify.py`.

        Args:
            source: How the old account is read again: what changed and a sample, or all of it.
            repair: Whether to archive what carries one mark twice.
            sample: Entries that the report shows side by side.
            seed: A word that draws them; by default what was read draws them itself.

        Raises:
            ConfigurationError: Jinja2 is not installed, which the page takes.
        """
        require_templates()
        old, target = self._source, self._target
        async with self._ledger("verify") as ledger:
            report = await verify(
                ledger,
                target,
                old,
                mode=source,
                repair=repair,
                folder=self.folder,
                base=self._target_base,
                sample=sample,
                seed=seed,
                on_progress=self._tell,
            )
            verdict = {
                "at": milliseconds(self._now()),
                "headline": report.headline,
                "may_sign": report.exit is Exit.CLEAN,
            }
            await ledger.put("verdict", verdict)
            return report

    async def rollback(
        self, *, go: bool = False, lanes: int = LANES, settle: float = SETTLE
    ) -> RollbackReport:
        """Archive what was written; see `writing/rollback.py`.

        Args:
            go: Whether to archive; otherwise it only says what it would do.
            lanes: People whose entries are archived side by side.
            settle: Seconds after which a write whose answer was lost can't arrive any more.
        """
        target = self._target
        async with self._ledger("rollback") as ledger:
            return await rollback(
                ledger,
                target,
                go=go,
                lanes=lanes,
                settle=settle,
                base=self._target_base,
                on_progress=self._tell,
            )

    async def recover(self) -> RecoveryReport:
        """Find what a lost ledger wrote; see `checking/recovery.py`."""
        target = self._target
        async with self._ledger("recover") as ledger:
            return await recover(
                ledger,
                target,
                folder=self.folder,
                base=self._target_base,
                on_progress=self._tell,
            )

    async def resolve(
        self,
        old_id: str,
        *,
        found: str | None = None,
        send_again: bool = False,
        skip: bool = False,
    ) -> ResolveReport:
        """End what can't be told by a decision; see `writing/resolve.py`.

        Args:
            old_id: The old entry's id.
            found: The id of the new entry that it is.
            send_again: Whether it did not arrive, and is to be sent again.
            skip: Whether it is left out.
        """
        async with self._ledger("resolve") as ledger:
            return await resolve(
                ledger, old_id, found=found, send_again=send_again, skip=skip, now=self._now
            )

    def export_rejects(self, out: str | os.PathLike[str] | None = None) -> RejectsReport:
        """Write the entries that can't be moved as they are to a file.

        Args:
            out: The file; by default `rejects.csv` in the folder, which `plan` reads.
        """
        with contextlib.closing(Ledger.look(self.folder / LEDGER)) as ledger:
            return export_rejects(ledger, self.folder if out is None else out)

    def status(self) -> Status:
        """How far it is, and what to do next: asks nobody, whatever step is under way."""
        return status_of(self.folder)

    @property
    def _source(self) -> Source:
        if self._old is None:
            raise ConfigurationError("this step asks the old account: give Migration a source")
        return Source(self._old, base=self._source_base)

    @property
    def _target(self) -> JibbleClient:
        if self._new is None:
            raise ConfigurationError("this step asks the new account: give Migration a target")
        return self._new

    def _now(self) -> datetime:
        if self._new is not None:
            return clock_of(self._new)
        return datetime.now(UTC) if self._old is None else self._source.now()

    def _ledger(self, step: str, *, create: bool = False) -> Ledger:
        return self.open_ledger(self.folder / LEDGER, step=step, create=create, now=self._now)
