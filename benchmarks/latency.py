"""How near a walk comes to what its pages in flight allow, where only answers take time.

    python -m benchmarks.latency

A walk over the sandbox's time entries in virtual time: an answer takes 100 ms, and computing
takes none. Ideal are as many pages as are in flight in each 100 ms, from the first moment on.
"""

from __future__ import annotations

import asyncio
import math
from datetime import date

import pytest

from benchmarks.measuring import table
from jibble_async.sandbox import Sandbox
from tests.support.memory_wire import MemoryWire
from tests.support.virtual_time import run

IN_FLIGHT = (1, 4, 8, 16)
SIZE, LATENCY = 25, 0.1


async def _walked(box: Sandbox, concurrency: int) -> tuple[int, float]:
    """The pages of a walk, and the seconds that it took."""
    with pytest.MonkeyPatch.context() as patch:
        # It waits on the way there and on the way back.
        async with MemoryWire(box, latency=LATENCY / 2).client(patch, page_size=SIZE) as client:
            # Fetches the token.
            await client.people.list(limit=1).collect()
            loop = asyncio.get_running_loop()
            began, rows = loop.time(), 0
            async for _ in client.time_entries.list(concurrency=concurrency):
                rows += 1
            return math.ceil(rows / SIZE), loop.time() - began


def main() -> None:
    """Print a table."""
    box = Sandbox(people=40, since=date(2026, 6, 1), until=date(2026, 8, 31), seed=3)
    lines: list[list[str]] = []
    for concurrency in IN_FLIGHT:
        pages, seconds = run(_walked(box, concurrency))
        ideal = pages / concurrency * LATENCY
        lines.append([str(concurrency), str(pages), f"{seconds:.2f}", f"{ideal / seconds:.1%}"])
    head = ["in flight", "pages", "seconds", "of the ideal"]
    table(f"{LATENCY * 1000:.0f} ms an answer.", head, lines)


if __name__ == "__main__":
    main()
