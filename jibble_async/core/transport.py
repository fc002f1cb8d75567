"""The only place that touches the network: one attempt, one request on the wire."""

from __future__ import annotations

import asyncio
import os
import ssl as tls
from collections.abc import Mapping, Sequence
from typing import NoReturn

import aiohttp
import msgspec

from jibble_async.core.opaque import Headers
from jibble_async.core.operation import Request, Safety
from jibble_async.core.proxies import checked_proxy
from jibble_async.core.wire import Reply
from jibble_async.errors import (
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    ProtocolError,
    ResponseTooLargeError,
    TransportError,
)

__all__ = ["Network", "Transport"]


class Network(msgspec.Struct, frozen=True):
    """How to reach the network.

    Attributes:
        connector: A connector to share with others; it is never closed here.
        proxy: The URL of a proxy, or one for each `host:port` that has one; kept out of the repr,
            as it may hold a password.
        ssl: The TLS settings, or False for no verification.
        trace_configs: aiohttp's tracing hooks.

    Raises:
        ConfigurationError: A proxy that is no URL of one.
    """

    connector: aiohttp.BaseConnector | None = None
    proxy: str | Mapping[str, str] | None = None
    ssl: tls.SSLContext | bool | None = None
    trace_configs: Sequence[aiohttp.TraceConfig] = ()

    def __post_init__(self) -> None:
        if isinstance(self.proxy, Mapping):
            for proxy in self.proxy.values():
                checked_proxy(proxy)
        elif self.proxy is not None:
            checked_proxy(self.proxy)

    def __repr__(self) -> str:
        return "<Network>"


class Transport:
    """An aiohttp session that does nothing by itself.

    No redirects, no cookies, no defaults of a user's session, no second sending of a request
    whose connection broke, and no body larger than the cap. Opened in the running loop.

    Args:
        network: How to reach the network.
        connect_timeout: Seconds to open a connection.
        max_body_bytes: The largest body, counted after decompression.
    """

    def __init__(self, network: Network, *, connect_timeout: float, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._session = aiohttp.ClientSession(
            connector=network.connector,
            connector_owner=network.connector is None,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout),
            middlewares=(_send_once,),
            proxy=None if isinstance(network.proxy, Mapping) else network.proxy,
            trace_configs=list(network.trace_configs),
        )
        self._ssl = True if network.ssl is None else network.ssl
        self._proxies: Mapping[str, str] = (
            network.proxy if isinstance(network.proxy, Mapping) else {}
        )

    async def send(self, request: Request, headers: Mapping[str, str]) -> Reply:
        """Send a request once, and read the answer to its end.

        Raises:
            TransportError: There was no complete answer; the subclass says how far it got.
            ConfigurationError: The session is closed.
        """
        if self._session.closed:
            raise ConfigurationError("this client was closed while a call was under way")
        try:
            return await self._exchange(request, headers)
        except (TransportError, asyncio.CancelledError) as error:
            # Without the frames in which aiohttp's variables hold headers and the URL: reports of
            # errors show them.
            failure = error.with_traceback(None)
        raise failure

    async def _exchange(self, request: Request, headers: Mapping[str, str]) -> Reply:
        safety = request.operation.safety
        own_pool = None
        if safety is Safety.UNSAFE or safety is Safety.ONCE:
            # Never on a kept connection: it may be closed already at the other end, and what was
            # lost on it may not be sent again. Connections are kept apart by the name that the
            # certificate is checked for, which stays what it is, so there is no other kept one.
            own_pool = request.url.raw_host
            headers = Headers(headers, Connection="close")
        try:
            response = await self._session.request(
                request.operation.method,
                request.url,
                headers=headers,
                data=request.body,
                allow_redirects=False,
                ssl=self._ssl,
                proxy=self._proxies.get(request.url.raw_authority) if self._proxies else None,
                server_hostname=own_pool,
            )
        except aiohttp.ClientError as error:
            failure = _failure(error, request)
        else:
            try:
                content = response.content
                body = await content.readany()
                if not content.at_eof() or len(body) > self._max_body_bytes:
                    body = await self._rest(response, body)
            except aiohttp.ClientError as error:
                failure = _failure(error, request)
            else:
                return Reply(response.status, response.headers, body)
            finally:
                # Closed means read to its end, and the connection is free for the next request.
                if not response.closed:
                    response.close()
        # Raised out here so that aiohttp's error, which holds the request's headers, is not
        # dragged along as its context.
        raise failure

    async def aclose(self) -> None:
        """Close the session, and its connector unless it was given."""
        await self._session.close()

    async def _rest(self, response: aiohttp.ClientResponse, first: bytes) -> bytes:
        cap = self._max_body_bytes
        size = len(first)
        if max(size, response.content_length or 0) > cap:
            _too_large(cap)
        chunks = [first]
        while chunk := await response.content.readany():
            size += len(chunk)
            if size > cap:
                _too_large(cap)
            chunks.append(chunk)
        return b"".join(chunks)


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    # aiohttp sends a GET, PUT or DELETE again by itself when the connection breaks, but only if
    # it sees an error of its own: here that becomes ours.
    try:
        return await handler(request)
    except aiohttp.ClientError as error:
        failure = _failure(error, request)
    raise failure


def _failure(
    error: aiohttp.ClientError, request: Request | aiohttp.ClientRequest
) -> TransportError:
    """The one place that says what a failure of aiohttp's is.

    Its own words may quote the URL, headers, or bytes that came: they are never repeated.
    """
    kind = type(error.__cause__ or error).__name__
    match error:
        case aiohttp.ServerFingerprintMismatch():
            failure = ConnectFailedError("no connection: the server's certificate is another one")
            failure.permanent = True
            return failure
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            proxy = isinstance(error, aiohttp.ClientProxyConnectionError)
            host = "the proxy" if proxy else request.url.host
            failure = ConnectFailedError(f"no connection to {host}: {_reason(error) or kind}")
            failure.permanent = isinstance(
                error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError
            )
            return failure
        case aiohttp.ClientHttpProxyError():
            failure = ConnectFailedError(f"the proxy refused to connect: status {error.status}")
            failure.permanent = error.status < 500
            return failure
        case aiohttp.ClientResponseError():
            return ProtocolError(f"not valid HTTP: {kind}")
        case aiohttp.ClientPayloadError():
            return ConnectionLostError(f"the answer broke off: {kind}")
        case aiohttp.ClientConnectionError():
            return ConnectionLostError(f"the connection was lost: {kind}")
        case _:
            return ProtocolError(f"not valid HTTP: {kind}")


def _reason(error: aiohttp.ClientError) -> str | None:
    """What the operating system or the TLS library calls a connection that failed."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return getattr(error.certificate_error, "verify_message", None)
    if not isinstance(error, aiohttp.ClientConnectorError):
        return None
    cause = error.os_error
    if isinstance(cause, tls.SSLError):
        return cause.reason
    # Where several addresses were tried there is no single number, and names have their own.
    number = cause.errno or 0
    return os.strerror(number) if number > 0 else cause.strerror


def _too_large(cap: int) -> NoReturn:
    raise ResponseTooLargeError(f"the answer is larger than max_body_bytes={cap}")
