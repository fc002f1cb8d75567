"""A real redis-server for tests and benchmarks."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import redis


class RedisServer:
    """A redis-server of our own, on a socket in a folder of its own, that keeps nothing."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"
        self.client = redis.Redis(unix_socket_path=str(self._socket))

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [self._program, "--port", "0", "--unixsocket", str(self._socket)]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no", "--dir", str(self._socket.parent)],
            stdout=subprocess.DEVNULL,
        )
        for _ in range(6000):
            try:
                self.client.ping()  # pyright: ignore[reportUnknownMemberType]
            except redis.ConnectionError:
                time.sleep(0.01)
            else:
                return
        raise RuntimeError("redis-server does not answer")

    def kill(self) -> None:
        """End it at once; what it knew is lost."""
        self.client.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def send_signal(self, number: int) -> None:
        """Stop it or let it go on."""
        assert self._process is not None
        self._process.send_signal(number)
