"""Who is clocked in now, and since when."""

import asyncio
from datetime import UTC
from zoneinfo import ZoneInfo

from jibble_async import JibbleClient


async def main() -> None:
    async with JibbleClient.from_env() as jibble:
        people = await jibble.time_entries.working_now().collect()
    for person in people:
        zone = person.time_zone and ZoneInfo(person.time_zone)
        since = person.time and person.time.astimezone(zone or UTC)
        print(f"{person.full_name} since {since:%Y-%m-%d %H:%M}" if since else person.full_name)
    print(len(people), "people are in")


asyncio.run(main())
