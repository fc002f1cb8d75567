"""The other end of the benchmarks: a small HTTP server in a process of its own.

It evaluates next to nothing and keeps rows as bytes, so that it is never what is measured. The
first part of a path says how many rows the server has, how many milliseconds it waits before each
answer, and whether ids ascend as texts: `/4000/v1/TimeEntries?$skip=0&$top=100`,
`/4000-20/v1/…`, `/4000-20-mixed/v1/…`. Of a filter it heeds the days, and that nothing changes;
rows lie evenly in the days of a month.
"""

from __future__ import annotations

import asyncio
import functools
import json
import random
import re
import subprocess
import sys
import urllib.request
import uuid
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar

# So many rows differ; then they repeat, all but their ids and days.
_KINDS = 40_000
_DAYS = 31
# Coprime to the number of first halves of ids: no two rows get the same.
_MIXER = 2_654_435_761

_HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Date: Mon, 05 Oct 2026 08:00:00 GMT\r\n"
    b"Content-Type: application/json; odata.metadata=minimal; odata.streaming=true\r\n"
    b"OData-Version: 4.0\r\n"
    b"Strict-Transport-Security: max-age=15724800; includeSubDomains\r\n"
    b"Content-Length: %d\r\n\r\n"
)
_SET = re.compile(rb"^GET /(\d+)(?:-(\d+))?(-mixed)?/")
_PLACE = re.compile(rb"^GET /[^/]*/v1/TimeEntries\?(.*)\$skip=(\d+)&\$top=(\d+)")
_DATED = re.compile(rb"2026-0[78]-\d\d")
_DAY = re.compile(rb"belongsToDate%20(ge|le|eq)%202026-07-(\d\d)")
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


def requests(base: str) -> int:
    """How many requests for a set a server got since this was asked last."""
    origin, _, name = base.rpartition("/")
    with urllib.request.urlopen(f"{origin}/requests/{name}") as answer:
        return int(answer.read())


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
        "updatedAt": "2026-09-03T06:40:12.123456Z",
        "person": {"id": person, "fullName": f"Person {number % 500}"},
    }


@functools.cache
def _kinds() -> list[bytes]:
    """Rows, all but the first half of their ids and their days."""
    chance = random.Random(7)
    rows = (row(chance, number) for number in range(_KINDS))
    texts = (json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in rows)
    return [_DATED.sub(b"2026-07-%02d", b'{"id":"%08x' + text.encode()[15:]) for text in texts]


@functools.lru_cache(maxsize=128)
def _page(total: int, mixed: bool, first: int, last: int, skip: int, top: int) -> bytes:
    """A page of the rows of some days."""
    begin, end = (-(-total * day // _DAYS) for day in (first - 1, last))
    numbers = range(begin + skip, min(begin + skip + top, end))
    kinds = _kinds()
    rows: list[bytes] = []
    for number in numbers:
        day = 1 + number * _DAYS // total
        head = number * _MIXER % 2**32 if mixed else number
        rows.append(kinds[number % _KINDS] % (head, day, day, day))
    body = b'{"@odata.count":%d,"value":[%b]}' % (end - begin, b",".join(rows))
    return _HEAD % len(body) + body


def _small(text: bytes) -> bytes:
    return _HEAD % len(text) + text


_NOTHING = _small(b'{"@odata.count":0,"value":[]}')
_PERSON = _small(
    b'{"id":"7b1b3e0e-52a2-4d4b-9a53-6f1f1c9e6f10","fullName":"Ada Lovelace",'
    b'"email":"ada@example.com","status":"Joined"}'
)


def _answer(head: bytes) -> tuple[bytes, float]:
    """An answer, and the seconds that it takes."""
    found = _SET.match(head)
    if found is None or found[1] == b"0":
        return _PERSON, 0.0
    seconds = int(found[2] or 0) / 1000
    place = _PLACE.match(head)
    if place is None:
        return _PERSON, seconds
    if b"updatedAt%20ge" in place[1]:
        return _NOTHING, seconds
    first, last = 1, _DAYS
    if place[1].endswith(b"belongsToDate%20desc,id&"):
        first = last
    for kind, day in _DAY.findall(place[1]):
        first = first if kind == b"le" else int(day)
        last = last if kind == b"ge" else int(day)
    rows = _page(int(found[1]), bool(found[3]), first, last, int(place[2]), int(place[3]))
    return rows, seconds


class _Answers(asyncio.Protocol):
    asked: ClassVar[Counter[bytes]] = Counter()

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            # Some clients write a dollar so.
            head = self._received[:end].replace(b"%24", b"$")
            self._received = self._received[end + 4 :]
            _, name, path = head.split(maxsplit=2)[1].split(b"/", 2)
            if name == b"requests":
                self._transport.write(_small(b"%d" % self.asked.pop(path, 0)))
                continue
            self.asked[name] += 1
            answer, seconds = _answer(head)
            if seconds:
                asyncio.get_running_loop().call_later(seconds, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def _serve() -> None:
    _kinds()
    server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
