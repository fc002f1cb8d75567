"""The client of the current API: its settings, and requests of any kind."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from ssl import SSLContext
from typing import Any, Self, Unpack, get_args

import aiohttp
import msgspec
from msgspec.structs import asdict

from jibble_async.api.custom import (
    Params,
    custom_operation,
    custom_params,
    custom_parts,
)
from jibble_async.api.listing import paging_of, require_known
from jibble_async.api.session import Session
from jibble_async.checks import require_kind, unseen
from jibble_async.config import ClientConfig, Service, auth_from, config_from
from jibble_async.core.caller import Caller
from jibble_async.core.credentials import Auth, ClientCredentials, StaticToken
from jibble_async.core.operation import Operation, Safety
from jibble_async.core.pager import Pager
from jibble_async.core.paging import PageOptions
from jibble_async.core.proxies import proxies_from
from jibble_async.core.transport import Network
from jibble_async.core.wire import document, optional_reader
from jibble_async.errors import ConfigurationError
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.slots import RateLimiter
from jibble_async.odata.envelope import read_error
from jibble_async.odata.tokens import claims_of, grant_of
from jibble_async.resources.base import rows_of
from jibble_async.resources.catalog import Catalog

__all__ = ["Identity", "JibbleClient"]

# The cheapest check of credentials (documented: organizations).
_PING = Operation("workspace", "GET", "/v1/Organizations", Safety.READ, name="ping")


class Identity(msgspec.Struct, frozen=True):
    """Whom a client acts for, and as whom."""

    organization_id: str | None
    """The organisation, as the token host or the token says it."""
    person_id: str | None
    """The person whose key it is, who need not be one that works."""


class JibbleClient(Catalog):
    """A client of the current API.

    Nothing is opened or sent before the first call. Use it as `async with JibbleClient(...)`, or
    call `aclose()` in the end.

    Args:
        client_id: The id of an API key.
        client_secret: Its secret.
        auth: Instead of the pair: `ClientCredentials`, a `StaticToken`, or an async function that
            gives a bearer token.
        config: Endpoints, timeouts, retries and the like.
        limiter: A limiter for all services, or one for each by name; a service that has none
            gets an `AdaptiveLimiter` of its own.
        connector: An aiohttp connector to share between clients; it is never closed here.
        proxy: The URL of a proxy, or one for each `host:port` that has one.
        ssl: TLS settings.
        trace_configs: aiohttp's tracing hooks, as OpenTelemetry's instrumentation makes them.

    Raises:
        ConfigurationError: Missing or half credentials, or settings that can't be used.

    Example:
        >>> async with JibbleClient("key id", "key secret") as jibble:
        ...     async for person in jibble.people.list():
        ...         print(person.full_name)
    """

    @unseen
    def __init__(
        self,
        client_id: str | None = None,
        client_secret: str | None = None,
        *,
        auth: Auth | None = None,
        config: ClientConfig | None = None,
        limiter: RateLimiter | Mapping[Service, RateLimiter] | None = None,
        connector: aiohttp.BaseConnector | None = None,
        proxy: str | Mapping[str, str] | None = None,
        ssl: SSLContext | bool | None = None,
        trace_configs: Sequence[aiohttp.TraceConfig] = (),
    ) -> None:
        config = ClientConfig() if config is None else config
        require_kind("config=", config, ClientConfig)
        network = Network(connector, proxy, ssl, trace_configs)
        grant = grant_of(_auth(client_id, client_secret, auth), config.endpoints.identity)
        caller = Caller(config, grant, _limiters(limiter), network, read_error)
        session = Session(caller, config.endpoints.base)
        super().__init__(session, session.build(_PING, params=(("$top", "1"), ("$select", "id"))))

    @classmethod
    @unseen
    def from_env(cls, env: Mapping[str, str] | None = None, **arguments: Any) -> Self:
        """A client with what the environment holds.

        Read are `JIBBLE_CLIENT_ID` and `JIBBLE_CLIENT_SECRET` (or `JIBBLE_API_KEY_ID` and
        `JIBBLE_API_KEY_SECRET`), or `JIBBLE_TOKEN`; and the URLs of services where they are set:
        `JIBBLE_IDENTITY_URL`, `JIBBLE_WORKSPACE_URL`, `JIBBLE_TIME_TRACKING_URL`,
        `JIBBLE_TIME_ATTENDANCE_URL`. Proxies are `HTTPS_PROXY` and `HTTP_PROXY`, or `ALL_PROXY`,
        but for the hosts in `NO_PROXY`.

        Args:
            env: What to read instead of `os.environ`.
            **arguments: Passed on to the constructor. `auth` and `proxy` replace what is read, and
                so do the services that `config` puts elsewhere than usual.

        Raises:
            ConfigurationError: Missing or half credentials, or a URL that can't be used.
        """
        env = os.environ if env is None else env
        if arguments.get("auth") is None:
            arguments["auth"] = auth_from(env)
        config = arguments["config"] = config_from(env, arguments.get("config"))
        if arguments.get("proxy") is None:
            arguments["proxy"] = proxies_from(env, asdict(config.endpoints).values())
        return cls(**arguments)

    async def whoami(self) -> Identity:
        """Whom the credentials act for, as the token host or the token itself says.

        Raises:
            AuthenticationError: The credentials were refused.
        """
        caller = self._session.caller
        caller.open()
        bearer = await caller.tokens.get()
        claims = claims_of(bearer.token)
        return Identity(claims.organization_id, claims.person_id)

    async def metadata(self, service: Service) -> str:
        """A service's own description of its sets, functions and types, in XML (OData's CSDL).

        That each of the three hosts serves it is observed; only the workspace's was published.

        Args:
            service: Which host.

        Raises:
            NotFoundError: It has none, as the identity host.

        Example:
            >>> text = await jibble.metadata("workspace")
            >>> "EntitySet" in text
            True
        """
        operation = Operation(
            service, "GET", "/v1/$metadata", Safety.READ, "application/xml", name="metadata"
        )
        request = self._session.build(operation)
        return await self._session.call(request, functools.partial(document, root="Edmx"))

    async def request(
        self,
        method: str,
        service: Service,
        path: str,
        *,
        params: Params = (),
        json: Any = msgspec.UNSET,
        safety: Safety | None = None,
    ) -> Any:
        """The decoded answer to any request, for what has no method yet; None if it is empty.

        Args:
            method: The HTTP method.
            service: Which host.
            path: The path with its `/v1`, without a query.
            params: Query options; a list of values repeats the name.
            json: The body.
            safety: What it means to send it twice. By default a GET is a read and all else is
                unsafe: never sent twice if it may have been processed. What is known to start
                a job is sent once.

        Raises:
            JibbleError: As any call does.

        Example:
            >>> await jibble.request("GET", "workspace", "/v1/Schedules", params={"$top": 5})
        """
        operation = custom_operation(method, service, path, safety)
        request = self._session.build(operation, **custom_parts(params, json))
        return await self._session.call(request, optional_reader(object))

    def paginate(
        self,
        service: Service,
        path: str,
        *,
        params: Params = (),
        type: Any = dict[str, Any],
        server_paged: bool = False,
        **options: Unpack[PageOptions],
    ) -> Pager[Any]:
        """The rows of any set, for what has no resource yet.

        Args:
            service: Which host.
            path: The path with its `/v1`, without a query.
            params: Query options. Give a `$orderby` that ends in the key, so that pages fit.
            type: The type of a row: an entity, any msgspec struct, or a dict.
            server_paged: Send `params` and nothing else, and take what the server gives and
                links to: for sets that don't know `$skip` and `$count`.
            **options: See `PageOptions`.

        Raises:
            ConfigurationError: An argument that can't be used.
        """
        operation = custom_operation("GET", service, path, None, name="paginate")
        if operation.safety is not Safety.READ:
            raise ConfigurationError(f"path {path!r} starts a job and has no rows: use request()")
        require_known(options, PageOptions)
        query = custom_params(params)
        taken = {"$skip", "$top", "$count"}.intersection(name.lower() for name, _ in query)
        if taken and not server_paged:
            raise ConfigurationError(
                f"{', '.join(sorted(taken))} in params: the pager sends these itself; use "
                "page_size= and limit="
            )
        paging = paging_of(options, self._session, server_paged=server_paged)
        return rows_of(self._session, operation, type, query, paging)


def _auth(client_id: str | None, client_secret: str | None, auth: Auth | None) -> Auth:
    if auth is not None:
        if client_id is not None or client_secret is not None:
            raise ConfigurationError("give client_id and client_secret, or auth=, not both")
        if not isinstance(auth, ClientCredentials | StaticToken) and not callable(auth):
            raise ConfigurationError(
                "auth= takes ClientCredentials, StaticToken or an async function, "
                f"not {type(auth).__name__}"
            )
        return auth
    if client_id is None or client_secret is None:
        missing = "client_id" if client_id is None else "client_secret"
        raise ConfigurationError(
            f"{missing} is missing: give client_id and client_secret, or auth=, or use "
            "JibbleClient.from_env()"
        )
    return ClientCredentials(client_id, client_secret)


def _limiters(
    limiter: RateLimiter | Mapping[Service, RateLimiter] | None,
) -> dict[str, RateLimiter]:
    services = [service for service in get_args(Service) if service != "identity"]
    if limiter is not None and not isinstance(limiter, Mapping):
        return dict.fromkeys(services, limiter)
    given = limiter or {}
    for service in given:
        if service not in get_args(Service):
            known = ", ".join(get_args(Service))
            raise ConfigurationError(f"limiter= has no service {service!r}: there are {known}")
    return {**{service: AdaptiveLimiter() for service in services}, **given}
