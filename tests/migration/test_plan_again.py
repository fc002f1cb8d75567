"""Planning again: what was sent stays, what changed is seen, and what was said is heeded."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from jibble_legacy.migration.marks import OUR_VERSION
from jibble_legacy.migration.planning.plan_report import PlanReport
from jibble_legacy.migration.states import Exit

from jibble_async import ConfigurationError
from tests.migration.account import HERE, OWNER, Account, moment, punched
from tests.migration.planning import (
    fill,
    rows,
    save,
    sheet,
)


async def test_what_is_tracked_after_the_first_plan_is_seen_by_the_next(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.shift("ann", "2020-03-02")
    await account.plan(monkeypatch)
    account.sent()
    await punched(account, monkeypatch, OWNER, ["2020-03-03 07:00"])
    account.shift("ann", "2020-03-03")
    report = await account.plan(monkeypatch)
    assert (report.planned, report.kept, report.held) == (0, 2, {"already-tracked": 2})


async def test_what_we_wrote_does_not_begin_a_cut_over(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By our note of its id, by its mark, or by being just what is in doubt."""
    for day in ("2020-03-02", "2020-03-03", "2020-03-04"):
        account.entry(f"in-{day}", "ann", f"{day} 08:00")
    account.entry("later", "ann", "2020-03-05 08:00")
    await account.plan(monkeypatch)
    (noted,) = await punched(account, monkeypatch, OWNER, ["2020-03-02 08:00"])
    await punched(
        account, monkeypatch, OWNER, ["2020-03-03 08:00"],
        client_version=OUR_VERSION, device_name="in-2020-03-03",
    )  # fmt: skip
    await punched(account, monkeypatch, OWNER, ["2020-03-04 08:00"])
    account.sent("doubtful", "entry IN (SELECT n FROM entry WHERE id LIKE 'in-%')", target=False)
    account.do(
        "UPDATE write SET target = ? WHERE entry = (SELECT n FROM entry WHERE id = ?)",
        noted,
        "in-2020-03-02",
    )
    report = await account.plan(monkeypatch)
    assert (report.planned, report.kept, report.held) == (1, 3, {})
    assert rows(account.folder, "SELECT * FROM snapshot") == []


