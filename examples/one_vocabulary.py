"""Hours per person and activity, from either API: `one_vocabulary.py 2026-07-01 2026-07-31`.

With `--legacy` the old one is asked, and `zones.json` says in which zone each person's id works.
"""

import asyncio
import json
import sys
from datetime import date, timedelta
from pathlib import Path

from jibble_legacy import LegacyClient

from jibble_async import JibbleClient, TimeTracker, work_sessions


async def report(tracker: TimeTracker, since: date, until: date) -> None:
    async with tracker:
        people = {each.id: each.full_name async for each in tracker.people.list()}
        activities = {each.id: each.name async for each in tracker.activities.list()}
        entries = await tracker.time_entries.list(since=since, until=until).collect()
    hours = work_sessions(entries).worked_by(lambda each: (each.person_id, each.activity_id or ""))
    for (person, activity), worked in hours.items():
        print(round(worked / timedelta(hours=1), 1), people.get(person), activities.get(activity))


def client(*options: str) -> TimeTracker:
    if "--legacy" not in options:
        return JibbleClient.from_env()
    return LegacyClient.from_env(timezone=json.loads(Path("zones.json").read_text()))


since, until, *options = sys.argv[1:]
asyncio.run(report(client(*options), date.fromisoformat(since), date.fromisoformat(until)))
