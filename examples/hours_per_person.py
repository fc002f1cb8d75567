"""Hours per person this month, or in another: `python hours_per_person.py 2026-07-01`."""

import asyncio
import sys
from datetime import UTC, date, datetime, timedelta

from jibble_async import JibbleClient, work_sessions


async def main(day: date) -> None:
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    async with JibbleClient.from_env() as jibble:
        names = {person.id: person.full_name async for person in jibble.people.list()}
        entries = await jibble.time_entries.list(since=first, until=last).collect()
    sessions = work_sessions(entries)
    for person_id, worked in sessions.by_person().items():
        print(f"{worked / timedelta(hours=1):7.1f} h  {names.get(person_id, person_id)}")
    print(f"{len(sessions.leftovers)} entries could not be paired")


asyncio.run(main(date.fromisoformat(sys.argv[1]) if sys.argv[1:] else datetime.now(UTC).date()))
