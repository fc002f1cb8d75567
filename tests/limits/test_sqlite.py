"""What only a `SharedWindow` does: see `test_shared.py` for what it has in common with others."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.slots import RateLimiter
from jibble_async.limits.windows.sqlite import SharedWindow
from tests.limits.calls import send
from tests.limits.fleet import Fleet, Job

pytestmark = pytest.mark.real_time


@pytest.mark.parametrize(
    "options", [{"limit": 0}, {"per": 0}, {"linger": -1}, {"lease": 0}, {"reserve": 1}]
)
def test_numbers_that_leave_nothing_are_refused(path: Path, options: dict[str, float]) -> None:
    numbers: dict[str, Any] = {"limit": 1, "per": 1, "linger": 1, "lease": 1, **options}
    with pytest.raises(ConfigurationError):
        SharedWindow(path, **numbers)


def test_it_is_a_limiter_and_touches_nothing_before_use(path: Path) -> None:
    before = threading.active_count()
    assert isinstance(SharedWindow(path, 1, 1), RateLimiter)
    assert not path.parent.exists()
    assert threading.active_count() == before


async def test_locked_file_grants_nothing_and_says_so(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jibble_async.limits.state_file.BUSY_TIMEOUT", 0.05)
    caplog.set_level(logging.INFO, "jibble_async.limits")
    window = SharedWindow(path, 5, 1)
    await send(window)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as stopped:
        stopped.execute("BEGIN IMMEDIATE")
        with pytest.raises(RateLimitedError):
            await window.acquire(max_wait=0.3)
        assert window.degraded is not None
        assert "locked" in window.degraded
        stopped.execute("ROLLBACK")
    await send(window)
    assert window.degraded is None
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    await window.aclose()


async def test_file_is_not_touched_in_the_thread_of_the_loop(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[int] = set()
    connect = sqlite3.connect

    def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **kwargs)
        connection.set_trace_callback(lambda _: threads.add(threading.get_ident()))
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    window = SharedWindow(path, 5, 1)
    await send(window)
    await window.aclose()
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_window_that_was_not_closed_leaves_no_warning(path: Path) -> None:
    window = SharedWindow(path, 5, 1)
    asyncio.run(send(window))
    del window


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.parametrize(("limit", "per"), [(50, 1.0), (15, 0.5)])
async def test_real_processes_killed_stopped_and_restarted(
    path: Path, limit: int, per: float
) -> None:
    job = Job("shared", os.fspath(path), limit, per)
    async with Fleet(leg=0.01) as fleet:
        for name in ("a", "b", "c", "d"):
            await fleet.start(name, job)
        await fleet.heard("a", "b", "c", "d")
        fleet.send_signal("a", signal.SIGKILL)
        fleet.stop_outside_of(path, "b")
        await fleet.heard("c", "d", count=max(2, limit // 8))
        await fleet.start("e", job)
        fleet.send_signal("b", signal.SIGCONT)
        await fleet.heard("b", "c", "d", "e", count=2)
        for name in ("b", "c", "d", "e"):
            await fleet.finish(name)
    assert fleet.tightest(limit) >= per


async def test_a_loop_without_executors_will_do(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(asyncio.BaseEventLoop, "run_in_executor")
    window = SharedWindow(path, 1, 1)
    await send(window)
    await window.aclose()
