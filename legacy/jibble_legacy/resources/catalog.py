"""Every resource of the old API, under the name that both clients offer it by."""

from __future__ import annotations

from jibble_async.resources.base import lazy
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

    @lazy
    def organizations(self) -> Organizations:
        """The teams, which is what the old API calls organisations."""
        return Organizations(self)

    @lazy
    def people(self) -> People:
        """The members of the teams."""
        return People(self)

    @lazy
    def activities(self) -> Activities:
        """The kinds of work that time is booked on."""
        return Activities(self)

    @lazy
    def clients(self) -> Clients:
        """The clients that work is done for."""
        return Clients(self)

    @lazy
    def power_ups(self) -> PowerUps:
        """The extensions that teams have switched on or off."""
        return PowerUps(self)

    @lazy
    def time_entries(self) -> LegacyTimeEntries:
        """The punches: clocking in and out."""
        return LegacyTimeEntries(self)
