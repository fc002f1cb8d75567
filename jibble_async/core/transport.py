"""The only place that touches the network: one attempt, one request on the wire."""

from __future__ import annotations

import asyncio
import functools
import os
import select
import ssl as tls
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import aiohttp
import msgspec

from jibble_async.core.call import Call
from jibble_async.core.opaque import Headers
from jibble_async.core.operation import Request, Safety
from jibble_async.core.pool import Gate, Pool
from jibble_async.core.proxies import checked_proxy
from jibble_async.core.unpacking import CODINGS, Body
from jibble_async.core.wire import Reply
from jibble_async.errors import (
    ConfigurationError,
    ConnectFailedError,
    ConnectionLostError,
    ProtocolError,
    ResponseTooLargeError,
    TransportError,
)

if TYPE_CHECKING:
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.connector import Connection

__all__ = ["Network", "Transport"]

_LONGEST_HEADER = 64 * 1024
# As much as asyncio takes from a socket at once. Above twice that reading is stopped, and with
# aiohttp's 64 KB a page of 1,000 rows would be several times.
_READ_AHEAD = 256 * 1024
_POOLS: WeakKeyDictionary[aiohttp.BaseConnector, Pool] = WeakKeyDictionary()
"""What stands before each connector, for all clients that share it."""
_USED = "used by jibble_async"
"""What a connection is marked with when a request of ours is sent on it: what `_HasCome` is."""
_HasCome = Callable[[], object]


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
        given = network.connector
        connector = aiohttp.TCPConnector() if given is None else given
        # In a pool of its own nobody waits but by the gates before it, so that all the time until
        # there is a connection is that of connecting, looking up the address included.
        whole = connect_timeout if given is None else None
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=given is None,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": CODINGS},
            auto_decompress=False,
            read_bufsize=_READ_AHEAD,
            # Policies of content security have more than aiohttp's 8 KB.
            max_line_size=_LONGEST_HEADER,
            max_field_size=_LONGEST_HEADER,
            timeout=aiohttp.ClientTimeout(total=None, connect=whole, sock_connect=connect_timeout),
            request_class=_Request,
            proxy=None if isinstance(network.proxy, Mapping) else network.proxy,
            trace_configs=list(network.trace_configs),
        )
        self._ssl = True if network.ssl is None else network.ssl
        self._proxies: Mapping[str, str] = (
            network.proxy if isinstance(network.proxy, Mapping) else {}
        )
        pool = _POOLS.get(connector)
        if pool is None:
            pool = _POOLS[connector] = Pool(connector.limit, connector.limit_per_host)
        self._pool = pool

    async def send(self, request: Request, headers: Mapping[str, str], call: Call[Any]) -> Reply:
        """Send a request once, and read the answer to its end.

        Args:
            request: What to send.
            headers: Its headers.
            call: Whose attempt it is; told when it leaves.

        Raises:
            TransportError: There was no complete answer; the subclass says how far it got.
            ConfigurationError: The session is closed.
        """
        entered: list[Gate] = []
        try:
            for gate in self._pool.gates(request.url):
                if not gate.enter_at_once():
                    await gate.enter(call.options.priority)
                entered.append(gate)
            while not self._session.closed:
                try:
                    return await self._exchange(request, headers, call)
                except _StaleConnectionError:
                    # It is closed, so that there is one less of its kind.
                    continue
                except (TransportError, asyncio.CancelledError) as error:
                    # Without the frames in which aiohttp's variables hold headers and the URL:
                    # reports of errors show them.
                    failure = error.with_traceback(None)
                raise failure
            raise ConfigurationError("this client was closed while a call was under way")
        finally:
            for gate in entered:
                gate.release()

    async def _exchange(
        self, request: Request, headers: Mapping[str, str], call: Call[Any]
    ) -> Reply:
        own_pool = None
        safety = request.operation.safety
        if call.alone or safety is Safety.UNSAFE or safety is Safety.ONCE:
            # A kept one may be closed already at the other end, and what was lost on it may not be
            # sent again. They are kept apart by the name that the certificate is checked for, which
            # stays what it is, so that there is none to be taken.
            call.alone = True
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
                middlewares=(_once(call),),
            )
        except aiohttp.ClientError as error:
            # Not from a connection, of which `_once` would have told: nobody knows how far it got.
            failure = _error_of(error, request.url.host)
        else:
            call.on_kept = False
            try:
                content = response.content
                body = await content.readany()
                whole = content.at_eof() and len(body) <= self._max_body_bytes
                if not whole or "Content-Encoding" in response.headers:
                    body = await self._unpacked(response, body)
            except aiohttp.ClientError as error:
                failure = _failure(error, call)
            else:
                return Reply(response.status, response.headers, body, request, headers)
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

    async def _unpacked(self, response: aiohttp.ClientResponse, first: bytes) -> bytes:
        """A body that comes in several parts, packed, or too large."""
        cap = self._max_body_bytes
        coding = response.headers.get("Content-Encoding", "")
        if not coding and (response.content_length or 0) > cap:
            raise ResponseTooLargeError(f"the answer is larger than max_body_bytes={cap}")
        body = Body(coding, cap)
        body.feed(first)
        while chunk := await response.content.readany():
            body.feed(chunk)
        return body.whole()


