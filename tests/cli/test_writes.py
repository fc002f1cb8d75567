from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jibble_async.cli import connection, main
from jibble_async.core.operation import Request
from jibble_async.core.transport import Transport
from jibble_async.core.wire import Reply
from jibble_async.sandbox import Fault, Rules, Sandbox

NOBODY = "5d3b37e7-64a8-411a-9a1e-056c149a13fc"
Boxes = list[Sandbox]


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Boxes:
    """The sandboxes that commands were given, in turn."""
    for name in list(os.environ):
        if name.startswith("JIBBLE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    made: Boxes = []

    def make(**_: Any) -> Sandbox:
        first, last = date(2026, 7, 1), date(2026, 7, 31)
        made.append(Sandbox(30, first, last, rules=Rules(alternation=False)))
        return made[-1]

    monkeypatch.setattr(connection, "make_sandbox", make)
    return made


def answer(capsys: pytest.CaptureFixture[str]) -> Any:
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out)


@pytest.mark.parametrize(
    ("verb", "type_", "state"),
    [
        ("in", "In", "at work"),
        ("out", "Out", "clocked out"),
        ("break", "StartBreak", "on a break"),
    ],
)
def test_clock(
    boxes: Boxes, capsys: pytest.CaptureFixture[str], verb: str, type_: str, state: str
) -> None:
    at = ("--at", "2026-08-03T09:00:00+02:00", "--note", "site B")
    assert main(["clock", verb, "--person", "person2@example.com", *at, "--sandbox", "--json"]) == 0
    facts = answer(capsys)
    assert (facts["state"], facts["note"]) == (state, "site B")
    (box,) = boxes
    row = box.dataset.index("TimeEntries")[facts["entry_id"]]
    assert (row["type"], row["time"]) == (type_, "2026-08-03T07:00:00Z")
    assert row["personId"] == facts["person_id"]


def test_clock_without_a_person_is_whoever_the_key_acts_for(
    boxes: Boxes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["clock", "status", "--sandbox"]) == 0
    assert f"person id  {boxes[0].dataset.owner_id}\n" in capsys.readouterr().out
    assert main(["clock", "in", "--person", "nobody@example.com", "--sandbox"]) == 2
    assert "no person fits 'nobody@example.com'" in capsys.readouterr().err


