"""A process that exports the old API's time entries through a window that it shares."""

from __future__ import annotations

import asyncio
import sys

from jibble_legacy import LegacyClient

from jibble_async import SharedWindow
from jibble_async.export import Exporter


async def main(path: str, limit: int, per: float, out: str) -> None:
    window = SharedWindow(path, limit, per, linger=0.1)
    async with LegacyClient.from_env(limiter=window) as legacy:
        await Exporter(legacy, "time_entries", out=out).run()
    await window.aclose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
