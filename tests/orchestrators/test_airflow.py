"""As Airflow runs them: in a process with a home and a folder of DAGs, by `DAG.test()`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from jibble_async.sandbox import Sandbox
from tests.orchestrators.programs import FOLDER, example, rows_of, settle_in
from tests.support.patience import PATIENCE
from tests.support.served import served

jobs: Any = example("jibble_jobs", needs="Airflow")
pytestmark = pytest.mark.real_time

FIRST, LAST = date(2026, 7, 6), date(2026, 7, 12)
RUNS = f"""
import json, os, sys
from datetime import UTC, datetime
import airflow_dags

def run(dag, **how):
    done = dag.test(**how)
    tasks = {{each.task_id: [each.state, each.try_number] for each in done.get_task_instances()}}
    found.append([done.state, tasks])

found = []
# By hand a run is of the last interval that had ended.
run(airflow_dags.days, logical_date=datetime(2026, 7, 8, 12, tzinfo=UTC))
run(airflow_dags.history, run_conf={{"since": "{FIRST}", "until": "{LAST}"}})
kept = json.loads(os.environ["AIRFLOW_CONN_JIBBLE"]) | {{"password": "wrong-secret"}}
os.environ["AIRFLOW_CONN_JIBBLE"] = json.dumps(kept)
run(airflow_dags.days, logical_date=datetime(2026, 7, 9, 12, tzinfo=UTC))
of_all = [
    task for dag in (airflow_dags.days, airflow_dags.copy, airflow_dags.history)
    for task in dag.tasks
]
print(json.dumps([found, [[task.task_id, task.pool, task.retries] for task in of_all]]))
"""


class Ran:
    """What came of some runs, one after the other."""

    def __init__(self, folder: Path, box: Sandbox, said: str) -> None:
        self.folder = folder
        self.box = box
        self.said = said
        self.runs, self.tasks = json.loads(said.splitlines()[-1])


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("airflow")
    (folder / "dags").mkdir()
    for name in ("airflow_dags.py", "jibble_jobs.py"):
        shutil.copy(FOLDER / name, folder / "dags")
    with (
        pytest.MonkeyPatch.context() as patch,
        served(people=4, since=FIRST, until=LAST, seed=3) as box,
    ):
        settle_in(box, folder, patch, jobs)
        kept = {"conn_type": "generic", "login": box.client_id, "password": box.client_secret}
        environment = {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_JIBBLE": json.dumps(kept),
            "AIRFLOW_VAR_JIBBLE_FOLDER": str(folder),
            "JIBBLE_STATE": str(folder / "state"),
            "PYTHONPATH": os.pathsep.join([str(folder / "dags"), *sys.path]),
        }
        python(environment, "-m", "airflow", "db", "migrate")
        yield Ran(folder, box, python(environment, "-c", RUNS))


def python(environment: dict[str, str], *words: str) -> str:
    """What a program says."""
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_run_is_of_the_day_before_it(ran: Ran) -> None:
    assert ran.runs[0] == ["success", {"export_day": ["success", 1]}]
    assert [path.name for path in (ran.folder / "days").iterdir()] == ["2026-07-07.parquet"]


def test_a_history_is_read_by_many(ran: Ran) -> None:
    tasks = {name: ["success", 1] for name in ("windows", "read", "put_right")}
    assert ran.runs[1] == ["success", tasks]
    expected = ran.box.ledger.rows("TimeEntries", since=FIRST, until=LAST)
    assert rows_of(ran.folder).keys() == {row["id"] for row in expected}


def test_what_a_retry_does_not_help_is_told_at_once(ran: Ran) -> None:
    assert ran.runs[2] == ["failed", {"export_day": ["failed", 1]}]
    assert "credentials were refused" in ran.said
    assert "wrong-secret" not in ran.said
    assert ran.box.client_secret not in ran.said


def test_all_that_asks_takes_its_turn_in_one_pool(ran: Ran) -> None:
    names = ["export_day", "sync", "windows", "read", "put_right"]
    assert sorted(ran.tasks) == sorted([name, "jibble", 4] for name in names)