class _StaleConnectionError(Exception):
    """A kept connection was closed unused: what it holds is no answer to this request."""


class _Request(aiohttp.ClientRequest):
    """Tells its call when it leaves, and leaves on no connection that has anything to say yet."""

    call: Call[Any]

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        protocol = conn.protocol
        assert protocol is not None
        notes = vars(protocol)
        has_come: _HasCome | None = notes.get(_USED)
        self._on_kept = has_come is not None
        # On one that was lost in the meantime nothing is written.
        connected = protocol.is_connected()
        if has_come is None:
            notes[_USED] = _has_come_on(conn)
        # A late answer to somebody else's request, a proxy's 408, or the end of it.
        elif not connected or protocol.should_close or has_come():
            raise _StaleConnectionError
        if self.call.alone:
            # Whatever the answer's headers say: a server need not repeat `Connection: close`.
            protocol.force_close()
        if connected and self.call.request.body is None:
            self.call.leaves(on_kept=self._on_kept)
        return await super().send(conn)

    async def write_bytes(
        self,
        writer: AbstractStreamWriter,
        conn: Connection,
        content_length: int | None = None,
    ) -> None:
        # The head waits for the body, which is written in a task of its own, perhaps a step later.
        if conn.protocol is not None and conn.protocol.is_connected():
            self.call.leaves(on_kept=self._on_kept)
        await super().write_bytes(writer, conn, content_length)


def _has_come_on(conn: Connection) -> _HasCome:
    """What tells of a connection whether something can be read, or the other end has closed.

    If nothing was asked that is so, the loop may not have seen it yet, and would take it for the
    answer to what is sent now.
    """
    transport = conn.transport
    raw = None if transport is None else transport.get_extra_info("socket")
    if raw is None or raw.fileno() < 0:
        return lambda: True
    if not hasattr(select, "poll"):
        return lambda: select.select([raw], [], [], 0)[0]
    poll = select.poll()
    poll.register(raw.fileno(), select.POLLIN)
    return functools.partial(poll.poll, 0)


def _once(call: Call[Any]) -> aiohttp.ClientMiddlewareType:
    """What aiohttp makes one attempt of a call with."""

    async def send_once(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        assert isinstance(request, _Request)
        request.call = call
        # aiohttp sends a GET, PUT or DELETE again by itself when the connection breaks, but only
        # if it sees an error of its own: here that becomes ours.
        try:
            return await handler(request)
        except aiohttp.ClientError as error:
            failure = _failure(error, call)
        raise failure

    return send_once


def _failure(error: aiohttp.ClientError, call: Call[Any]) -> TransportError:
    failure = _error_of(error, call.request.url.host)
    if call.sent or isinstance(failure, ConnectFailedError):
        return failure
    return ConnectFailedError(f"not sent: {failure.message}")


def _error_of(error: aiohttp.ClientError, host: str | None) -> TransportError:
    """The one place that says what a failure of aiohttp's is.

    Its own words may quote the URL, headers, or bytes that came: they are never repeated.
    """
    kind = type(error.__cause__ or error).__name__
    match error:
        case aiohttp.ServerFingerprintMismatch():
            failure = ConnectFailedError("no connection: the server's certificate is another one")
            failure.permanent = True
            return failure
        case aiohttp.ConnectionTimeoutError():
            return ConnectFailedError(f"no connection to {host} within the time for connecting")
        case aiohttp.ClientConnectorError():
            proxy = isinstance(error, aiohttp.ClientProxyConnectionError)
            where = "the proxy" if proxy else host
            failure = ConnectFailedError(f"no connection to {where}: {_reason(error) or kind}")
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
