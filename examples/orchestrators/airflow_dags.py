"""Jibble in Airflow: a run a day, a copy kept in step, a history shared among workers.

    airflow pools set jibble 4 "requests to Jibble"
    airflow connections add jibble --conn-type generic --conn-login ID --conn-password SECRET
    airflow variables set jibble_folder /srv/jibble

Put this file and `jibble_jobs.py` into the folder of DAGs. The connection may be kept by any
backend of secrets; a task reads it when it runs.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jibble_jobs
from airflow.sdk import (
    Connection,
    Context,
    CronDataIntervalTimetable,
    Param,
    Variable,
    dag,
    task,
)
from airflow.sdk.exceptions import AirflowFailException

ZONE = "Europe/Berlin"


def tell(context: Context) -> None:
    """Tell of a task that failed for good, such as of a day that is not proved."""
    jibble_jobs.alert(f"{context.get('run_id')}: {context.get('exception')!s}")


OF_ALL: dict[str, Any] = {
    "pool": "jibble",
    "retries": 4,
    "retry_delay": timedelta(minutes=10),
    "retry_exponential_backoff": 2.0,
    "on_failure_callback": tell,
}
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def do(job: Callable[..., Any], *arguments: Any) -> Any:
    """What a job gives; what a retry does not help is not tried again."""
    kept = Connection.get("jibble")
    env = jibble_jobs.environment(kept.login, kept.password)
    try:
        return job(env, *arguments, Variable.get("jibble_folder"))
    except jibble_jobs.StopError as error:
        raise AirflowFailException(str(error)) from error


@dag(
    schedule=CronDataIntervalTimetable("15 3 * * *", timezone=ZONE),
    start_date=SINCE,
    catchup=False,
    default_args=OF_ALL,
)
def jibble_days() -> None:
    """Each working day's time entries, in a file of its own."""

    @task
    def export_day(data_interval_start: datetime | None = None) -> dict[str, Any]:
        # Airflow gives what has such a name.
        assert data_interval_start is not None
        day = data_interval_start.astimezone(ZoneInfo(ZONE)).date().isoformat()
        found: dict[str, Any] = do(jibble_jobs.export_day, day)
        return found

    export_day()


@dag(
    schedule=CronDataIntervalTimetable("45 3 * * *", timezone=ZONE),
    start_date=SINCE,
    catchup=False,
    max_active_runs=1,
    default_args=OF_ALL,
)
def jibble_copy() -> None:
    """All sets as they are by now, heedful of what was changed or deleted since."""

    @task
    def sync() -> str:
        said: str = do(jibble_jobs.sync, "all")
        return said

    sync()


@dag(
    schedule=None,
    max_active_runs=1,
    default_args=OF_ALL,
    params={
        "since": Param("2026-01-01", type="string", format="date"),
        "until": Param("2026-06-30", type="string", format="date"),
    },
)
def jibble_history() -> None:
    """The entries of any number of days, read by as many workers as the pool lets."""

    @task
    def windows(params: dict[str, Any] | None = None) -> list[str]:
        assert params is not None
        found: list[str] = do(jibble_jobs.plan, params["since"], params["until"])
        return found

    @task
    def read(window: str) -> dict[str, Any]:
        found: dict[str, Any] = do(jibble_jobs.export_window, window)
        return found

    @task
    def put_right(parts: Any) -> dict[str, Any]:
        found: dict[str, Any] = do(jibble_jobs.put_right, list(parts))
        return found

    put_right(read.expand(window=windows()))


days, copy, history = jibble_days(), jibble_copy(), jibble_history()
