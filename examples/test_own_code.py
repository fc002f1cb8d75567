"""A test of one's own code: `pytest test_own_code.py`."""

import pytest

from jibble_async import JibbleClient
from jibble_async.sandbox import Fault, Sandbox

pytest_plugins = ["jibble_async.testing"]


async def names(jibble: JibbleClient) -> list[str]:
    """The code under test."""
    return [person.full_name or "" async for person in jibble.people.list()]


@pytest.mark.asyncio
async def test_names_survive_an_outage(
    jibble_client: JibbleClient, jibble_sandbox: Sandbox
) -> None:
    jibble_sandbox.faults.add(Fault("status", path="People", status=503))
    found = await names(jibble_client)
    rows = jibble_sandbox.dataset.rows("People")
    assert set(found) == {row["fullName"] for row in rows if row["status"] != "Removed"}
    assert jibble_client.stats.retries > 0
