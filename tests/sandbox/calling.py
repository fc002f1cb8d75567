from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, TypedDict
from urllib.parse import quote

import aiohttp
from yarl import URL

from jibble_async.sandbox import Sandbox


class Period(TypedDict):
    since: date
    until: date


WEEK: Period = {"since": date(2026, 7, 6), "until": date(2026, 7, 12)}


PLATFORM = {"clientVersion": "web 3.0", "os": "Windows 10", "deviceName": "Laptop"}


class VirtualClock:
    def __init__(self) -> None:
        self.now = datetime(2026, 7, 13, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Caller:
    """A plain HTTP client with a token of the sandbox."""

    def __init__(self, box: Sandbox, session: aiohttp.ClientSession) -> None:
        self.box = box
        self.session = session
        self.bearer = ""

    async def authorise(self) -> dict[str, Any]:
        form = {
            "grant_type": "client_credentials",
            "client_id": self.box.client_id,
            "client_secret": self.box.client_secret,
        }
        url = f"{self.box.endpoints['identity']}/connect/token"
        async with self.session.post(url, data=form) as response:
            answer: dict[str, Any] = await response.json()
        self.bearer = answer["access_token"]
        return answer

    async def send(
        self, method: str, service: str, path: str, json: Any = None
    ) -> tuple[int, Any, dict[str, str]]:
        bare, _, query = path.partition("?")
        url = f"{self.box.endpoints[service]}{bare}?{quote(query, safe='$=&(),;%')}"
        headers = {"Authorization": f"Bearer {self.bearer}"}
        async with self.session.request(
            method, url, json=json, headers=headers, allow_redirects=False
        ) as response:
            is_json = "json" in response.headers.get("Content-Type", "")
            body = await response.json() if is_json else await response.text()
            return response.status, body, dict(response.headers)

    async def track(self, path: str) -> tuple[int, Any]:
        status, body, _ = await self.send("GET", "time_tracking", path)
        return status, body

    async def work(self, path: str) -> tuple[int, Any]:
        status, body, _ = await self.send("GET", "workspace", path)
        return status, body


class LegacyCaller:
    """A plain HTTP client of the old API; targets are sent as they are written."""

    def __init__(self, box: Sandbox, session: aiohttp.ClientSession) -> None:
        self.box = box
        self.session = session
        self.bearer = box.legacy_token

    async def send(
        self, method: str, path: str, json: Any = None, **options: Any
    ) -> tuple[int, Any, dict[str, str]]:
        url = URL(f"{self.box.legacy_url}/api/v1{path}", encoded=True)
        headers = {"Authorization": f"Bearer {self.bearer}"}
        async with self.session.request(
            method, url, json=json, headers=headers, **options
        ) as response:
            is_json = "json" in response.headers.get("Content-Type", "")
            body = await response.json() if is_json else await response.text()
            return response.status, body, dict(response.headers)

    async def get(self, path: str) -> tuple[int, Any]:
        status, body, _ = await self.send("GET", path)
        return status, body

    async def ask_token(self, body: Any, **options: Any) -> tuple[int, Any]:
        url = self.box.legacy_token_url
        async with self.session.post(url, json=body, **options) as response:
            return response.status, await response.json()
