"""Writes into every kind of trouble there is, half of them cancelled: what is said, and what is so.

A server below HTTP keeps what it was sent and what it did. One kind of trouble is drawn for each
write, and whether and after how many steps of the loop its task is cancelled: some have ended by
then.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from jibble_async import (
    AmbiguousWriteError,
    ClientConfig,
    ClientCredentials,
    Endpoints,
    JibbleClient,
    JibbleError,
    Outcome,
    RetryPolicy,
    StaticToken,
    Timeouts,
    TokenBucket,
    Unlimited,
)

__all__ = ["NEVER_LEFT", "TROUBLES", "Found", "run"]

_BATCH = 50
_ANSWER = b'{"id": "5d3b37e7-64a8-411a-9a1e-056c149a13fc"}'
_HTML = b"<html>502 Bad Gateway</html>"


def _http(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass(frozen=True)
class _Answer:
    """What the server does with a write that it has read.

    Attributes:
        data: What it answers.
        commits: Whether it does what it was asked first.
        then: What becomes of the connection: `keep`, `fin`, `reset` or `silence`.
        late: Whether it does it only when the client has gone.
        once: Whether a second attempt is answered as it should be.
    """

    data: bytes = b""
    commits: bool = False
    then: str = "keep"
    late: bool = False
    once: bool = False


_DONE = _Answer(_http(201, _ANSWER), commits=True)
_ANSWERS: dict[str, _Answer] = {
    "none": _DONE,
    "closed before it was done": _Answer(then="fin"),
    "closed after it was done": _Answer(commits=True, then="fin"),
    "reset before it was done": _Answer(then="reset"),
    "reset after it was done": _Answer(commits=True, then="reset"),
    "silence before it was done": _Answer(then="silence", late=True),
    "silence after it was done": _Answer(commits=True, then="silence"),
    "half a head": _Answer(b"HTTP/1.1 201 X\r\nConte", commits=True, then="fin"),
    "half a body": _Answer(_http(201, _ANSWER)[:-9], commits=True, then="fin"),
    "no JSON": _Answer(_http(201, b"{"), commits=True),
    "not HTTP": _Answer(b"220 mail.example ESMTP\r\n", commits=True, then="fin"),
    "500 after it was done": _Answer(_http(500), commits=True),
    "502 in HTML": _Answer(_http(502, _HTML), commits=True),
    "520": _Answer(_http(520), commits=True),
    "503": _Answer(_http(503, b"", "Retry-After: 0")),
    "429": _Answer(_http(429, b"", "Retry-After: 0"), once=True),
    "401": _Answer(_http(401), once=True),
    "400": _Answer(_http(400, b'{"error": {"message": "no"}}')),
}
_Arrange = Callable[["_Host", str], dict[str, Any]]


class _Names(AbstractResolver):
    """Finds no address, or never says that it does not."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self._silent:
            await asyncio.get_running_loop().create_future()
        raise OSError("no such host")

    async def close(self) -> None:
        pass


_PAIR = ClientCredentials("id", "secret")
NEVER_LEFT: dict[str, _Arrange] = {
    "connection refused": lambda host, _: {"base": f"http://127.0.0.1:{host.closed}"},
    "no such host": lambda host, _: {"base": host.named, "names": _Names(silent=False)},
    "no word of the host": lambda host, _: {"base": host.named, "names": _Names(silent=True)},
    "a TLS handshake without an end": lambda host, _: {"base": host.over_tls, "ssl": False},
    "a proxy that refuses": lambda host, _: {"base": host.over_tls, "proxy": f"{host.url}/refuse"},
    "a proxy that is silent": lambda host, _: {"base": host.over_tls, "proxy": host.mute},
    "no connection is free": lambda host, _: {"limit": 1, "hold": True},
    "no slot": lambda host, _: {"limiter": TokenBucket(2, 3600), "empty": True},
    "the token host is silent": lambda host, _: {"auth": _PAIR, "identity": host.mute},
    "the token host is in trouble": lambda host, _: {"auth": _PAIR, "identity": f"{host.url}/503"},
}
"""What comes before a byte of a write can leave."""
TROUBLES = (*_ANSWERS, *NEVER_LEFT)


