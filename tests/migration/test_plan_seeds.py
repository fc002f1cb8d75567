"""What a first version of the migration got wrong when it planned again, each by its name."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from jibble_legacy.migration.marks import OUR_VERSION, PROBE

from jibble_async.entities import Platform
from tests.migration.account import OWNER, Account, moment
from tests.migration.planning import fill, rows, save, sheet
from tests.support.memory_wire import MemoryWire


@pytest.fixture
async def account(tmp_path: Path) -> Account:
    return Account(tmp_path)


def lanes(account: Account) -> dict[str, str]:
    return {old_id: write[0] for old_id, write in account.writes().items()}


async def test_seed_lanes_renumbered(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.person("early")
    account.person("late", OWNER)
    account.shift("late", "2020-03-02")
    await account.plan(monkeypatch)
    account.sent(where="type = 'In'")
    account.shift("early", "2020-03-03")
    await account.plan(monkeypatch)
    fill(account.folder, "people.csv", early={"decision": "match", "new_person": OWNER})
    await account.plan(monkeypatch)
    assert lanes(account) == dict.fromkeys(
        [
            "late-2020-03-02-in",
            "late-2020-03-02-out",
            "early-2020-03-03-in",
            "early-2020-03-03-out",
        ],
        "late",
    )


async def test_seed_doubts_of_a_lane_without_planned_rows(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.person("ann", OWNER)
    account.shift("ann", "2020-03-02")
    await account.plan(monkeypatch)
    account.sent("doubtful", target=False)
    asked: list[int] = []

    async def settle() -> None:
        asked.append(len([one for one in account.box.ledger.requests if "People" in one.path]))

    before = len([one for one in account.box.ledger.requests if "People" in one.path])
    await account.plan(monkeypatch, settle_doubts=settle)
    assert asked == [before]
    assert {write[3] for write in account.writes().values()} == {"doubtful"}


async def test_seed_duplicate_planned_because_its_twin_was_written(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.person("ann", OWNER)
    account.entry("first", "ann", "2020-03-02 08:00")
    await account.plan(monkeypatch)
    account.sent()
    account.entry("again", "ann", "2020-03-02 08:00")
    report = await account.plan(monkeypatch)
    assert (report.planned, report.kept) == (0, 1)
    assert account.held() == {"again": "duplicate"}


async def test_seed_merge_decided_anew_after_our_own_creation(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.person("second", "new@example.com", user="u")
    account.person("first", "new@example.com", user="u")
    account.shift("first", "2020-03-02")
    await account.plan(monkeypatch)
    client = MemoryWire(account.box).client(monkeypatch)
    made = await client.people.create("Name first", email="new@example.com", send_invite=False)
    await client.aclose()
    account.do("UPDATE thing SET state = 'confirmed', target = ? WHERE state = 'planned'", made.id)
    account.sent(where="type = 'In'")
    account.shift("second", "2020-03-03")
    report = await account.plan(monkeypatch)
    assert report.people == {"create": 2}
    assert report.created == 0
    assert set(lanes(account).values()) == {"first"}
    assert {write[1] for write in account.writes().values()} == {None, made.id}


async def test_seed_lane_split_while_a_creation_is_in_doubt(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.person("second", "new@example.com", user="u")
    account.person("first", "new@example.com", user="u")
    account.shift("first", "2020-03-02")
    await account.plan(monkeypatch)
    account.do("UPDATE thing SET state = 'doubtful', attempts = 1 WHERE state = 'planned'")
    # By its code it is looked up, so that stays, too.
    account.do("INSERT INTO meta VALUES ('generation', '1')")
    account.shift("second", "2020-03-03")
    await account.plan(monkeypatch)
    assert set(lanes(account).values()) == {"first"}
    found = rows(account.folder, "SELECT state, code FROM thing WHERE state IS NOT NULL")
    assert found == [("doubtful", "L-first")]


async def test_seed_probe_left_behind(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.person("ann", OWNER)
    account.shift("ann", "2020-03-02")
    client = MemoryWire(account.box).client(monkeypatch)
    punch = client.time_entries.prepare(
        account.there(OWNER),
        "In",
        moment("2020-03-02 08:00"),
        moment("2020-03-02 08:00").date(),
        offset=timedelta(0),
        platform=Platform(client_version=OUR_VERSION, device_name=PROBE),
    )
    await client.time_entries.send(punch)
    await client.aclose()
    report = await account.plan(monkeypatch)
    assert report.planned == 2


async def test_seed_two_people_of_one_address(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.person("ann", "both@example.com")
    account.person("bob", "Both@example.com")
    account.shift("ann", "2020-03-02")
    account.shift("bob", "2020-03-02")
    await account.plan(monkeypatch)
    assert account.writes() == {}
    filled = [{**line, "decision": "create"} for line in sheet(account.folder, "people.csv")]
    save(account.folder / "people.csv", filled)
    report = await account.plan(monkeypatch)
    assert report.created == 2
    assert set(lanes(account).values()) == {"ann", "bob"}
    assert rows(account.folder, "SELECT email, code FROM thing WHERE kind = 'teammembers'") == [
        (None, "L-ann"),
        (None, "L-bob"),
    ]
