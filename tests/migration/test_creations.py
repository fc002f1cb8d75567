"""People and projects that a migration makes: found by their code, and by nothing else."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.states import Exit
from jibble_legacy.migration.writing.apply import apply

from jibble_async import MigrationError
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.workspace import Workspace
from tests.migration.applying import going
from tests.migration.small_world import Life, insert, live, people_made, planted, sandbox
from tests.support import virtual_time


def applied(
    path: Path, box_of: Callable[[], Sandbox] = sandbox, people: int = 2
) -> tuple[Life, Sandbox]:
    async def main() -> tuple[Life, Sandbox]:
        box = box_of()
        await planted(path, box, people=people)
        return await live(path, box, going), box

    return virtual_time.run(main())


def with_people(*changes: dict[str, Any]) -> Callable[[], Sandbox]:
    """A sandbox in which further people are, each like the first but for its changes."""

    def make() -> Sandbox:
        box = sandbox()
        first = dict(box.dataset.rows("People")[1])
        for place, change in enumerate(changes):
            row = first | {"id": f"00000000-0000-4000-8000-00000000000{place}"} | change
            box.dataset.add("People", row)
        return box

    return make


def target_of(path: Path, n: int) -> str:
    target: str = Ledger.look(path).value("SELECT target FROM thing WHERE n = ?", n)
    return target


def test_who_is_there_with_the_code_is_not_made_again(path: Path) -> None:
    life, box = applied(path, with_people({"code": "L-p2"}))
    assert life.report.exit is Exit.CLEAN
    assert people_made(box) == ["L-p2"]
    assert target_of(path, 2).endswith("0000")


def test_who_is_there_twice_is_the_older_one_and_told_of(path: Path) -> None:
    late, early = "2026-07-02T00:00:00Z", "2026-07-01T00:00:00Z"
    life, _ = applied(
        path,
        with_people({"code": "L-p2", "createdAt": late}, {"code": "L-p2", "createdAt": early}),
    )
    assert life.report.exit is Exit.CLEAN
    assert target_of(path, 2).endswith("0001")
    (detail,) = Ledger.look(path).read("SELECT detail FROM event WHERE what = 'made twice'")[0]
    assert "0000-4000-8000-000000000000" in detail


@pytest.mark.parametrize(
    "change",
    [
        {"code": "L-p2", "status": "Removed"},
        {"code": "L-P2"},
        {"code": None, "email": "p2@old.example"},
        {"code": None, "fullName": "Name p2"},
    ],
)
def test_nobody_is_taken_for_another(path: Path, change: dict[str, Any]) -> None:
    life, box = applied(path, with_people(change))
    assert life.report.exit is Exit.CLEAN
    made = [row for row in box.dataset.rows("People") if row["code"] == "L-p2"]
    assert target_of(path, 2) == made[-1]["id"]
    assert not made[-1]["id"].endswith("000000000000")


def test_a_code_of_somebody_who_answers_for_another_is_told_of(path: Path) -> None:
    async def main() -> Life:
        box = sandbox()
        await planted(path, box, people=2)
        there = box.dataset.rows("People")[1]
        box.dataset.update("People", there["id"], {"code": "L-p2"})
        return await live(path, box, going)

    life = virtual_time.run(main())
    assert isinstance(life.error, MigrationError)
    assert "answers for somebody else" in str(life.error)


@pytest.mark.parametrize(("kind", "field"), [("People", "code"), ("Projects", "description")])
def test_a_server_that_keeps_no_code_is_not_filled_with_people(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, field: str
) -> None:
    create = Workspace._create  # pyright: ignore[reportPrivateUsage]

    def forgetful(self: Workspace, call: Any, received: Any, name: str) -> Any:
        reply = create(self, call, received, name)
        if name == kind:
            reply.payload[field] = None
        return reply

    monkeypatch.setattr(Workspace, "_create", forgetful)
    life, _ = applied(path, people=5)
    assert life.report.exit is Exit.STOPPED
    assert f"keeps no {field}" in life.report.stopped
    assert (life.report.people + life.report.projects, life.report.written) == (
        (2, 0) if kind == "People" else (1, 0)
    )


def test_nobody_is_invited(path: Path) -> None:
    asked: list[object] = []

    def noting() -> Sandbox:
        box = sandbox()
        box.hosts.before_write = lambda call, received: (
            asked.append(call.json().get("IPersonSetting/SendInviteEmail"))
            if received.path.endswith("/People")
            else None
        )
        return box

    life, box = applied(path, noting, people=5)
    assert life.error is None
    # Literally false: what the server does without a word is its own affair.
    assert asked == [False] * 4
    made = [row for row in box.dataset.rows("People") if (row["code"] or "").startswith("L-")]
    assert {row["invitedAt"] for row in made} == {None}
    connection = sqlite3.connect(path)
    states = connection.execute("SELECT DISTINCT state, removal FROM thing ORDER BY 1, 2")
    assert states.fetchall() == [(None, None), ("confirmed", None), ("confirmed", "confirmed")]
    connection.close()


@pytest.mark.parametrize("name", ["arrives", "committed"])
def test_a_creation_that_a_kill_left_in_doubt_is_settled_first(path: Path, name: str) -> None:
    async def main() -> None:
        box, other = sandbox(), path.with_name("other.jbmg")
        await planted(path, box, people=2)
        shutil.copy(path, other)
        steps = (await live(other, sandbox(), going)).steps
        end_at = steps.index(f"{name} POST /v1/People") + 1
        assert (await live(path, box, going, end_at=end_at)).error is not None
        assert (await live(path, box, going)).report.exit is Exit.CLEAN
        assert people_made(box) == ["L-p2"]

    virtual_time.run(main())


def test_the_second_row_of_a_human_is_not_made(path: Path) -> None:
    async def main() -> None:
        box = sandbox()
        await planted(path, box, people=2)
        connection = sqlite3.connect(path)
        insert(connection, "source", n=9, kind="teammembers", id="p9")
        same = {"decision": "create", "root": 2, "name": "Name p2", "code": "L-p2"}
        insert(connection, "thing", n=9, kind="teammembers", state="planned", **same)
        connection.commit()
        connection.close()
        report = (await live(path, box, apply)).report
        # One person, and one project.
        assert report.to_create == 2

    virtual_time.run(main())
