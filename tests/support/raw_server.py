"""A server below HTTP: it hears every request, and answers with any bytes at all, or none."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

from tests.support.leaks import settled

Then: TypeAlias = Literal["keep", "fin", "reset", "stall"]

_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Heard:
    """One request, as it came in."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Wire:
    """The server's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def until_left(self) -> None:
        """Wait for the client to go away."""
        with contextlib.suppress(OSError):
            while await self._reader.read(65536):
                pass

    async def read_request(self, connection: int) -> Heard | None:
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Heard(method, target, headers, body, connection)

    async def aclose(self, *, reset: bool) -> None:
        if reset:
            raw: socket.socket = self._writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self._writer.transport.abort()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


Answer: TypeAlias = Callable[[Wire], Awaitable[Then]]
"""Writes an answer and says what becomes of the connection."""


def raw(data: bytes, then: Then = "fin") -> Answer:
    """These bytes and no others."""

    async def answer(wire: Wire) -> Then:
        await wire.write(data)
        return then

    return answer


def drip(data: bytes, *, size: int, gap: float, then: Then = "keep") -> Answer:
    """The bytes in small pieces."""

    async def answer(wire: Wire) -> Then:
        for start in range(0, len(data), size):
            await wire.write(data[start : start + size])
            await asyncio.sleep(gap)
        return then

    return answer


def head(status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """A status line and headers, the empty line included."""
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def reply(status: int = 200, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """A well-formed answer."""
    given = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return raw(head(status, given | (headers or {})) + body, "keep")


def json_reply(value: Any, headers: dict[str, str] | None = None, status: int = 200) -> Answer:
    """A well-formed answer with a value."""
    return reply(status, json.dumps(value).encode(), headers)


def page(ids: Iterable[object], *, count: int | None = None, link: str | None = None) -> Answer:
    """A page of rows that have nothing but an id."""
    body: dict[str, Any] = {"value": [{"id": str(each)} for each in ids]}
    if count is not None:
        body["@odata.count"] = count
    if link is not None:
        body["@odata.nextLink"] = link
    return json_reply(body)


def token_reply(token: str = "the-token", **others: Any) -> Answer:
    """What the token host answers; an argument that is None is left out."""
    body = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"} | others
    return json_reply({name: value for name, value in body.items() if value is not None})


class Held:
    """An answer that is held back until told."""

    def __init__(self, answer: Answer) -> None:
        self.go = asyncio.Event()
        self._answer = answer

    async def __call__(self, wire: Wire) -> Then:
        left = asyncio.ensure_future(wire.until_left())
        go = asyncio.ensure_future(self.go.wait())
        try:
            await asyncio.wait({left, go}, return_when=asyncio.FIRST_COMPLETED)
            gone = left.done()
        finally:
            left.cancel()
            go.cancel()
            await asyncio.gather(left, go, return_exceptions=True)
        return "fin" if gone else await self._answer(wire)


class Script:
    """Answers in order; the last is given from then on."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)

    def __call__(self, heard: Heard) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class RawServer:
    """Listens on loopback, for the API and, under `/connect/token`, for tokens.

    Attributes:
        answer: Gives the answer to a request of the API.
        token_answer: Gives the answer to a request for a token.
        heard: The requests of the API.
        heard_tokens: The requests for tokens.
        connections: How many were opened.
        open_connections: How many are open.
        refuse_with: What becomes of a connection as soon as it is opened; None to serve it.
    """

    def __init__(self, *answers: Answer) -> None:
        self.answer: Callable[[Heard], Answer] = Script(*(answers or (json_reply({}),)))
        self.token_answer: Callable[[Heard], Answer] = Script(token_reply())
        self.heard: list[Heard] = []
        self.heard_tokens: list[Heard] = []
        self.connections = 0
        self.open_connections = 0
        self.refuse_with: Literal["fin", "reset"] | None = None
        self._serving: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=2**20)
        port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def idle(self) -> None:
        """Wait until no connection is open."""
        await settled(lambda: self.open_connections == 0)

    async def until_heard(self, number: int) -> None:
        """Wait for so many requests of the API."""
        await settled(lambda: len(self.heard) >= number)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        self.open_connections += 1
        wire = Wire(reader, writer)
        then: Then = self.refuse_with or "keep"
        try:
            connection = self.connections
            while then == "keep":
                then = await self._serve(wire, connection)
            if then == "stall":
                await wire.until_left()
        except (asyncio.IncompleteReadError, OSError):
            pass
        except asyncio.CancelledError:
            then = "reset"
        finally:
            self._serving.discard(task)
            self.open_connections -= 1
            await wire.aclose(reset=then == "reset")

    async def _serve(self, wire: Wire, connection: int) -> Then:
        heard = await wire.read_request(connection)
        if heard is None:
            return "fin"
        for_token = heard.target.endswith("/connect/token")
        (self.heard_tokens if for_token else self.heard).append(heard)
        answer = (self.token_answer if for_token else self.answer)(heard)
        return await answer(wire)
