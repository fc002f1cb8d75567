"""What the sandbox takes for a question, with few rows and with many.

    python -m benchmarks.sandbox [entries ...]

Asked without a socket, so that only the sandbox is measured. The second figure is how many rows
were looked at for one question: it should not depend on how many there are.
"""

from __future__ import annotations

import resource
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from jibble_async.sandbox import History, Sandbox
from jibble_async.sandbox.exchange import Reply

_NOW = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
_PEOPLE = 400
_ROUNDS = 200


class _Asked:
    """A sandbox of so many entries, and who asks it."""

    def __init__(self, entries: int) -> None:
        self.clock = _NOW
        day = date(2026, 7, 6)
        self.box = Sandbox(_PEOPLE, day, day, clock=lambda: self.clock)
        self.people = [
            row["id"] for row in self.box.dataset.rows("People") if row["status"] == "Joined"
        ]
        self._fill(entries)
        form = {
            "grant_type": "client_credentials",
            "client_id": self.box.client_id,
            "client_secret": self.box.client_secret,
        }
        body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
        answer = self.ask("POST", "identity", "/connect/token", body)
        self.bearer = msgspec.json.decode(answer.encoded())["access_token"]

    def _fill(self, entries: int) -> None:
        rows = self.box.dataset.rows("TimeEntries")
        first = rows[0]
        begin = _NOW - timedelta(days=900)
        for number in range(len(rows), entries):
            moment = begin + timedelta(seconds=number * 900 * 86400 // entries)
            time_ = f"{moment:%Y-%m-%dT%H:%M:%S}Z"
            rows.append(
                {
                    **first,
                    "id": str(uuid.UUID(int=(number * 0x9E3779B97F4A7C15F39CC060) % 2**128)),
                    "personId": self.people[number % len(self.people)],
                    "type": "Out" if number // len(self.people) % 2 else "In",
                    "time": time_,
                    "belongsToDate": time_[:10],
                    "createdAt": time_,
                    "updatedAt": time_,
                }
            )
        self.box.dataset.touch()

    def ask(self, method: str, service: str, target: str, body: bytes = b"") -> Reply:
        """The answer to a request of a service."""
        host = "connect.jibble.io" if service == "legacy" else f"{service}.prod.jibble.io"
        bearer = self.box.legacy_token if service == "legacy" else getattr(self, "bearer", "")
        headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
        if service == "identity":
            headers["content-type"] = "application/x-www-form-urlencoded"
        target = quote(target, safe="/?$=&(),'[]:%")
        visit = self.box.hosts.arrive(method, f"https://{host}", target, headers, body)
        assert not isinstance(visit, Reply)
        reply = visit.reply()
        assert reply.status in {200, 201}, reply.payload
        return reply

    def punch(self, number: int) -> None:
        """A punch of somebody, a second after the one before."""
        self.clock += timedelta(seconds=1)
        body: dict[str, Any] = {
            "personId": self.people[number % len(self.people)],
            "type": "In",
            "platform": {"deviceName": "bench"},
        }
        self.ask("POST", "time-tracking", "/v1/TimeEntries", msgspec.json.encode(body))

    def look_up(self, number: int) -> None:
        """The latest entries of somebody, as a lost punch is looked for."""
        person = self.people[number % len(self.people)]
        since = f"{_NOW - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
        condition = f"personId eq {person} and time ge {since} and status ne 'Archived'"
        target = f"/v1/TimeEntries?$filter={condition}&$orderby=time desc&$top=50"
        self.ask("GET", "time-tracking", target)

    def at_a_moment(self, number: int) -> None:
        """What somebody has within a second of a moment, as entries without marks are found."""
        person = self.people[number % len(self.people)]
        then = _NOW - timedelta(days=number % 800 + 1)
        between = " and ".join(
            f"time {operator} {then + timedelta(seconds=shift):%Y-%m-%dT%H:%M:%SZ}"
            for operator, shift in (("ge", -1), ("le", 1))
        )
        condition = f"personId eq {person} and {between}"
        self.ask("GET", "time-tracking", f"/v1/TimeEntries?$filter={condition}&$orderby=id")

    def day(self, number: int) -> None:
        """A page of a working day."""
        day = (_NOW - timedelta(days=number % 800 + 1)).date()
        target = f"/v1/TimeEntries?$filter=belongsToDate eq {day}&$orderby=time,id&$top=100"
        self.ask("GET", "time-tracking", target)

    def page(self, number: int) -> None:
        """The next page of a walk over everything, by id."""
        target = f"/v1/TimeEntries?$orderby=id&$top=100&$skip={number * 100}"
        self.ask("GET", "time-tracking", target)

    def sweep(self, number: int) -> None:
        """A page of what was changed lately, somebody punching before each."""
        self.punch(number)
        since = f"{self.clock - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
        target = f"/v1/TimeEntries?$filter=updatedAt ge {since}&$orderby=updatedAt,id&$top=100"
        self.ask("GET", "time-tracking", target)

    def people_list(self, number: int) -> None:
        """A page of 100 people's entries of a day, as `is_in` asks for them."""
        day = (_NOW - timedelta(days=number % 800 + 1)).date()
        people = " or ".join(f"personId eq {each}" for each in self.people[:100])
        target = f"/v1/TimeEntries?$filter=belongsToDate eq {day} and ({people})&$top=100"
        self.ask("GET", "time-tracking", target)

    def legacy(self, number: int) -> None:
        """A page of the old API from a moment on."""
        since = f"{_NOW - timedelta(days=number % 800 + 1):%Y-%m-%dT%H:%M:%S.000Z}"
        target = f"/api/v1/timeentries?filter[where][date][gte]={since}"
        self.ask("GET", "legacy", f"{target}&filter[order]=date ASC&filter[limit]=100")


def _measure(asked: _Asked, what: Callable[[int], None], service: str) -> tuple[float, float]:
    """Milliseconds and rows looked at, for one question."""
    old = service == "legacy"
    table = asked.box.legacy.table("timeentries") if old else asked.box.dataset.table("TimeEntries")
    what(0)
    looked = table.examined
    begin = time.perf_counter()
    for number in range(1, _ROUNDS + 1):
        what(number)
    spent = (time.perf_counter() - begin) / _ROUNDS * 1000
    return spent, (table.examined - looked) / _ROUNDS


def _past(entries: int) -> None:
    """What it takes to make the history of a company, and to have it."""
    begin = time.process_time()
    box = Sandbox(_PEOPLE, until=_NOW.date(), history=History(entries), clock=lambda: _NOW)
    rows = box.legacy.rows("timeentries")
    made = time.process_time() - begin
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"history of {len(rows):,} entries: {made:.1f} s of CPU, {megabytes:.0f} MB")


def main(sizes: list[int]) -> None:
    """Prints a line for each kind of question and each size."""
    print(f"{'':28}{'entries':>10}{'ms':>9}{'rows':>9}")
    for size in sizes:
        _past(size)
        asked = _Asked(size)
        for name, what, service in (
            ("POST TimeEntries", asked.punch, "time-tracking"),
            ("look-up of a person", asked.look_up, "time-tracking"),
            ("look-up at a moment", asked.at_a_moment, "time-tracking"),
            ("page of a day", asked.day, "time-tracking"),
            ("page of all, by id", asked.page, "time-tracking"),
            ("punch, then sweep", asked.sweep, "time-tracking"),
            ("page of 100 people's day", asked.people_list, "time-tracking"),
            ("old API, date gte", asked.legacy, "legacy"),
        ):
            spent, looked = _measure(asked, what, service)
            print(f"{name:28}{size:>10,}{spent:>9.2f}{looked:>9.0f}")


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [10_000, 1_000_000])
