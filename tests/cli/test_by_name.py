"""Commands that are told names instead of ids, on sandboxes whose requests are looked at."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import pytest

from jibble_async import JibbleClient, Unlimited
from jibble_async.cli import connection, days, main
from jibble_async.cli.lookup import Lookup
from jibble_async.sandbox import Rules, Sandbox
from jibble_async.sandbox.settings import TIME_SHEET_TIME_ZONE, TIME_ZONE

Boxes = list[Sandbox]
JULY = ("--period", "2026-07")


@pytest.fixture(autouse=True)
def boxes(monkeypatch: pytest.MonkeyPatch) -> Boxes:
    """The sandboxes that commands were given, in turn."""
    made: Boxes = []

    def make(**_: Any) -> Sandbox:
        box = Sandbox(30, date(2026, 7, 1), date(2026, 7, 16), rules=Rules(alternation=False))
        waiting = row(box, "People", "Grace Solz")["id"]
        overview = box.dataset.rows("TimeOffOverview")
        for each in (*overview, *box.dataset.rows("TimeOffIntervals")):
            if each["personId"] == waiting:
                each["status"] = "Pending"
        made.append(box)
        return box

    monkeypatch.setattr(connection, "make_sandbox", make)
    return made


def run(*arguments: str) -> int:
    return main([*arguments, "--sandbox"])


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(*arguments, "-o", "json") == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 2) -> str:
    assert run(*arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def row(box: Sandbox, what: str, name: str) -> dict[str, Any]:
    """The row of this name."""
    return next(
        row for row in box.dataset.rows(what) if name in (row.get("fullName"), row.get("name"))
    )


def asked(box: Sandbox) -> list[str]:
    """What was asked of sets, without their queries."""
    return [each.path.rpartition("/")[2] for each in box.ledger.requests if each.method == "GET"]


def test_a_punch_by_names_asks_for_each_set_once(
    boxes: Boxes, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("--person", "lukasz", "--project", "harbour crane", "--activity", "ACT-881")
    facts = answer(capsys, "clock", "in", *names, "--location", "sao paulo")
    (box,) = boxes
    entry = box.dataset.index("TimeEntries")[facts["entry_id"]]
    assert facts["person"] == "Łukasz Oak"
    assert entry["personId"] == row(box, "People", "Łukasz Oak")["id"]
    assert entry["projectId"] == row(box, "Projects", "Harbour crane")["id"]
    assert entry["activityId"] == row(box, "Activities", "Assembly")["id"]
    assert entry["locationId"] == row(box, "Locations", "São Paulo")["id"]
    assert asked(box) == ["People", "Activities", "Projects", "Locations"]


def test_ids_are_looked_up_nowhere(boxes: Boxes, capsys: pytest.CaptureFixture[str]) -> None:
    person = row(Sandbox(30), "People", "Aisha Solz")["id"]
    facts = answer(capsys, "clock", "out", "--person", person.upper())
    assert facts["person"] is None
    assert asked(boxes[0]) == []


def test_an_address_is_one_request_unless_it_is_written_otherwise(
    boxes: Boxes, capsys: pytest.CaptureFixture[str]
) -> None:
    for text, requests in (("person2@example.com", 1), ("PERSON2@example.com", 2)):
        facts = answer(capsys, "clock", "status", "--person", text)
        assert facts["person"] == "Aisha Solz"
        assert asked(boxes[-1]).count("People") == requests


def test_what_fits_several_is_written_nowhere(
    boxes: Boxes, capsys: pytest.CaptureFixture[str]
) -> None:
    err = said(capsys, "clock", "in", "--person", "aisha")
    assert "'aisha' fits 2: Aisha Solz (person2@example.com, E-0002, Field Service), " in err
    assert "Aisha Fernández (person22@example.com, E-0022)" in err
    assert boxes[0].ledger.committed == []
    err = said(capsys, "clock", "in", "--person", " ")
    assert "which person? An empty text is no name" in err


def test_who_was_removed_is_found_where_the_past_is_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    err = said(capsys, "clock", "in", "--person", "Rashid")
    assert "no person fits 'Rashid'" in err
    assert "what was removed or archived is found by its id" in err
    for command in (("timesheets", *JULY), ("timeoff", "list")):
        assert {each.get("name", each.get("person")) for each in
                answer(capsys, *command, "--person", "Rashid")} == {"Rashid da Silva"}  # fmt: skip
    said(capsys, "clock", "in", "--project", "audit")
    answer(capsys, "report", "tracked-time", *JULY, "--project", "audit")


def test_who_was_removed_is_called_so_beside_a_namesake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make = connection.make_sandbox

    def namesakes(**options: Any) -> Sandbox:
        box = make(**options)
        row(box, "People", "Paul Oak")["fullName"] = "Rashid da Silva"
        return box

    monkeypatch.setattr(connection, "make_sandbox", namesakes)
    facts = answer(capsys, "clock", "status", "--person", "rashid")
    assert facts["person"] == "Rashid da Silva"
    err = said(capsys, "timesheets", *JULY, "--person", "rashid da silva")
    assert "(person14@example.com, E-0014, Night Watch, removed)" in err


def test_groups(boxes: Boxes, capsys: pytest.CaptureFixture[str]) -> None:
    office = {"Jürgen Jónsdóttir", "Fatima Osei", "Sofía Rao", "Łukasz Oak", "Jürgen Müller",
              "Fatima Al-Farsi"}  # fmt: skip
    assert {each["full_name"] for each in answer(capsys, "people", "--group", "office")} == office
    sheets = answer(capsys, "timesheets", *JULY, "--group", "office", "--person", "明 ng")
    assert {each["name"] for each in sheets} == {*office, "明 Ng"}
    assert asked(boxes[-1]) == ["People", "Groups", "People", "Timesheets"]
    absent = answer(capsys, "timeoff", "list", "--group", "office", "--policy", "vacation")
    assert {each["policy"] for each in absent} <= {"Vacation Leave"}
    assert {each["person"] for each in absent} <= office
    assert "no group fits 'offices'" in said(capsys, "people", "--group", "offices")


async def test_who_is_named_and_in_a_group_is_meant_once() -> None:
    async with (
        Sandbox(30) as box,
        JibbleClient.from_env(box.environment(), limiter=Unlimited()) as client,
    ):
        found = await Lookup(client).people(["jürgen müller"], ["office"])
    assert found[0] == row(box, "People", "Jürgen Müller")["id"]
    assert len(found) == len({*found}) == 6


def test_time_off_by_names(boxes: Boxes, capsys: pytest.CaptureFixture[str]) -> None:
    pending = ("timeoff", "approve", "--person", "grace")
    assert run(*pending) == 1
    out, err = capsys.readouterr()
    assert "Grace Solz" in out
    assert "nothing was done: give --yes, too, to approve 1" in err
    assert boxes[0].ledger.committed == []
    (outcome,) = answer(capsys, *pending, "--yes", "--period", "2026-07")
    assert outcome["state"] == "done"
    assert len(boxes[1].ledger.committed) == 1
    assert "nothing of theirs is pending" in said(capsys, *pending, "--yes", "--period", "2026-08")
    approved = ("timeoff", "reject", "--person", "zoe m", "--yes")
    assert "nothing of theirs is pending" in said(capsys, *approved)
    made = answer(capsys, "timeoff", "request", "sick", "2026-08-03", "--person", "hiro")
    assert (made["person"], made["policy"]) == ("Hiro Jónsdóttir", "Sick Leave")


@pytest.mark.parametrize(
    "arguments",
    [
        ["timeoff", "approve"],
        ["timeoff", "approve", "an-id", "--person", "Ann"],
        ["timeoff", "approve", "an-id", "--period", "2026-07"],
        ["timesheets"],
        ["timesheets", "--since", "2026-07-01"],
        ["timesheets", "--since", "2026-07-01", *JULY],
        ["timesheets", "--period", "2026-13"],
        ["report", "tracked-time", "--until", "2026-07-01"],
        ["list", "planets"],
        ["list"],
        ["people", "-o", "xml"],
    ],
)
def test_bad_usage_is_seen_before_anything_is_asked(
    boxes: Boxes, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    said(capsys, *arguments)
    assert boxes == []


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("projects", ["Big project", "Canteen refit", "Harbour crane", "Line 4", "Solar roof"]),
        ("policies", ["Errand", "Sick Leave", "Vacation Leave"]),
        ("pay-periods", ["Monthly"]),
        ("time-off-policies", ["Errand", "Sick Leave", "Vacation Leave"]),
    ],
)
def test_what_there_is(capsys: pytest.CaptureFixture[str], what: str, names: list[str]) -> None:
    assert [each["name"] for each in answer(capsys, "list", what)] == names


def test_what_was_archived_is_listed_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Audit" in {each["name"] for each in answer(capsys, "list", "projects", "--archived")}
    people = answer(capsys, "list", "people", "--archived")
    assert {each["status"] for each in people} >= {"Joined", "Removed"}


@pytest.mark.parametrize("what", ["people", "activities", "clients", "organizations"])
def test_the_old_api_lists_what_it_has(capsys: pytest.CaptureFixture[str], what: str) -> None:
    assert all(each["name"] for each in answer(capsys, "list", what, "--legacy"))


def test_the_old_api_has_no_projects(capsys: pytest.CaptureFixture[str]) -> None:
    assert "the old API has no projects" in said(capsys, "list", "projects", "--legacy")
    assert "keeps nothing that was removed" in said(
        capsys, "list", "people", "--legacy", "--archived"
    )


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        # 22:30 in London, and the next day already where the organisation is.
        ("Asia/Dubai", "2026-08-01"),
        ("America/New_York", "2026-07-31"),
        ("Mars/Olympus", "2026-07-31"),
        ("../../etc/passwd", "2026-07-31"),
    ],
)
def test_today_is_the_organisations(
    boxes: Boxes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    zone: str,
    day: str,
) -> None:
    moment = datetime(2026, 7, 31, 22, 30, tzinfo=UTC)
    make = connection.make_sandbox

    def elsewhere(**options: Any) -> Sandbox:
        box = make(**options)
        box.dataset.rows("Organizations")[0].update({TIME_ZONE: zone, TIME_SHEET_TIME_ZONE: zone})
        return box

    def now(zone: tzinfo | None = None) -> datetime:
        return moment.astimezone(zone or UTC)

    monkeypatch.setattr(connection, "make_sandbox", elsewhere)
    monkeypatch.setattr(days, "now", now)
    assert run("report", "tracked-time", "--period", "today", "-o", "json") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["since"] == day
    assert (f"no zone '{zone}' is known here" in err) is (zone[0] in "M.")
    assert run("report", "tracked-time", "--period", "2026-07", "-o", "json") == 0
    assert "Organizations" not in " ".join(asked(boxes[-1]))
