"""The client of the old API: its settings, its limit, and requests of any kind."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from ssl import SSLContext
from typing import Any, Self

import aiohttp
import msgspec

from jibble_async.api.custom import Params, custom_operation, custom_parts
from jibble_async.checks import require_kind, unseen
from jibble_async.core.caller import Caller
from jibble_async.core.credentials import StaticToken
from jibble_async.core.logs import LOGGERS
from jibble_async.core.operation import Operation, Safety, build
from jibble_async.core.proxies import proxies_from
from jibble_async.core.transport import Network
from jibble_async.core.wire import optional_reader
from jibble_async.errors import ConfigurationError
from jibble_async.limits.slots import RateLimiter
from jibble_async.limits.windows.local import RollingWindow
from jibble_legacy.auth import LegacyAuth, PasswordGrant, legacy_grant
from jibble_legacy.config import (
    LIMIT,
    PERIOD,
    LegacyConfig,
    legacy_auth_from,
    legacy_config_from,
)
from jibble_legacy.days import WorkingDays, Zone
from jibble_legacy.error_bodies import read_error
from jibble_legacy.forbidden import ForbiddenRecovery
from jibble_legacy.resources.catalog import LegacyCatalog
from jibble_legacy.session import SERVICE, LegacySession

__all__ = ["LegacyClient"]

# Needs no particular right.
_PROBE = Operation(SERVICE, "GET", "/api/v1/teams", Safety.READ, name="ping")


class LegacyClient(LegacyCatalog):
    """A client of the old API.

    Nothing is opened or sent before the first call. Use it as `async with LegacyClient(...)`, or
    call `aclose()` in the end.

    A 403 without a reason, by which the old API says that the limit is reached, is looked into:
    see `docs/legacy.md`. Requests for tokens go to another host and are not counted; whether that
    is right is not known.

    Args:
        token: A bearer token that is there already.
        auth: Instead of it: a `PasswordGrant`, a `StaticToken`, or an async function that gives a
            bearer token.
        config: URL, timeouts, retries and the like.
        limiter: By default a `RollingWindow` of 150 requests in 3600 seconds.
        timezone: Where people work, which the old API does not know: a zone by its name, or one
            for each person's id (the empty id stands for everybody else). Without it entries have
            no working day, and can't be asked for by it.
        connector: An aiohttp connector to share between clients; it is never closed here.
        proxy: The URL of a proxy, or one for each `host:port` that has one.
        ssl: TLS settings.
        trace_configs: aiohttp's tracing hooks.

    Raises:
        ConfigurationError: Missing credentials, or settings that can't be used.

    Example:
        >>> async with LegacyClient("a token") as jibble:
        ...     async for person in jibble.people.list():
        ...         print(person.full_name)
    """

    @unseen
    def __init__(
        self,
        token: str | None = None,
        *,
        auth: LegacyAuth | None = None,
        config: LegacyConfig | None = None,
        limiter: RateLimiter | None = None,
        timezone: Zone | Mapping[str, Zone] | None = None,
        connector: aiohttp.BaseConnector | None = None,
        proxy: str | Mapping[str, str] | None = None,
        ssl: SSLContext | bool | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
    ) -> None:
        config = LegacyConfig() if config is None else config
        require_kind("config=", config, LegacyConfig)
        limiter = RollingWindow(LIMIT, PERIOD) if limiter is None else limiter
        probe = build(_PROBE, config.url, params=(("filter[limit]", "1"),))
        caller = Caller(
            config,
            legacy_grant(_auth(token, auth)),
            {SERVICE: limiter},
            Network(connector, proxy, ssl, trace_configs),
            read_error,
            ForbiddenRecovery(limiter, probe, config.clock),
            LOGGERS[1],
        )
        days = None if timezone is None else WorkingDays(timezone)
        super().__init__(LegacySession(caller, config, days), probe)

    @classmethod
    @unseen
    def from_env(cls, env: Mapping[str, str] | None = None, **arguments: Any) -> Self:
        """A client with what the environment holds.

        Read are `JIBBLE_LEGACY_TOKEN`, or all of `JIBBLE_LEGACY_CLIENT_ID`,
        `JIBBLE_LEGACY_CLIENT_SECRET`, `JIBBLE_LEGACY_USERNAME`, `JIBBLE_LEGACY_PASSWORD` and
        `JIBBLE_LEGACY_TOKEN_URL`; and `JIBBLE_LEGACY_URL` where it is set. Proxies are
        `HTTPS_PROXY` and `HTTP_PROXY`, or `ALL_PROXY`, but for the hosts in `NO_PROXY`.

        Args:
            env: What to read instead of `os.environ`.
            **arguments: Passed on to the constructor. `auth` and `proxy` replace what is read, and
                so does a `config` with an unusual URL.

        Raises:
            ConfigurationError: Missing credentials, or a URL that can't be used.
        """
        env = os.environ if env is None else env
        auth = arguments["auth"] = arguments.get("auth") or legacy_auth_from(env)
        config = arguments["config"] = legacy_config_from(env, arguments.get("config"))
        if arguments.get("proxy") is None:
            others = [auth.token_url] if isinstance(auth, PasswordGrant) else []
            arguments["proxy"] = proxies_from(env, [config.url, *others])
        return cls(**arguments)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        json: Any = msgspec.UNSET,
        safety: Safety | None = None,
    ) -> Any:
        """The decoded answer to any request, for what has no method; None if it is empty.

        Args:
            method: The HTTP method.
            path: The path with its `/api/v1`, without a query.
            params: Query options; a list of values repeats the name.
            json: The body.
            safety: What it means to send it twice. By default a GET is a read and all else is
                unsafe: never sent twice if it may have been processed.

        Raises:
            JibbleError: As any call does.

        Example:
            >>> await jibble.request("GET", "/api/v1/teams", params={"filter[limit]": 5})
        """
        operation = custom_operation(method, SERVICE, path, safety)
        request = self._session.build(operation, **custom_parts(params, json))
        return await self._session.call(request, optional_reader(object))


def _auth(token: str | None, auth: LegacyAuth | None) -> LegacyAuth:
    if token is not None and auth is None:
        return StaticToken(token)
    if auth is None or token is not None:
        raise ConfigurationError(
            "give a token or auth=, one of them; or use LegacyClient.from_env()"
        )
    return auth
