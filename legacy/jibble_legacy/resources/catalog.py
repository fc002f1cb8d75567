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

    organizations: Organizations
    people: People
    activities: Activities
    clients: Clients
    power_ups: PowerUps
    time_entries: LegacyTimeEntries
