"""What somebody without an API key may ask: with the bearer token of their own session."""

import asyncio
from getpass import getpass

from jibble_async import JibbleClient, StaticToken


async def main() -> None:
    async with JibbleClient.from_env(auth=StaticToken(getpass("Token: "))) as jibble:
        me = await jibble.whoami()
        entry = me.person_id and await jibble.time_entries.latest(me.person_id)
        print(f"{entry.type} at {entry.local_time}" if entry else "never clocked in")


asyncio.run(main())