class _Host:
    """The server, one that is silent, and a port at which nobody listens."""

    def __init__(self) -> None:
        self.answers: dict[str, _Answer] = {}
        self.heard: set[str] = set()
        self.done: Counter[str] = Counter()
        self.holds: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._stack = contextlib.AsyncExitStack()
        ports: list[int] = []
        for serve in (self._served, self._silent):
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            self._stack.callback(server.close)
            ports.append(server.sockets[0].getsockname()[1])
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.closed: int = unused.getsockname()[1]
        self.url = f"http://127.0.0.1:{ports[0]}"
        self.named = f"http://localhost:{ports[0]}"
        self.mute = f"http://127.0.0.1:{ports[1]}"
        self.over_tls = f"https://127.0.0.1:{ports[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _note(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _silent(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note()
        with contextlib.suppress(OSError):
            await reader.read()
        writer.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note()
        then = "keep"
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while then == "keep":
                then = await self._serve(reader, writer)
        if then == "reset":
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        _, _, length = head.lower().partition("content-length:")
        body = await reader.readexactly(int(length.split("\r\n")[0])) if length else b""
        if method == "CONNECT" or "/503/" in target:
            writer.write(_http(503))
        elif method == "GET" and "/hold/" in target:
            self.holds[target.rpartition("/")[2]].set()
            await reader.read()
            return "fin"
        elif method == "GET":
            writer.write(_http(200, b'{"value": []}') if "?" in target else _http(404))
        else:
            return await self._write(json.loads(body), reader, writer)
        return "keep"

    async def _write(
        self, sent: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        nonce = str(sent["note"])
        answer = self.answers[nonce]
        if nonce in self.heard and answer.once:
            answer = _DONE
        self.heard.add(nonce)
        if answer.commits:
            self.done[nonce] += 1
        writer.write(answer.data)
        if answer.then == "silence":
            await reader.read()
        if answer.late:
            self.done[nonce] += 1
        return answer.then


@dataclass
class Found:
    """What became of the writes.

    Attributes:
        counts: How many, by the trouble and what was said of them.
        wrong: What must not be, in words; empty if all is well.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    wrong: list[str] = field(default_factory=list[str])


async def run(writes: int, seed: int) -> Found:
    """What became of so many writes, half of them cancelled.

    Args:
        writes: How many.
        seed: Equal seeds give equal draws.
    """
    found = Found()
    random = Random(f"trouble {seed}")
    async with _Host() as host:
        for start in range(0, writes, _BATCH):
            batch = [
                _one(found, host, Random(random.random())) for _ in range(start, start + _BATCH)
            ]
            await asyncio.gather(*batch)
    return found


async def _one(found: Found, host: _Host, random: Random) -> None:
    trouble, nonce = random.choice(TROUBLES), str(uuid.UUID(int=random.getrandbits(128)))
    host.answers[nonce] = _ANSWERS.get(trouble, _DONE)
    arranged = NEVER_LEFT[trouble](host, nonce) if trouble in NEVER_LEFT else {}
    task = asyncio.create_task(_said(host, nonce, arranged, punch=random.random() < 0.5))
    if random.random() < 0.65:
        for _ in range(random.randrange(25)):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait((task,))
    said = "cancelled" if task.cancelled() else task.result()
    found.counts[trouble, said] += 1
    # The server may be at it still, where it does things late.
    for _ in range(20):
        await asyncio.sleep(0)
    done, heard = host.done[nonce], nonce in host.heard
    if done > 1:
        found.wrong.append(f"{trouble}: done {done} times")
    if said == "done" and not done:
        found.wrong.append(f"{trouble}: said to be done, and is not")
    if said == "not done" and done:
        found.wrong.append(f"{trouble}: said not to be done, and is")
    if said == "unknown" and not heard:
        found.wrong.append(f"{trouble}: never left, and is called unknown")


async def _said(host: _Host, nonce: str, arranged: dict[str, Any], *, punch: bool) -> str:
    base = arranged.get("base", host.url)
    identity = arranged.get("identity", host.url)
    limiter = arranged.get("limiter", Unlimited())
    limit, names = arranged.get("limit", 100), arranged.get("names")
    connector = aiohttp.TCPConnector(limit=limit, resolver=names)
    config = ClientConfig(
        endpoints=Endpoints(
            identity=identity, workspace=base, time_tracking=base, time_attendance=base
        ),
        timeouts=Timeouts(total=3.0, attempt=0.5, connect=1.0),
        retry=RetryPolicy(attempts=3, base_delay=0.01),
    )
    client = JibbleClient(
        auth=arranged.get("auth", StaticToken("a-token")),
        config=config,
        limiter=limiter,
        connector=connector,
        proxy=arranged.get("proxy"),
        ssl=arranged.get("ssl"),
    )
    if "empty" in arranged:
        (await limiter.acquire()).release(Outcome.ANSWERED)
    async with connector, client as jibble, asyncio.TaskGroup() as group:
        held = None
        if "hold" in arranged:
            patient = jibble.with_options(timeout=Timeouts(total=None, attempt=None))
            held = group.create_task(patient.request("GET", "workspace", f"/v1/hold/{nonce}"))
            await host.holds[nonce].wait()
        try:
            if punch:
                await jibble.time_entries.clock_in(str(uuid.uuid4()), note=nonce)
            else:
                await jibble.request("POST", "workspace", "/v1/Things", json={"note": nonce})
        except AmbiguousWriteError:
            return "unknown"
        except JibbleError as error:
            return "unknown" if error.maybe_processed else "not done"
        finally:
            if held is not None:
                held.cancel()
    return "done"
