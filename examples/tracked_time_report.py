"""Tracked hours by project and person: `python tracked_time_report.py 2026-07-06 2026-07-12`."""

import asyncio
import sys
from datetime import date, timedelta

from jibble_async import GroupBy, JibbleClient, TrackedTime


def line(row: TrackedTime) -> str:
    hours = (row.tracked_time or timedelta()) / timedelta(hours=1)
    return f"{hours:8.1f} h  {row.subject.name if row.subject else 'none'}"


async def main(since: date, until: date) -> None:
    async with JibbleClient.from_env() as jibble:
        report = jibble.reports.tracked_time(
            since, until, group_by=GroupBy.PROJECT, sub_group_by=GroupBy.MEMBER
        )
        async for project in report:
            print(line(project))
            for person in project.items or ():
                print("    ", line(person))


asyncio.run(main(*map(date.fromisoformat, sys.argv[1:])))
