"""The log of an export of eight hours at INFO, in virtual time: `python -m benchmarks.diary`.

The old API, which takes 150 requests an hour, gives 120,000 entries; its token lasts an hour, and
in the third hour it is away for four minutes.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from jibble_legacy import LegacyClient, LegacyConfig, PasswordGrant

from benchmarks.migration import OldAccount
from jibble_async.core import logs
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from jibble_async.export import Exporter
from tests.support.virtual_time import run

ENTRIES = 120_000
_BEGIN = datetime(2026, 7, 13, 22, 0, tzinfo=UTC)
_AWAY = range(2 * 3600 + 60, 2 * 3600 + 300)


class _Host(OldAccount):
    """The old account, and who gives tokens for it."""

    async def send(self, request: Request, headers: Mapping[str, str], call: Any) -> Reply:
        if request.operation.name == "token":
            call.leaves(on_kept=False)
            return Reply(200, {}, b'{"access_token":"x","expires_in":3600,"token_type":"bearer"}')
        if int(asyncio.get_running_loop().time()) in _AWAY:
            call.leaves(on_kept=False)
            return Reply(503, {}, b"")
        return await super().send(request, headers, call)


class _Formatter(logs.Formatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        now = _BEGIN + timedelta(seconds=asyncio.get_running_loop().time())
        return f"{now:%H:%M:%S}"


async def _diary(entries: int, folder: Path) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_Formatter())
    logs.attach(handler, "info")
    loop = asyncio.get_running_loop()
    clock = Clock(monotonic=loop.time, random=random.Random(7).random)
    grant = PasswordGrant("id", "secret", "ann", "password", token_url="https://x.example/token")
    host = _Host(entries, 400)
    with mock.patch("jibble_async.core.caller.Transport", return_value=host):
        async with LegacyClient(auth=grant, config=LegacyConfig(clock=clock)) as legacy:
            await Exporter(legacy, "time_entries", out=folder / "entries.jsonl").run()
    logs.detach(handler)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        run(_diary(ENTRIES, Path(temporary)))
