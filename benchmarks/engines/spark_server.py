"""Sandboxes in a process of their own, for `spark`: so many organisations, a quota for each."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator
from datetime import date
from multiprocessing.connection import Connection
from typing import Any

import msgspec

from jibble_async.sandbox import Fault, Quota, Sandbox

__all__ = ["Companies", "Company", "Heard", "companies"]


class Company(msgspec.Struct, frozen=True):
    """What an organisation is made of; see `Sandbox`.

    Attributes:
        people: How many.
        since: The first day that has entries.
        until: The last one.
        limit: Requests of the quota.
        per: Its seconds.
        page_cap: The most rows of a page.
        latency: Seconds that an answer takes at least.
    """

    people: int
    since: date
    until: date
    limit: int
    per: float
    page_cap: int = 1000
    latency: float = 0.03


class Heard(msgspec.Struct, frozen=True):
    """What an organisation was asked, tokens aside.

    Attributes:
        moments: When each request came, in seconds.
        refused: How many were refused.
        tokens: Requests for a token.
        rows: Its time entries, by their ids.
    """

    moments: list[float]
    refused: int
    tokens: int
    rows: list[str]


class Companies:
    """Organisations that are served.

    Attributes:
        environments: The variables that point clients at each.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.environments: list[dict[str, str]] = pipe.recv()

    def requests(self) -> int:
        """How many requests all of them had so far."""
        self._pipe.send("requests")
        return int(self._pipe.recv())

    def limit(self, are_limited: bool) -> None:
        """Have the quotas hold, as they do at first, or not."""
        self._pipe.send(are_limited)
        self._pipe.recv()

    def heard(self) -> list[Heard]:
        """What each was asked since the last time."""
        self._pipe.send("heard")
        found: list[Heard] = self._pipe.recv()
        return found


@contextlib.contextmanager
def companies(*wanted: Company) -> Iterator[Companies]:
    """Organisations that are served until the end of the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, wanted), daemon=True)
    process.start()
    try:
        yield Companies(here)
    finally:
        process.kill()
        process.join()


def _serve(pipe: Connection, wanted: tuple[Company, ...]) -> None:
    asyncio.run(_main(pipe, wanted))


async def _main(pipe: Connection, wanted: tuple[Company, ...]) -> None:
    loop = asyncio.get_running_loop()

    def late(seconds: float) -> Any:
        def script(_: object) -> Fault:
            fault = Fault("stall")
            loop.call_later(seconds, fault.release)
            return fault

        return script

    async with contextlib.AsyncExitStack() as stack:
        boxes: list[Sandbox] = []
        quotas = [Quota(each.limit, each.per, headers=False, kind="sliding") for each in wanted]
        for number, each in enumerate(wanted):
            box = Sandbox(
                people=each.people,
                since=each.since,
                until=each.until,
                seed=number,
                quota=quotas[number],
                page_cap=each.page_cap,
            )
            box.faults.script = late(each.latency)
            boxes.append(await stack.enter_async_context(box))
        pipe.send([box.environment() for box in boxes])
        firsts = [0] * len(boxes)
        while True:
            asked = await asyncio.to_thread(pipe.recv)
            if asked == "requests":
                pipe.send(sum(len(box.ledger.requests) for box in boxes))
                continue
            if isinstance(asked, bool):
                for box, quota in zip(boxes, quotas, strict=True):
                    box.quota = quota if asked else None
                pipe.send(None)
                continue
            pipe.send([_heard(box, first) for box, first in zip(boxes, firsts, strict=True)])
            firsts = [len(box.ledger.requests) for box in boxes]


def _heard(box: Sandbox, first: int) -> Heard:
    received = box.ledger.requests[first:]
    limited = [each for each in received if each.service != "identity"]
    return Heard(
        [each.at.timestamp() for each in limited],
        sum(each.status == 429 for each in limited),
        len(received) - len(limited),
        [str(row["id"]) for row in box.ledger.rows("TimeEntries")],
    )
