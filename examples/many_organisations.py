"""One process for many organisations: one pool of connections; a token and limits for each.

`python many_organisations.py keys.csv`, with a name, an id and a secret in each line.
"""

import asyncio
import csv
import os
import sys
from pathlib import Path

from aiohttp import TCPConnector

from jibble_async import JibbleClient, JibbleError


async def main(keys: list[str]) -> None:
    async with TCPConnector(limit=50) as pool, asyncio.TaskGroup() as group:
        for name, key, secret in csv.reader(keys):
            env = {**os.environ, "JIBBLE_CLIENT_ID": key, "JIBBLE_CLIENT_SECRET": secret}
            group.create_task(count(name, JibbleClient.from_env(env, connector=pool)))


async def count(name: str, client: JibbleClient) -> None:
    try:
        async with client:
            print(name, await client.people.list().count())
    except JibbleError as error:  # of this one, which is no reason to stop the others
        print(f"{name}: {error}", file=sys.stderr)


asyncio.run(main(Path(sys.argv[1]).read_text().splitlines()))
