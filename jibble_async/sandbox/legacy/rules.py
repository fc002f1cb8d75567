"""What nobody knows about the old API, as switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from jibble_async.sandbox.quotas import Quota

LEGACY_QUOTA = Quota(limit=150, per=3600, headers=False, kind="sliding", empty_403=True)
"""The documented 150 requests an hour, taken as a rolling window: a 403 with an empty body."""


@dataclass(slots=True)
class LegacyRules:
    """How the old API behaves where its documentation is silent; may be changed at any time.

    Args:
        undocumented: Whether `inq nin nlike regexp near and or`, `options`, `fields` and `offset`
            are understood, as the framework does, or refused with 400.
        over_limit: A `filter[limit]` above 100 becomes 100 (`clamp`) or is a 400 (`refuse`).
        refresh: Whether the token host takes `refresh_token`, which it issues.
        tokens_count: Whether requests for a token count against the quota of their client.
        token_lifetime: Seconds that a token is valid.
        reported_lifetime: Seconds that `expires_in` says; None for the truth.
    """

    undocumented: bool = False
    over_limit: Literal["clamp", "refuse"] = "clamp"
    refresh: bool = True
    tokens_count: bool = False
    token_lifetime: float = 1_209_600
    reported_lifetime: int | None = None


class LegacyCredentials(NamedTuple):
    """What the password grant asks for."""

    client_id: str
    client_secret: str
    username: str
    password: str
