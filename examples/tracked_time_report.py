"""Tracked time by project and person: `python tracked_time_report.py 2026-07-06 2026-07-12`."""

import asyncio
import sys
from datetime import date

from jibble_async import GroupBy, JibbleClient


async def main(since: date, until: date) -> None:
    async with JibbleClient.from_env() as jibble:
        report = jibble.reports.tracked_time(
            since, until, group_by=GroupBy.PROJECT, sub_group_by=GroupBy.MEMBER
        )
        async for project in report:
            print(project.subject.name if project.subject else "no project", project.tracked_time)
            for person in project.items or ():
                print("   ", person.subject and person.subject.name, person.tracked_time)


asyncio.run(main(*map(date.fromisoformat, sys.argv[1:])))
