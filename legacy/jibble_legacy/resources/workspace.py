"""Who and what there is: teams, their members, activities, clients and power-ups."""

from __future__ import annotations

import builtins
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from jibble_async.api.listing import Routes, offered_as
from jibble_async.api.writing import looking, lost, new, require_text
from jibble_async.entities import Activity
from jibble_async.entities.base import Entity
from jibble_async.errors import AmbiguousWriteError, JibbleError
from jibble_async.query.expressions import Expression
from jibble_legacy.columns import wire_values
from jibble_legacy.entities import PowerUp, Team, TeamClient, TeamMember
from jibble_legacy.literals import color_out
from jibble_legacy.query_fields import fields
from jibble_legacy.resources.base import PlainLegacyResource, refusal, require_id, routes_of
from jibble_legacy.session import LegacySession

__all__ = ["Activities", "Clients", "Organizations", "People", "PowerUps"]

E = TypeVar("E", bound=Entity)

# How many of one name are shown where it can't be told which is the one.
_MOST_CANDIDATES = 20


class _Creatable(PlainLegacyResource[E]):
    """What has nothing by which a new one could be told from one that looks the same."""

    async def _create(self, same: Expression, **values: Any) -> E:
        """The entity that the server made.

        Args:
            same: The condition that those meet which might be it, were the answer lost.
            **values: By the names of fields.
        """
        sent = wire_values(self.entity, **values)
        request = new(self._session, self.routes.creation, sent)
        try:
            return await self._session.call(request, self._reader())
        except JibbleError as error:
            if not error.maybe_processed:
                raise
            raise await self._unknown(error, same) from error

    async def _unknown(self, error: JibbleError, same: Expression) -> AmbiguousWriteError:
        pager = self.list(where=same, limit=_MOST_CANDIDATES, on_bad_row=lambda _, __: None)
        candidates: builtins.list[E] = []
        async with looking(self._session) as looked:
            async for each in pager:
                candidates.append(each)  # noqa: PERF401 - those before a failure count, too
        known = f"{len(candidates)} that look the same are there, older ones perhaps among them"
        if looked.trouble:
            known = f"looking for what might be it failed ({looked.trouble})"
        return lost(error, f"{known}; it was not sent again", candidates=tuple(candidates))


class Organizations(_Creatable[Team], path="teams"):
    """The teams, which is what the old API calls organisations."""

    async def create(self, name: str, *, working_hours: float | None = None) -> Team:
        """A new team.

        Args:
            name: Its name.
            working_hours: Hours of a working day.

        Raises:
            ConfigurationError: The name is empty.
            AmbiguousWriteError: The answer was lost; it was not sent again.
        """
        same = fields(Team).name == require_text(name, "name")
        return await self._create(same, name=name, working_hours=working_hours)

    async def update(self, id: str, *, name: str) -> Team:
        """A team under another name, which is all that is documented to change.

        Args:
            id: The team's.
            name: Its new name.

        Raises:
            ConfigurationError: The name is empty, or the id is none of the old API's.
            NotFoundError: There is no such team.
        """
        return await self._change(id, name=require_text(name, "name"))


class People(PlainLegacyResource[TeamMember], path="teammembers"):
    """The members of the teams."""

    create: Any = refusal(
        "people.create()", "the old API does not allow adding team members: invite them in Jibble"
    )

    async def update(
        self,
        id: str,
        *,
        first_name: str | UnsetType = UNSET,
        last_name: str | UnsetType = UNSET,
    ) -> TeamMember:
        """A person under another name.

        Args:
            id: The person's.
            first_name: The new first name.
            last_name: The new last name.

        Raises:
            ConfigurationError: Nothing is given, or the id is none of the old API's.
            NotFoundError: There is no such person.
        """
        return await self._change(id, first_name=first_name, last_name=last_name)


class Activities(_Creatable[Activity]):
    """The kinds of work that time is booked on; not the time entries.

    The documentation spells their path in two ways: see `LegacyConfig.activities_path`.
    """

    def __init__(self, session: LegacySession) -> None:
        super().__init__(session)
        self.routes: Routes = routes_of(session.activities_path, offered_as(Activities))

    async def create(
        self, name: str, color: str, organization_id: str, *, description: str | None = None
    ) -> Activity:
        """A new activity.

        Args:
            name: Its name.
            color: Six hexadecimal digits, unique among the team's activities
                (documented: old-calls).
            organization_id: The team's id.
            description: What it is about.

        Raises:
            ConfigurationError: The name or colour is empty, or the id is none of the old API's.
            AmbiguousWriteError: The answer was lost; it was not sent again.
        """
        return await self._create(
            fields(Activity).name == require_text(name, "name"),
            name=name,
            description=description,
            color=color_out(require_text(color, "color")),
            organization_id=require_id(organization_id, "organization_id"),
        )

    async def update(
        self,
        id: str,
        *,
        name: str | UnsetType = UNSET,
        color: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
    ) -> Activity:
        """An activity after a change of what is given; the rest is left.

        Args:
            id: The activity's.
            name: Its new name.
            color: Six hexadecimal digits.
            description: What it is about.

        Raises:
            ConfigurationError: Nothing is given, or the id is none of the old API's.
            NotFoundError: There is no such activity.
        """
        code = color_out(color) if isinstance(color, str) else color
        return await self._change(id, name=name, description=description, color=code)


class Clients(_Creatable[TeamClient], path="clients"):
    """The clients that work is done for."""

    async def create(self, name: str, organization_id: str) -> TeamClient:
        """A new client.

        Args:
            name: Its name.
            organization_id: The team's id.

        Raises:
            ConfigurationError: The name is empty, or the id is none of the old API's.
            AmbiguousWriteError: The answer was lost; it was not sent again.
        """
        same = fields(TeamClient).name == require_text(name, "name")
        team = require_id(organization_id, "organization_id")
        return await self._create(same, name=name, organization_id=team)

    async def update(self, id: str, *, name: str) -> TeamClient:
        """A client under another name.

        Args:
            id: The client's.
            name: Its new name.

        Raises:
            ConfigurationError: The name is empty, or the id is none of the old API's.
            NotFoundError: There is no such client.
        """
        return await self._change(id, name=require_text(name, "name"))


class PowerUps(_Creatable[PowerUp], path="powerups", exportable=False):
    """The extensions that teams have switched on or off; the current API has none."""

    async def create(
        self, power_up_id: str, organization_id: str, *, is_enabled: bool = True
    ) -> PowerUp:
        """An extension for a team.

        Args:
            power_up_id: Which; the documentation lists `slack`.
            organization_id: The team's id.
            is_enabled: Whether it is on.

        Raises:
            ConfigurationError: The extension is empty, or the id is none of the old API's.
            AmbiguousWriteError: The answer was lost; it was not sent again.
        """
        return await self._create(
            fields(PowerUp).power_up_id == require_text(power_up_id, "power_up_id"),
            power_up_id=power_up_id,
            is_enabled=is_enabled,
            organization_id=require_id(organization_id, "organization_id"),
        )

    async def update(self, id: str, *, is_enabled: bool) -> PowerUp:
        """An extension, switched on or off.

        Args:
            id: The power-up's own id, not its `power_up_id`.
            is_enabled: Whether it is to be on.

        Raises:
            ConfigurationError: The id is none of the old API's.
            NotFoundError: There is no such power-up.
        """
        return await self._change(id, is_enabled=is_enabled)

    delete: Any = refusal(
        "power_ups.delete()",
        "no such call is documented: switch it off with update(id, is_enabled=False)",
    )
