"""What runs have learnt of the current API's quotas, kept for the next one."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import get_args

from jibble_async.checks import unseen
from jibble_async.cli.exit_codes import SetupError
from jibble_async.cli.folders import counting_file
from jibble_async.config import Service, auth_from, endpoints_from
from jibble_async.core.credentials import StaticToken
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter

__all__ = ["paces"]


@unseen
def paces(env: Mapping[str, str]) -> dict[Service, AdaptiveLimiter]:
    """A limiter for each service that knows what other runs with these credentials learnt.

    Without a home there is nowhere to keep it: then there are none.

    Args:
        env: The variables that say who asks, and where.

    Raises:
        ConfigurationError: They hold no credentials, or a URL that can't be used.
    """
    auth, endpoints = auth_from(env), endpoints_from(env)
    owner = auth.token if isinstance(auth, StaticToken) else getattr(auth, "client_id", "")
    services: list[Service] = [each for each in get_args(Service) if each != "identity"]
    with contextlib.suppress(SetupError):
        return {
            each: AdaptiveLimiter(
                state=counting_file(f"pace-{each}", endpoints.base(each), owner, suffix=".pace")
            )
            for each in services
        }
    return {}
