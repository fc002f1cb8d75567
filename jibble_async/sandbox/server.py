"""HTTP in front of the hosts: one port of this machine, and faults of connections."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

from aiohttp import web

from jibble_async.sandbox.exchange import Reply
from jibble_async.sandbox.faults import UNANSWERED
from jibble_async.sandbox.hosts import LOOPBACK, Hosts

if TYPE_CHECKING:
    from jibble_async.sandbox.faults import Fault, Faults

_LINGER_NOT = struct.pack("ii", 1, 0)


class Server:
    """Listens on loopback and hands what it hears to the hosts.

    Args:
        hosts: What answers.
        faults: Trouble that may hold requests when the server closes.
    """

    def __init__(self, hosts: Hosts, faults: Faults) -> None:
        self._hosts = hosts
        self._faults = faults
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
        site = web.TCPSite(self._runner, LOOPBACK, port)
        await site.start()
        self._hosts.port = self._runner.addresses[0][1]
        self.url = f"http://{LOOPBACK}:{self._hosts.port}"

    async def aclose(self) -> None:
        """Stops listening and ends every connection."""
        self._faults.release()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        origin = f"http://{request.headers.get('Host', '')}"
        visit = self._hosts.arrive(request.method, origin, request.raw_path, request.headers, body)
        if isinstance(visit, Reply):
            return _response(visit)
        fault = visit.fault
        kind = "" if fault is None else fault.kind
        if kind in UNANSWERED:
            return _hang_up(request, reset=kind == "reset_before")
        if fault is not None and kind == "stall" and not fault.params["committed"]:
            await fault.released.wait()
        reply = visit.reply()
        if fault is not None and kind == "stall" and fault.params["committed"]:
            await fault.released.wait()
        if kind in {"drop_after", "reset_after"}:
            return _hang_up(request, reset=kind == "reset_after")
        visit.received.status = reply.status
        if fault is not None and kind in {"drip", "truncate"}:
            return await _in_pieces(request, reply, fault)
        return _response(reply)


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.encoded() or None, headers=reply.headers)


def _hang_up(request: web.BaseRequest, *, reset: bool) -> web.Response:
    transport = request.transport
    if transport is not None:
        if reset:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        transport.abort()
    return web.Response()


async def _in_pieces(request: web.BaseRequest, reply: Reply, fault: Fault) -> web.StreamResponse:
    body = reply.encoded()
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
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
