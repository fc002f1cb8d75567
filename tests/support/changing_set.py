"""A set that never rests, in plain Python: a server's time entries, as OData answers for them.

One request is one snapshot. Before each, time goes on by a unit, and changes are made: new rows,
edits, moves to other days, rows archived, restored and deleted for good, and statements that stamp
up to 40 rows alike. A change has its moment by the clock of the server that made it, and is seen
up to a unit later. What the server does not know of a query, it refuses.
"""

from __future__ import annotations

import bisect
import heapq
import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from random import Random
from urllib.parse import parse_qsl

import msgspec
from multidict import CIMultiDict

from jibble_async import StaticToken
from jibble_async.core.credentials import Auth
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply

__all__ = ["UNIT", "ChangingSet", "Entry", "Habits"]

UNIT = 10
"""Seconds between two requests: more than the second that `Date` is told in."""

BEGIN = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
FIRST_DAY = date(2026, 6, 1)
_KINDS = ("insert", "edit", "move", "archive", "restore", "delete", "statement")
_WEIGHTS = (45, 14, 13, 10, 8, 5, 5)
_MOST_ALIKE = 40
_TERM = re.compile(
    r"belongsToDate (ge|le|eq) (\d{4}-\d\d-\d\d)|status (ne) '(Archived)'|updatedAt (ge) (\S+Z)"
)
_ORDERS = {"id", "updatedAt,id", "belongsToDate asc,id", "belongsToDate desc,id"}
_REFUSED = b'{"error":{"code":"BadRequest","message":"not known: %b"}}'
_KNOWN = {"$count", "$filter", "$orderby", "$skip", "$top", "$select"}


class Habits:
    """What a server, and those who work with it, are like.

    Args:
        rows: Rows in the beginning.
        days: Days that they belong to.
        rate: Changes between two requests, on the average.
        cap: The most rows of a page.
        skew: By how many units clocks are wrong at most.
        late: How many units later a change is seen at most.
        unstamped: The share of moves that leave `updatedAt` as it is.
        ignored: A field whose terms in filters are ignored.
        counts: Whether it counts rows.
    """

    def __init__(
        self,
        *,
        rows: int = 1_750,
        days: int = 30,
        rate: float = 0.1,
        cap: int | None = None,
        skew: float = 0.5,
        late: float = 1.0,
        unstamped: float = 0.0,
        ignored: str | None = None,
        counts: bool = True,
    ) -> None:
        self.rows, self.days, self.rate, self.cap = rows, days, rate, cap
        self.skew, self.late, self.unstamped = skew, late, unstamped
        self.ignored, self.counts = ignored, counts


class Entry:
    """A row."""

    __slots__ = ("_body", "archived", "day", "id", "note", "order", "ticks")

    def __init__(self, id: str, day: str, ticks: int) -> None:
        self.id, self.day, self.ticks = id, day, ticks
        self.archived = False
        self.note = 0
        # Not that of the texts: SQL Server begins with the last group of a GUID.
        self.order = id[24:] + id[:24]
        self._body: bytes | None = None

    @property
    def fields(self) -> dict[str, str]:
        """What there is of the row."""
        seconds, fraction = divmod(self.ticks, 10**7)
        moment = (BEGIN + timedelta(seconds=seconds)).isoformat()[:19]
        return {
            "id": self.id,
            "belongsToDate": self.day,
            "status": "Archived" if self.archived else "Active",
            "note": str(self.note),
            "updatedAt": f"{moment}.{fraction:07d}Z",
        }

    @property
    def body(self) -> bytes:
        """The row as it is written."""
        if self._body is None:
            self._body = msgspec.json.encode(self.fields)
        return self._body

    def changed(self, ticks: int | None) -> None:
        """Note a change, and when it was, if it is stamped."""
        self._body = None
        if ticks is not None:
            self.ticks = ticks


_order = operator.attrgetter("order")


