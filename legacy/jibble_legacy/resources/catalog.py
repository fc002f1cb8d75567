"""Every resource of the old API, under the name that both clients offer it by."""

from __future__ import annotations

from jibble_async.api.base_client import BaseClient
from jibble_legacy.resources.time_entries import LegacyTimeEntries
from jibble_legacy.resources.workspace import (
    Activities,
    Clients,
    Organizations,
    People,
    PowerUps,
)
from jibble_legacy.session import LegacySession

__all__ = ["LegacyCatalog"]


class LegacyCatalog(BaseClient[LegacySession]):
    """The resources of a client; what each is for, its class says."""

    def _equip(self, session: LegacySession) -> None:
        super()._equip(session)
        self.organizations: Organizations = Organizations(session)
        self.people: People = People(session)
        self.activities: Activities = Activities(session)
        self.clients: Clients = Clients(session)
        self.power_ups: PowerUps = PowerUps(session)
        self.time_entries: LegacyTimeEntries = LegacyTimeEntries(session)
