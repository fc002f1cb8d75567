"""The command line on the old API."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jibble_async import Outcome, RateLimitedError, Stats
from jibble_async.cli import legacy_limit, main
from jibble_async.cli.connection import Common
from jibble_async.cli.exit_codes import SetupError
from jibble_async.cli.export_bars import Bars
from jibble_async.cli.legacy_limit import TellingWindow, window_path
from jibble_async.sandbox import Sandbox
from tests.support.canaries import found, local_variables, shown
from tests.support.patience import PATIENCE

pytestmark = pytest.mark.real_time

WEEK = ("--since", "2026-07-06", "--until", "2026-07-12")
BERLIN = ("--timezone", "Europe/Berlin")
NAMES = ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "TOKEN_URL")


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr; nothing is on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("jibble: ")
    assert err.count("\n") == 1
    return err


def credentials(**others: str) -> dict[str, str]:
    """What a password grant takes."""
    given = {name: f"canary-{name.lower()}" for name in NAMES}
    given["TOKEN_URL"] = "https://tokens.example.com/oauth/token"
    return {f"JIBBLE_LEGACY_{name}": value for name, value in (given | others).items()}


@pytest.mark.usefixtures("small")
def test_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "--legacy", "--sandbox", "--json"]) == 0
    people = json.loads(capsys.readouterr().out)
    names = [person["full_name"] for person in people]
    assert names == sorted(names)
    assert {person["status"] for person in people} == {None}
    assert main(["people", "list", "--legacy", "--sandbox"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[1].startswith(names[0])
    assert err == ""


@pytest.mark.usefixtures("small")
def test_the_days_of_time_entries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["export", "time-entries", "--legacy", "--sandbox", *WEEK, *BERLIN]
    assert main([*arguments, "--out", "week.csv"]) == 0
    out, err = capsys.readouterr()
    with (tmp_path / "week.csv").open(newline="", encoding="utf-8-sig") as text:
        rows = list(csv.DictReader(text))
    assert (
        f"rows      {len(rows):,}\noutcome   not proved\nbecause   every page fitted the one" in out
    )
    assert {row["belongsToDate"] for row in rows} >= {"2026-07-06", "2026-07-10"}
    assert all("2026-07-06" <= row["belongsToDate"] <= "2026-07-12" for row in rows)
    assert {row["localTime"][-6:] for row in rows} == {"+02:00"}
    assert err == ""


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("what", ["people", "activities", "clients", "organizations"])
def test_other_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str) -> None:
    arguments = ["export", what, "--legacy", "--sandbox", "--out", "rows.jsonl", "--json"]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out)
    rows = (tmp_path / "rows.jsonl").read_bytes().splitlines()
    assert (report["rows"], report["counted"]) == (len(rows), None)
    assert rows


@pytest.mark.usefixtures("small")
def test_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["people", "--legacy", "--sandbox", "--json"]) == 0
    person = json.loads(capsys.readouterr().out)[0]
    status = ["clock", "status", "--legacy", "--sandbox", "--json", "--person"]
    assert main([*status, person["id"]]) == 0
    by_id = json.loads(capsys.readouterr().out)
    assert by_id["person_id"] == person["id"]
    assert by_id["state"] == "clocked out"
    assert by_id["since"].endswith("+00:00")
    assert main([*status, person["email"]]) == 0
    by_email = json.loads(capsys.readouterr().out)
    assert by_email == {**by_id, "person": person["full_name"]}
    assert main([*status, person["full_name"].upper()]) == 0
    assert json.loads(capsys.readouterr().out) == by_email
    assert main(["clock", "status", "--legacy", "--sandbox"]) == 2
    assert "give --person" in said(capsys)
    assert main([*status, "nobody@example.com"]) == 2
    assert "no person fits 'nobody@example.com'" in said(capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ["whoami"],
        ["doctor"],
        ["people", "clocked-in"],
        ["timesheets", *WEEK],
        ["report", "tracked-time", *WEEK],
        ["clock", "in"],
        ["timeoff", "list"],
        ["sandbox"],
    ],
)
def test_what_the_old_api_cannot_do(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main([*arguments, "--legacy"]) == 2
    assert "the old API can't do this: --legacy is for people" in said(capsys)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["export", "groups", "--out", "a.csv"], "no groups to export"),
        (["export", "time-entries", "--out", "a.csv", *WEEK], "give --timezone, such as"),
        (
            ["export", "time-entries", "--out", "a.csv", "--timezone", "Europe/Berln"],
            "no zone 'Europe/Berln'",
        ),
        (["export", "people", "--out", "a.csv", "--include-archived"], "nothing that was deleted"),
        (["people", "--include-removed"], "--include-removed away"),
    ],
)
def test_what_the_old_api_does_not_know(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main([*arguments, "--legacy", "--sandbox"]) == 2
    assert message in said(capsys)
    assert os.listdir(tmp_path) == []


def test_a_timezone_is_for_the_old_api(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "time-entries", "--sandbox", *BERLIN, "--out", "a.csv"]) == 2
    assert "--timezone is for --legacy" in said(capsys)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({}, "no credentials for the old API: run `jibble login --legacy`"),
        (credentials(PASSWORD=""), "not set: JIBBLE_LEGACY_PASSWORD"),
        (credentials() | {"JIBBLE_LEGACY_TOKEN": "canary"}, "JIBBLE_LEGACY_TOKEN is set beside"),
        ({"JIBBLE_CLIENT_ID": "canary", "JIBBLE_CLIENT_SECRET": "canary"}, "for the old API"),
        ({"JIBBLE_LEGACY_TOKEN": "canary", "JIBBLE_LEGACY_URL": "ftp://x"}, "legacy URL"),
    ],
)
def test_missing_and_half_credentials(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    env: dict[str, str],
    message: str,
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert main(["people", "--legacy"]) == 78
    line = said(capsys)
    assert message in line
    assert "canary" not in line
    assert os.listdir(os.environ["XDG_STATE_HOME"]) == []


def test_requests_are_counted_by_app_or_by_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    app = window_path(credentials())
    assert app.parent == Path("/state/jibble")
    assert app == window_path(credentials(USERNAME="somebody else"))
    token = {"JIBBLE_LEGACY_TOKEN": "canary"}
    elsewhere = token | {"JIBBLE_LEGACY_URL": "https://jibble.example.com"}
    others = [app, window_path(token), window_path(elsewhere)]
    others.append(window_path(token | {"JIBBLE_LEGACY_TOKEN": "another"}))
    assert len(set(others)) == 4
    assert not any("canary" in str(path) for path in others)


def test_nothing_is_seen_of_a_token_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "nowhere")
    monkeypatch.setattr("pwd.getpwuid", lambda _: {}["nobody"])
    env = {"JIBBLE_LEGACY_TOKEN": "canary"}
    with pytest.raises(SetupError, match="set XDG_STATE_HOME") as caught:
        window_path(env)
    assert found(tuple(env.values()), shown(caught.value), local_variables(caught.value)) == []


async def test_what_is_counted_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state").mkdir(0o755)
    monkeypatch.setenv("XDG_STATE_HOME", f"{tmp_path}/state/a/b")
    path = window_path({"JIBBLE_LEGACY_TOKEN": "canary"})
    old = os.umask(0)
    try:
        window = TellingWindow(path)
        (await window.acquire()).release(Outcome.ANSWERED)
        await window.aclose()
    finally:
        os.umask(old)
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parents}
    assert (modes["jibble"], modes["b"], modes["a"], modes["state"]) == (0o700,) * 3 + (0o755,)


async def fill(env: dict[str, str], requests: int) -> int:
    """Count so many requests, as a run of the program does, and tell how many there are then."""
    window = TellingWindow(window_path(env))
    slots = await asyncio.gather(*(window.acquire() for _ in range(requests)))
    for slot in slots:
        slot.release(Outcome.ANSWERED)
    used = window.used
    await window.aclose()
    assert used is not None
    return used


async def test_runs_share_the_limit(process: Any) -> None:
    async with Sandbox(people=2) as box:
        environment = {**box.environment(), "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}
        for _ in range(2):
            run = process("people", "--legacy", "--json", **environment)
            out, err = await asyncio.to_thread(run.communicate, timeout=PATIENCE)
            assert (run.returncode, err) == (0, "")
            assert len(json.loads(out)) > 0
        assert await fill(environment, 1) == 3
        assert await fill(environment, 147) == 150
        run = process("people", "--legacy", **environment)
        out, err = await asyncio.to_thread(run.communicate, timeout=PATIENCE)
        assert box.ledger.count("legacy") == 2
    assert (run.returncode, out) == (75, "")
    assert err.count("\n") == 1
    assert "wait" in err


async def test_a_wait_is_told_in_words_and_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(legacy_limit, "_SOON", 0.0)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    window = TellingWindow(tmp_path / "limit.db")
    slots = await asyncio.gather(*(window.acquire() for _ in range(150)))
    for slot in slots:
        slot.release(Outcome.ANSWERED)
    with pytest.raises(RateLimitedError):
        await window.acquire(max_wait=1)
    assert window.notice is None
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    window.tell = told.set_result
    waiting = asyncio.create_task(window.acquire())
    words = "waiting for the quota: 150 of 150 requests an hour are used, more in 60 min"
    assert await told == window.notice == words
    client: Any = SimpleNamespace(stats=Stats(limiters={"legacy": window}))
    with Bars(client, common=Common()):
        pass
    assert words in capsys.readouterr().err
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert window.notice is None
    await window.aclose()
