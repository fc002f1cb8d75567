"""Apply: what a plan decided is written, in a way that can be stopped anywhere.

Projects first, then people, then entries: a lane for each person over there, strictly in the order
of time, and several lanes side by side. A write is on the disk before it is sent; one whose answer
was lost is looked up, and sent again only when the first can't arrive any more.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Collection
from typing import TYPE_CHECKING

import msgspec

from jibble_async.errors import ConfigurationError, MigrationError
from jibble_legacy.migration.ledger.ledger import Ledger, note
from jibble_legacy.migration.ledger.opening import doubt
from jibble_legacy.migration.progress import OnProgress, Progress, silent
from jibble_legacy.migration.states import Decision, Exit, Kind, State
from jibble_legacy.migration.target import account_of, bind, in_bulk
from jibble_legacy.migration.writing.creations import (
    Creations,
    Thing,
    things,
)
from jibble_legacy.migration.writing.doubts import lanes_with, verdict_of
from jibble_legacy.migration.writing.lanes import LANES, SETTLE
from jibble_legacy.migration.writing.leavers import may_leave, removed
from jibble_legacy.migration.writing.patience import Patience, side_by_side
from jibble_legacy.migration.writing.probed import Probed
from jibble_legacy.migration.writing.sending import Sending
from jibble_legacy.migration.writing.stopping import Brakes

if TYPE_CHECKING:
    from jibble_async.client import JibbleClient

__all__ = ["ApplyReport", "apply"]

_WORK = (State.PLANNED, State.DOUBTFUL, State.STALE)
_TELL_EVERY = 50
_SHORTEST = 8
"""Characters by which a plan is named at least."""


class ApplyReport(msgspec.Struct, frozen=True):
    """What apply did, or would do.

    Attributes:
        plan: The hash of the plan.
        shown: Whether it was only shown, and nothing was sent.
        to_write: Entries that were to be written when it began.
        to_edit: Entries that were to be changed over there.
        to_create: People and projects that were to be made.
        written: Entries that were written, and answered.
        found: Entries whose answer was lost, found by a look-up.
        edited: Entries that were changed over there, or archived to be written anew.
        refused: Entries that the server refused, in this run and before.
        unknown: Entries of which nobody can tell whether they arrived.
        left: Entries that are still to be written or changed.
        people: People who were made.
        projects: Projects that were made.
        removed: People who left and were removed again.
        waiting: The names of people whose creation was refused: their entries wait.
        stopped: Why it stopped by itself; None if it did not.
        first_refusal: The first refusal in full.
        exit: What a program ends with.
    """

    plan: str
    shown: bool
    to_write: int
    to_edit: int
    to_create: int
    written: int = 0
    found: int = 0
    edited: int = 0
    refused: int = 0
    unknown: int = 0
    left: int = 0
    people: int = 0
    projects: int = 0
    removed: int = 0
    waiting: tuple[str, ...] = ()
    stopped: str | None = None
    first_refusal: str | None = None
    exit: Exit = Exit.CLEAN


async def apply(
    ledger: Ledger,
    target: JibbleClient,
    *,
    plan: str | None = None,
    go: bool = False,
    lanes: int = LANES,
    settle: float = SETTLE,
    base: str | None = None,
    only: Collection[str] = (),
    accept: Collection[str] = (),
    on_progress: OnProgress = silent,
) -> ApplyReport:
    """Write what was planned; without `go` it only says what it would do.

    A cancellation awaits for ten seconds what is on the wire; whatever is left then is looked up by
    the next run. Running it again goes on where it ended, and writes nothing twice.

    Args:
        ledger: Of the migration.
        target: A client of the new account.
        plan: The hash of the plan that is meant, or its beginning.
        go: Whether to write.
        lanes: People who are written side by side.
        settle: Seconds after which a write whose answer was lost can't arrive any more.
        base: What the new account's address is called in the ledger; by default the URL.
        only: The people to be written: old ids, ids over there or addresses; all if it is empty.
        accept: The fields that the server was seen not to keep and that may differ.
        on_progress: Told of every few entries.

    Raises:
        ConfigurationError: There is no plan, or another one; an argument that can't be used.
        MigrationError: The new account can't be written to as it is.
        JibbleError: A look-up failed: nothing is lost, and the next run goes on.
    """
    if lanes < 1 or not settle >= 0:
        raise ConfigurationError("apply() needs lanes from 1 and settle from 0 seconds")
    known = _require_plan(ledger, plan, go=go)
    if go and ledger.get("rolling back"):
        raise MigrationError("a rollback was begun and is not at its end: run it again first")
    applying = _Applying(ledger, target, settle, only, on_progress)
    before = applying.counted()
    shown = ApplyReport(
        known,
        shown=True,
        to_write=before[State.PLANNED] + before[State.DOUBTFUL],
        to_edit=before[State.STALE],
        to_create=len(applying.to_create()),
        left=sum(before[state] for state in _WORK),
        refused=before[State.REFUSED],
        unknown=before[State.UNKNOWN],
    )
    if not go:
        return shown
    if sum(before[state] for state in _WORK):
        _require_accepted(verdict_of(ledger), accept)
    await bind(ledger, await account_of(target, base))
    await applying.run(lanes)
    return applying.report(shown)


class _Applying:
    """One run of apply."""

    def __init__(
        self,
        ledger: Ledger,
        target: JibbleClient,
        settle: float,
        only: Collection[str],
        on_progress: OnProgress,
    ) -> None:
        self._ledger = ledger
        self._target = in_bulk(target)
        self._patience = Patience(target, settle)
        self._brakes = Brakes(self._patience.stopped.set)
        self._creations = Creations(ledger, self._target, self._patience, self._brakes)
        self._only = only
        if only and not self._people():
            raise ConfigurationError(f"only={', '.join(only)}: the plan has no such person")
        self._on_progress = on_progress
        self._sending: Sending | None = None
        self._did: Counter[str] = Counter()
        self._waiting: list[str] = []
        self._total = 0

    def counted(self) -> Counter[State]:
        """How many entries of the people are in which state."""
        query = "SELECT count(*) FROM write WHERE lane = ? AND state = ?"
        counts: Counter[State] = Counter()
        for thing in self._people():
            for state in (*_WORK, State.REFUSED, State.UNKNOWN):
                counts[state] += self._ledger.value(query, thing.n, state)
        return counts

    def to_create(self) -> list[Thing]:
        """The people and projects that are to be made; projects first."""
        return [thing for thing in (*self._clients(), *self._people()) if thing.is_to_create]

    async def run(self, lanes: int) -> None:
        """Write everything that can be."""
        now = self._patience.now()
        await self._ledger.write(lambda connection: _begin(connection, now))
        with self._brakes.on_errors():
            await side_by_side([self._run(lanes)], self._patience)

    async def _run(self, lanes: int) -> None:
        # Creations above all: who is in doubt would else be made twice.
        await self._creations.settle()
        work = set(lanes_with(self._ledger, *_WORK))
        if work:
            await self._projects()
        mine = [each for each in self._people() if each.n in work or may_leave(self._ledger, each)]
        staying: deque[Thing] = deque()
        for thing in mine:
            if not thing.leaves and not self._stops:
                made = await self._made(thing)
                staying += [made] * (made.target is not None)
        leaving = deque(thing for thing in mine if thing.leaves)
        self._total = sum(self.counted()[state] for state in _WORK)
        if self._total:
            self._sending = Sending(
                self._ledger,
                self._target,
                verdict_of(self._ledger),
                self._patience,
                self._brakes,
                self._note,
            )
        # Who waits for a doubt to settle holds up nobody else.
        doubtful = set(lanes_with(self._ledger, State.DOUBTFUL))
        workers = [self._work(deque([thing])) for thing in staying if thing.n in doubtful]
        settled = deque(thing for thing in staying if thing.n not in doubtful)
        # Those who left one by one, as each takes a seat while it lasts.
        workers.append(self._work(leaving, settled))
        workers += [self._work(settled) for _ in range(lanes - 1)]
        await side_by_side(workers, self._patience)

    async def _projects(self) -> None:
        for client in self._clients():
            if self._stops or client.decision is not Decision.CREATE or client.target is not None:
                continue
            # Without it, entries would be written that name no project.
            project = await self._creations.create(client) if client.is_to_create else client
            if project.target is None:
                self._brakes.stop(
                    f"the project {client.name} was refused: name another one in clients.csv, and "
                    "plan again"
                )

    def report(self, shown: ApplyReport) -> ApplyReport:
        """What became of it."""
        now = self.counted()
        left = sum(now[state] for state in _WORK)
        stopped = self._brakes.reason
        code = Exit.CLEAN
        if now[State.REFUSED] or now[State.UNKNOWN] or left:
            code = Exit.LEFT
        return msgspec.structs.replace(
            shown,
            shown=False,
            written=self._did["written"],
            found=self._did["found"],
            edited=self._did["edited"],
            refused=now[State.REFUSED],
            unknown=now[State.UNKNOWN],
            left=left,
            people=self._creations.made[Kind.PERSON],
            projects=self._creations.made[Kind.CLIENT],
            removed=self._did["removed"],
            waiting=tuple(self._waiting),
            stopped=stopped,
            first_refusal=self._brakes.first,
            exit=code if stopped is None else Exit.STOPPED,
        )

    @property
    def _stops(self) -> bool:
        return self._patience.stopped.is_set()

    def _clients(self) -> list[Thing]:
        return things(self._ledger, "t.kind = ? AND t.root = t.n", Kind.CLIENT)

    def _people(self) -> list[Thing]:
        everybody = things(self._ledger, "t.kind = ? AND t.root = t.n", Kind.PERSON)
        return [thing for thing in everybody if _meant(thing, self._only)]

    async def _made(self, thing: Thing) -> Thing:
        if thing.is_to_create:
            thing = await self._creations.create(thing)
        if thing.target is None and not self._stops:
            self._waiting.append(thing.name or thing.legacy_id)
        return thing

    async def _work(self, *queues: deque[Thing]) -> None:
        for queue in queues:
            while queue and not self._stops:
                thing = queue.popleft()
                if thing.target is None:
                    thing = await self._made(thing)
                if thing.target is not None:
                    await self._person(thing)

    async def _person(self, thing: Thing) -> None:
        if self._sending is not None:
            await self._sending.lane(thing.n)
        if not self._stops and may_leave(self._ledger, thing):
            await removed(self._ledger, self._target, thing, self._patience)
            self._did["removed"] += 1

    def _note(self, what: str) -> None:
        self._did[what] += 1
        done = self._did["written"] + self._did["found"] + self._did["edited"]
        if done % _TELL_EVERY == 0 or done == self._total:
            self._on_progress(Progress("apply", "entries", done, self._total))


def _begin(connection: sqlite3.Connection, now: int) -> None:
    """What an earlier run with the same open ledger left on the wire is in doubt."""
    doubt(connection, now)
    note(connection, now, "apply began")


def _meant(thing: Thing, only: Collection[str]) -> bool:
    if not only:
        return True
    names = {each.strip().casefold() for each in only}
    return thing.legacy_id in only or bool(
        names & {(thing.target or "").casefold(), (thing.email or "").strip().casefold()} - {""}
    )


def _require_plan(ledger: Ledger, plan: str | None, *, go: bool) -> str:
    rows = ledger.read("SELECT hash, detail FROM plan ORDER BY n DESC LIMIT 1")
    if not rows:
        raise ConfigurationError("there is no plan yet: `plan` comes first")
    known, detail = rows[0]
    made_from = msgspec.json.decode(detail)
    if made_from["chain"] != ledger.get("chain", ""):
        raise ConfigurationError("more was extracted since the plan was made: plan again")
    if made_from["generation"] != ledger.get("generation", 0):
        raise ConfigurationError("it was rolled back since the plan was made: plan again")
    if plan is None and go:
        raise ConfigurationError(f"say which plan is meant: plan={known[:12]!r}")
    if plan is not None and (len(plan) < _SHORTEST or not known.startswith(plan)):
        raise ConfigurationError(
            f"the plan {plan!r} is not the latest, which is {known[:12]}: look at that one first"
        )
    return str(known)


def _require_accepted(verdict: Probed, accept: Collection[str]) -> None:
    if verdict.stop is not None:
        raise MigrationError(f"the probe says that nothing can be written: {verdict.stop}")
    if left := [name for name in verdict.known_differences if name not in accept]:
        raise MigrationError(
            f"the server does not keep {', '.join(left)} of an entry as it is sent: accept that "
            f"with accept={left}, or don't migrate to it"
        )
