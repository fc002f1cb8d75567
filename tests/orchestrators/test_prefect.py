from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jibble_async.sandbox import Sandbox
from tests.orchestrators.programs import example, rows_of, settle_in
from tests.support.patience import PATIENCE
from tests.support.served import served

flows: Any = example("prefect_flows", needs="Prefect")
testing: Any = __import__("prefect.testing.utilities", fromlist=["*"])
pytestmark = [pytest.mark.real_time, pytest.mark.filterwarnings("ignore")]

FIRST, LAST = date(2026, 7, 6), date(2026, 7, 12)


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        with testing.prefect_test_harness(server_startup_timeout=int(PATIENCE)):
            yield


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with served(people=4, since=FIRST, until=LAST, seed=3) as running:
        settle_in(running, tmp_path, monkeypatch, flows.jibble_jobs)
        keep("id", running.client_id)
        keep("secret", running.client_secret)
        yield running


def keep(name: str, value: str) -> None:
    flows.Secret(value=value).save(f"jibble-client-{name}", overwrite=True)


def test_days_are_read_each_by_a_task(box: Sandbox, tmp_path: Path) -> None:
    found = flows.jibble_days(FIRST, date(2026, 7, 7))
    assert [each["outcome"] for each in found] == ["proved", "proved"]
    rows = box.ledger.rows("TimeEntries", since=FIRST, until=date(2026, 7, 7))
    assert sum(each["rows"] for each in found) == len(rows)
    names = sorted(path.name for path in (tmp_path / "days").iterdir())
    assert names == ["2026-07-06.parquet", "2026-07-07.parquet"]


def test_a_history_is_read_by_many(box: Sandbox, tmp_path: Path) -> None:
    told = flows.jibble_history(FIRST, LAST)
    expected = box.ledger.rows("TimeEntries", since=FIRST, until=LAST)
    assert told["rows"] == len(expected)
    assert rows_of(tmp_path).keys() == {row["id"] for row in expected}


@pytest.mark.usefixtures("box")
def test_what_a_retry_does_not_help_is_told_at_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ten minutes would pass before it was tried again."""
    keep("secret", "wrong-secret")
    with pytest.raises(flows.jibble_jobs.StopError, match="credentials were refused"):
        flows.jibble_days(FIRST, FIRST)
    told = capsys.readouterr().err
    assert "jibble-days: " in told
    assert "wrong-secret" not in told


def test_all_that_asks_takes_its_turn_by_one_tag() -> None:
    tasks = [flows.export_day, flows.sync, flows.windows, flows.read, flows.put_right]
    assert {tuple(each.tags) for each in tasks} == {("jibble",)}
    assert {each.retries for each in tasks} == {4}
