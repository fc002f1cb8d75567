"""The other end of the benchmarks: a small HTTP server in a process of its own.

It evaluates nothing and keeps what it rendered, so that it is never what is measured. The first
part of a path says how many rows the server has: `/4000/v1/TimeEntries?$skip=0&$top=100`.
"""

from __future__ import annotations

import asyncio
import functools
import json
import random
import re
import subprocess
import sys
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

ROWS_MOST = 40_000

_HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Date: Mon, 05 Oct 2026 08:00:00 GMT\r\n"
    b"Content-Type: application/json; odata.metadata=minimal; odata.streaming=true\r\n"
    b"OData-Version: 4.0\r\n"
    b"Strict-Transport-Security: max-age=15724800; includeSubDomains\r\n"
    b"Content-Length: %d\r\n\r\n"
)
_PLACE = re.compile(rb"^GET /(\d+)/v1/TimeEntries\?.*\$skip=(\d+)&\$top=(\d+)")
_START = datetime(2026, 7, 1, 8)  # noqa: DTZ001 - rendered with its own Z and offset


@contextmanager
def serving() -> Generator[str]:
    """The origin of a server that runs until the end of the block."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def row(chance: random.Random, number: int) -> dict[str, Any]:
    """A time entry as the server gives one, with its person."""

    def guid() -> str:
        return str(uuid.UUID(int=chance.getrandbits(128), version=4))

    def maybe(share: float, value: Any) -> Any:
        return value if chance.random() < share else None

    time = _START + timedelta(seconds=97 * number, microseconds=chance.randrange(10**6))
    local = time + timedelta(hours=2)
    person = guid()
    return {
        "id": guid(),
        "type": chance.choice(["In", "Out", "StartBreak"]),
        "status": "Active",
        "time": f"{time.isoformat()}Z",
        "localTime": f"{local.isoformat()}+02:00",
        "offset": "PT2H",
        "belongsToDate": local.date().isoformat(),
        "personId": person,
        "organizationId": "5f0c0f4e-93e5-4f5b-8e0c-0d2b9a7b1c11",
        "activityId": maybe(0.6, guid()),
        "projectId": maybe(0.6, guid()),
        "locationId": None,
        "note": maybe(0.3, "Grüße from the north site"),
        "coordinates": maybe(0.5, {"latitude": 52.52, "longitude": 13.405, "address": None}),
        "clientType": "Web",
        "isOffline": False,
        "person": {"id": person, "fullName": f"Person {number % 500}"},
    }


@functools.cache
def _rows() -> list[bytes]:
    chance = random.Random(7)
    # By id, which is the order that is asked for.
    rows = sorted((row(chance, number) for number in range(ROWS_MOST)), key=itemgetter("id"))
    return [json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() for row in rows]


@functools.cache
def _page(total: int, skip: int, top: int) -> bytes:
    rows = b",".join(_rows()[skip : min(skip + top, total)])
    body = b'{"@odata.count":%d,"value":[%b]}' % (total, rows)
    return _HEAD % len(body) + body


def _person() -> bytes:
    body = (
        b'{"id":"7b1b3e0e-52a2-4d4b-9a53-6f1f1c9e6f10","fullName":"Ada Lovelace",'
        b'"email":"ada@example.com","status":"Joined"}'
    )
    return _HEAD % len(body) + body


class _Answers(asyncio.Protocol):
    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._small = _person()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, self._received = self._received[:end], self._received[end + 4 :]
            place = _PLACE.match(head)
            numbers = map(int, place.groups()) if place is not None else None
            self._transport.write(self._small if numbers is None else _page(*numbers))


async def _serve() -> None:
    _rows()
    server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
