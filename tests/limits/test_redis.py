# pyright: reportUnknownMemberType=false
"""What only a `RedisWindow` does, over a real connection and by real clocks."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis

from jibble_async.errors import ConfigurationError, RateLimitedError
from jibble_async.limits.slots import Outcome, RateLimiter
from jibble_async.limits.windows.policy import Policy
from jibble_async.limits.windows.redis import RedisWindow
from tests.limits.calls import send
from tests.limits.fleet import ROOT, Fleet, Job
from tests.limits.redis_server import RedisServer

NOWHERE = "unix:///nonexistent/redis.sock"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits for the tests that wait for real."""
    monkeypatch.setattr(Policy, "grant_timeout", 0.1)
    monkeypatch.setattr("jibble_async.limits.windows.redis.PROBE", 0.05)


def worker(
    url: str,
    limit: int,
    per: float,
    *,
    trust_empty: bool = True,
    workers: int = 1,
    timeout: float = 5.0,
) -> RedisWindow:
    return RedisWindow(
        url,
        limit,
        per,
        linger=0.1,
        workers=workers,
        lease=0.1,
        timeout=timeout,
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
        "from jibble_async.limits.windows.redis import RedisWindow\n"
        f"RedisWindow({NOWHERE!r}, 1, 1, workers=1)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.stderr.splitlines()[-1].endswith(
        'MissingExtraError: RedisWindow needs redis: pip install "jibble-async[redis]"'
    )


@pytest.mark.real_time
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


@pytest.mark.real_time
async def test_a_refusal_holds_back_every_worker(redis_server: RedisServer) -> None:
    one, other = worker(redis_server.url, 5, 1000), worker(redis_server.url, 5, 1000)
    assert one.used is None
    (await other.acquire()).release(Outcome.ANSWERED)
    slot = await one.acquire()
    assert one.used == 2
    slot.release(Outcome.THROTTLED)
    await one.aclose()
    with pytest.raises(RateLimitedError) as caught:
        await other.acquire(max_wait=90)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 90
    await other.aclose()


@pytest.mark.real_time
async def test_max_wait_raises_before_waiting(redis_server: RedisServer) -> None:
    one, other = worker(redis_server.url, 1, 1000), worker(redis_server.url, 1, 1000)
    await send(one)
    # The grant to the other proves that the store has what came back.
    await one.aclose()
    with pytest.raises(RateLimitedError) as caught:
        await other.acquire(max_wait=90)
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 90
    await other.aclose()


@pytest.mark.real_time
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("failure", ["down", "slow"])
async def test_store_away_leaves_a_fallback_quota_and_says_so(
    redis_server: RedisServer, failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    window = worker(redis_server.url, 4, 0.2, workers=2, timeout=0.1)
    await send(window)
    await asyncio.sleep(0.01)
    if failure == "down":
        redis_server.kill()
    else:
        redis_server.send_signal(signal.SIGSTOP)
    slots = [await window.acquire() for _ in range(2)]
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


@pytest.mark.real_time
@pytest.mark.usefixtures("quick")
async def test_flushed_store_grants_nothing_until_all_has_left(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    window = worker(redis_server.url, 2, 0.2)
    await send(window)
    await send(window)
    await asyncio.sleep(0.02)
    redis_server.client.flushall()
    with pytest.raises(RateLimitedError):
        await window.acquire(max_wait=0.1)
    assert window.degraded is not None
    assert "lost its data" in window.degraded
    await send(window)
    assert window.degraded is None
    assert [record.name for record in caplog.records] == ["jibble_async.limits"]
    await window.aclose()


@pytest.mark.real_time
@pytest.mark.usefixtures("quick")
async def test_empty_store_is_not_trusted_unless_told(redis_server: RedisServer) -> None:
    window = worker(redis_server.url, 2, 0.2, trust_empty=False)
    with pytest.raises(RateLimitedError):
        await window.acquire(max_wait=0.1)
    await send(window)
    await window.aclose()


async def refusal(url: str, timeout: float = 5.0) -> str:
    """What is said of a store that can't be used."""
    window = worker(url, 1, 1, timeout=timeout)
    with pytest.raises(ConfigurationError) as caught:
        await window.acquire()
    await window.aclose()
    return str(caught.value)


@asynccontextmanager
async def answering(answers: dict[bytes, bytes]) -> AsyncGenerator[str]:
    """A port that answers to how a message begins; silent to all else."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while said := await reader.read(1000):
            for beginning, reply in answers.items():
                if said.startswith(beginning):
                    writer.write(reply)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("question", "command", "words"),
    [
        ("?db=99", ["PING"], "DB index is out of range"),
        ("", ["SET", "{jibble}:facts", "theirs"], "WRONGTYPE"),
        ("?username=nobody&password=canary", ["PING"], "invalid username-password pair"),
    ],
)
async def test_what_no_wait_will_mend_is_an_error(
    redis_server: RedisServer, question: str, command: list[str], words: str
) -> None:
    redis_server.client.execute_command(*command)
    said = await refusal(redis_server.url + question)
    assert words in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({b"": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "HTTP/1.1 400"),
        ({b"*": b"-ERR unknown command 'EVALSHA', no scripts here\r\n"}, "no scripts here"),
        ({b"*": b"-NOPERM no permission for 'evalsha'\r\n"}, "no permission"),
        ({b"*": b"-ERR unknown command 'AUTH', with args 'canary'\r\n"}, "with args '***'"),
    ],
)
async def test_what_is_no_such_store_is_an_error_with_its_words(
    answers: dict[bytes, bytes], words: str
) -> None:
    async with answering(answers) as place:
        said = await refusal(f"redis://:canary@{place}")
    assert words in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("answers", "words", "timeout"),
    [
        ({b"PING": b"-NOAUTH Authentication required.\r\n"}, "speaks no TLS", 0.1),
        ({b"\x16": b"-ERR Protocol error\r\n"}, "SSL", 5.0),
    ],
)
async def test_a_store_without_tls_is_told_from_a_silent_one(
    answers: dict[bytes, bytes], words: str, timeout: float
) -> None:
    async with answering(answers) as place:
        assert words in await refusal(f"rediss://:canary@{place}", timeout)


@pytest.mark.parametrize(
    ("scheme", "reply"),
    [
        ("redis", b"-LOADING Redis is loading the dataset in memory\r\n"),
        ("redis", b"-MISCONF Redis is configured to save RDB snapshots\r\n"),
        ("redis", b"-READONLY You can't write against a read only replica.\r\n"),
        ("redis", b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"),
        ("redis", b""),
        ("rediss", b""),
    ],
)
async def test_what_may_mend_itself_is_waited_for_with_its_words(scheme: str, reply: bytes) -> None:
    async with answering({b"*": reply} if reply else {}) as place:
        window = worker(f"{scheme}://{place}", 1, 1, timeout=5.0 if reply else 0.1)
        waits = asyncio.create_task(window.acquire())
        while window.degraded is None:  # noqa: ASYNC110 - the window has no event for it
            await asyncio.sleep(0.01)
        assert reply[1:].decode().partition(" ")[2].strip() in window.degraded
        assert not waits.done()
        waits.cancel()
        await window.aclose()


@pytest.mark.parametrize("url", ["redis://:canary", "redis://:can/ary@h", "redis://:canary@h:x"])
def test_an_address_that_cannot_be_read_is_not_quoted(url: str) -> None:
    with pytest.raises(ConfigurationError, match="rediss://") as caught:
        RedisWindow(url, 1, 1, workers=1)
    assert "can" not in str(caught.value).replace("can't", "")


@pytest.mark.real_time
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


@pytest.mark.real_time
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
