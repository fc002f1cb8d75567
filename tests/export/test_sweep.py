"""What is said of an export whose set changed, did not, or can't be asked about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date, timedelta
from random import Random
from typing import Any
from unittest import mock

import msgspec
import pytest

from jibble_async import JibbleClient, Unlimited
from jibble_async.core.wire import Reply
from jibble_async.errors import ConfigurationError
from jibble_async.export.proof.anchored import AnchorLostError
from jibble_async.export.proof.plan import Extent, Partition
from jibble_async.export.proof.reading import read_partition
from jibble_async.export.proof.sweep import (
    _Settling,  # pyright: ignore[reportPrivateUsage]
    changes,
    server_mark,
    settle,
)
from jibble_async.export.proof.verdicts import Outcome, Verdict
from tests.support.changing_set import FIRST_DAY, UNIT, ChangingSet, Entry, Habits
from tests.support.proving import SEAM, Parts, Wire

LAPSE = timedelta(seconds=3 * UNIT)
EXTENT = Extent(set="time_entries", page_size=20, until=FIRST_DAY + timedelta(days=20))


class Export:
    """An export of a set that changes only when told to."""

    def __init__(self, client: JibbleClient, server: ChangingSet) -> None:
        self.client = client
        self.server = server
        self.held = Parts()
        self.mark = ""

    async def read(self) -> None:
        self.mark = await server_mark(self.client, EXTENT, overlap=LAPSE)
        partition = Partition(set=EXTENT.set, page_size=EXTENT.page_size, until=EXTENT.until)
        self.held.windows[0] = [
            row async for batch in read_partition(self.client, partition) for row in batch.rows
        ]

    async def settle(self, overlap: timedelta = LAPSE, **options: Any) -> Verdict:
        mark, held = self.mark, self.held
        return await settle(self.client, EXTENT, mark, held, overlap=overlap, **options)

    def entry(self, wanted: Callable[[Entry], bool]) -> Entry:
        return next(each for each in self.server.entries if wanted(each))

    def now(self) -> int:
        return self.server.requests * UNIT * 10**7

    def is_whole(self) -> bool:
        return sorted((key, bytes(raw)) for key, raw in self.held.rows()) == sorted(
            self.server.state.items()
        )


def is_meant(entry: Entry) -> bool:
    return not entry.archived and entry.day <= str(EXTENT.until)


@pytest.fixture
async def export() -> AsyncIterator[Export]:
    server = ChangingSet(Habits(rows=200, rate=0, skew=0), Random(5))
    server.watch(is_meant)
    with mock.patch(SEAM, return_value=Wire(server, latency=0)):
        async with JibbleClient(auth=server.auth, limiter=Unlimited()) as client:
            yield Export(client, server)


async def test_a_set_at_rest_is_proved_by_three_requests(export: Export) -> None:
    await export.read()
    before = export.server.requests
    verdict = await export.settle()
    assert verdict.outcome is Outcome.PROVED
    assert (verdict.swept, verdict.dropped, verdict.reason) == (0, 0, "")
    assert verdict.counted == len(export.held) == len(export.server.state)
    assert export.server.requests - before == 3
    assert verdict.mark > export.mark


async def test_what_changed_takes_the_place_of_what_was_read(export: Export) -> None:
    await export.read()
    moved = export.entry(lambda each: not is_meant(each) and not each.archived)
    archived = export.entry(is_meant)
    moved.day = str(FIRST_DAY)
    archived.archived = True
    for entry in (moved, archived):
        export.server.note(entry, export.now())
    edited = export.entry(is_meant)
    edited.note += 1
    export.server.note(edited, export.now())
    # A copy in another window, as a row that moves between two has.
    export.held.windows[1] = [export.held.windows[0][3]]
    double = export.entry(lambda each: each.id == export.held.windows[0][3][0])
    export.server.note(double, export.now())
    verdict = await export.settle()
    assert verdict.outcome is Outcome.PROVED
    assert verdict.swept == 4
    assert export.is_whole()


async def test_a_later_change_with_an_earlier_moment_counts(export: Export) -> None:
    await export.read()
    entry = export.entry(is_meant)
    entry.note = 1
    export.server.note(entry, export.now() + 5 * 10**6)
    held, real = export.held, Parts.replace

    async def replace(parts: Parts, rows: Any) -> None:
        await real(parts, rows)
        if entry.note == 1:
            entry.note = 2
            export.server.note(entry, export.now() - 5 * 10**6)

    with mock.patch.object(Parts, "replace", replace):
        verdict = await export.settle()
    assert verdict.outcome is Outcome.PROVED
    assert held is export.held
    assert export.is_whole()


async def test_a_row_that_moves_to_the_end_of_a_sweep_hides_none_before_it(
    export: Export,
) -> None:
    await export.read()
    base = export.now()
    alike = [entry for entry in export.server.entries if is_meant(entry)][:60]
    for place, entry in enumerate(alike):
        entry.note = 1
        export.server.note(entry, base + place)
    # Long ago: the sweep after this one does not reach back to them.
    for _ in range(20):
        export.server.pass_time()
    real, moved = export.server.answer, iter(alike[5:6])

    def answer(request: Any, headers: Any) -> Reply:
        reply = real(request, headers)
        for entry in moved:
            entry.note = 2
            export.server.note(entry, base + 20 * UNIT * 10**7)
        return reply

    with mock.patch.object(export.server, "answer", answer):
        verdict = await export.settle()
    assert verdict.outcome is Outcome.PROVED
    assert export.is_whole()


async def test_a_row_that_moves_behind_a_sweep_of_several_pages_is_not_missed(
    export: Export,
) -> None:
    await export.read()
    alike = [entry for entry in export.server.entries if is_meant(entry)][:30]
    base = export.now()
    for place, entry in enumerate(alike):
        entry.note = 1
        export.server.note(entry, base + place)
    # It changes before the count, and again between two pages of the sweep after it, when a
    # machine whose clock is late gives it a place on the first of them.
    row, real, steps = alike[25], export.server.answer, iter(("count", "page", ""))
    step = next(steps)

    def answer(request: Any, headers: Any) -> Reply:
        nonlocal step
        place = (request.url.query["$skip"], request.url.query["$top"])
        if step == "count" and place == ("0", "1"):
            step, row.note = next(steps), 2
            export.server.note(row, base + 25)
            return real(request, headers)
        reply = real(request, headers)
        if step == "page" and place == ("0", "20"):
            step, row.note = next(steps), 3
            export.server.note(row, base + 4)
        return reply

    with mock.patch.object(export.server, "answer", answer):
        verdict = await export.settle(overlap=5 * LAPSE)
    assert not step
    assert verdict.outcome is Outcome.PROVED
    assert export.is_whole()


@pytest.mark.parametrize("reconcile", [False, True])
async def test_what_was_deleted_for_good_is_found(export: Export, reconcile: bool) -> None:
    await export.read()
    for _ in range(3):
        export.server.remove(export.entry(is_meant))
    verdict = await export.settle(reconcile=reconcile)
    assert verdict.outcome is Outcome.PROVED
    assert verdict.dropped == 3
    assert export.is_whole()


@pytest.mark.parametrize(("lost", "outcome"), [(2, Outcome.PROVED), (99, Outcome.COMPLETE)])
async def test_ids_that_can_not_be_read_lose_no_export(
    export: Export, lost: int, outcome: Outcome
) -> None:
    await export.read()
    export.server.remove(export.entry(is_meant))
    real, left = _Settling._present, iter(range(lost))  # pyright: ignore[reportPrivateUsage]

    async def present(settling: _Settling) -> set[str]:
        if next(left, None) is not None:
            raise AnchorLostError("none was met again")
        return await real(settling)

    with mock.patch.object(_Settling, "_present", present):
        verdict = await export.settle()
    assert verdict.outcome is outcome
    assert export.is_whole() is (outcome is Outcome.PROVED)


async def test_what_goes_on_being_deleted_is_looked_for_again(export: Export) -> None:
    await export.read()
    real, left = Parts.retain, iter(range(3))

    async def retain(parts: Parts, present: Callable[[str], bool]) -> int:
        if next(left, None) is not None:
            export.server.remove(export.entry(is_meant))
        return await real(parts, present)

    export.server.remove(export.entry(is_meant))
    with mock.patch.object(Parts, "retain", retain):
        verdict = await export.settle()
    assert verdict.outcome is Outcome.PROVED
    assert verdict.dropped == 4
    assert export.is_whole()


async def test_a_row_that_changed_and_was_missed_among_the_ids_comes_back(export: Export) -> None:
    await export.read()
    entry, real = export.entry(is_meant), export.server.answer

    def answer(request: Any, headers: Any) -> Reply:
        reply = real(request, headers)
        if "$select" in request.url.query:
            # As if it had gone before its page, and come back after it.
            page = msgspec.json.decode(reply.body)
            page["value"] = [row for row in page["value"] if row["id"] != entry.id]
            reply.body = msgspec.json.encode(page)
        return reply

    export.server.note(entry, export.now())
    with mock.patch.object(export.server, "answer", answer):
        verdict = await export.settle(reconcile=True)
    assert verdict.outcome is Outcome.PROVED
    assert verdict.dropped == 1
    assert export.is_whole()


async def test_a_count_that_does_not_fit_is_no_proof(export: Export) -> None:
    await export.read()
    # A move that nothing tells of.
    entry = export.entry(lambda each: not is_meant(each) and not each.archived)
    entry.day = str(FIRST_DAY)
    export.server.note(entry, None)
    verdict = await export.settle()
    assert verdict.outcome is Outcome.NOT_PROVED
    held = len(export.held)
    assert f"counts {held + 1} rows, and {held} are held" in verdict.reason


async def test_a_set_that_never_rests_is_complete_and_not_proved(export: Export) -> None:
    await export.read()
    server, real = export.server, export.server.answer

    def answer(*asked: Any) -> Reply:
        entry = export.entry(is_meant)
        entry.note += 1
        server.note(entry, export.now())
        return real(*asked)

    with mock.patch.object(server, "answer", answer):
        verdict = await export.settle()
    assert verdict.outcome is Outcome.COMPLETE
    assert verdict.reason == "the set did not rest in 12 rounds"


async def test_a_server_that_can_not_be_asked_for_changes_gets_no_proof(export: Export) -> None:
    await export.read()
    real = export.server.answer

    def answer(request: Any, headers: Any) -> Reply:
        if "updatedAt" in request.url.query_string:
            return Reply(400, {}, b'{"error":{"code":"","message":"no such property"}}')
        return real(request, headers)

    with mock.patch.object(export.server, "answer", answer):
        verdict = await export.settle()
    assert verdict.outcome is Outcome.NOT_PROVED
    assert "no such property" in verdict.reason


async def test_a_server_that_refuses_long_pages_of_ids_is_asked_for_shorter_ones(
    export: Export,
) -> None:
    await export.read()
    export.server.remove(export.entry(is_meant))
    real = export.server.answer

    def answer(request: Any, headers: Any) -> Reply:
        if int(request.url.query["$top"]) > 20:
            return Reply(400, {}, b'{"error":{"code":"","message":"too many"}}')
        return real(request, headers)

    with mock.patch.object(export.server, "answer", answer):
        verdict = await export.settle()
    assert verdict.outcome is Outcome.PROVED
    assert verdict.dropped == 1


async def test_changes_since_a_mark_are_given_with_what_is_not_meant(export: Export) -> None:
    await export.read()
    edited = export.entry(is_meant)
    export.server.note(edited, export.now())
    archived = export.entry(lambda each: is_meant(each) and each is not edited)
    archived.archived = True
    export.server.note(archived, export.now())
    found = [row async for rows in changes(export.client, EXTENT, export.mark) for row in rows]
    assert {row.id: row.in_scope for row in found} == {edited.id: True, archived.id: False}
    assert all(row.stamp.endswith("Z") for row in found)


@pytest.mark.parametrize("mark", ["", "yesterday", "2026-07-01", "2026-07-01T06:00:00"])
async def test_what_is_no_mark_is_refused(export: Export, mark: str) -> None:
    with pytest.raises(ConfigurationError, match="is no mark"):
        await anext(changes(export.client, EXTENT, mark))
    assert not export.server.requests


async def test_sets_that_tell_nothing_of_changes_have_none(export: Export) -> None:
    extent = Extent(set="time_off", since=date(2026, 7, 1))
    with pytest.raises(ConfigurationError, match="nothing tells which time_off changed"):
        await anext(changes(export.client, extent, "2026-07-01T06:00:00Z"))


async def test_a_mark_is_cut_to_microseconds(export: Export) -> None:
    asked: list[str] = []
    real = export.server.answer

    def answer(request: Any, headers: Any) -> Reply:
        asked.append(request.url.query["$filter"])
        return real(request, headers)

    with mock.patch.object(export.server, "answer", answer):
        await anext(changes(export.client, EXTENT, "2026-07-01T06:00:00.1234569Z"))
    assert asked == ["updatedAt ge 2026-07-01T06:00:00.123456Z"]


async def test_without_a_date_of_the_server_all_of_a_day_is_looked_through(
    export: Export,
) -> None:
    real = export.server.answer

    def answer(*asked: Any) -> Reply:
        reply = real(*asked)
        return Reply(reply.status, {"Content-Type": "application/json"}, reply.body)

    clock = export.client._session.caller.config.clock
    with mock.patch.object(export.server, "answer", answer):
        mark = await server_mark(export.client, EXTENT)
    assert mark < (clock.now() - timedelta(days=1)).isoformat()
