"""Approve all time off that is pending, and tell what was refused."""

import asyncio
import sys

from jibble_async import ItemState, JibbleClient, TimeOff, TimeOffStatus, fields


async def main() -> int:
    row = fields(TimeOff)
    async with JibbleClient.from_env() as jibble:
        pending = jibble.time_off.list(where=row.status == TimeOffStatus.PENDING, expand=["person"])
        absences = {each.id: each async for each in pending}
        outcomes = await jibble.time_off.approve(*absences)
    left = [each for each in outcomes if each.state is not ItemState.DONE]
    for outcome in left:
        absence = absences[outcome.id]
        name = absence.person and absence.person.full_name
        print(f"{name} from {absence.start_date}: {outcome.state}, {outcome.error or ''}")
    print(f"{len(outcomes) - len(left)} of {len(outcomes)} approved")
    return 1 if left else 0


sys.exit(asyncio.run(main()))
