"""The programs in `examples/`, run as a reader would run them, against a local Jibble."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import runpy
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import httpx
import pytest

from jibble_async.sandbox import Fault, Sandbox
from tests.support.leaks import settled
from tests.support.patience import PATIENCE

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(path for path in EXAMPLES.glob("*.py") if path.name != "demo.py")
MONTH = (date(2026, 7, 1), date(2026, 7, 31))


@pytest.fixture
async def box(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox(people=6, since=MONTH[0], until=MONTH[1]) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield running


async def run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> None:
    """Run a program in a thread, since it has a loop of its own."""
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    await asyncio.to_thread(runpy.run_path, str(EXAMPLES / name), run_name="__main__")


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.name)
def test_a_program_is_short_and_tested(path: Path) -> None:
    assert sum(1 for line in path.read_text().splitlines() if line.strip()) < 25
    assert f'"{path.name}"' in Path(__file__).read_text()
    assert f"({path.name})" in (EXAMPLES / "README.md").read_text()


@pytest.mark.real_time
async def test_hours_per_person(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(monkeypatch, "hours_per_person.py", "2026-07-15")
    *people, last = capsys.readouterr().out.splitlines()
    names = {row["fullName"] for row in box.dataset.rows("People")}
    found = {line.partition(" h  ")[2] for line in people}
    # A removed person's hours have no name in the list of people.
    assert len(found & names) >= 4
    assert last.endswith("entries could not be paired")


@pytest.mark.real_time
async def test_one_vocabulary(
    box: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    people = {row["id"]: row["fullName"] for row in box.dataset.rows("People")}
    zones = {box.legacy_id("People", each): str(box.dataset.zone(each)) for each in people}
    (tmp_path / "zones.json").write_text(json.dumps(zones))
    found: list[list[str]] = []
    for options in ([], ["--legacy"]):
        await run(monkeypatch, "one_vocabulary.py", *map(date.isoformat, MONTH), *options)
        found.append(sorted(capsys.readouterr().out.splitlines()))
    assert found[0] == found[1]
    assert len(found[0]) > 20
    text = "\n".join(found[0])
    assert all(name in text for name in people.values())
    assert box.ledger.count("legacy", "GET") > 5


@pytest.mark.real_time
async def test_who_is_in(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = box.dataset.latest_entry(box.dataset.owner_id)
    assert out is not None
    changes = {
        "type": "In",
        "time": "2026-08-01T04:00:00Z",
        "localTime": "2026-08-01T08:00:00+04:00",
    }
    box.dataset.add("TimeEntries", {**out, "id": str(UUID(int=1)), **changes})
    await run(monkeypatch, "who_is_in.py")
    lines = capsys.readouterr().out.splitlines()
    name = box.dataset.index("People")[out["personId"]]["fullName"]
    assert any(line.startswith(f"{name} since 2026-08-01 08:00") for line in lines)
    assert lines[-1] == f"{len(lines) - 1} people are in"


@pytest.mark.real_time
async def test_many_organisations(
    box: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    keys = "".join(f"Shop {n},{box.client_id},{box.client_secret}\n" for n in range(200))
    (tmp_path / "keys.csv").write_text(f"Gone,{box.client_id},expired\n{keys}")
    await run(monkeypatch, "many_organisations.py", "keys.csv")
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err.startswith("Gone: the credentials were refused")
    assert {line.rpartition(" ")[0] for line in lines} == {f"Shop {n}" for n in range(200)}
    assert len(box.ledger.token_requests) == 201


@pytest.mark.real_time
async def test_a_personal_token(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": box.client_id,
        "client_secret": box.client_secret,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{box.endpoints['identity']}/connect/token", data=form) as answer,
    ):
        token = (await answer.json())["access_token"]
    monkeypatch.setattr(getpass, "getpass", lambda _: token)
    await run(monkeypatch, "personal_token.py")
    latest = box.dataset.latest_entry(box.dataset.owner_id)
    assert latest is not None
    assert capsys.readouterr().out.startswith(f"{latest['type']} at {latest['localTime'][:10]}")


@pytest.mark.real_time
async def test_the_nightly_export(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    day = date(2026, 7, 6)
    await run(monkeypatch, "nightly_export.py", day.isoformat())
    rows = (tmp_path / "time-entries-2026-07-06.jsonl").read_text().splitlines()
    found = {json.loads(line)["id"] for line in rows}
    assert found == {row["id"] for row in box.ledger.rows("TimeEntries", since=day, until=day)}


@pytest.mark.real_time
async def test_prometheus_metrics(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(monkeypatch, "prometheus_metrics.py")
    lines = capsys.readouterr().out.splitlines()
    assert 'jibble_call_seconds_count{error="",operation="people.list"} 1.0' in lines
    assert 'jibble_requests_total{service="workspace",status="200"} 1.0' in lines
    assert 'jibble_waiting{priority="bulk",service="workspace"} 0.0' in lines
    ids = [row["id"] for row in box.dataset.rows("People")]
    assert not [line for line in lines for each in ids if each in line]


@pytest.mark.real_time
@pytest.mark.usefixtures("box")
async def test_an_export_that_fails_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JIBBLE_CLIENT_SECRET", "wrong")
    with pytest.raises(SystemExit, match="credentials were refused"):
        await run(monkeypatch, "nightly_export.py", "2026-07-06")
    assert os.listdir(tmp_path) == []


@pytest.mark.real_time
async def test_the_tracked_time_report(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(monkeypatch, "tracked_time_report.py", "2026-07-06", "2026-07-12")
    lines = capsys.readouterr().out.splitlines()
    projects = {row["name"] for row in box.dataset.rows("Projects")} | {"none"}
    people = {row["fullName"] for row in box.dataset.rows("People")}
    hours = dict.fromkeys(projects, 0.0)
    of_people = 0.0
    for line in lines:
        number, _, name = line.partition(" h  ")
        if name in projects:
            hours[name] = float(number)
        else:
            assert name in people
            of_people += float(number)
    assert of_people == pytest.approx(sum(hours.values()), abs=0.1 * len(lines))
    assert of_people > 100


@pytest.mark.real_time
async def test_a_clock_in_overtakes_an_export(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    async with Sandbox(people=6, since=MONTH[0], until=MONTH[1], page_cap=20) as box:
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        await clock_in_during_an_export(box)


async def clock_in_during_an_export(box: Sandbox) -> None:
    def pages() -> int:
        return box.ledger.count("time-tracking", "GET")

    app = runpy.run_path(str(EXAMPLES / "fastapi_backend.py"))["app"]
    async with app.router.lifespan_context(app) as state:

        async def served(scope: dict[str, Any], receive: Any, send: Any) -> None:
            await app({**scope, "state": dict(state)}, receive, send)

        transport = httpx.ASGITransport(app=served)  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=transport, base_url="http://backend") as browser:
            span = {"since": MONTH[0].isoformat(), "until": MONTH[1].isoformat()}
            export = asyncio.create_task(browser.get("/entries.csv", params=span))
            await settled(lambda: pages() >= 5, seconds=60)
            before, asked = pages(), len(box.ledger.requests)
            punch = await browser.post(f"/people/{box.dataset.owner_id}/clock-in")
            sent_next = box.ledger.requests[asked]
            exported = (await export).text.splitlines()
            nobody = await browser.post("/people/somebody/clock-in")
    assert sent_next.method == "POST"
    assert box.ledger.committed[-1].number == sent_next.number
    assert punch.json() == {"id": box.ledger.committed[-1].id}
    # Pages were in line, and the export is whole.
    assert pages() > before + 10
    assert len(exported) == len(box.ledger.rows("TimeEntries", since=MONTH[0], until=MONTH[1]))
    assert nobody.status_code == 422


@pytest.mark.real_time
async def test_approving_all_that_is_pending(
    box: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    intervals = box.dataset.rows("TimeOffIntervals")
    for name in ("TimeOffIntervals", "TimeOffOverview"):
        for row in list(box.dataset.rows(name))[:3]:
            box.dataset.update(name, row["id"], {"status": "Pending"})
    pending = {row["id"] for row in intervals if row["status"] == "Pending"}
    (refused, *_) = sorted(pending)
    box.faults.add(Fault("denied_403", method="PATCH", path=refused))
    with pytest.raises(SystemExit, match="1"):
        await run(monkeypatch, "approve_time_off.py")
    first, last = capsys.readouterr().out.splitlines()
    person = box.dataset.index("People")[box.dataset.index("TimeOffIntervals")[refused]["personId"]]
    assert first.startswith(f"{person['fullName']} from 2026-07-")
    assert "refused, " in first
    assert last == f"{len(pending) - 1} of {len(pending)} approved"
    index = box.dataset.index("TimeOffIntervals")
    states = {index[each]["status"] for each in pending - {refused}}
    assert (states, index[refused]["status"]) == ({"Approved"}, "Pending")
    with pytest.raises(SystemExit, match="0"):
        await run(monkeypatch, "approve_time_off.py")
    assert capsys.readouterr().out == "1 of 1 approved\n"


@pytest.mark.real_time
@pytest.mark.usefixtures("box")
async def test_the_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a kernel of its own, as a reader runs it."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    traitlets = pytest.importorskip("traitlets.config")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, sys.path)))
    for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(variable, str(tmp_path))
    notebook = nbformat.read(EXAMPLES / "notebook.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    # Whoever reaches a kernel runs code: a file that is this test's, and no port.
    private = traitlets.Config({"KernelManager": {"transport": "ipc", "ip": f"{tmp_path}/kernel"}})
    client = nbclient.NotebookClient(notebook, config=private, timeout=PATIENCE)
    done = await client.async_execute()
    shown = {cell.id: cell.outputs for cell in done.cells if cell.cell_type == "code"}
    kinds = {
        name: {kind for each in outputs for kind in each.get("data", {})}
        for name, outputs in shown.items()
    }
    assert {name for name, found in kinds.items() if "text/html" in found} == {
        "table",
        "sessions",
        "pandas",
        "polars",
    }
    assert "image/png" in kinds["chart"]
    assert not [
        each for outputs in shown.values() for each in outputs if each.output_type == "stream"
    ]
    small = {name: outputs for name, outputs in shown.items() if name != "chart"}
    assert max(len(json.dumps(outputs)) for outputs in small.values()) < 50_000


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Pytest as somebody else's project runs it: with no settings of ours."""
    # Without this one pytest-asyncio itself warns.
    scope = "--override-ini=asyncio_default_fixture_loop_scope=function"
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", scope, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_the_test_of_ones_own_code(tmp_path: Path) -> None:
    (tmp_path / "test_own_code.py").write_text((EXAMPLES / "test_own_code.py").read_text())
    done = run_pytest(tmp_path, "--override-ini=asyncio_mode=strict")
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_fixtures_keep_tests_from_the_real_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIBBLE_TOKEN", "canary")
    monkeypatch.setenv("JIBBLE_API_SECRET", "canary")
    (tmp_path / "test_options.py").write_text(
        "import os, pytest\n"
        "from jibble_async import JibbleClient\n"
        "pytest_plugins = ['jibble_async.testing']\n"
        "@pytest.fixture\n"
        "def jibble_sandbox_options():\n"
        "    return {'people': 3}\n"
        "async def test_it(jibble_sandbox):\n"
        "    assert 'canary' not in os.environ.values()\n"
        "    async with JibbleClient.from_env() as client:\n"
        "        assert await client.people.list(include_removed=True).count() == 3\n"
        "def test_afterwards():\n"
        "    assert os.environ['JIBBLE_TOKEN'] == 'canary'\n"
    )
    (tmp_path / "test_own_code.py").write_text((EXAMPLES / "test_own_code.py").read_text())
    done = run_pytest(tmp_path, "--override-ini=asyncio_mode=auto")
    assert "3 passed" in done.stdout, done.stdout + done.stderr
