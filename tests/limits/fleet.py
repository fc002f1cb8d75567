"""Real processes that share a limit, and a server that counts them by its own clock."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.limits.schedules import tightest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Job:
    """What a worker does; see `tests.limits.worker`.

    Attributes:
        kind: `shared`, `redis` or `adaptive`.
        place: The path, or the address.
        callers: How many tasks send at a time.
        skew: Seconds by which the worker's clocks are wrong.
        trust_empty: For `redis`.
    """

    kind: str
    place: str
    limit: int
    per: float
    linger: float = 0.2
    lease: float = 2.0
    workers: int = 4
    callers: int = 10
    skew: float = 0.0
    trust_empty: bool = True
    priority: str = "bulk"
    rest: float = 0.0


class Fleet:
    """A counting server in this process, and the workers that call it.

    Args:
        leg: Seconds that a request takes each way.
    """

    def __init__(self, leg: float = 0.0) -> None:
        self._leg = leg
        self._server: asyncio.Server | None = None
        self._processes: dict[str, Process] = {}
        self._port = 0
        self._arrived = asyncio.Event()
        self.arrivals: list[tuple[float, str]] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._count, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._processes.values():
            if process.returncode is None:
                process.kill()
        for process in self._processes.values():
            await process.communicate()
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def start(self, name: str, job: Job) -> None:
        """Start a worker; it calls from then on."""
        self._processes[name] = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.limits.worker",
            json.dumps({**asdict(job), "name": name, "port": self._port}),
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=PIPE,
            stdout=PIPE,
        )

    def send_signal(self, name: str, number: signal.Signals) -> None:
        """Kill, stop or continue a worker."""
        self._processes[name].send_signal(number)

    def stop_outside_of(self, path: Path, name: str) -> None:
        """Stop a worker that does not write to a file of SQLite's just then.

        Nobody writes while somebody is stopped who does.
        """
        while True:
            self.send_signal(name, signal.SIGSTOP)
            with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as file:
                try:
                    file.execute("BEGIN IMMEDIATE")
                except sqlite3.OperationalError:
                    self.send_signal(name, signal.SIGCONT)
                else:
                    file.execute("ROLLBACK")
                    return

    async def finish(self, name: str) -> dict[str, Any]:
        """Let a worker end, and get what it reports."""
        output, _ = await self._processes[name].communicate(b"end\n")
        report: dict[str, Any] = json.loads(output)
        return report

    async def heard(self, *names: str, count: int = 1) -> None:
        """Wait until each of the workers was counted `count` times from now on."""
        start = len(self.arrivals)
        while any(self.counts(since=start)[name] < count for name in names):
            self._arrived.clear()
            await self._arrived.wait()

    def counts(self, *, since: int = 0) -> Counter[str]:
        """How many requests each worker sent, from the arrival numbered `since` on."""
        return Counter(name for _, name in self.arrivals[since:])

    def times(self) -> Sequence[float]:
        """When requests arrived."""
        return [moment for moment, _ in self.arrivals]

    def tightest(self, limit: int) -> float:
        """The shortest time in which `limit + 1` requests arrived, in seconds."""
        return tightest(self.times(), limit)

    async def _count(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                await asyncio.sleep(self._leg)
                self.arrivals.append((time.monotonic(), line.decode().strip()))
                self._arrived.set()
                await asyncio.sleep(self._leg)
                writer.write(b"ok\n")
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
