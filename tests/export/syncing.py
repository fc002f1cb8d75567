"""A process that keeps a copy of a sandbox in step."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from jibble_async import ClientConfig, JibbleClient, Unlimited
from jibble_async.config import endpoints_from
from jibble_async.export import Sync
from tests.export.copied import SETS


async def main(into: str) -> None:
    config = ClientConfig(endpoints=endpoints_from(os.environ), page_size=50)
    async with JibbleClient.from_env(config=config, limiter=Unlimited()) as jibble:
        report = await Sync(jibble, into, sets=SETS, reconcile="always").run()
    assert not report.failed
    sys.stdout.write(json.dumps({each.set: each.outcome for each in report.sets}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
