"""The adapter for Jibble's old API: the vocabulary of `jibble_async`, spoken to another server."""

from __future__ import annotations

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
