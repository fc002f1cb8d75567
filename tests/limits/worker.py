"""A process of a `Fleet`: sends as fast as its limiter lets it until told to end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from jibble_async.limits.adaptive.sqlite import SharedAdaptive
from jibble_async.limits.slots import Outcome
from jibble_async.limits.stored import StoredLimiter
from jibble_async.limits.windows.redis import RedisWindow
from jibble_async.limits.windows.sqlite import SharedWindow

ATTEMPT = 30.0


def limiter_of(job: dict[str, Any]) -> StoredLimiter[Any, Any]:
    if job["kind"] == "adaptive":
        return SharedAdaptive(job["place"], initial=job["limit"] / job["per"])
    if job["kind"] == "shared":
        return SharedWindow(
            job["place"], job["limit"], job["per"], job["linger"], lease=job["lease"]
        )
    return RedisWindow(
        job["place"],
        job["limit"],
        job["per"],
        job["linger"],
        workers=job["workers"],
        lease=job["lease"],
        trust_empty=job["trust_empty"],
    )


async def call_on(job: dict[str, Any], limiter: StoredLimiter[Any, Any]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", job["port"])
    try:
        while True:
            slot = await limiter.acquire(priority=job["priority"])
            outcome = Outcome.ABANDONED
            try:
                async with asyncio.timeout(ATTEMPT):
                    writer.write(job["name"].encode() + b"\n")
                    if await reader.readline():
                        outcome = Outcome.ANSWERED
            except TimeoutError:
                pass
            finally:
                slot.release(outcome)
            if outcome is Outcome.ABANDONED:
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", job["port"])
            await asyncio.sleep(job["rest"])
    finally:
        writer.close()


async def main(job: dict[str, Any], limiter: StoredLimiter[Any, Any]) -> None:
    callers = [asyncio.create_task(call_on(job, limiter)) for _ in range(job["callers"])]
    ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    await asyncio.wait([ended, *callers], return_when=asyncio.FIRST_COMPLETED)
    for caller in callers:
        if caller.done():
            # At once, since the thread that reads would keep a process that has failed.
            traceback.print_exception(caller.exception())
            os._exit(1)
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await limiter.aclose()


def measure(costs: list[float]) -> None:
    """Note the CPU time of every callback of the loop."""
    run: Callable[[asyncio.Handle], None] = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        costs.append(time.thread_time() - began)

    asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    true_time, true_monotonic = time.time, time.monotonic
    time.time = lambda: true_time() + options["skew"]
    time.monotonic = lambda: true_monotonic() + options["skew"]
    spent: list[float] = []
    measure(spent)
    asyncio.run(main(options, limiter_of(options)))
    sys.stdout.write(json.dumps({"callbacks": len(spent), "slowest": max(spent)}))
