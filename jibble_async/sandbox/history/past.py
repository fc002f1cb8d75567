"""Years in the old account, as rows of the old API, and who of them begins with the new one."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from jibble_async.sandbox.history.people import Worker, teams_of, workers_of
from jibble_async.sandbox.history.punches import Chronicle
from jibble_async.sandbox.legacy.records import TEAM_DEFAULTS
from jibble_async.sandbox.legacy.scalars import new_id

if TYPE_CHECKING:
    from datetime import date

    from jibble_async.sandbox.company.young import Newcomer
    from jibble_async.sandbox.entity_types import Row

# Of each team: two have the same name, a third differs by its case and a blank.
_ACTIVITIES = (("Assembly", "Maintenance"), ("Assembly", "Training"), ("assembly ", "Paperwork"))
_CLIENTS = ("O'Brien & Sons", "Müller GmbH", "株式会社サンプル", "müller gmbh")
_ODD_EVERY = 150


@dataclass(frozen=True, slots=True)
class History:
    """What the old account of a company holds that begins with the current API.

    Args:
        entries: How many time entries it has.
        oddities: Whether some of them are odd: see `Past.oddities`.

    Example:
        >>> async with Sandbox(people=400, history=History(entries=1_000_000)) as box: ...
    """

    entries: int = 10_000
    oddities: bool = True


class Past:
    """Years in the old account; made when somebody first asks for rows.

    Args:
        history: What it holds.
        people: How many member rows entries name; those of twenty show every kind of doubt.
        since: The first day of work.
        until: The last day of work.
        seed: Equal seeds give equal rows.

    Attributes:
        workers: Whom entries name, in the lists or not.
        newcomers: Who is in the new organisation already; the owner first.

    Raises:
        ValueError: There is nobody, no day, less than one entry for each, or more than they can
            make.
    """

    def __init__(
        self, history: History, *, people: int, since: date, until: date, seed: int
    ) -> None:
        if people < 1 or since > until or history.entries < people:
            raise ValueError("a history needs days, and for each of its people an entry")
        if history.entries / people / 3 + 2 > ((until - since).days + 1) / 2:
            raise ValueError("so many entries need more people, or more days")
        self._history = history
        self._first, self._days, self._seed = since, (until - since).days + 1, seed
        self._random = Random(f"history {seed}")  # noqa: S311
        self._teams = teams_of(self._random)
        self.workers: list[Worker] = workers_of(people, list(self._teams), self._random)
        made = (worker.newcomer() for worker in self.workers)
        self.newcomers: list[Newcomer] = [each for each in made if each is not None]
        self._oddities: dict[str, list[str]] = {}
        self._rows: dict[str, list[Row]] | None = None

    @property
    def oddities(self) -> dict[str, list[str]]:
        """The ids of entries, and of the member rows that entries name, by what is odd about them.

        Each kind of entries has one if there are 200 entries of six people, or more.
        """
        self.rows()
        return self._oddities

    def rows(self) -> dict[str, list[Row]]:
        """The rows of every resource, with references as bare ids."""
        if self._rows is None:
            self._rows = self._made()
        return self._rows

    def _made(self) -> dict[str, list[Row]]:
        stamp = f"{self._first.isoformat()}T06:00:00.000Z"
        stamps = {"updated_at": stamp, "created_at": stamp}
        random, teams, owner = self._random, list(self._teams), self.workers[0]
        activities = [
            {"id": new_id(random, 10), "name": name, "team": team, **stamps}
            for team, names in zip(teams, _ACTIVITIES, strict=True)
            for name in names
        ]
        for place, activity in enumerate(activities):
            activity.update(description="", color=f"#{place * 40:02X}8CFF")
        clients = [
            {"id": new_id(random, 16), "name": name, "team": teams[place % len(teams)], **stamps}
            for place, name in enumerate(_CLIENTS)
        ]
        plan = new_id(random, 10)
        chronicle = Chronicle(
            self._first,
            self._days,
            self._seed,
            activities={
                team: [each["id"] for each in activities if each["team"] == team] for team in teams
            },
            clients=[each["id"] for each in clients],
            gone=(new_id(random, 10), new_id(random, 16)),
            odd=self._history.oddities,
        )
        self._write(chronicle)
        return {
            "clients": clients,
            "activities": activities,
            "teams": [
                {
                    "id": team,
                    "name": name,
                    **TEAM_DEFAULTS,
                    "owner": owner.user,
                    "subscriptionPlan": plan,
                    **stamps,
                }
                for team, name in self._teams.items()
            ],
            "teammembers": [worker.row(stamp) for worker in self.workers if worker.listed],
            "powerups": [
                {"id": new_id(random, 10), "team": team, "isEnabled": True, **stamps}
                | {"powerUpId": "billing"}
                for team in teams
            ],
            "timeentries": chronicle.rows,
        }

    def _write(self, chronicle: Chronicle) -> None:
        entries, people = self._history.entries, len(self.workers)
        kinds = len(chronicle.oddities)
        every = max(2, min(_ODD_EVERY, entries // (kinds + 2) - 4))
        for worker in self.workers:
            share = entries // people + (worker.place < entries % people)
            chronicle.write(worker, share, every)
        self._oddities.update(chronicle.oddities)
        for worker in self.workers:
            self._oddities.setdefault(worker.kind, []).append(worker.id)
