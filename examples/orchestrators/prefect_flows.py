"""Jibble in Prefect: days, a copy kept in step, a history shared among workers.

    prefect concurrency-limit create jibble 4
    python prefect_flows.py

The id and the secret of the API key are blocks of type Secret, `jibble-client-id` and
`jibble-client-secret`; a task reads them when it runs. `JIBBLE_FOLDER` is where files are kept.
"""

import os
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import jibble_jobs
from prefect import State, Task, flow, serve, task
from prefect.blocks.system import Secret
from prefect.client.schemas.objects import TaskRun
from prefect.schedules import Cron
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.tasks import exponential_backoff

ZONE = "Europe/Berlin"


def is_worth_a_retry(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Whether what failed may work later."""
    return not isinstance(state.result(raise_on_failure=False), jibble_jobs.StopError)


def tell(flow: Any, run: Any, state: State[Any]) -> None:
    """Tell of a run that failed for good, such as of a day that is not proved."""
    jibble_jobs.alert(f"{flow.name}: {state.message}")


OF_TASKS: dict[str, Any] = {
    # Its limit is that of all tasks with this tag, of whatever flow and worker.
    "tags": ["jibble"],
    "retries": 4,
    "retry_delay_seconds": exponential_backoff(600),
    "retry_condition_fn": is_worth_a_retry,
}
OF_FLOWS: dict[str, Any] = {
    "on_failure": [tell],
    "task_runner": ThreadPoolTaskRunner(max_workers=4),
}


def do(job: Callable[..., Any], *arguments: Any) -> Any:
    """What a job gives."""
    key: Any = Secret.load("jibble-client-id")
    secret: Any = Secret.load("jibble-client-secret")
    env = jibble_jobs.environment(key.get(), secret.get())
    return job(env, *arguments, os.environ["JIBBLE_FOLDER"])


@task(**OF_TASKS)
def export_day(day: str) -> dict[str, Any]:
    """A working day's time entries, in a file of its own."""
    found: dict[str, Any] = do(jibble_jobs.export_day, day)
    return found


@task(**OF_TASKS)
def sync() -> str:
    """All sets as they are by now, heedful of what was changed or deleted since."""
    said: str = do(jibble_jobs.sync, "all")
    return said


@task(**OF_TASKS)
def windows(since: date, until: date) -> list[str]:
    """What the days of a history are read in."""
    found: list[str] = do(jibble_jobs.plan, since.isoformat(), until.isoformat())
    return found


@task(**OF_TASKS)
def read(window: str) -> dict[str, Any]:
    """A window's rows, in a file."""
    found: dict[str, Any] = do(jibble_jobs.export_window, window)
    return found


@task(**OF_TASKS)
def put_right(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """What changed meanwhile, when all windows are read."""
    found: dict[str, Any] = do(jibble_jobs.put_right, parts)
    return found


@flow(**OF_FLOWS)
def jibble_days(since: date | None = None, until: date | None = None) -> list[dict[str, Any]]:
    """The day that has ended, or each of some days."""
    ended = datetime.now(ZoneInfo(ZONE)).date() - timedelta(days=1)
    first, last = since or ended, until or ended
    days = [first + timedelta(days=each) for each in range((last - first).days + 1)]
    return export_day.map([day.isoformat() for day in days]).result()


@flow(**OF_FLOWS)
def jibble_copy() -> str:
    """All sets as they are by now."""
    return sync()


@flow(**OF_FLOWS)
def jibble_history(since: date, until: date) -> dict[str, Any]:
    """The entries of any number of days, read by as many workers as the limit lets."""
    return put_right(read.map(windows(since, until)).result())


if __name__ == "__main__":
    deployments: list[Any] = [
        jibble_days.to_deployment("nightly", schedule=Cron("15 3 * * *", timezone=ZONE)),
        jibble_copy.to_deployment("nightly", schedule=Cron("45 3 * * *", timezone=ZONE)),
        jibble_history.to_deployment("by-hand"),
    ]
    serve(*deployments)
