"""Work that is cancelled after any turn of the loop leaves nothing, and harms nobody beside it.

The wire is in memory and time is virtual, so that every turn is the client's own.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from jibble_legacy import LegacyClient

from jibble_async import AmbiguousWriteError, Entity, JibbleClient, TimeEntry
from jibble_async.core.call import NOT_DONE
from jibble_async.events import Event
from jibble_async.export import Exporter, SetName
from jibble_async.sandbox import Fault, Sandbox
from tests.support.cancelling import CancelAtTurn, TurningLoop, in_turns
from tests.support.chaos import TIMES
from tests.support.leaks import RecordingLimiter, other_tasks
from tests.support.memory_wire import MemoryWire, clock_from
from tests.support.telling import unfinished

Client: TypeAlias = JibbleClient | LegacyClient
Work: TypeAlias = Callable[["Scene"], Coroutine[Any, Any, Any]]
DAY = date(2026, 7, 10)
LIFETIME = 3600.0


@dataclass
class Scene:
    """Where a piece of work is done.

    Args:
        box: The sandbox.
        jibble: The client.
        out: A folder of its own.
        somebody: The id of a person.
    """

    box: Sandbox
    jibble: Client
    out: Path
    somebody: str

    async def neighbour(self) -> str:
        """Another call of the same client."""
        people: Any = self.jibble.people
        person: Entity = await people.get(self.somebody)
        return person.id


async def call(scene: Scene) -> list[Any]:
    return await scene.jibble.activities.list(limit=1).collect()


async def walk(scene: Scene) -> list[Any]:
    return await scene.jibble.time_entries.list(page_size=9).collect()


async def walk_ahead(scene: Scene) -> list[Any]:
    return await scene.jibble.time_entries.list(page_size=9, concurrency=3).collect()


async def export(scene: Scene) -> list[Any]:
    name: SetName = "time_entries"
    await Exporter(scene.jibble, name, out=scene.out / "all.jsonl", concurrency=3).run()
    return (scene.out / "all.jsonl").read_bytes().splitlines()


async def punch(scene: Scene) -> list[TimeEntry]:
    return [await scene.jibble.time_entries.clock_in(scene.somebody)]


WORKS: dict[str, Work] = {
    "a call": call,
    "a refresh": call,
    "a walk": walk,
    "a walk ahead": walk_ahead,
    "an export": export,
    "a punch": punch,
}


def fault(kind: str, nth: int = 1, **options: Any) -> Callable[[Sandbox], None]:
    """Trouble for the requests of the work, and not for its neighbours'."""

    def arrange(box: Sandbox) -> None:
        for path in ("TimeEntries", "timeentries", "Activities", "activities"):
            box.faults.add(Fault(kind, path=path, nth=nth, **options))

    return arrange


def tokens_refused(box: Sandbox) -> None:
    """The next request that has a token is refused, whoever's it is."""
    box.faults.add(Fault("unauthorized"))


def token_host_busy(box: Sandbox) -> None:
    box.faults.add(Fault("status", service="identity", status=503))
    box.faults.add(Fault("status", service="legacy-identity", status=503))


TROUBLES: dict[str, Callable[[Sandbox], None]] = {
    "nothing": lambda _: None,
    "a refused token": fault("unauthorized"),
    "a token refused in the middle": fault("unauthorized", 2),
    "tokens refused": tokens_refused,
    "an answer lost": fault("drop_after"),
    "a question lost": fault("drop_before"),
    "a busy server": fault("status", status=503, times=2),
    "a busy token host": token_host_busy,
}
# For how many seconds the client has had a token.
AGES = {"no token": None, "a good token": 0.0, "a token that is due": LIFETIME - 1}
PLACES = (2, 9, 5, 14, 7, 20, 11)
Case: TypeAlias = tuple[str, str, str, str]
CASES: list[Case] = [
    (api, work, trouble, age)
    for api in ("current", "old")
    for work in WORKS
    for trouble in TROUBLES
    for age in AGES
    # One of the old API lasts two weeks, and a token host is asked only where there is no good one.
    if not (api == "old" and age == "a token that is due")
    if not (age == "a good token" and (trouble == "a busy token host" or work == "a refresh"))
    if not (trouble == "a token refused in the middle" and work in {"a call", "a punch"})
]


