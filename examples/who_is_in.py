"""Who is clocked in now, and since when."""

import asyncio

from jibble_async import JibbleClient


async def main() -> None:
    async with JibbleClient.from_env() as jibble:
        people = await jibble.people.clocked_in().collect()
        latest = await asyncio.gather(*(jibble.time_entries.latest(each.id) for each in people))
    for person, entry in zip(people, latest, strict=True):
        since = entry and entry.local_time
        print(f"{person.full_name} since {since:%Y-%m-%d %H:%M}" if since else person.full_name)
    print(len(people), "people are in")


asyncio.run(main())
