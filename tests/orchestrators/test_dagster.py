from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jibble_async.sandbox import Sandbox
from tests.orchestrators.programs import example, rows_of, settle_in
from tests.support.served import served

jobs: Any = example("dagster_jobs", needs="Dagster")
dagster: Any = __import__("dagster")
pytestmark = [pytest.mark.real_time, pytest.mark.filterwarnings("ignore")]

FIRST, LAST = date(2026, 7, 6), date(2026, 7, 12)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    with served(people=4, since=FIRST, until=LAST, seed=3) as running:
        settle_in(running, tmp_path, monkeypatch, jobs.jibble_jobs)
        monkeypatch.setenv("JIBBLE_CLIENT_ID", running.client_id)
        monkeypatch.setenv("JIBBLE_CLIENT_SECRET", running.client_secret)
        yield running


def test_a_partition_is_a_day(box: Sandbox, tmp_path: Path) -> None:
    done = dagster.materialize(
        [jobs.time_entries], partition_key="2026-07-07", resources=jobs.defs.resources
    )
    (made,) = done.asset_materializations_for_node("time_entries")
    expected = box.ledger.rows("TimeEntries", since=date(2026, 7, 7), until=date(2026, 7, 7))
    assert (made.metadata["rows"].value, made.metadata["outcome"].value) == (
        len(expected),
        "proved",
    )
    assert (tmp_path / "days/2026-07-07.parquet").exists()


def test_the_copy_is_kept_by_the_command(box: Sandbox, tmp_path: Path) -> None:
    done = dagster.materialize([jobs.jibble_copy], resources=jobs.defs.resources)
    assert done.success
    assert (tmp_path / "copy/people/manifest.json").exists()


def test_a_history_is_read_by_many(box: Sandbox, tmp_path: Path) -> None:
    span = {"since": FIRST.isoformat(), "until": LAST.isoformat()}
    done = jobs.defs.resolve_job_def("history").execute_in_process(
        run_config={"ops": {"windows": {"config": span}}}
    )
    expected = box.ledger.rows("TimeEntries", since=FIRST, until=LAST)
    assert done.output_for_node("put_right")["rows"] == len(expected)
    assert rows_of(tmp_path).keys() == {row["id"] for row in expected}


@pytest.mark.usefixtures("box")
def test_what_a_retry_does_not_help_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes would pass before it was."""
    monkeypatch.setenv("JIBBLE_CLIENT_SECRET", "wrong")
    done = dagster.materialize(
        [jobs.time_entries],
        partition_key="2026-07-07",
        resources=jobs.defs.resources,
        raise_on_error=False,
    )
    kinds = [event.event_type_value for event in done.all_events]
    assert "STEP_FAILURE" in kinds
    assert "STEP_UP_FOR_RETRY" not in kinds
    (failed,) = done.filter_events(lambda event: event.is_step_failure)
    said = str(failed.step_failure_data.error) + str(failed.step_failure_data.user_failure_data)
    assert "credentials were refused" in said
    assert "wrong" not in said


def test_all_that_asks_takes_its_turn_in_one_pool() -> None:
    definitions = jobs.defs.get_repository_def()
    assert {op.pool for op in jobs.history.graph.node_defs} == {"jibble"}
    assert {op.pool for op in (jobs.time_entries.op, jobs.jibble_copy.op)} == {"jibble"}
    schedules = {each.name: each for each in definitions.schedule_defs}
    assert {each.cron_schedule for each in schedules.values()} == {"15 3 * * *", "45 3 * * *"}
    assert {each.execution_timezone for each in schedules.values()} == {"Europe/Berlin"}
    assert [each.name for each in definitions.sensor_defs] == ["tell"]
