"""Settings of the old API's client, and what the environment says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import msgspec
from msgspec.structs import replace

from jibble_async.checks import unseen
from jibble_async.core.config import BaseConfig, service_url
from jibble_async.core.credentials import StaticToken
from jibble_async.errors import ConfigurationError
from jibble_legacy.auth import PasswordGrant

__all__ = [
    "CREDENTIAL_VARIABLES",
    "LIMIT",
    "MAX_PAGE_SIZE",
    "PERIOD",
    "URL_VARIABLE",
    "LegacyConfig",
    "Spelling",
    "legacy_auth_from",
    "legacy_config_from",
]

# Half of a documentation that contradicts itself; the slowest of what it may mean.
LIMIT = 150
"""Requests that are accepted in a period."""
PERIOD = 3600.0
"""The period in seconds."""

MAX_PAGE_SIZE = 100
"""Rows that a page may have (documented: old-paging)."""

Spelling: TypeAlias = Literal["activities", "activites"]
"""How the path of activities may be spelt; the documentation has both."""


class LegacyConfig(BaseConfig, frozen=True, kw_only=True):
    """Everything about a client of the old API that is not a credential or a limiter.

    Raises:
        ConfigurationError: One of them, or of those of `BaseConfig`, can't be used.
    """

    url: str = "https://connect.jibble.io"
    """The API's origin, with a path prefix if there is one; the client adds `/api/v1/…`."""
    page_size: int = MAX_PAGE_SIZE
    """Rows to ask for at a time, 100 at most (documented: old-paging)."""
    activities_path: Spelling = "activities"
    """The documentation spells the path of activities in both ways."""

    @unseen
    def __post_init__(self) -> None:
        super().__post_init__()
        msgspec.structs.force_setattr(self, "url", service_url("legacy", self.url))
        if self.page_size > MAX_PAGE_SIZE:
            raise ConfigurationError(f"page_size={self.page_size}: 1 to {MAX_PAGE_SIZE} are taken")
        if self.activities_path not in get_args(Spelling):
            known = " and ".join(get_args(Spelling))
            raise ConfigurationError(f"activities_path={self.activities_path!r}: there are {known}")


_PASSWORD_NAMES = ("CLIENT_ID", "CLIENT_SECRET", "USERNAME", "PASSWORD", "TOKEN_URL")
_TOKEN_NAME = "JIBBLE_LEGACY_TOKEN"  # noqa: S105 - the name of one

CREDENTIAL_VARIABLES = (*(f"JIBBLE_LEGACY_{name}" for name in _PASSWORD_NAMES), _TOKEN_NAME)
"""Every variable of the environment that `legacy_auth_from` reads."""
URL_VARIABLE = "JIBBLE_LEGACY_URL"
"""The variable that says where the old API is."""


def legacy_auth_from(env: Mapping[str, str]) -> PasswordGrant | StaticToken:
    """The credentials of the old API that the environment holds.

    Args:
        env: Usually `os.environ`.

    Raises:
        ConfigurationError: There are none, only a part of them, or a token beside them.
    """
    given = {name: env.get(f"JIBBLE_LEGACY_{name}", "") for name in _PASSWORD_NAMES}
    missing = [f"JIBBLE_LEGACY_{name}" for name, text in given.items() if not text.strip()]
    token = env.get(_TOKEN_NAME, "").strip()
    if token:
        if len(missing) < len(given):
            raise ConfigurationError(
                "JIBBLE_LEGACY_TOKEN is set beside what a token is asked for with: unset one"
            )
        return StaticToken(token)
    if len(missing) == len(given):
        raise ConfigurationError(
            "no credentials for the old API: set JIBBLE_LEGACY_TOKEN, or all of "
            f"{', '.join(missing)}; or run `jibble sandbox`, a local Jibble that needs no account"
        )
    if missing:
        raise ConfigurationError(f"not set: {', '.join(missing)}")
    return PasswordGrant(**{name.lower(): text for name, text in given.items()})


def legacy_config_from(env: Mapping[str, str], config: LegacyConfig | None = None) -> LegacyConfig:
    """The settings with the URL that the environment names, unless they have an unusual one.

    Args:
        env: Usually `os.environ`; `JIBBLE_LEGACY_URL` is read.
        config: The settings.

    Raises:
        ConfigurationError: It is not a usable URL.
    """
    url = env.get(URL_VARIABLE, "").strip()
    config = LegacyConfig() if config is None else config
    return replace(config, url=url) if url and config.url == LegacyConfig().url else config
