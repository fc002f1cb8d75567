"""Sets that tell nothing of changes: read until two readings are equal."""

from __future__ import annotations

import itertools
from typing import Any

from jibble_async import JibbleClient
from jibble_async.export.proof.plan import Extent
from jibble_async.export.proof.sweep import server_mark, settle
from jibble_async.export.proof.verdicts import Outcome, Verdict
from jibble_async.sandbox import Fault, Sandbox
from tests.support.proving import Parts

SET = "TimeOffOverview"
EXTENT = Extent(set="time_off")


async def settled(client: JibbleClient, held: Parts) -> Verdict:
    return await settle(client, EXTENT, await server_mark(client, EXTENT), held)


def mutate(box: Sandbox, change: Any, **when: Any) -> None:
    box.faults.add(Fault("mutate", path=f"/v1/{SET}", change=change, **when))


async def test_what_changed_is_replaced_until_two_readings_are_equal(
    box: Sandbox, client: JibbleClient
) -> None:
    held = Parts()
    gone, edited, *_ = box.dataset.rows(SET)

    def change(_: Any) -> None:
        edited["note"] = "another"
        box.dataset.remove(SET, gone["id"])

    # The mark, and the request that finds out how long pages are, come first.
    mutate(box, change, nth=4)
    verdict = await settled(client, held)
    assert verdict.outcome is Outcome.PROVED
    assert verdict.rounds == 3
    assert (verdict.swept, verdict.dropped) == (1, 1)
    rows = dict(held.rows())
    assert rows.keys() == {row["id"] for row in box.dataset.rows(SET)}
    assert b'"another"' in bytes(rows[edited["id"]])


async def test_a_set_that_is_never_the_same_twice_is_not_proved(
    box: Sandbox, client: JibbleClient
) -> None:
    row, numbers = box.dataset.rows(SET)[0], itertools.count()

    def change(_: Any) -> None:
        row["note"] = str(next(numbers))

    mutate(box, change, times=None)
    verdict = await settled(client, Parts())
    assert verdict.outcome is Outcome.NOT_PROVED
    assert "no two, one after the other, were equal" in verdict.reason


async def test_a_count_that_says_more_is_no_proof(box: Sandbox, client: JibbleClient) -> None:
    box.faults.add(Fault("wrong_count", path=f"/v1/{SET}", times=None, by=3))
    verdict = await settled(client, Parts())
    assert verdict.outcome is Outcome.NOT_PROVED


async def test_a_count_without_room_for_its_own_row_is_none(
    box: Sandbox, client: JibbleClient
) -> None:
    extent = Extent(set="projects")
    held = Parts()
    box.faults.add(Fault("wrong_count", path="/v1/Projects", times=None, count=0))
    verdict = await settle(client, extent, await server_mark(client, extent), held)
    assert verdict.outcome is Outcome.COMPLETE
    assert verdict.counted is None
