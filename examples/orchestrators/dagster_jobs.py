"""Jibble in Dagster: a day a partition, a copy kept in step, a history shared among workers.

    dagster instance concurrency set jibble 4
    dagster dev -f dagster_jobs.py

`JIBBLE_CLIENT_ID`, `JIBBLE_CLIENT_SECRET` and `JIBBLE_FOLDER` are environment variables of the
deployment; the secret's value is shown nowhere.
"""

from collections.abc import Callable, Iterator
from typing import Any

import jibble_jobs
from dagster import (
    AssetExecutionContext,
    Backoff,
    Config,
    ConfigurableResource,
    DailyPartitionsDefinition,
    Definitions,
    DynamicOut,
    DynamicOutput,
    EnvVar,
    Failure,
    MaterializeResult,
    RetryPolicy,
    RunFailureSensorContext,
    ScheduleDefinition,
    asset,
    build_schedule_from_partitioned_job,
    define_asset_job,
    job,
    op,
    run_failure_sensor,
)

POOL = "jibble"
ZONE = "Europe/Berlin"
AGAIN = RetryPolicy(max_retries=4, delay=600, backoff=Backoff.EXPONENTIAL)


class Jibble(ConfigurableResource[Any]):
    """Whose credentials are used, and where files are kept."""

    client_id: str
    client_secret: str
    folder: str

    def do(self, job: Callable[..., Any], *arguments: Any) -> Any:
        """What a job gives; what a retry does not help is not tried again."""
        env = jibble_jobs.environment(self.client_id, self.client_secret)
        try:
            return job(env, *arguments, self.folder)
        except jibble_jobs.StopError as error:
            raise Failure(str(error), allow_retries=False) from error


@asset(
    partitions_def=DailyPartitionsDefinition("2026-01-01", timezone=ZONE),
    pool=POOL,
    retry_policy=AGAIN,
)
def time_entries(context: AssetExecutionContext, jibble: Jibble) -> MaterializeResult[Any]:
    """A working day's time entries."""
    return MaterializeResult(metadata=jibble.do(jibble_jobs.export_day, context.partition_key))


@asset(pool=POOL, retry_policy=AGAIN)
def jibble_copy(jibble: Jibble) -> MaterializeResult[Any]:
    """All sets as they are by now, heedful of what was changed or deleted since."""
    return MaterializeResult(metadata={"sets": jibble.do(jibble_jobs.sync, "all")})


class Span(Config):
    """The days of a history."""

    since: str
    until: str


@op(out=DynamicOut(), pool=POOL, retry_policy=AGAIN)
def windows(jibble: Jibble, config: Span) -> Iterator[DynamicOutput[str]]:
    """What the days are read in."""
    found = jibble.do(jibble_jobs.plan, config.since, config.until)
    for number, window in enumerate(found):
        yield DynamicOutput(window, mapping_key=str(number))


@op(pool=POOL, retry_policy=AGAIN)
def read(jibble: Jibble, window: str) -> dict[str, Any]:
    """A window's rows, in a file."""
    found: dict[str, Any] = jibble.do(jibble_jobs.export_window, window)
    return found


@op(pool=POOL, retry_policy=AGAIN)
def put_right(jibble: Jibble, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """What changed meanwhile, when all windows are read."""
    found: dict[str, Any] = jibble.do(jibble_jobs.put_right, parts)
    return found


@job
def history() -> None:
    """The entries of any number of days, read by as many workers as the pool lets."""
    put_right(windows().map(read).collect())


@run_failure_sensor
def tell(context: RunFailureSensorContext) -> None:
    """Tell of a run that failed for good, such as of a day that is not proved."""
    jibble_jobs.alert(f"{context.dagster_run.job_name}: {context.failure_event.message}")


days = define_asset_job("days", [time_entries])
copy = define_asset_job("copy", [jibble_copy])

defs = Definitions(
    assets=[time_entries, jibble_copy],
    jobs=[days, copy, history],
    schedules=[
        # Of the day that has ended, in the zone of its partitions.
        build_schedule_from_partitioned_job(days, hour_of_day=3, minute_of_hour=15),
        ScheduleDefinition(job=copy, cron_schedule="45 3 * * *", execution_timezone=ZONE),
    ],
    sensors=[tell],
    resources={
        "jibble": Jibble(
            client_id=EnvVar("JIBBLE_CLIENT_ID"),
            client_secret=EnvVar("JIBBLE_CLIENT_SECRET"),
            folder=EnvVar("JIBBLE_FOLDER"),
        )
    },
)
