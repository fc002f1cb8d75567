"""What a run keeps of the quotas that it learnt."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from jibble_async import Outcome
from jibble_async.cli import main
from jibble_async.cli import paces as paces_module
from jibble_async.cli.paces import paces
from jibble_async.config import URL_VARIABLES
from jibble_async.sandbox import Quota, Sandbox
from tests.support.canaries import found

pytestmark = pytest.mark.real_time


async def test_what_a_run_learnt_the_next_one_knows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Sandbox(people=1, quota=Quota(100, 10)) as box:
        for name, text in box.environment().items():
            monkeypatch.setenv(name, text)
        assert await asyncio.to_thread(main, ["people"]) == 0
        state = Path(os.environ["XDG_STATE_HOME"]) / "jibble"
        files = {each.name: each for each in state.iterdir()}
        assert [each.partition("-")[0] for each in files] == ["pace"]
        assert {stat.S_IMODE(each.stat().st_mode) for each in files.values()} == {0o600}
        assert found((box.client_id, box.client_secret), *files) == []
        limiter = paces(os.environ)["workspace"]
        (await limiter.acquire()).release(Outcome.NOT_SENT)
        assert limiter.quota == (100, 10)
        assert await asyncio.to_thread(main, ["people", "-v"]) == 0
    assert "pace" not in capsys.readouterr().err


def test_each_credential_and_service_has_a_file_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    key = {"JIBBLE_CLIENT_ID": "canary", "JIBBLE_CLIENT_SECRET": "canary"}
    elsewhere = dict.fromkeys(URL_VARIABLES.values(), "https://jibble.example.com")
    monkeypatch.setattr(paces_module, "AdaptiveLimiter", lambda state: state)
    another, token = key | {"JIBBLE_CLIENT_ID": "b"}, {"JIBBLE_TOKEN": "canary-token"}
    files = [
        str(file) for env in (key, another, key | elsewhere, token) for file in paces(env).values()
    ]
    assert len(set(files)) == 12
    assert {file.partition("-")[0] for file in files} == {"/state/jibble/pace"}
    assert found(("canary",), *files) == []
