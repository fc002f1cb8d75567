"""A process that exports time entries from a sandbox, and goes on with what is there."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import date

from jibble_async import ClientConfig, JibbleClient, Unlimited
from jibble_async.config import endpoints_from
from jibble_async.export import Exporter


async def main(out: str, concurrency: int) -> None:
    config = ClientConfig(endpoints=endpoints_from(os.environ), page_size=5)
    async with JibbleClient.from_env(config=config, limiter=Unlimited()) as jibble:
        report = await Exporter(
            jibble,
            "time_entries",
            out=out,
            since=date(2026, 7, 6),
            until=date(2026, 7, 19),
            concurrency=concurrency,
            resume=True,
        ).run()
    sys.stdout.write(
        json.dumps(
            {
                "rows": report.rows,
                "outcome": report.outcome,
                "pages": report.pages,
                "reread_pages": report.reread_pages,
                "resumed_rows": report.resumed_rows,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