class ChangingSet:
    """The server.

    Args:
        habits: What it is like.
        random: Decides all that is left to chance.

    Attributes:
        auth: What lets a client in.
        requests: How many there were.
        entries: The rows in their order.
        busy: Whether anything changes.
        state: What is meant, by id, as it is.
        counted: The same as it was at the latest count.
    """

    def __init__(self, habits: Habits, random: Random) -> None:
        self.habits = habits
        self.random = random
        self.auth: Auth = StaticToken("token")
        self.requests = 0
        self.busy = True
        self.state: dict[str, bytes] = {}
        self.counted: dict[str, bytes] = {}
        self._meant: Callable[[Entry], bool] = lambda _: True
        self._now = 0.0
        self._clocks = [random.uniform(-habits.skew, habits.skew) for _ in range(3)]
        self._days = [
            (FIRST_DAY + timedelta(days=number)).isoformat() for number in range(habits.days)
        ]
        self.entries: list[Entry] = []
        self._pending: list[tuple[float, int, int]] = []
        self._version = 0
        self._found: dict[tuple[str, str], tuple[int, list[Entry]]] = {}
        for number in range(habits.rows):
            entry = self._new(self._ticks(-1_000 + 900 * number / habits.rows))
            entry.archived = random.random() < 0.08
            self.entries.append(entry)
        self.entries.sort(key=_order)

    def watch(self, meant: Callable[[Entry], bool]) -> None:
        """Say which rows are meant."""
        self._meant = meant
        for entry in self.entries:
            self._note(entry)

    def note(self, entry: Entry, ticks: int | None) -> None:
        """Make known that a row changed, and when, if the change is stamped."""
        self._version += 1
        entry.changed(ticks)
        self._note(entry)

    def remove(self, entry: Entry) -> None:
        """Delete a row for good."""
        self._version += 1
        del self.entries[bisect.bisect_left(self.entries, entry.order, key=_order)]
        self.state.pop(entry.id, None)

    def clock(self) -> datetime:
        """The time by the clock of one of its machines, to the second before."""
        units = self._now + self.random.choice(self._clocks)
        return BEGIN + timedelta(seconds=int(units * UNIT // 1))

    def as_written(self, raw: bytes) -> bytes:
        """A row as it is written here, from how a client got it."""
        return raw

    def answer(self, request: Request, headers: Mapping[str, str]) -> Reply:
        """The answer to a request for the set."""
        self.requests += 1
        self.pass_time()
        options = dict(parse_qsl(request.url.query_string, keep_blank_values=True))
        headers = CIMultiDict(
            {"Date": format_datetime(self.clock(), usegmt=True), "Content-Type": "application/json"}
        )
        if not options.keys() <= _KNOWN or options.get("$orderby") not in _ORDERS:
            return Reply(400, headers, _REFUSED % b"an option")
        try:
            found = self._matching(options.get("$filter", ""), options["$orderby"])
        except ValueError as error:
            return Reply(
                400, headers, b'{"error":{"code":"","message":"%b"}}' % str(error).encode()
            )
        skip, top = int(options["$skip"]), int(options["$top"])
        page = found[skip : skip + min(top, self.habits.cap or top)]
        if top == 1:
            self.counted = dict(self.state)
        if options.get("$select") == "id":
            rows = [b'{"id":"%b"}' % entry.id.encode() for entry in page]
        else:
            rows = [entry.body for entry in page]
        count = b'"@odata.count":%d,' % len(found) if self.habits.counts else b""
        return Reply(200, headers, b'{%b"value":[%b]}' % (count, b",".join(rows)))

    def _matching(self, text: str, order: str) -> list[Entry]:
        version, found = self._found.get((text, order), (-1, []))
        if version == self._version:
            return found
        first, last, current, since = self._terms(text)
        found = [
            entry
            for entry in self.entries
            if entry.ticks >= since
            and first <= entry.day <= last
            and not (current and entry.archived)
        ]
        if order.startswith("updatedAt"):
            found.sort(key=lambda entry: entry.ticks)
        elif order.startswith("belongsToDate"):
            found.sort(key=lambda entry: entry.day, reverse=" desc" in order)
        self._found[text, order] = self._version, found
        return found

    def _terms(self, text: str) -> tuple[str, str, bool, float]:
        """The first and the last day, whether archived rows are left out, and a moment."""
        first, last, current, since = "", "9999", False, float("-inf")
        rest = text.replace("(", "").replace(")", "")
        for part in rest.split(" and ") if rest else []:
            match = _TERM.fullmatch(part)
            if match is None:
                raise ValueError(part)
            name = part.partition(" ")[0]
            operation, value = [each for each in match.groups() if each is not None]
            if name == self.habits.ignored:
                continue
            if name == "updatedAt":
                since = (datetime.fromisoformat(value) - BEGIN) // timedelta(microseconds=1) * 10
            elif name == "status":
                current = True
            else:
                first = value if operation in {"ge", "eq"} else first
                last = value if operation in {"le", "eq"} else last
        return first, last, current, since

    def pass_time(self) -> None:
        """Make the changes that are seen before the next request."""
        begin, self._now = self._now, self._now + 1
        if self.busy:
            at = begin + self._pause()
            while at < self._now:
                kind = self.random.choices(range(len(_KINDS)), _WEIGHTS)[0]
                ticks = self._ticks(at + self.random.choice(self._clocks))
                seen = at + self.random.uniform(0, self.habits.late)
                heapq.heappush(self._pending, (seen, kind, ticks))
                at += self._pause()
        while self._pending and self._pending[0][0] <= self._now:
            _, kind, ticks = heapq.heappop(self._pending)
            self._change(_KINDS[kind], ticks)

    def _pause(self) -> float:
        return self.random.expovariate(self.habits.rate) if self.habits.rate else float("inf")

    def _ticks(self, units: float) -> int:
        return int(units * UNIT * 10**7)

    def _change(self, kind: str, ticks: int) -> None:
        random = self.random
        if kind == "insert":
            entry = self._new(ticks)
            bisect.insort(self.entries, entry, key=_order)
            self.note(entry, ticks)
            return
        entry = random.choice(self.entries)
        stamp: int | None = ticks
        match kind:
            case "delete":
                self.remove(entry)
                return
            case "statement":
                begin = random.randrange(len(self.entries))
                alike = self.entries[begin :: random.choice((1, 7))]
                for each in alike[: random.randrange(1, _MOST_ALIKE + 1)]:
                    each.note += 1
                    self.note(each, ticks)
                return
            case "move":
                entry.day = random.choice(self._days)
                if random.random() < self.habits.unstamped:
                    stamp = None
            case "archive":
                entry.archived = True
            case "restore":
                away = [each for each in self.entries if each.archived]
                entry = random.choice(away) if away else entry
                entry.archived = False
            case _:
                entry.note += 1
        self.note(entry, stamp)

    def _note(self, entry: Entry) -> None:
        if self._meant(entry):
            self.state[entry.id] = entry.body
        else:
            self.state.pop(entry.id, None)

    def _new(self, ticks: int) -> Entry:
        digits = f"{self.random.getrandbits(128):032x}"
        groups = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return Entry("-".join(groups), self.random.choice(self._days), ticks)
