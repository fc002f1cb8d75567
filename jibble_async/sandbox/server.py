"""HTTP in front of the services: which one is meant, who asks, and faults on the wire."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from aiohttp import web

from jibble_async.sandbox.errors import Refusal
from jibble_async.sandbox.exchange import Answering, Call, Reply
from jibble_async.sandbox.identity import Identity, unauthorized
from jibble_async.sandbox.ledger import SERVICES, Ledger, Received, Service
from jibble_async.sandbox.metadata import PATH, metadata
from jibble_async.sandbox.replies import bend, instead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jibble_async.sandbox.faults import Fault, Faults
    from jibble_async.sandbox.legacy.identity import LegacyIdentity
    from jibble_async.sandbox.legacy.store import LegacyStore
    from jibble_async.sandbox.quotas import QuotaMeter

_JSON = "application/json; odata.metadata=minimal; odata.streaming=true"
_LEGACY_JSON = "application/json; charset=utf-8"
_LEGACY_HOSTS: dict[str, Service] = {
    "connect.jibble.io": "legacy",
    "connect.herokuapp.com": "legacy-identity",
}
_READ = ("authorization", "content-type", "prefer")
_LINGER_NOT = struct.pack("ii", 1, 0)
_LEFT, _RIGHT = r"(?:\$|%24|filter(?:\[|%5B))", r"(?:\]|%5D)?="
_OFFSET = re.compile(rf"{_LEFT}(?:skip|top|limit){_RIGHT}\d*&?", re.IGNORECASE)
_SKIP = re.compile(rf"{_LEFT}skip{_RIGHT}(\d+)", re.IGNORECASE)


class Server:
    """Listens on loopback and answers as the four hosts and the old API's two.

    Args:
        identity: Issues and knows tokens.
        legacy_identity: Issues and knows those of the old API.
        services: What answers for each host but the token hosts.
        ledger: Notes every request.
        legacy: The old API's rows.
        faults: Trouble to make.
        quotas: Limits to keep.
        legacy_quotas: Those of the old API.
        clock: The present instant.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        legacy_identity: LegacyIdentity,
        services: Mapping[Service, Answering],
        ledger: Ledger,
        legacy: LegacyStore,
        faults: Faults,
        quotas: QuotaMeter,
        legacy_quotas: QuotaMeter,
        clock: Callable[[], datetime],
    ) -> None:
        self._identity = identity
        self._legacy_identity = legacy_identity
        self._services = services
        self._ledger = ledger
        self._legacy = legacy
        self._faults = faults
        self._quotas = quotas
        self._legacy_quotas = legacy_quotas
        self._clock = clock
        self._runner: web.ServerRunner | None = None
        self.url: str = ""

    async def start(self, port: int) -> None:
        """Begins to listen.

        Args:
            port: The TCP port; 0 for a free one.
        """
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def aclose(self) -> None:
        """Stops listening and ends every connection."""
        self._faults.release()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        service, target, base = self._addressed(request)
        raw_path, _, query = target.partition("?")
        body = await request.read()
        if service is None:
            return _response(Reply(404), _JSON)
        kind = _LEGACY_JSON if service.startswith("legacy") else _JSON
        received = Received(
            number=len(self._ledger.requests) + 1,
            at=self._clock(),
            service=service,
            method=request.method,
            target=target,
            path=unquote(raw_path),
        )
        self._ledger.requests.append(received)
        headers = {name: request.headers[name] for name in _READ if name in request.headers}
        call = Call(request.method, received.path, query, body, headers, base)
        fault = self._faults.take(received)
        if fault is not None and fault.kind in {"drop_before", "reset_before"}:
            return _hang_up(request, reset=fault.kind == "reset_before")
        if fault is not None and fault.kind == "stall" and not fault.params["committed"]:
            await fault.released.wait()
        reply = self._reply(call, received, fault)
        if fault is not None and fault.kind == "stall" and fault.params["committed"]:
            await fault.released.wait()
        if fault is not None and fault.kind in {"drop_after", "reset_after"}:
            return _hang_up(request, reset=fault.kind == "reset_after")
        received.status = reply.status
        if fault is not None and fault.kind in {"drip", "truncate"}:
            return await _in_pieces(request, reply, kind, fault)
        if fault is not None and fault.kind == "invalid_json":
            reply.payload = reply.encoded()[:-1]
        reply.headers.setdefault(
            "Date", format_datetime(self._clock().astimezone(UTC), usegmt=True)
        )
        return _response(reply, kind)

    def _addressed(self, request: web.BaseRequest) -> tuple[Service | None, str, str]:
        """The service that is meant, the target behind its prefix, and what links begin with."""
        target = request.raw_path
        for service in SERVICES:
            if target.startswith(f"/{service}/"):
                return service, target[len(service) + 1 :], f"{self.url}/{service}"
        host = request.headers.get("Host", "")
        name = _LEGACY_HOSTS.get(host.partition(":")[0], host.partition(".")[0])
        if name in SERVICES:
            return name, target, f"http://{host}"
        return None, target, ""

    def _reply(self, call: Call, received: Received, fault: Fault | None) -> Reply:
        other = instead(fault, received.service, self._clock()) if fault is not None else None
        if other is not None and not (fault and fault.params.get("committed")):
            return other
        reply = self._answer(call, received, fault)
        return reply if other is None else other

    def _answer(self, call: Call, received: Received, fault: Fault | None) -> Reply:
        if received.service == "identity":
            return self._identity.answer(call)
        if received.service == "legacy-identity":
            return self._legacy_identity.answer(call)
        legacy = received.service == "legacy"
        authorization = call.headers.get("authorization")
        credential = (
            self._legacy_identity.credential(authorization)
            if legacy
            else self._identity.credential(authorization) or unauthorized()
        )
        if isinstance(credential, Reply):
            return credential
        received.authorized = True
        quotas = self._legacy_quotas if legacy else self._quotas
        refusal, headers = quotas.take(credential, received.service, received.at)
        reply = refusal or self._serve(call, received, fault)
        reply.headers.update(headers)
        return reply

    def _serve(self, call: Call, received: Received, fault: Fault | None) -> Reply:
        rows = self._legacy if received.service == "legacy" else self._ledger.dataset
        if fault is not None and fault.kind == "mutate":
            fault.params["change"](rows)
            rows.touch()
        rows.notice()
        skip = _SKIP.search(call.query)
        walk = f"{call.path}?{_OFFSET.sub('', call.query).rstrip('&')}"
        shift = self._faults.shift(fault, walk, int(skip[1]) if skip else 0)
        try:
            if call.path == PATH and call.method == "GET" and received.service != "legacy":
                reply = metadata(received.service)
            else:
                reply = self._services[received.service].answer(call, received, shift)
        except Refusal as refusal:
            return Reply(refusal.status, refusal.body())
        if fault is not None:
            bend(fault, call, reply.payload)
        return reply


def _response(reply: Reply, kind: str) -> web.Response:
    body = reply.encoded()
    headers = dict(reply.headers)
    if body:
        headers.setdefault("Content-Type", kind)
    return web.Response(status=reply.status, body=body or None, headers=headers)


def _hang_up(request: web.BaseRequest, *, reset: bool) -> web.Response:
    transport = request.transport
    if transport is not None:
        if reset:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
    return web.Response()


async def _in_pieces(
    request: web.BaseRequest, reply: Reply, kind: str, fault: Fault
) -> web.StreamResponse:
    body = reply.encoded()
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.headers.setdefault("Content-Type", kind)
    response.content_length = len(body)
    await response.prepare(request)
    if fault.kind == "truncate":
        keep = fault.params["keep"]
        await response.write(body[: len(body) // 2 if keep is None else keep])
        if request.transport is not None:
            request.transport.close()
        return response
    size = fault.params["size"]
    for start in range(0, len(body), size):
        await response.write(body[start : start + size])
        await asyncio.sleep(fault.params["gap"])
    return response
