"""The probe of `updatedAt`: what it looks at, and that it changes nothing it was not given."""

from __future__ import annotations

from typing import Any

import pytest

from jibble_async import JibbleClient
from jibble_async.errors import JibbleError, NotFoundError
from jibble_async.export.proof.probe import StampProbe, probe_updated_at
from jibble_async.sandbox import Fault, Sandbox

CREATED, LATER = "2026-07-06T08:00:00.0000000Z", "2026-07-07T08:00:00.0000000Z"


@pytest.fixture
def archived(box: Sandbox) -> list[dict[str, Any]]:
    rows = box.dataset.rows("TimeEntries")[:3]
    for row in rows:
        row.update(status="Archived", createdAt=CREATED, updatedAt=LATER)
    for row in box.dataset.rows("TimeEntries")[3:]:
        row["status"] = "Active"
    box.dataset.touch()
    return rows


def writes(box: Sandbox) -> list[str]:
    return [each.method for each in box.ledger.requests if each.method == "PATCH"]


async def test_archived_entries_are_looked_at_and_nothing_is_changed(
    box: Sandbox, client: JibbleClient, archived: list[dict[str, Any]]
) -> None:
    probe = await probe_updated_at(client)
    assert probe == StampProbe(archived=3, unstamped=0)
    assert probe.holds is True
    archived[0]["updatedAt"] = CREATED
    box.dataset.touch()
    probe = await probe_updated_at(client)
    assert probe.unstamped == 1
    assert probe.holds is False
    assert not writes(box)


async def test_without_archived_entries_nothing_is_known(
    box: Sandbox, client: JibbleClient
) -> None:
    for row in box.dataset.rows("TimeEntries"):
        row["status"] = "Active"
    box.dataset.touch()
    assert (await probe_updated_at(client)).holds is None


async def test_the_note_of_an_entry_is_changed_and_changed_back(
    box: Sandbox, client: JibbleClient, archived: list[dict[str, Any]]
) -> None:
    row = box.dataset.rows("TimeEntries")[5]
    row.update(note="by the gate", updatedAt=CREATED)
    box.dataset.touch()
    probe = await probe_updated_at(client, row["id"])
    assert probe.edited is True
    assert probe.found is True
    assert probe.holds is True
    assert row["note"] == "by the gate"
    assert writes(box) == ["PATCH", "PATCH"]


async def test_a_server_that_leaves_the_stamp_is_found_out(
    box: Sandbox, client: JibbleClient, archived: list[dict[str, Any]]
) -> None:
    row = box.dataset.rows("TimeEntries")[5]

    def forget(_: Any) -> None:
        row["updatedAt"] = LATER

    box.faults.add(Fault("mutate", method="GET", times=None, change=forget))
    probe = await probe_updated_at(client, row["id"])
    assert probe.edited is False
    assert probe.holds is False


async def test_a_note_that_can_not_be_changed_back_is_told(
    box: Sandbox, client: JibbleClient, archived: list[dict[str, Any]]
) -> None:
    row = box.dataset.rows("TimeEntries")[5]
    box.faults.add(Fault("status", method="PATCH", nth=2, times=1, status=400))
    with pytest.raises(JibbleError) as caught:
        await probe_updated_at(client, row["id"])
    assert any(row["id"] in note and "may still end in" in note for note in caught.value.__notes__)


async def test_an_entry_that_is_not_there_is_not_changed(
    box: Sandbox, client: JibbleClient
) -> None:
    with pytest.raises(NotFoundError):
        await probe_updated_at(client, "00000000-0000-4000-8000-000000000000")
    assert not writes(box)
