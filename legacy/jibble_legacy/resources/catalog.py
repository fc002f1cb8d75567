"""Every resource of the old API, under the name that both clients offer it by."""

from __future__ import annotations

from functools import cached_property

from jibble_legacy.resources.base import LegacySession
from jibble_legacy.resources.time_entries import LegacyTimeEntries
from jibble_legacy.resources.workspace import (
    Activities,
    Clients,
    Organizations,
    People,
    PowerUps,
)

__all__ = ["LegacyCatalog"]


class LegacyCatalog(LegacySession):
    """The resources of a client; each is made when it is first asked for."""

    @cached_property
    def organizations(self) -> Organizations:
        """The teams, which is what the old API calls organisations."""
        return Organizations(self)

    @cached_property
    def people(self) -> People:
        """The members of the teams."""
        return People(self)

    @cached_property
    def activities(self) -> Activities:
        """The kinds of work that time is booked on."""
        return Activities(self)

    @cached_property
    def clients(self) -> Clients:
        """The clients that work is done for."""
        return Clients(self)

    @cached_property
    def power_ups(self) -> PowerUps:
        """The extensions that teams have switched on or off."""
        return PowerUps(self)

    @cached_property
    def time_entries(self) -> LegacyTimeEntries:
        """The punches: clocking in and out."""
        return LegacyTimeEntries(self)