async def test_only_what_changed_over_there_is_looked_at_again(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looks() -> list[str]:
        entries = [one for one in account.box.ledger.requests if one.path.endswith("TimeEntries")]
        return [unquote(one.target) for one in entries if one.method == "GET"]

    await account.plan(monkeypatch)
    (whole,) = looks()
    await account.plan(monkeypatch)
    assert "updatedAt" not in whole
    assert "updatedAt ge 2026-07-12T09:00:00" in looks()[1]


async def test_an_edit_after_it_was_written_is_planned_as_an_edit(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.thing("activities", "a", "Assembly")
    account.entry("noted", "ann", "2020-03-02 08:00")
    account.entry("moved", "ann", "2020-03-02 17:00", 2)
    account.entry("same", "ann", "2020-03-03 08:00")
    await account.plan(monkeypatch)
    account.sent()
    account.entry("noted", "ann", "2020-03-02 08:00", activity="a", note="more")
    account.entry("moved", "ann", "2020-03-03 01:00", 2)
    report = await account.plan(monkeypatch)
    assert (report.planned, report.kept, report.edited) == (0, 3, 2)
    found = rows(
        account.folder,
        "SELECT entry.id, state, reason, day, write.activity IS NOT NULL, target IS NOT NULL"
        " FROM write JOIN entry ON entry.n = write.entry ORDER BY entry.n",
    )
    assert found == [
        ("noted", "stale", None, "2020-03-02", 1, 1),
        ("moved", "stale", "moved", "2020-03-03", 0, 1),
        ("same", "confirmed", None, "2020-03-03", 0, 1),
    ]
    assert (await account.plan(monkeypatch)).edited == 0


async def test_an_edit_that_names_an_undecided_activity_waits(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("in", "ann", "2020-03-02 08:00")
    await account.plan(monkeypatch)
    account.sent()
    account.thing("activities", "a", "Nowhere")
    account.entry("in", "ann", "2020-03-02 08:00", activity="a")
    assert (await account.plan(monkeypatch)).edited == 0
    fill(account.folder, "activities.csv", a={"new_name": "Assembly"})
    assert (await account.plan(monkeypatch)).edited == 1


@pytest.mark.parametrize("state", ["planned", "sent", "doubtful", "unknown"])
async def test_what_may_be_under_way_is_not_decided_again(
    state: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("in", "ann", "2020-03-02 08:00")
    await account.plan(monkeypatch)
    account.sent(state, target=False)
    account.entry("in", "ann", "2020-03-02 09:00")
    fill(account.folder, "people.csv", ann={"decision": "match", "new_person": HERE})
    report = await account.plan(monkeypatch)
    assert report.planned == 0
    assert any("roll back" in warning for warning in report.warnings)
    ms, state = rows(account.folder, "SELECT ms, state FROM write")[0]
    assert ms == int(moment("2020-03-02 08:00").timestamp() * 1000)
    assert state in {"planned", "doubtful", "unknown"}


async def test_what_was_refused_waits_until_something_is_another(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.entry("in", "ann", "2020-03-02 08:00")
    await account.plan(monkeypatch)
    account.sent("refused", target=False)
    report = await account.plan(monkeypatch)
    assert (report.planned, report.kept, report.refused, report.exit) == (0, 0, 1, Exit.LEFT)
    account.entry("in", "ann", "2020-03-02 09:00")
    assert (await account.plan(monkeypatch)).planned == 1


async def test_what_was_refused_lets_nothing_go_that_it_held_back(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.do("INSERT INTO meta VALUES ('probe', '{\"out_after_out\": \"refused\"}')")
    account.shift("ann", "2020-03-02")
    account.entry("again", "ann", "2020-03-02 18:00", 2)
    account.entry("twin", "ann", "2020-03-02 18:00", 2)
    await account.plan(monkeypatch)
    held = account.held()
    assert set(held) == {"again", "twin"}
    account.sent("refused", target=False)
    report = await account.plan(monkeypatch)
    assert (report.planned, report.refused) == (0, 2)
    assert account.held() == held


async def test_who_was_merged_becomes_whom_the_root_became(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        account.person(name, "new@example.com", user="u")
    account.shift("first", "2020-03-02")
    account.shift("second", "2020-03-03")
    await account.plan(monkeypatch)
    made = account.there(HERE)
    account.do("UPDATE thing SET state = 'confirmed', target = ? WHERE code = 'L-first'", made)
    account.sent()
    account.shift("second", "2020-03-04")
    assert (await account.plan(monkeypatch)).planned == 2
    assert account.writes()["second-2020-03-04-in"][:2] == ("first", made)
    found = rows(account.folder, "SELECT target FROM thing WHERE decision = 'create'")
    assert found == [(made,), (made,)]


async def test_what_was_rolled_back_is_planned_anew(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.person("new", "new@example.com")
    account.shift("new", "2020-03-02")
    await account.plan(monkeypatch)
    account.sent("undone")
    account.do(
        "UPDATE thing SET state = 'undone', target = 'x', removal = 'confirmed'"
        " WHERE code = 'L-new'"
    )
    account.do("INSERT INTO meta VALUES ('generation', '1')")
    report = await account.plan(monkeypatch)
    assert (report.planned, report.created) == (2, 1)
    assert rows(account.folder, "SELECT DISTINCT generation FROM write") == [(1,)]
    assert rows(
        account.folder, "SELECT target, state, code, removal FROM thing WHERE email <> ''"
    ) == [(None, "planned", "L-new.1", None)]


async def test_the_hash_is_of_all_that_a_plan_rests_on(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.shift("ann", "2020-03-02")
    hashes: list[str] = []

    async def note(**options: Any) -> PlanReport:
        report = await account.plan(monkeypatch, **options)
        hashes.append(report.hash)
        return report

    await note()
    await note()
    assert len(set(hashes)) == 1
    account.sent(where="type = 'In'")
    await note()
    assert len(set(hashes)) == 1
    await note(default_zone="Asia/Tokyo")
    fill(account.folder, "people.csv", ann={"until": "2020-03-02"})
    await note()
    await punched(account, monkeypatch, HERE, ["2020-03-03 07:00"])
    await note()
    account.do("UPDATE meta SET value = '\"other\"' WHERE key = 'chain'")
    await note()
    assert len(set(hashes)) == 5
    (kept,) = rows(account.folder, "SELECT hash FROM plan ORDER BY n DESC LIMIT 1")[0]
    assert kept == hashes[-1]


async def test_a_line_that_is_missing_keeps_its_decision_and_an_empty_one_does_not(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.person("other", HERE)
    account.shift("ann", "2020-03-02")
    account.shift("other", "2020-03-02")
    await account.plan(monkeypatch)
    fill(account.folder, "people.csv", ann={"decision": "skip", "mine": "ask Bob"})
    assert (await account.plan(monkeypatch)).planned == 2
    lines = sheet(account.folder, "people.csv")
    assert [line["mine"] for line in lines] == ["ask Bob", ""]
    save(account.folder / "people.csv", [line for line in lines if line["old_id"] != "id:ann"])
    assert (await account.plan(monkeypatch)).planned == 2
    assert sheet(account.folder, "people.csv")[0]["mine"] == "ask Bob"
    fill(account.folder, "people.csv", ann={"decision": "", "mine": ""})
    assert (await account.plan(monkeypatch)).planned == 4


async def test_a_decision_that_can_not_be_followed_any_more_is_named(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.shift("ann", "2020-03-02")
    await account.plan(monkeypatch)
    fill(account.folder, "people.csv", ann={"decision": "match", "new_person": HERE})
    await account.plan(monkeypatch)
    account.folder.joinpath("people.csv").unlink()
    account.box.dataset.update("People", account.there(HERE), {"email": "other@example.com"})
    with pytest.raises(ConfigurationError, match="as it once said: id:ann matches"):
        await account.plan(monkeypatch)
