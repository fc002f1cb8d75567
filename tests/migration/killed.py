"""The program that the tests kill for real: `python -m tests.migration.killed FOLDER`.

It asks the accounts that the environment names, and writes as a program does that nobody watches.
"""

from __future__ import annotations

import asyncio
import os
import sys
from functools import partial

from jibble_legacy import LegacyClient
from jibble_legacy.migration import Migration

from jibble_async import JibbleClient, Unlimited
from tests.migration.program import move

SETTLE = 1.0


async def main(folder: str) -> int:
    async with (
        LegacyClient.from_env(os.environ, limiter=Unlimited()) as source,
        JibbleClient.from_env(os.environ, limiter=Unlimited()) as target,
    ):
        report = await partial(move, settle=SETTLE)(Migration(folder, source=source, target=target))
    return report.exit


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