class Run:
    """A case, in which the work is cancelled after so many turns of the loop, or never.

    Attributes:
        at: What cancels it.
        outcome: What it gave, or its error.
    """

    def __init__(self, case: Case, number: int | None, out: Path) -> None:
        self.at = CancelAtTurn(number)
        self.outcome: Any = None
        self._case = case
        self._out = out
        in_turns(self._main())
        self._check_files()
        if self.at.cancelled:
            assert isinstance(self.outcome, asyncio.CancelledError), "it was swallowed"

    async def _main(self) -> None:
        api, work, trouble, age = self._case
        box = Sandbox(people=3, since=DAY, until=DAY, clock=clock_from(), token_lifetime=LIFETIME)
        wire, limiter = MemoryWire(box), RecordingLimiter(lambda: asyncio.sleep(0))
        somebody = box.dataset.rows("People")[1]["id"]
        if api == "old":
            somebody = box.legacy_id("people", somebody)
        make = wire.client if api == "current" else wire.legacy_client
        told: list[Event] = []
        with pytest.MonkeyPatch.context() as patch:
            hooks = (told.append,)
            async with make(patch, limiter=limiter, page_size=9, hooks=hooks) as jibble:
                scene = Scene(box, jibble, self._out, somebody)
                seconds = AGES[age]
                if seconds is not None:
                    assert await scene.neighbour() == somebody
                    await asyncio.sleep(seconds)
                TROUBLES[trouble](box)
                before = other_tasks()
                beside = [WORKS[work], Scene.neighbour, Scene.neighbour]
                if work != "a refresh":
                    # Somebody else waits for the token first.
                    beside.insert(0, beside.pop())
                tasks = [asyncio.create_task(each(scene)) for each in beside]
                task = tasks.pop(beside.index(WORKS[work]))
                self.at.watch(task)
                try:
                    self.outcome = await task
                except (asyncio.CancelledError, AmbiguousWriteError) as error:
                    self.outcome = error
                self._check_punches(box)
                assert await asyncio.gather(*tasks) == [somebody] * 2
                await asyncio.sleep(0)
                # A refresh behind the calls is the client's own, and ends with it.
                left = other_tasks() - before
                assert {each.get_name() for each in left} <= {"jibble token refresh"}
                assert limiter.held == 0
                assert await scene.neighbour() == somebody
            assert other_tasks() <= before
            assert unfinished(told) == []

    def _check_punches(self, box: Sandbox) -> None:
        made = [each.id for each in box.ledger.committed if each.change == "created"]
        assert len(made) <= 1
        if self._case[1] == "a punch" and isinstance(self.outcome, asyncio.CancelledError):
            # Whoever cancels a punch is told how it can be found, or that it was surely not made.
            (note,) = getattr(self.outcome, "__notes__", [NOT_DONE])
            assert note == NOT_DONE or "is not known" in note
            posts = box.ledger.count(method="POST") - len(box.ledger.token_requests)
            assert (note == NOT_DONE) >= (posts == 0)
            assert (note != NOT_DONE) >= bool(made)

    def _check_files(self) -> None:
        """An export leaves its file when it is done, and otherwise what it can go on with."""
        left = {each.name for each in self._out.iterdir()}
        if self._case[1] == "an export" and isinstance(self.outcome, list):
            assert left == {"all.jsonl"}
        else:
            assert left <= ({".all.jsonl.export"} if self._case[1] == "an export" else set())
        for each in self._out.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()


@pytest.mark.chaos
@pytest.mark.parametrize("api", ["current", "old"])
@pytest.mark.parametrize("work", WORKS)
def test_nothing_is_left_and_nobody_harmed(tmp_path: Path, api: str, work: str) -> None:
    """At one place of each case, and in `make chaos` at every one: some 4,000."""
    cancelled = 0
    for index, case in enumerate(each for each in CASES if each[:2] == (api, work)):
        for number in every_place(case, tmp_path) if TIMES > 1 else [PLACES[index % len(PLACES)]]:
            try:
                run = Run(case, number, tmp_path)
                # Some works are over by the place that was picked for them.
                assert run.at.cancelled or TIMES == 1
            except BaseException as error:
                error.add_note(f"{' - '.join(case)}, cancelled after turn {number}")
                raise
            cancelled += run.at.cancelled
    assert cancelled >= 5


def every_place(case: Case, out: Path) -> range:
    return range(1, Run(case, None, out).at.turns + 1)


@pytest.mark.parametrize("api", ["current", "old"])
@pytest.mark.parametrize("number", range(3, 7))
def test_a_refresh_that_a_stranger_cancels_harms_nobody(api: str, number: int) -> None:
    """As a program does that cancels every task but some of its own."""
    turns = 0

    def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == number:
            (refresh,) = (t for t in asyncio.all_tasks() if t.get_name() == "jibble token refresh")
            assert refresh.cancel()

    async def main() -> None:
        box = Sandbox(people=3, since=DAY, until=DAY, clock=clock_from())
        wire = MemoryWire(box)
        make = wire.client if api == "current" else wire.legacy_client
        with pytest.MonkeyPatch.context() as patch:
            async with make(patch) as jibble:
                loop = asyncio.get_running_loop()
                assert isinstance(loop, TurningLoop)
                loop.before_turn = turn
                scene = Scene(box, jibble, Path(), "")
                assert len(set(map(len, await asyncio.gather(call(scene), call(scene))))) == 1
        assert turns > number

    in_turns(main())
