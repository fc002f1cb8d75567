"""Two workers and a quota that they don't know: `python -m benchmarks.limits.workers`.

FastAPI on uvicorn, in real processes, against a sandbox that accepts 10 requests a second: ten
users look themselves up while an export always runs. Counted by the sandbox: how much is used, and
how much refused; by the users: who was told that it would take too long, although the quota has
room for them all.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import mean

import aiohttp

from jibble_async.sandbox import Quota, Sandbox
from tests.limits.redis_server import RedisServer

LIMIT = 10
USERS = 10
WORKERS = 2
SINCE, UNTIL = date(2026, 7, 1), date(2026, 7, 31)


@dataclass
class Seen:
    """What the users saw.

    Attributes:
        waits: How long each answer took, in seconds.
        statuses: The statuses of the backend's answers.
    """

    waits: list[float] = field(default_factory=list[float])
    statuses: Counter[int] = field(default_factory=Counter[int])


async def run(limiter: str, place: str, *, headers: bool, seconds: float) -> str:
    """One row: a backend that lives for some seconds."""
    quota = Quota(LIMIT, 1.0, headers=headers, retry_after=headers)
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(
            Sandbox(people=40, since=SINCE, until=UNTIL, quota=quota)
        )
        people = [str(person["id"]) for person in box.dataset.rows("People")]
        web = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        )
        port, process = await _backend(limiter, place, box.environment())
        try:
            at = f"http://127.0.0.1:{port}"
            await _is_up(web, f"{at}/up")
            seen, dice = Seen(), random.Random(1)
            tasks = [
                asyncio.create_task(_user(web, at, dice.choice(people), dice, seen))
                for _ in range(USERS)
            ]
            tasks.append(asyncio.create_task(_exports(web, at)))
            start, began = len(box.ledger.requests), asyncio.get_running_loop().time()
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
            spent = asyncio.get_running_loop().time() - began
            requests = box.ledger.requests[start:]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            process.terminate()
            await process.wait()
        asked = [one for one in requests if one.service == "time-tracking"]
    refused = sum(one.status == 429 for one in asked)
    used = (len(asked) - refused) / (LIMIT * spent)
    waits = sorted(seen.waits)
    late, other = seen.statuses[503], seen.statuses.total() - seen.statuses[200]
    wait = f"{mean(waits):.2f} s, {waits[int(0.99 * len(waits))]:.2f} s"
    return (
        f"| {limiter} | {'told' if headers else 'not told'} | {len(asked)} | {refused} "
        f"({100 * refused / max(1, len(asked)):.2f}%) | {100 * used:.0f}% | {late} "
        f"| {other - late} | {wait} |"
    )


async def _backend(
    limiter: str, place: str, environment: dict[str, str]
) -> tuple[int, asyncio.subprocess.Process]:
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    listener.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "uvicorn", "benchmarks.limits.backend:app", "--workers", str(WORKERS)),
        *("--port", str(port), "--log-level", "critical", "--timeout-graceful-shutdown", "1"),
        env={**os.environ, **environment, "LIMITER": limiter, "PLACE": place},
    )
    return port, process


async def _is_up(web: aiohttp.ClientSession, url: str) -> None:
    for _ in range(600):
        with suppress(aiohttp.ClientError):
            async with web.get(url) as answer:
                if answer.status == 200:
                    # The other worker is there soon.
                    await asyncio.sleep(3)
                    return
        await asyncio.sleep(0.1)
    raise RuntimeError("the backend does not answer")


async def _user(
    web: aiohttp.ClientSession, at: str, person: str, dice: random.Random, seen: Seen
) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(dice.uniform(1, 3))
        began = loop.time()
        async with web.get(f"{at}/people/{person}/latest") as answer:
            seen.statuses[answer.status] += 1
            await answer.read()
        seen.waits.append(loop.time() - began)


async def _exports(web: aiohttp.ClientSession, at: str) -> None:
    params = {"since": SINCE.isoformat(), "until": UNTIL.isoformat()}
    forever = aiohttp.ClientTimeout(total=None)
    while True:
        async with web.get(f"{at}/export", params=params, timeout=forever) as answer:
            if answer.status != 200:
                raise RuntimeError(await answer.text())
            await answer.read()


async def table(seconds: float, what: list[str]) -> None:
    """The table of real workers."""
    print(
        "| limiter | quota | requests | refused | used | told to wait too long | other errors ",
        end="",
    )
    print("| a user waits: mean, 99% |\n|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for number, kind in enumerate(what):
            for headers in (False, True):
                place, server = f"{folder}/{number}{headers}.db", None
                if kind == "redis":
                    program = shutil.which("redis-server")
                    if program is None:
                        print("redis-server is not installed")
                        continue
                    server = RedisServer(program, Path(folder))
                    server.start()
                    place = server.url
                try:
                    print(await run(kind, place, headers=headers, seconds=seconds), flush=True)
                finally:
                    if server is not None:
                        server.kill()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["own", "shared", "redis"])
    parser.add_argument("--seconds", type=float, default=180.0, help="how long each row takes")
    options = parser.parse_args()
    asyncio.run(table(options.seconds, options.what))


if __name__ == "__main__":
    main()
