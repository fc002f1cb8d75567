"""What the programs of all orchestrators do, which needs none of them."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from jibble_async import JibbleClient, RetryPolicy, ServerError, Service, Unlimited
from jibble_async.cli.exit_codes import ExitCode
from jibble_async.export import Outcome
from jibble_async.sandbox import Fault, Sandbox
from tests.docs.blocks import ROOT
from tests.orchestrators.programs import example, rows_of, settle_in
from tests.support.served import served

jobs: Any = example("jibble_jobs")
pytestmark = pytest.mark.real_time

FIRST, LAST = date(2026, 7, 6), date(2026, 7, 19)


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with served(people=6, since=FIRST, until=LAST, seed=3) as running:
        yield running


@pytest.fixture
def env(box: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    settle_in(box, tmp_path, monkeypatch, jobs)
    given: dict[str, str] = jobs.environment(box.client_id, box.client_secret)
    return given


def test_a_day_is_a_file_and_the_same_when_it_is_done_again(
    box: Sandbox, env: dict[str, str], tmp_path: Path
) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    expected = {row["id"] for row in box.ledger.rows("TimeEntries", since=FIRST, until=FIRST)}
    for _ in range(2):
        told = jobs.export_day(env, FIRST.isoformat(), str(tmp_path))
        assert json.loads(json.dumps(told)) == told
        assert (told["rows"], told["outcome"]) == (len(expected), "proved")
        read = pq.read_table(told["path"])
        assert set(read["id"].to_pylist()) == expected
    assert [path.name for path in (tmp_path / "days").iterdir()] == ["2026-07-06.parquet"]


def test_a_day_that_was_broken_off_goes_on(
    box: Sandbox, env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, Any]] = []
    real = jobs.Exporter

    def make(*args: Any, **options: Any) -> Any:
        made.append(options)
        return real(*args, **options)

    monkeypatch.setattr(jobs, "Exporter", make)
    box.faults.add(Fault("denied_403", path="TimeEntries", nth=3, times=None))
    with pytest.raises(jobs.StopError):
        jobs.export_day(env, FIRST.isoformat(), str(tmp_path))
    assert [options["resume"] for options in made] == [True]
    box.faults.clear()
    assert jobs.export_day(env, FIRST.isoformat(), str(tmp_path))["outcome"] == "proved"


def test_what_is_not_proved_stops(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Doubtful:
        def __init__(self, *_: object, **__: object) -> None: ...

        async def run(self) -> Any:
            return type("Report", (), {"outcome": Outcome.NOT_PROVED, "reason": "it can't be"})

    monkeypatch.setattr(jobs, "Exporter", Doubtful)
    with pytest.raises(jobs.StopError, match="2026-07-06: it can't be"):
        jobs.export_day(env, FIRST.isoformat(), str(tmp_path))


def test_a_history_is_the_ledger_though_rows_change_meanwhile(
    box: Sandbox, env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = jobs.plan_partitions
    monkeypatch.setattr(
        jobs, "plan_partitions", lambda *args, **options: real(*args, rows=100, **options)
    )
    days = (FIRST.isoformat(), LAST.isoformat())
    (tmp_path / "history").mkdir()
    (tmp_path / "history/00099.jsonl").write_text("of a time before")
    windows = jobs.plan(env, *days, str(tmp_path))
    assert len(windows) >= 2
    changes = [{"note": "corrected"}, {"status": "Archived"}, {"belongsToDate": "2026-08-01"}]
    parts: list[dict[str, Any]] = []
    for window in windows:
        parts.append(jobs.export_window(env, window, str(tmp_path)))
        key = str(box.ledger.rows("TimeEntries", since=FIRST, until=FIRST)[0]["id"])
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        if changes:
            box.dataset.update("TimeEntries", key, {**changes.pop(), "updatedAt": now})
    told = jobs.put_right(env, iter(parts), str(tmp_path))
    assert json.loads(json.dumps([windows, parts, told])) == [windows, parts, told]
    expected = {row["id"]: row for row in box.ledger.rows("TimeEntries", since=FIRST, until=LAST)}
    found = {key: json.loads(line) for key, line in rows_of(tmp_path).items()}
    assert found.keys() == expected.keys()
    assert {key: row["note"] for key, row in found.items()} == {
        key: row["note"] for key, row in expected.items()
    }
    assert told["gone"] >= 1
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb is not installed")
    (query,) = re.findall(r"(?ms)^```sql\n(.*?)^```", (ROOT / "docs/orchestrators.md").read_text())
    monkeypatch.chdir(tmp_path)
    rows = duckdb.sql(query).arrow().read_all().to_pylist()
    assert {str(row["id"]): row["note"] for row in rows} == {
        key: row["note"] for key, row in found.items()
    }
    assert len(rows) == len(found)


@pytest.mark.parametrize("code", [*ExitCode, 130, -9])
def test_a_sync_is_tried_again_by_its_exit_code(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def ended(command: list[str], **options: Any) -> Any:
        seen.append((command[1:], options["env"]))
        return subprocess.CompletedProcess(command, code, stdout="fine", stderr="why\n")

    monkeypatch.setattr(jobs.subprocess, "run", ended)
    if code == 0:
        assert jobs.sync({"A": "b"}, "people groups", "/copies") == "fine"
        words = ["-m", "jibble_async.cli", "sync", "people", "groups", "--into", "/copies/copy"]
        assert seen == [(words, {"A": "b"})]
        return
    kind = OSError if code in {69, 74, 75} else jobs.StopError
    with pytest.raises(kind, match=f"ended with {code}: why$"):
        jobs.sync({}, "all", "/copies")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("status", status=503, times=None), ServerError),
        (Fault("denied_403", times=None), None),
    ],
    ids=["503", "403"],
)
def test_what_a_retry_does_not_help_is_told_from_what_it_may(
    fault: Fault, kind: Any, box: Sandbox, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    box.faults.add(fault)

    async def work() -> int:
        async with JibbleClient.from_env(env, limiter=Unlimited()) as jibble:
            return await jibble.with_options(retry=RetryPolicy(attempts=1)).people.list().count()

    with pytest.raises(kind or jobs.StopError):
        jobs.run(work())


def test_workers_take_turns_for_each_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"JIBBLE_CLIENT_ID": "key", "JIBBLE_STATE": str(tmp_path / "state")}
    seen: list[Any] = []
    monkeypatch.setattr(jobs, "limiter_at", lambda *told: seen.append(told))
    for service in jobs.SERVICES:
        jobs.pace(env, service)
        jobs.pace({**env, "JIBBLE_REDIS": "redis://cache"}, service)
    state = tmp_path / "state"
    assert seen == [
        (where, f"key-{service}")
        for service in get_args(Service)
        for where in (str(state), "redis://cache")
    ]
    assert state.stat().st_mode & 0o777 == 0o700
