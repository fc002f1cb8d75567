"""What jobs do, in plain functions: the programs beside this one give them to an orchestrator.

What they are given and give can be JSON, so each may run on any worker. The folder is on a disk
that workers share.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Coroutine, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from jibble_async import JibbleClient, JibbleError, Service
from jibble_async.cli.exit_codes import ExitCode, exit_code_of
from jibble_async.export import (
    Exporter,
    Extent,
    Outcome,
    Partition,
    changes,
    export_partition,
    plan_partitions,
    server_mark,
)
from jibble_async.integrations.pacing import SharedLimiter, limiter_at

T = TypeVar("T")
Env = Mapping[str, str]
"""The credentials, and where the services are; `JIBBLE_REDIS` is where workers share the quota."""

WORTH_A_RETRY = {ExitCode.SERVICE_AWAY, ExitCode.IO_ERROR, ExitCode.TRY_LATER}


class StopError(Exception):
    """To try again does not help: somebody has to look."""


def export_day(env: Env, day: str, folder: str) -> dict[str, Any]:
    """A working day's entries, in a file of its own; tried again, it goes on where it was."""
    out = Path(folder) / "days" / f"{day}.parquet"
    out.parent.mkdir(parents=True, exist_ok=True)
    on = date.fromisoformat(day)

    async def work() -> dict[str, Any]:
        async with connected(env) as jibble:
            exporter = Exporter(jibble, "time_entries", since=on, until=on, out=out, resume=True)
            report = await exporter.run()
        if report.outcome is Outcome.NOT_PROVED:
            raise StopError(f"{day}: {report.reason}")
        return {
            "path": str(report.path),
            "rows": report.rows,
            "requests": report.requests,
            "outcome": str(report.outcome),
        }

    return run(work())


def plan(env: Env, since: str, until: str, folder: str) -> list[str]:
    """The windows of a history, each to be read by any worker; kept with where it begins."""
    extent = Extent(
        set="time_entries", since=date.fromisoformat(since), until=date.fromisoformat(until)
    )

    async def work() -> list[str]:
        async with connected(env) as jibble:
            mark = await server_mark(jibble, extent)
            windows = await plan_partitions(
                jibble, extent.set, since=extent.since, until=extent.until
            )
        into = Path(folder) / "history"
        into.mkdir(parents=True, exist_ok=True)
        # From a time before this one, when there were other windows.
        for old in into.glob("*.jsonl"):
            old.unlink()
        (into / "plan.json").write_bytes(msgspec.json.encode({"mark": mark, "extent": extent}))
        return [msgspec.json.encode(each).decode() for each in windows]

    return run(work())


def export_window(env: Env, window: str, folder: str) -> dict[str, Any]:
    """One window's rows, as they were when they were read."""
    partition = msgspec.json.decode(window, type=Partition)
    out = Path(folder) / "history" / f"{partition.index:05}.jsonl"

    async def work() -> dict[str, Any]:
        async with connected(env) as jibble:
            part = await export_partition(jibble, partition, out)
        return {"name": part.name, "rows": part.rows, "sha256": part.sha256}

    return run(work())


def put_right(env: Env, parts: Iterable[Mapping[str, Any]], folder: str) -> dict[str, Any]:
    """What changed while windows were read, to be run when all of them are.

    A row of `changed.jsonl` counts instead of those of the same id; one with an id in `gone.txt`
    was archived, or moved to other days.
    """
    into = Path(folder) / "history"
    kept = msgspec.json.decode((into / "plan.json").read_bytes())
    extent = msgspec.convert(kept["extent"], Extent)

    async def work() -> dict[str, Any]:
        latest: dict[str, Any] = {}
        async with connected(env) as jibble:
            async for rows in changes(jibble, extent, kept["mark"]):
                latest.update((row.id, row) for row in rows)
        lines = [bytes(row.raw) for row in latest.values() if row.in_scope]
        gone = [row.id for row in latest.values() if not row.in_scope]
        (into / "changed.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
        (into / "gone.txt").write_text("".join(f"{key}\n" for key in gone))
        read = sum(part["rows"] for part in parts)
        return {"rows": read, "changed": len(lines), "gone": len(gone)}

    return run(work())


def sync(env: Env, sets: str, folder: str) -> str:
    """A copy kept in step by `jibble sync`, which goes on by itself when it is tried again."""
    into = f"{folder}/copy"
    command = [sys.executable, "-m", "jibble_async.cli", "sync", *sets.split(), "--into", into]
    done = subprocess.run(command, env=env, text=True, capture_output=True, check=False)
    if done.returncode == ExitCode.DONE:
        return done.stdout
    said = f"jibble sync ended with {done.returncode}: {done.stderr.strip()}"
    # Not proved is 1, which a retry does not mend.
    raise OSError(said) if done.returncode in WORTH_A_RETRY else StopError(said)


def alert(text: str) -> None:
    """Where a pager, a mail or a chat is to be told."""
    print(text, file=sys.stderr)


@asynccontextmanager
async def connected(env: Env) -> AsyncGenerator[JibbleClient]:
    """A client that takes turns with those of all other workers."""
    async with AsyncExitStack() as stack:
        limiters = {each: await stack.enter_async_context(pace(env, each)) for each in SERVICES}
        yield await stack.enter_async_context(JibbleClient.from_env(env, limiter=limiters))


SERVICES: tuple[Service, ...] = get_args(Service)


def pace(env: Env, service: Service) -> SharedLimiter:
    """What all workers know of a service's quota, which is that of one pair of credentials."""
    state = Path(env.get("JIBBLE_STATE", Path.home() / ".local/state/jibble-jobs"))
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return limiter_at(env.get("JIBBLE_REDIS", str(state)), f"{env['JIBBLE_CLIENT_ID']}-{service}")


def environment(client_id: str, client_secret: str, **more: str) -> dict[str, str]:
    """What the functions above take, with credentials that an orchestrator keeps."""
    return os.environ | {
        "JIBBLE_CLIENT_ID": client_id,
        "JIBBLE_CLIENT_SECRET": client_secret,
        **more,
    }


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result; a `StopError` where to try again would not help."""
    try:
        return asyncio.run(work)
    except JibbleError as error:
        if exit_code_of(error) in WORTH_A_RETRY:
            raise
        raise StopError(str(error)) from error
