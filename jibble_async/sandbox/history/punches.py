"""What the people of the old company punched, as rows of the old API, with all that goes wrong.

A million rows are to be made in seconds and lie in memory, so texts and parts that are the same are
the same objects, and a row has no key without a value.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.history.people import Worker

_DAY = 86_400_000
_MINUTE = 60_000
# In, Out for lunch, In, Out: the old API knows no breaks.
_SHIFT = ((0, 1), (240, 2), (272, 1), (510, 2))
_METAS = ({"app": "ios", "appVer": "3.1.2"}, {"app": "web"}, {"app": "public-api"})
SCRIPTS = (
    "Überstunden wegen Inventur",
    "客先訪問",
    "مراجعة المخزون",
    "Обход склада",
    "Coffee first ☕👩🏽‍🔧",
    "=SUM(A1:A9)",
    "Waiting for parts,\r\nback at ten",
    "  two blanks before, one after ",
    "e\u0301 is not é",
    "",
)
LONG = ("Zwölf Boxkämpfer — 十二 — 🥊 " * 200)[:5000]
"""5,000 characters, of more bytes."""


def _changed(**values: object) -> Callable[[Row, Random], None]:
    return lambda row, _: row.update(values)


def _without(name: str) -> Callable[[Row, Random], None]:
    def take_away(row: Row, _: Random) -> None:
        row.pop(name)

    return take_away


def _script(row: Row, random: Random) -> None:
    row["notes"] = random.choice(SCRIPTS)


ODD: dict[str, Callable[[Row, Random], None] | None] = {
    "forgotten Out": None,
    "sent twice": None,
    "sent again after seconds": None,
    "note in some script": _script,
    "note of 5,000 characters": _changed(notes=LONG),
    "in the future": None,
    "of 1970": _changed(date="1970-01-01T00:00:00.000Z"),
    "no person": _without("person"),
    "no moment": _without("date"),
    "action 3": _changed(action=3),
    "activity gone": None,
    "client gone": None,
    "stamp in the future": None,
    "custom data": _changed(customData={"order": "4711", "shift": {"crew": "B"}}),
}
"""What is odd about some entries, by what it is called; None for what depends on others."""


class Chronicle:
    """Writes the entries of everybody.

    Args:
        first: The first day of work.
        days: How many days there are.
        seed: Equal seeds give equal rows.
        activities: The ids of activities by team.
        clients: The ids of clients.
        gone: The ids of a deleted activity and a deleted client.
        odd: Whether odd ones are among them.

    Attributes:
        rows: What was written so far.
        oddities: The ids of odd ones by what is odd about them.
    """

    def __init__(
        self,
        first: date,
        days: int,
        seed: int,
        *,
        activities: dict[str, list[str]],
        clients: list[str],
        gone: tuple[str, str],
        odd: bool,
    ) -> None:
        self.rows: list[Row] = []
        self.oddities: dict[str, list[str]] = {name: [] for name in ODD}
        self._days = [(first + timedelta(days=place)).isoformat() for place in range(-1, days + 1)]
        self._number = days
        self._future = f"{(first + timedelta(days=days + 400)).isoformat()}T08:00:00.000Z"
        self._seed = seed
        self._activities = activities
        self._clients = clients
        self._gone = gone
        self._odd = odd
        self._kinds = cycle(ODD)
        self._kind = next(self._kinds)
        self._step = 0
        self._next_odd = 0

    def write(self, worker: Worker, number: int, every: int) -> None:
        """Adds the entries of one person.

        Args:
            worker: Whose.
            number: How many.
            every: One of so many entries is odd.

        Raises:
            ValueError: There are not so many days.
        """
        # The two rows of who is in two teams at once are punched on the same days, minutes apart.
        pair = worker.place - 1 if worker.kind == "two teams at once" and worker.second else None
        twin = worker.place if pair is None else pair
        random = Random(f"history {self._seed} {worker.place}")  # noqa: S311
        days = Random(f"history {self._seed} days {twin}")  # noqa: S311
        stop = len(self.rows) + number
        self._step = every
        for row in self._punches(worker, self._days_of(worker, number, days), random):
            if self._odd and len(self.rows) >= self._next_odd:
                self._bend(row, random, stop)
            else:
                self.rows.append(row)
            if len(self.rows) >= stop:
                del self.rows[stop:]
                return
        raise ValueError(f"{number} entries of one person need more days than {self._number}")

    def _days_of(self, worker: Worker, number: int, random: Random) -> list[int]:
        needed = -(-number // len(_SHIFT))
        # Some Outs are forgotten, so that a few more days may be needed.
        wanted = needed + 2 + number // 100
        begin, end = 0, self._number
        if worker.kind == "one team after the other":
            middle = self._number // 2
            begin, end = (middle, end) if worker.second else (0, middle)
        elif worker.left or worker.place % 5 == 4:
            spare = max(end - int(wanted * 1.4), 0)
            begin = random.randrange(spare + 1)
            if worker.left:
                end = begin + max(int(wanted * 1.4), min(end - begin, end // 4))
                end = min(end, self._number)
        days = random.sample(range(begin, end), min(wanted, end - begin))
        return [*sorted(days[:needed]), *days[needed:]]

    def _punches(self, worker: Worker, days: list[int], random: Random) -> Iterator[Row]:
        start = 22 * 60 if worker.place % 9 == 8 else 7 * 60 + worker.place % 5 * 30
        if worker.second and worker.kind == "two teams at once":
            start += 20
        activities, clients, names = self._activities[worker.team], self._clients, self._days
        zone, between = ZoneInfo(worker.zone), random.random
        for day in days:
            offset = _offset(zone, names[day + 1][:7])
            chance = between()
            late = int(chance * 20 * _MINUTE)
            activity = activities[int(chance * 997) % len(activities)] if chance < 0.6 else None
            client = clients[int(chance * 991) % len(clients)] if 0.3 < chance < 0.7 else None
            for minute, action in _SHIFT:
                chance = between()
                at = (start + minute) * _MINUTE - offset + late + int(chance * 5 * _MINUTE)
                over, at = divmod(at, _DAY)
                minutes, rest = divmod(at, _MINUTE)
                hour, minutes = divmod(minutes, 60)
                moment = (
                    f"{names[day + 1 + over]}T{hour:02}:{minutes:02}:"
                    f"{rest // 1000:02}.{rest % 1000:03}Z"
                )
                row = {
                    "id": f"{random.getrandbits(64):016x}",
                    "person": worker.id,
                    "action": action,
                    "date": moment,
                    "team": worker.team,
                    "meta": _METAS[int(chance * 3)],
                    "updated_at": moment,
                    "created_at": moment,
                }
                if activity is not None:
                    row["activity"] = activity
                if client is not None:
                    row["client"] = client
                elif chance < 0.1:
                    row["notes"] = SCRIPTS[int(chance * 100)]
                yield row

    def _bend(self, row: Row, random: Random, stop: int) -> None:
        """Adds a row that is odd, if it can be so in the way whose turn it is."""
        kind, rows = self._kind, [row]
        change = ODD[kind]
        early = kind == "forgotten Out" and row["action"] != 2
        if early or len(self.rows) + 2 > stop:
            self.rows.append(row)
            return
        if change is not None:
            change(row, random)
        elif kind == "forgotten Out":
            # What is odd is the In that stays without one. Between odd ones are two or more that
            # aren't, so it is the row before.
            rows, row = [], self.rows[-1]
        elif kind.startswith("sent"):
            again = {**row, "id": f"{random.getrandbits(64):016x}"}
            if kind != "sent twice":
                seconds = int(again["date"][17:19])
                seconds += 3 if seconds < 57 else -3
                again["date"] = f"{row['date'][:17]}{seconds:02}{row['date'][19:]}"
            rows.append(again)
        elif kind.endswith("gone"):
            name = kind.split()[0]
            row[name] = self._gone[name == "client"]
        elif kind == "in the future":
            row["date"] = self._future
        else:
            row["updated_at"] = self._future
        self.rows.extend(rows)
        self.oddities[kind].append(row["id"])
        self._kind = next(self._kinds)
        self._next_odd = len(self.rows) + self._step


_OFFSETS: dict[tuple[str, str], int] = {}


def _offset(zone: ZoneInfo, month: str) -> int:
    """Milliseconds that a zone is ahead of UTC in the middle of a month."""
    key = (zone.key, month)
    if key not in _OFFSETS:
        ahead = datetime.fromisoformat(f"{month}-15T12:00:00").replace(tzinfo=zone).utcoffset()
        _OFFSETS[key] = int((ahead or timedelta(0)) / timedelta(milliseconds=1))
    return _OFFSETS[key]
