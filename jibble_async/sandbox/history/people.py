"""Who worked at the old company: those who are in its lists, and those who left them.

"Remove" takes a member out of every list and keeps the records, so most of those whom entries name
are in none (documented: old-rows). The first twenty show every kind of doubt that a migration has
of a person once; of the others most have left.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from jibble_async.sandbox.company.organisation import ZONES
from jibble_async.sandbox.company.people import address_of, names_of
from jibble_async.sandbox.company.young import Newcomer
from jibble_async.sandbox.legacy.scalars import new_id

if TYPE_CHECKING:
    from jibble_async.sandbox.entity_types import Row

_FIRST = (
    "here", "renamed", "two teams at once", "two teams at once", "no address",
    "shared address", "shared address", "gone", "gone", "new",
    "gone", "address spelt otherwise", "one team after the other", "one team after the other",
    "gone", "gone", "removed there", "gone", "gone", "gone",
)  # fmt: skip
_THEN = (
    "here", "gone", "gone", "new", "gone", "gone", "no address", "gone", "gone", "renamed", "gone",
    "gone",
)  # fmt: skip
# Places whose ids spreadsheets take for one another, or for a number.
_CASE, _NUMBER = 15, 17
_TEAMS = ("Werk Nord", "Werk Süd", "Büro")
_LEFT = {"gone", "removed there"}


@dataclass(frozen=True, slots=True)
class Worker:
    """One member row of the old account, whether or not a list still shows it.

    Args:
        place: Its number.
        kind: What is to be doubted of it.
        id: The old id that entries have.
        user: The human's id: the same in each team.
        team: The old id of the team.
        name: First and last.
        email: The address, as it is spelt there.
        zone: Where the human lives, as an IANA name; the old API does not know.
    """

    place: int
    kind: str
    id: str
    user: str
    team: str
    name: tuple[str, str]
    email: str | None
    zone: str

    @property
    def listed(self) -> bool:
        """Whether `teammembers` shows the row."""
        return self.kind != "gone"

    @property
    def second(self) -> bool:
        """Whether it is the second row of a human."""
        return self.place in {3, 13}

    @property
    def left(self) -> bool:
        """Whether the work ended before the period did."""
        return self.kind in _LEFT

    def row(self, stamp: str) -> Row:
        """What `teammembers` shows."""
        return {
            "id": self.id,
            "firstName": self.name[0],
            "lastName": self.name[1],
            "email": self.email,
            "role": "team_owner" if self.place == 0 else "team_member",
            "team": self.team,
            "user": self.user,
            "updated_at": stamp,
            "created_at": stamp,
        }

    def newcomer(self) -> Newcomer | None:
        """Who it is in the new organisation; None if nobody."""
        if self.kind in {"gone", "new", "shared address"} or self.second:
            return None
        given, family = self.name
        if self.kind == "renamed":
            family = f"{family}-Example"
        email = None if self.email is None else self.email.strip().lower()
        status = "Removed" if self.kind == "removed there" else "Joined"
        return Newcomer(f"{given} {family}", email, status, self.zone)


def teams_of(random: Random) -> dict[str, str]:
    """The names of the teams by their ids."""
    return {new_id(random, 10): name for name in _TEAMS}


def workers_of(number: int, teams: list[str], random: Random) -> list[Worker]:
    """The members of a company in the order of their numbers.

    Args:
        number: How many rows.
        teams: The ids of the teams.
        random: Where ids come from.
    """
    workers: list[Worker] = []
    for place in range(number):
        first = place < len(_FIRST)
        kind = _FIRST[place] if first else _THEN[(place - len(_FIRST)) % len(_THEN)]
        own, user = f"aB{new_id(random, 8)}", new_id(random, 10)
        team, name, email = teams[place % len(teams)], names_of(place), address_of(place)
        zone = ZONES[place % len(ZONES)]
        before = workers[-1] if workers else None
        if before is not None and first and place in {3, 13}:
            # The same human in the next team.
            user, name, email, zone = before.user, before.name, before.email or "", before.zone
        elif before is not None and first and place == 6:
            email = before.email or ""
        elif before is not None and place == _CASE:
            own = before.id.swapcase()
        elif place == _NUMBER:
            own = "12345E6789"
        elif kind == "address spelt otherwise":
            email = f" {email.title()}"
        spelt = None if kind == "no address" else email
        workers.append(Worker(place, kind, own, user, team, name, spelt, zone))
    return workers
