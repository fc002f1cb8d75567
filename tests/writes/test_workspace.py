from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from jibble_async import (
    AmbiguousWriteError,
    ConfigurationError,
    Coordinates,
    FeatureRestrictedError,
    GeoFence,
    GeoUnits,
    JibbleClient,
    NotFoundError,
    PersonStatus,
)
from jibble_async.sandbox import Fault, Sandbox

NOBODY = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"


async def test_a_person_comes_changes_and_goes(box: Sandbox, jibble: JibbleClient) -> None:
    group = box.dataset.rows("Groups")[0]["id"]
    made = await jibble.people.create("Ann O'Neill", email="ann@example.com", code="7")
    assert made.status is PersonStatus.NOT_INVITED
    await jibble.people.update(made.id, group_id=group, phone_number="123")
    await jibble.people.update(made.id, phone_number=None, preferred_name="Ann")
    person = await jibble.people.get(made.id)
    assert (person.full_name, person.email, person.code) == ("Ann O'Neill", "ann@example.com", "7")
    assert person.group_id == group
    assert (person.phone_number, person.preferred_name) == (None, "Ann")
    await jibble.people.remove(made.id)
    assert await jibble.people.by_email("ann@example.com") is None
    assert (await jibble.people.get(made.id)).status is PersonStatus.REMOVED
    await jibble.people.delete(made.id)
    with pytest.raises(NotFoundError):
        await jibble.people.delete(made.id)


async def test_an_invitation_is_sent_if_asked_for(jibble: JibbleClient) -> None:
    person = await jibble.people.create("Bo", email="bo@example.com", send_invite=True)
    assert person.status is PersonStatus.PENDING_INVITATION


@pytest.mark.parametrize("kind", ["drop_after", "drop_before", "html_502", "truncate"])
async def test_a_deletion_whose_answer_was_lost_is_done(
    box: Sandbox, jibble: JibbleClient, person: str, kind: str
) -> None:
    box.faults.add(Fault(kind, method="DELETE"))
    await jibble.people.delete(person)
    assert person not in box.dataset.index("People")


async def test_a_radius_has_its_unit(jibble: JibbleClient) -> None:
    fence = GeoFence(radius=100, units=GeoUnits.FEET)
    place = await jibble.locations.create("Yard", "Main Street 1", geo_fence=fence)
    assert place.geo_fence is not None
    assert place.geo_fence.radius_in_meters == pytest.approx(30.48)


async def test_what_the_plan_does_not_include(box: Sandbox, jibble: JibbleClient) -> None:
    box.restricted.add("Clients")
    with pytest.raises(FeatureRestrictedError):
        await jibble.clients.create("Another")


CREATIONS: dict[str, tuple[str, Callable[[JibbleClient], Awaitable[Any]]]] = {
    "person": ("People", lambda jibble: jibble.people.create("Ann")),
    "project": ("Projects", lambda jibble: jibble.projects.create("Roof")),
    "client": ("Clients", lambda jibble: jibble.clients.create("Smith")),
    "location": ("Locations", lambda jibble: jibble.locations.create("Yard", "Main Street 1")),
}


@pytest.mark.parametrize("kind", ["drop_after", "reset_before", "html_502", "truncate"])
@pytest.mark.parametrize("name", CREATIONS)
async def test_what_was_lost_is_not_made_twice(
    box: Sandbox, jibble: JibbleClient, name: str, kind: str
) -> None:
    rows, create = CREATIONS[name]
    box.faults.add(Fault(kind, method="POST", path=rows))
    with pytest.raises(AmbiguousWriteError):
        await create(jibble)
    assert box.ledger.count(method="POST", path=rows) == 1
    assert len(box.ledger.committed) == (kind in {"drop_after", "truncate"})


@pytest.mark.parametrize("name", CREATIONS)
async def test_what_was_refused_for_speed_is_made_once(
    box: Sandbox, jibble: JibbleClient, name: str
) -> None:
    rows, create = CREATIONS[name]
    box.faults.add(Fault("too_many", method="POST", path=rows, retry_after=0))
    made = await create(jibble)
    assert [each.id for each in box.ledger.committed] == [made.id]


async def test_what_cant_be_sent_is_not(box: Sandbox, jibble: JibbleClient) -> None:
    untyped: Any = jibble.people
    for attempt in (
        jibble.people.create(" "),
        jibble.projects.create(""),
        jibble.clients.create(""),
        jibble.locations.create("Yard", ""),
        jibble.people.update(NOBODY),
        jibble.people.update(NOBODY, group_id="x"),
        jibble.people.update(NOBODY, full_name=" "),
        untyped.update(NOBODY, full_name=None),
        untyped.create(None),
        jibble.locations.create("A", "B", coordinates=Coordinates(latitude=91, longitude=0)),
        jibble.people.remove("x"),
        jibble.people.delete("x"),
    ):
        with pytest.raises(ConfigurationError):
            await attempt
    assert box.ledger.requests == []