def test_a_punch_that_is_lost_is_said_to_be(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(**_: Any) -> Sandbox:
        box = Sandbox(people=2, since=date(2026, 7, 1), until=date(2026, 7, 1))
        box.faults.add(Fault("drop_before", method="POST"))
        return box

    monkeypatch.setattr(connection, "make_sandbox", make)
    assert main(["clock", "in", "--sandbox"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "is not known" in err


def test_who_is_in(boxes: Boxes, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "clocked-in", "--sandbox", "--json"]) == 0
    found = answer(capsys)
    rows = boxes[0].dataset.rows("TimeTrackingPeople")
    assert {each["id"] for each in found} == {row["id"] for row in rows if row["isActive"]}
    assert main(["people", "clocked-in", "--sandbox"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(found) + 1
    assert main(["people", "list", "--sandbox", "--json"]) == 0
    assert len(answer(capsys)) == len(boxes[-1].ledger.rows("People"))


def pending(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The ids of the requests to decide on; equal in every sandbox made here."""
    assert main(["timeoff", "list", "--status", "Pending", "-o", "id", "--sandbox"]) == 0
    found = capsys.readouterr().out.split()
    assert found
    return found


@pytest.mark.parametrize("verb", ["approve", "reject", "cancel"])
def test_decisions(boxes: Boxes, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    ids = pending(capsys)
    assert main(["timeoff", verb, *ids, "--yes", "--sandbox", "--json"]) == 0
    assert [(each["id"], each["state"]) for each in answer(capsys)] == [
        (each, "done") for each in ids
    ]
    past = {"approve": "Approved", "reject": "Rejected", "cancel": "Cancelled"}[verb]
    index = boxes[-1].dataset.index("TimeOffIntervals")
    assert {index[each]["status"] for each in ids} == {past}


@pytest.mark.usefixtures("boxes")
def test_what_is_not_done_is_in_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    (first, *_) = pending(capsys)
    assert main(["timeoff", "approve", NOBODY, first, "--yes", "--sandbox"]) == 1
    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [
        ["Id", "Outcome"],
        [NOBODY, "refused"],
        [first, "done"],
    ]
    assert err.startswith(f"jibble: {NOBODY}: 404")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stdin", "code", "made"),
    [
        (lambda: io.StringIO("y\n"), 2, 0),
        (lambda: _Terminal("n\n"), 1, 0),
        (lambda: _Terminal(""), 1, 0),
        (lambda: _Terminal("y\n"), 0, 1),
    ],
    ids=["nobody there", "no", "end of input", "yes"],
)
def test_a_decision_asks_first(
    boxes: Boxes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stdin: Callable[[], Any],
    code: int,
    made: int,
) -> None:
    (first, *_) = pending(capsys)
    boxes.clear()
    monkeypatch.setattr("sys.stdin", stdin())
    assert main(["timeoff", "approve", first, "--sandbox"]) == code
    assert len(boxes) == made
    assert ("nothing was done" in capsys.readouterr().err) == (code == 1)


@pytest.mark.usefixtures("boxes")
@pytest.mark.parametrize(
    ("left", "said"),
    [
        (True, "whether the server did this write is not known"),
        (False, "the server surely did not do this write"),
    ],
)
def test_an_interrupted_punch_says_how_it_can_be_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], left: bool, said: str
) -> None:
    send = Transport.send

    async def interrupted(self: Transport, request: Request, *others: Any) -> Reply:
        if request.operation.method == "POST" and request.operation.service == "time-tracking":
            if left:
                others[-1].leaves(on_kept=False)
            signal.raise_signal(signal.SIGINT)
        return await send(self, request, *others)

    monkeypatch.setattr(Transport, "send", interrupted)
    assert main(["clock", "in", "--sandbox"]) == 130
    assert f"interrupted; {said}" in capsys.readouterr().err


@pytest.mark.usefixtures("boxes")
def test_interrupted_decisions_say_what_became_of_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (second, *_) = pending(capsys)
    first = "0a4e9ee2-0000-4000-8000-000000000000"
    send = Transport.send

    async def interrupted(self: Transport, request: Request, *others: Any) -> Reply:
        if request.operation.method == "PATCH" and second in str(request.url):
            signal.raise_signal(signal.SIGINT)
        return await send(self, request, *others)

    monkeypatch.setattr(Transport, "send", interrupted)
    assert main(["timeoff", "approve", first, second, NOBODY, "--yes", "--sandbox"]) == 130
    told = f"interrupted; refused: {first}; unknown: {second}; not tried: {NOBODY}"
    assert told in capsys.readouterr().err


def test_ctrl_c_ends_the_asking_at_once(
    boxes: Boxes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers: list[str] = []

    class Interrupted(_Terminal):
        def readline(self, size: int | None = -1, /) -> str:
            signal.raise_signal(signal.SIGINT)
            answers.append("y")
            return "y\n"

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("sys.stdin", Interrupted())
    assert main(["timeoff", "approve", NOBODY, "--sandbox"]) == 130
    assert (answers, boxes) == ([], [])
    assert capsys.readouterr().err.endswith("interrupted\n")
    assert signal.getsignal(signal.SIGINT) is before


def test_requests(boxes: Boxes, capsys: pytest.CaptureFixture[str]) -> None:
    policies = Sandbox(people=30).dataset.rows("TimeOffPolicies")
    days = next(row["id"] for row in policies if row["kind"] == "FullDay")
    hours = next(row["id"] for row in policies if row["kind"] == "Hours")
    for span in (
        [days, "2026-08-03", "2026-08-05"],
        [days, "20260803"],
        [hours, "2026-08-03T10:00", "2026-08-03T12:00"],
    ):
        assert main(["timeoff", "request", *span, "--sandbox", "--json"]) == 0
        made = answer(capsys)
        row = boxes[-1].dataset.index("TimeOffIntervals")[made["id"]]
        assert (row["policyId"], row["startDate"], row["status"]) == (
            span[0],
            "2026-08-03",
            "Pending",
        )
    assert main(["timeoff", "request", days, "monday", "--sandbox"]) == 2
    assert "2026-08-03" in capsys.readouterr().err


@pytest.mark.usefixtures("boxes")
def test_a_status_is_one_of_four(capsys: pytest.CaptureFixture[str]) -> None:
    found = pending(capsys)
    assert main(["timeoff", "list", "--status", "pending", "-q", "--sandbox"]) == 0
    assert capsys.readouterr().out.split() == found
    assert main(["timeoff", "list", "--status", "open", "--sandbox"]) == 2
    assert "cancelled" in capsys.readouterr().err


@pytest.mark.usefixtures("boxes")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clock", "in", "--project", "shipp"], "no project fits 'shipp'"),
        (
            ["timeoff", "request", NOBODY, "2026-08-03", "2026-08-01"],
            "start=2026-08-03 is after end=2026-08-01",
        ),
    ],
)
def test_an_error_names_what_was_given(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([*arguments, "--sandbox"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.usefixtures("boxes")
def test_the_list_fits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeoff", "list", "--sandbox", "--since", "2026-07-01"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Person", "Policy", "From", "To", "Days", "Status"]
    assert max(map(len, lines)) <= 80
    assert main(["timeoff", "approve", "--yes", "--sandbox"]) == 2


def test_help_fits(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (["clock"], ["clock", "in"], ["timeoff"], ["timeoff", "approve"], ["people"]):
        assert main([*arguments, "--help"]) == 0
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


@pytest.mark.usefixtures("boxes")
def test_the_list_is_for_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeoff", "list", "--status", "Pending", "--sandbox", "--json"]) == 0
    for row in answer(capsys):
        assert list(row) == ["id", "person", "policy", "from", "to", "days", "status"]
        assert isinstance(row["days"], int | float)
        assert date.fromisoformat(row["from"]) <= date.fromisoformat(row["to"])
        assert row["status"] == "Pending"
