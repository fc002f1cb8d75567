"""Settings: frozen, checked when they are made, and the only place that reads the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import msgspec
from msgspec.structs import asdict, replace

from jibble_async.checks import require_kind, unseen
from jibble_async.core.config import BaseConfig, service_url
from jibble_async.core.credentials import Auth, ClientCredentials, StaticToken
from jibble_async.errors import ConfigurationError

__all__ = [
    "CREDENTIAL_VARIABLES",
    "URL_VARIABLES",
    "ClientConfig",
    "Endpoints",
    "Service",
    "auth_from",
    "config_from",
    "endpoints_from",
]

Service: TypeAlias = Literal["identity", "workspace", "time-tracking", "time-attendance"]

_FIELD_OF: dict[str, str] = {name: name.replace("-", "_") for name in get_args(Service)}
_HOST = "https://{}.prod.jibble.io"


class Endpoints(msgspec.Struct, frozen=True):
    """Where each service is: an origin, with a path prefix if need be.

    The client adds `/connect/token` or `/v1/…`. Plain HTTP is taken only for this machine.

    Raises:
        ConfigurationError: One of them is not such a URL.
    """

    identity: str = _HOST.format("identity")
    """The host that gives tokens."""
    workspace: str = _HOST.format("workspace")
    """The host of people, projects, schedules and the like."""
    time_tracking: str = _HOST.format("time-tracking")
    """The host of time entries and time off."""
    time_attendance: str = _HOST.format("time-attendance")
    """The host of timesheets and reports."""

    @unseen
    def __post_init__(self) -> None:
        for name in _FIELD_OF.values():
            url = service_url(name, getattr(self, name))
            msgspec.structs.force_setattr(self, name, url)

    def base(self, service: str) -> str:
        """The origin and prefix of a service.

        Raises:
            ConfigurationError: There is no such service.
        """
        field_name = _FIELD_OF.get(service)
        if field_name is None:
            raise ConfigurationError(f"no service {service!r}: there are {', '.join(_FIELD_OF)}")
        base: str = getattr(self, field_name)
        return base


class ClientConfig(BaseConfig, frozen=True, kw_only=True):
    """Everything about a client that is not a credential or a limiter; see also `BaseConfig`.

    As `page_size`, 1000 is the most that is seen to work (observed: paging).

    Raises:
        ConfigurationError: One of them can't be used.
    """

    endpoints: Endpoints = msgspec.field(default_factory=Endpoints)
    """Where the services are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        require_kind("ClientConfig: endpoints=", self.endpoints, Endpoints)


# The names in use for the same two things; the web pages call them API key id and secret.
_ID_NAMES = ("JIBBLE_CLIENT_ID", "JIBBLE_API_KEY_ID", "JIBBLE_API_KEY")
_SECRET_NAMES = ("JIBBLE_CLIENT_SECRET", "JIBBLE_API_KEY_SECRET", "JIBBLE_API_SECRET")
_TOKEN_NAME = "JIBBLE_TOKEN"  # noqa: S105 - the name of one

CREDENTIAL_VARIABLES = (*_ID_NAMES, *_SECRET_NAMES, _TOKEN_NAME)
"""Every variable of the environment that `auth_from` reads."""
URL_VARIABLES = {name: f"JIBBLE_{name.upper()}_URL" for name in _FIELD_OF.values()}
"""Every variable that `endpoints_from` reads, by the field of `Endpoints`."""


def auth_from(env: Mapping[str, str]) -> Auth:
    """The credentials that the environment holds.

    Args:
        env: Usually `os.environ`.

    Raises:
        ConfigurationError: There are none, only half of a pair, or both a pair and a token.
    """
    client_id, client_secret = _first(env, _ID_NAMES), _first(env, _SECRET_NAMES)
    token = env.get(_TOKEN_NAME, "").strip()
    if token:
        if client_id or client_secret:
            raise ConfigurationError(
                "JIBBLE_TOKEN is set beside an API key's id or secret: unset one or the other"
            )
        return StaticToken(token)
    if client_id and client_secret:
        return ClientCredentials(client_id, client_secret)
    if client_id or client_secret:
        there, missing = (_ID_NAMES, _SECRET_NAMES) if client_id else (_SECRET_NAMES, _ID_NAMES)
        present = next(name for name in there if env.get(name, "").strip())
        raise ConfigurationError(f"{present} is set, but {' (or '.join(missing[:2])}) is not")
    raise ConfigurationError(
        "no credentials: set JIBBLE_CLIENT_ID and JIBBLE_CLIENT_SECRET (the id and secret of an "
        "API key from Jibble's settings) or JIBBLE_TOKEN; or run `jibble sandbox`, a local Jibble "
        "that needs no account, and set what it prints"
    )


def endpoints_from(env: Mapping[str, str]) -> Endpoints:
    """The endpoints that the environment names, and the usual ones for the rest.

    Args:
        env: Usually `os.environ`; `JIBBLE_IDENTITY_URL`, `JIBBLE_WORKSPACE_URL`,
            `JIBBLE_TIME_TRACKING_URL` and `JIBBLE_TIME_ATTENDANCE_URL` are read.

    Raises:
        ConfigurationError: One of them is not a usable URL.
    """
    given = {
        name: url
        for name, variable in URL_VARIABLES.items()
        if (url := env.get(variable, "").strip())
    }
    return Endpoints(**given)


def config_from(env: Mapping[str, str], config: ClientConfig | None = None) -> ClientConfig:
    """Settings whose services are where the environment says.

    Args:
        env: See `endpoints_from`.
        config: The settings; a service that these put elsewhere than usual stays there.

    Raises:
        ConfigurationError: One of the environment's URLs is not usable.
    """
    config = ClientConfig() if config is None else config
    told, usual = asdict(endpoints_from(env)), asdict(Endpoints())
    given = {name: url for name, url in asdict(config.endpoints).items() if url != usual[name]}
    return replace(config, endpoints=Endpoints(**{**told, **given}))


def _first(env: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := env.get(name, "").strip())), "")
