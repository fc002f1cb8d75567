# Written by `make stubs`: change what it is written from instead.

from jibble_legacy.auth import PasswordGrant
from jibble_legacy.client import LegacyClient
from jibble_legacy.config import LegacyConfig
from jibble_legacy.entities import LegacyTimeEntry, PowerUp, Team, TeamClient, TeamMember
from jibble_legacy.query_fields import fields

__all__ = [
    "LegacyClient",
    "LegacyConfig",
    "LegacyTimeEntry",
    "PasswordGrant",
    "PowerUp",
    "Team",
    "TeamClient",
    "TeamMember",
    "fields",
]
