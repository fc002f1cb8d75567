"""The shape of requests, taken where they leave the package; no server is asked."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import aiohttp
import pytest
from aioresponses import aioresponses

from jibble_async import ClientCredentials, JibbleClient, StaticToken, TimeEntry, Unlimited, fields
from jibble_async.version import __version__
from tests.support.mocked import SHIM_NEEDED, mocked

T = fields(TimeEntry)
HOST = "https://time-tracking.prod.jibble.io"
EMPTY: dict[str, Any] = {"@odata.count": 0, "value": []}


async def requests_of(mock: Any, work: Any) -> list[tuple[str, str, dict[str, Any]]]:
    async with JibbleClient(auth=StaticToken("the-token"), limiter=Unlimited()) as jibble:
        await work(jibble)
    return [
        (method, str(url), call.kwargs)
        for (method, url), calls in mock.requests.items()
        for call in calls
    ]


async def test_the_shim_is_needed() -> None:
    # When this fails aioresponses has caught up: then tests/support/mocked.py can go.
    assert SHIM_NEEDED
    unmended: Any = aioresponses()
    with unmended as mock:
        mock.get("http://127.0.0.1/")
        async with aiohttp.ClientSession() as session:
            with pytest.raises(TypeError, match="stream_writer"):
                await session.get("http://127.0.0.1/")


async def test_a_listing() -> None:
    async def work(jibble: JibbleClient) -> None:
        pager = jibble.time_entries.list(
            since=date(2026, 7, 6),
            until=date(2026, 7, 12),
            expand=["project"],
            order_by=T.time,
            page_size=50,
        )
        assert await pager.collect() == []

    with mocked() as mock:
        mock.get(re.compile(f"{HOST}/v1/TimeEntries.*"), payload=EMPTY)
        ((method, url, kwargs),) = await requests_of(mock, work)
    assert method == "GET"
    assert url.startswith(f"{HOST}/v1/TimeEntries?")
    assert kwargs["allow_redirects"] is False
    assert kwargs["data"] is None
    headers = dict(kwargs["headers"])
    assert headers.pop("User-Agent") == f"jibble-async/{__version__}"
    assert headers == {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "Authorization": "Bearer the-token",
    }


async def test_a_large_page() -> None:
    rows = [{"id": f"{number:08}-0000-0000-0000-000000000000"} for number in range(5000)]

    async def work(jibble: JibbleClient) -> None:
        assert len(await jibble.paginate("workspace", "/v1/Things").collect()) == 5000

    with mocked() as mock:
        url = "https://workspace.prod.jibble.io/v1/Things?$count=true&$skip=0&$top=1000"
        mock.get(url, payload={"@odata.count": 5000, "value": rows})
        assert len(await requests_of(mock, work)) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_body(method: str) -> None:
    async def work(jibble: JibbleClient) -> None:
        await jibble.request(method, "time-tracking", "/v1/TimeEntries(1)", json={"note": "é"})

    with mocked() as mock:
        mock.add(f"{HOST}/v1/TimeEntries(1)", method, payload={})
        ((sent, _, kwargs),) = await requests_of(mock, work)
    assert sent == method
    assert kwargs["data"] == '{"note":"é"}'.encode()
    assert kwargs["headers"]["Content-Type"] == "application/json"


async def test_a_request_for_a_token() -> None:
    url = "https://identity.prod.jibble.io/connect/token"
    with mocked() as mock:
        mock.post(url, payload={"access_token": "t", "expires_in": 3600})
        async with JibbleClient(auth=ClientCredentials("id", "se cret&+")) as jibble:
            await jibble.whoami()
        ((_, calls),) = mock.requests.items()
    assert calls[0].kwargs["data"] == (
        b"grant_type=client_credentials&client_id=id&client_secret=se+cret%26%2B"
    )
    assert "Authorization" not in calls[0].kwargs["headers"]
