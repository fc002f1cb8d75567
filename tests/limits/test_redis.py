# pyright: reportUnknownMemberType=false, reportPrivateUsage=false
from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.redis import RedisWindow
from jibble_async.limits.slots import Outcome, Priority, RateLimiter, Slot
from tests.limits.calls import now, send, served_beside_bulk
from tests.limits.fleet import ROOT, Fleet, Job
from tests.limits.redis_server import RedisServer

NOWHERE = "unix:///nonexistent/redis.sock"


@pytest.fixture(scope="module")
def own_redis() -> Iterator[RedisServer]:
    program = shutil.which("redis-server")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("redis-server is not installed, and CI must not skip these tests")
        pytest.skip("redis-server is not installed (Debian: apt install redis-server)")
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(program, Path(folder))
        server.start()
        yield server
        server.kill()


@pytest.fixture
def redis_server(own_redis: RedisServer) -> RedisServer:
    own_redis.client.flushall()
    return own_redis


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits for the tests that wait for real."""
    monkeypatch.setattr("jibble_async.limits.stored.HAND_OVER", 0.1)
    monkeypatch.setattr("jibble_async.limits.redis.PROBE", 0.05)


def worker(
    url: str, limit: int, per: float, *, trust_empty: bool = True, workers: int = 1
) -> RedisWindow:
    return RedisWindow(
        url,
        limit,
        per,
        linger=0.1,
        workers=workers,
        lease=0.1,
        timeout=0.1,
        trust_empty=trust_empty,
    )


def test_it_is_a_limiter_and_connects_only_when_used() -> None:
    assert isinstance(RedisWindow(NOWHERE, 1, 1, workers=1), RateLimiter)


@pytest.mark.parametrize("options", [{"workers": 0}, {"url": "http://cache:6379", "workers": 1}])
def test_what_cannot_be_used_is_refused(options: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"url": NOWHERE, "limit": 1, "per": 1, **options}
    with pytest.raises(ConfigurationError):
        RedisWindow(**arguments)


def test_password_is_not_shown() -> None:
    window = RedisWindow("redis://:canary@cache:6379/0", 1, 1, workers=1)
    assert "canary" not in repr(window)


def test_missing_extra_is_a_clear_error() -> None:
    code = (
        "import sys; sys.modules['redis'] = None\n"
        "from jibble_async.limits.redis import RedisWindow\n"
        f"RedisWindow({NOWHERE!r}, 1, 1, workers=1)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "pip install 'jibble-async[redis]'" in ran.stderr


@pytest.mark.parametrize(
    ("outcome", "counts_for"),
    [
        (Outcome.NOT_SENT, 0.0),
        (Outcome.ANSWERED, 0.3),
        (Outcome.THROTTLED, 0.3),
        (Outcome.ABANDONED, 0.4),
    ],
)
async def test_another_worker_waits_as_long_as_a_slot_counts(
    redis_server: RedisServer, outcome: Outcome, counts_for: float
) -> None:
    one, other = worker(redis_server.url, 1, 0.3), worker(redis_server.url, 1, 0.3)
    slot = await one.acquire()
    began = now()
    slot.release(outcome)
    await other.acquire()
    assert now() - began >= counts_for
    await one.aclose()
    await other.aclose()


async def test_uncontended_slot_is_one_round_trip(redis_server: RedisServer) -> None:
    window = worker(redis_server.url, 5, 10)
    slot = await window.acquire()

    def calls() -> int:
        stats: dict[str, Any] = redis_server.client.info("commandstats")
        return sum(
            int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("evalsha", "eval")
        )

    before = calls()
    second = await window.acquire()
    assert calls() == before + 1
    slot.release(Outcome.NOT_SENT)
    second.release(Outcome.NOT_SENT)
    await window.aclose()


@pytest.mark.usefixtures("quick")
async def test_killed_holder_is_leased_out(redis_server: RedisServer) -> None:
    dead, alive = worker(redis_server.url, 1, 0.1), worker(redis_server.url, 1, 0.1)
    began = now()
    slot = await dead.acquire()
    slot._owner = None  # type: ignore[attr-defined]
    await alive.acquire()
    assert now() - began >= 0.4
    await dead.aclose()
    await alive.aclose()


async def test_interactive_of_one_worker_goes_before_bulk_of_another(
    redis_server: RedisServer,
) -> None:
    job, web = worker(redis_server.url, 1, 0.2), worker(redis_server.url, 1, 0.2)
    served = await served_beside_bulk(job, web, later=0.05)
    assert served == ["click", "bulk 0", "bulk 1", "bulk 2"]
    await job.aclose()
    await web.aclose()


async def test_bulk_of_one_worker_leaves_slots_to_interactive_of_another(
    redis_server: RedisServer,
) -> None:
    job, web = worker(redis_server.url, 20, 100), worker(redis_server.url, 20, 100)
    for _ in range(18):
        (await job.acquire(priority="bulk")).release(Outcome.ANSWERED)
    with pytest.raises(RateLimitedError) as caught:
        await job.acquire(priority="bulk", max_wait=1)
    # When half of the time that the two are kept for has passed, one of them will do.
    assert caught.value.retry_after == pytest.approx(45, abs=5)
    both = [asyncio.create_task(job.acquire(priority="bulk", max_wait=97)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.wait(both, timeout=0.05)
    assert not any(task.done() for task in both)
    for task in both:
        task.cancel()
    await web.acquire(max_wait=1)
    await web.acquire(max_wait=1)
    with pytest.raises(RateLimitedError):
        await web.acquire(max_wait=1)
    await job.aclose()
    await web.aclose()


@pytest.mark.parametrize(("at_once", "kept"), [(1, True), (2, False)])
async def test_how_long_a_slot_is_kept_depends_on_how_interactive_calls_come(
    redis_server: RedisServer, at_once: int, kept: bool
) -> None:
    job, web = worker(redis_server.url, 10, 100), worker(redis_server.url, 10, 100)

    async def click(count: int) -> None:
        await asyncio.gather(*(send(web, Outcome.NOT_SENT) for _ in range(count)))
        # Now the store has what came back.
        await web.aclose()

    async def is_kept() -> bool:
        try:
            slot = await job.acquire(priority="bulk", max_wait=1)
        except RateLimitedError:
            return True
        slot.release(Outcome.NOT_SENT)
        return False

    await click(at_once)
    for _ in range(9):
        (await job.acquire(priority="bulk")).release(Outcome.ANSWERED)
    # As if answers took unevenly long: slots may come due more than a period apart.
    for seconds in (0.0, 900.0):
        job._trips.add(seconds)
    assert await is_kept() == kept
    # Another in the ten seconds of a slot.
    await click(1)
    assert not await is_kept()
    await job.aclose()


async def test_bulk_of_one_worker_is_not_starved_by_another(redis_server: RedisServer) -> None:
    job, web = worker(redis_server.url, 5, 0.05), worker(redis_server.url, 5, 0.05)
    clicks = 0

    async def click() -> None:
        nonlocal clicks
        while True:
            await send(web)
            clicks += 1

    crowd = [asyncio.create_task(click()) for _ in range(20)]
    for _ in range(3):
        (await job.acquire(priority="bulk")).release(Outcome.ANSWERED)
    for task in crowd:
        task.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    assert clicks >= 3
    await job.aclose()
    await web.aclose()


async def test_overtaken_bulk_calls_do_not_keep_workers_waiting_for_each_other(
    redis_server: RedisServer,
) -> None:
    store = redis_server.client
    mixed, job = worker(redis_server.url, 10, 100), worker(redis_server.url, 10, 100)
    due = time.time() + 50
    store.zadd("{jibble}:cooling", {f"slot {number}": due for number in range(10)})

    async def in_line(window: RedisWindow, priority: Priority) -> asyncio.Task[Slot]:
        line = "{jibble}:line" if priority == "interactive" else "{jibble}:bulk"
        others = store.zcard(line)
        task = asyncio.create_task(window.acquire(priority=priority, max_wait=99))
        while store.zcard(line) == others:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0)
        return task

    calls = [await in_line(mixed, "bulk"), await in_line(job, "bulk")]
    # Nine interactive calls overtake both.
    store.zadd("{jibble}:clicked", {f"slot {number}": time.time() for number in range(9)})
    calls.append(await in_line(mixed, "interactive"))
    store.zrem("{jibble}:cooling", "slot 9")
    # Another call lets its worker ask again.
    calls.append(asyncio.create_task(job.acquire(priority="bulk", max_wait=99)))
    async with asyncio.timeout(5):
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    await mixed.aclose()
    await job.aclose()


async def test_a_refusal_holds_back_every_worker(redis_server: RedisServer) -> None:
    one, other = worker(redis_server.url, 5, 100), worker(redis_server.url, 5, 100)
    assert one.used is None
    (await other.acquire()).release(Outcome.ANSWERED)
    slot = await one.acquire()
    assert one.used == 2
    slot.release(Outcome.THROTTLED)
    await one.aclose()
    with pytest.raises(RateLimitedError) as caught:
        await other.acquire(max_wait=90)
    assert caught.value.retry_after == pytest.approx(100, abs=5)
    await other.aclose()


async def test_max_wait_raises_before_waiting(redis_server: RedisServer) -> None:
    one, other = worker(redis_server.url, 1, 100), worker(redis_server.url, 1, 100)
    await send(one)
    # The grant to the other proves that the store has what came back.
    await one.aclose()
    with pytest.raises(RateLimitedError) as caught:
        await other.acquire(max_wait=90)
    assert caught.value.retry_after == pytest.approx(100, abs=5)
    await other.aclose()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("failure", ["down", "slow"])
async def test_store_away_leaves_a_share_and_says_so(
    redis_server: RedisServer, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    window = worker(redis_server.url, 4, 0.2, workers=2)
    await send(window)
    await asyncio.sleep(0.01)
    if failure == "down":
        redis_server.kill()
    else:
        redis_server.send_signal(signal.SIGSTOP)
    began = now()
    slots = [await window.acquire() for _ in range(2)]
    # Nothing before all that the store granted has left the window.
    assert now() - began >= 0.5
    assert window.degraded is not None
    assert "2 of 4" in window.degraded
    with pytest.raises(RateLimitedError):
        await window.acquire(max_wait=0.01)
    if failure == "down":
        redis_server.start()
    else:
        redis_server.send_signal(signal.SIGCONT)
    for slot in slots:
        slot.release(Outcome.ANSWERED)
    while window.degraded:
        await send(window)
    assert "Redis is away" in caplog.text
    assert "answers again" in caplog.text
    await window.aclose()


@pytest.mark.usefixtures("quick")
async def test_flushed_store_grants_nothing_until_all_has_left(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    window = worker(redis_server.url, 2, 0.2)
    await send(window)
    await send(window)
    await asyncio.sleep(0.02)
    redis_server.client.flushall()
    began = now()
    with pytest.raises(RateLimitedError):
        await window.acquire(max_wait=0.1)
    assert window.degraded is not None
    assert "lost its data" in window.degraded
    await send(window)
    assert now() - began >= 0.45
    assert window.degraded is None
    assert [record.name for record in caplog.records] == ["jibble_async.limits"]
    await window.aclose()


@pytest.mark.usefixtures("quick")
async def test_empty_store_is_not_trusted_unless_told(redis_server: RedisServer) -> None:
    window = worker(redis_server.url, 2, 0.2, trust_empty=False)
    began = now()
    await send(window)
    assert now() - began >= 0.45
    await window.aclose()


async def test_refused_credentials_are_an_error(redis_server: RedisServer) -> None:
    redis_server.client.config_set("requirepass", "canary")
    window = worker(redis_server.url, 1, 1)
    try:
        with pytest.raises(ConfigurationError, match="credentials"):
            await window.acquire()
    finally:
        with redis.Redis(unix_socket_path=redis_server.url[7:], password="canary") as client:
            client.config_set("requirepass", "")
    await window.aclose()


async def test_real_workers_with_wrong_clocks_killed_and_stopped(
    redis_server: RedisServer,
) -> None:
    def job(skew: float) -> Job:
        return Job("redis", redis_server.url, 50, 1.0, skew=skew)

    async with Fleet(leg=0.01) as fleet:
        for name, skew in zip("abcd", (0.0, 5.0, -5.0, 0.0), strict=True):
            await fleet.start(name, job(skew))
        await fleet.heard("a", "b", "c", "d")
        fleet.send_signal("a", signal.SIGKILL)
        fleet.send_signal("b", signal.SIGSTOP)
        await fleet.heard("c", "d", count=8)
        await fleet.start("e", job(-5.0))
        fleet.send_signal("b", signal.SIGCONT)
        await fleet.heard("b", "c", "d", "e", count=3)
        for name in ("b", "c", "d", "e"):
            await fleet.finish(name)
    assert fleet.tightest(50) >= 1.0
