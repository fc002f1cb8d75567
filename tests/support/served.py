"""A sandbox for tests without a loop, as programs and readers are: it has a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from typing import Any

from jibble_async.export.ahead import Ahead
from jibble_async.sandbox import Sandbox

__all__ = ["served"]


@contextlib.contextmanager
def served(**options: Any) -> Generator[Sandbox]:
    """A sandbox that runs until the end of the block."""

    async def serve(give: Any) -> None:
        async with Sandbox(**options) as running:
            await give(running)
            await asyncio.get_running_loop().create_future()

    items = Ahead(serve, 1)
    try:
        yield next(items)
    finally:
        items.close()
