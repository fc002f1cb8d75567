"""The loop of the tests: what is on its way over loopback arrives before time goes on."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncIterator

import pytest

from tests.support.virtual_time import run

Ends = tuple[socket.socket, socket.socket]
LARGE = 20_000_000


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        yield near, far


async def test_what_was_sent_comes_before_the_earliest_deadline(ends: Ends) -> None:
    loop = asyncio.get_running_loop()
    near, far = ends
    for _ in range(300):
        async with asyncio.timeout(1e-3):
            near.send(b"x")
            assert await loop.sock_recv(far, 10) == b"x"


async def test_what_fills_all_buffers_does_too(ends: Ends) -> None:
    loop = asyncio.get_running_loop()
    near, far = ends
    async with asyncio.timeout(1e-3), asyncio.TaskGroup() as group:
        group.create_task(loop.sock_sendall(near, b"x" * LARGE))
        received = 0
        while received < LARGE:
            received += len(await loop.sock_recv(far, 100_000))


async def test_so_does_a_crowd_that_connects_at_once() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x")
        writer.close()
        await writer.wait_closed()

    async def one(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        said = await reader.read()
        writer.close()
        await writer.wait_closed()
        return said

    server = await asyncio.start_server(greet, "127.0.0.1", 0, backlog=1)
    async with server, asyncio.timeout(1e-3):
        port = server.sockets[0].getsockname()[1]
        assert set(await asyncio.gather(*(one(port) for _ in range(200)))) == {b"x"}


@pytest.mark.parametrize("reset", [False, True])
async def test_so_does_the_end(ends: Ends, reset: bool) -> None:
    near, far = ends
    if reset:
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    near.close()
    async with asyncio.timeout(1e-3):
        try:
            assert await asyncio.get_running_loop().sock_recv(far, 10) == b""
        except ConnectionResetError:
            assert reset


async def test_silence_takes_exactly_as_long_as_it_takes(ends: Ends) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(3600):
            await loop.sock_recv(ends[1], 10)
    assert loop.time() - began == pytest.approx(3600)


def test_what_would_wait_for_ever_fails_at_once() -> None:
    with pytest.raises(RuntimeError, match="deadlock"):
        run(asyncio.Event().wait())


async def test_a_process_is_refused() -> None:
    with pytest.raises(RuntimeError, match="real_time"):
        await asyncio.create_subprocess_exec(sys.executable, "--version")
