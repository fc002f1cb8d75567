"""Settings: frozen, checked when they are made, and the only place that reads the environment."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import msgspec
from yarl import URL

from jibble_async.core.clock import Clock
from jibble_async.core.events import Hook
from jibble_async.core.grants import Auth, ClientCredentials, StaticToken
from jibble_async.core.options import Timeouts
from jibble_async.core.retry import RetryPolicy
from jibble_async.errors import ConfigurationError

__all__ = [
    "ClientConfig",
    "Endpoints",
    "Service",
    "auth_from",
    "endpoints_from",
    "service_url",
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
    workspace: str = _HOST.format("workspace")
    time_tracking: str = _HOST.format("time-tracking")
    time_attendance: str = _HOST.format("time-attendance")

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


def service_url(name: str, text: str) -> str:
    """The URL of a service, an origin with a path prefix if there is one, without a final slash.

    Args:
        name: What it is the URL of, for the error.
        text: What the caller gave.

    Raises:
        ConfigurationError: It is no such URL, or not https and not this machine's.
    """
    try:
        url = URL(text.strip().rstrip("/"))
        origin = url.origin()
    except ValueError:
        raise ConfigurationError(f"the {name} URL {text!r} is not a URL with a host") from None
    if url.user is not None or url.query_string or url.fragment:
        raise ConfigurationError(f"the {name} URL may hold an origin and a path, nothing else")
    if origin.scheme != "https" and not (origin.scheme == "http" and _is_loopback(origin.host)):
        raise ConfigurationError(
            f"the {name} URL {origin} is not https: tokens are sent in clear only to this machine"
        )
    return str(url).rstrip("/")


def _is_loopback(host: str | None) -> bool:
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class ClientConfig(msgspec.Struct, frozen=True):
    """Everything about a client that is not a credential or a limiter.

    Attributes:
        endpoints: Where the services are.
        timeouts: How long things may take.
        retry: How often and how patiently a failed call is tried again.
        page_size: Rows to ask for at a time; 1000 is the most that was seen to work (observed).
        max_body_bytes: The largest answer, counted after decompression.
        hooks: Told of each event; see `jibble_async.core.events`.
        user_agent: What the client calls itself.
        clock: Time, sleep and chance; for tests.
    """

    endpoints: Endpoints = msgspec.field(default_factory=Endpoints)
    timeouts: Timeouts = msgspec.field(default_factory=Timeouts)
    retry: RetryPolicy = msgspec.field(default_factory=RetryPolicy)
    page_size: int = 1000
    max_body_bytes: int = 64 * 1024 * 1024
    hooks: tuple[Hook, ...] = ()
    user_agent: str = "jibble-async"
    clock: Clock = msgspec.field(default_factory=Clock)

    def __post_init__(self) -> None:
        if self.page_size < 1 or self.max_body_bytes < 1:
            raise ConfigurationError("page_size and max_body_bytes must be at least 1")
        if not self.user_agent.isprintable():
            raise ConfigurationError("user_agent holds control characters")


# The names in use for the same two things; the web pages call them API key id and secret.
_ID_NAMES = ("JIBBLE_CLIENT_ID", "JIBBLE_API_KEY_ID", "JIBBLE_API_KEY")
_SECRET_NAMES = ("JIBBLE_CLIENT_SECRET", "JIBBLE_API_KEY_SECRET", "JIBBLE_API_SECRET")


def auth_from(env: Mapping[str, str]) -> Auth:
    """The credentials that the environment holds.

    Args:
        env: Usually `os.environ`.

    Raises:
        ConfigurationError: There are none, only half of a pair, or both a pair and a token.
    """
    client_id, client_secret = _first(env, _ID_NAMES), _first(env, _SECRET_NAMES)
    token = env.get("JIBBLE_TOKEN", "").strip()
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
        "API key from Jibble's settings) or JIBBLE_TOKEN"
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
        for name in _FIELD_OF.values()
        if (url := env.get(f"JIBBLE_{name.upper()}_URL", "").strip())
    }
    return Endpoints(**given)


def _first(env: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := env.get(name, "").strip())), "")
