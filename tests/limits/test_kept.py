"""What an adaptive limiter keeps in a file from one run to the next."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import stat
from pathlib import Path

import pytest

from jibble_async.limits.adaptive.kept import MAGIC, KeptPacer
from jibble_async.limits.adaptive.limiter import AdaptiveLimiter
from jibble_async.limits.adaptive.pacer import Heard, Pacer
from jibble_async.limits.adaptive.rate import Episode, RateEstimator
from jibble_async.limits.slots import Outcome
from tests.limits.calls import is_due, now, send
from tests.support import virtual_time

DAY = 86400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "limit.pace"


def learnt() -> Pacer:
    """What is known of a quota of 7 a second, at the time 100."""
    estimator = RateEstimator(7, learning=False, step=0.02, longest_shut=40.0)
    estimator.next_at = 100.1
    return Pacer(estimator, asked_at=100.0)


async def refuse(limiter: AdaptiveLimiter, headers: dict[str, str] | None = None) -> None:
    (await limiter.acquire()).release(Outcome.THROTTLED, headers)


def test_the_next_run_begins_with_what_this_one_learnt(path: Path) -> None:
    async def first() -> None:
        limiter = AdaptiveLimiter(10, state=path)
        await refuse(limiter)
        await limiter.aclose()

    async def second() -> float:
        limiter = AdaptiveLimiter(10, state=path)
        await send(limiter)
        return limiter.rate

    virtual_time.run(first())
    assert virtual_time.run(second()) == pytest.approx(7, abs=0.1)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_limiter_that_is_not_closed_keeps_it_at_its_end(path: Path) -> None:
    async def main() -> None:
        await refuse(AdaptiveLimiter(10, state=path))

    virtual_time.run(main())
    gc.collect()
    kept = KeptPacer(path).load(0.0)
    assert kept is not None
    assert kept.rate == 7


def test_one_that_is_killed_loses_a_minute(path: Path) -> None:
    written: list[float] = []

    async def main() -> None:
        limiter = AdaptiveLimiter(10, state=path)
        for _ in range(20):
            await send(limiter)
            await asyncio.sleep(7)
            if path.exists():  # noqa: ASYNC240 - a test has nothing else to do
                path.unlink()  # noqa: ASYNC240
                written.append(now())

    virtual_time.run(main())
    assert written == [is_due(70), is_due(133)]


def test_nothing_is_written_where_nothing_was_asked(path: Path) -> None:
    async def main() -> None:
        limiter = AdaptiveLimiter(state=path)
        await limiter.aclose()

    virtual_time.run(main())
    KeptPacer(path).save(Pacer(RateEstimator(4)), 0.0)
    assert not path.parent.exists()


def test_a_wait_that_the_server_asked_for_goes_on_in_the_next_run(path: Path) -> None:
    moment = [1e9]
    pacer = learnt()
    permit = pacer.let_go(100.0, held=False)
    pacer.learn(Heard(permit, Outcome.THROTTLED, 100.0, wait=60.0))
    KeptPacer(path, lambda: moment[0]).save(pacer, 100.0)
    moment[0] += 20.0
    later = KeptPacer(path, lambda: moment[0]).load(5.0)
    assert later is not None
    assert later.due() == 45.0


def test_a_burst_of_one_run_counts_in_the_next(path: Path) -> None:
    pacer = learnt()
    pacer.estimator.next_at = 100.7
    KeptPacer(path, lambda: 1e9).save(pacer, 100.0)
    later = KeptPacer(path, lambda: 1e9 + 0.2).load(5.0)
    assert later is not None
    assert later.due() == pytest.approx(5.5)


@pytest.mark.parametrize(("age", "known"), [(6 * DAY, True), (8 * DAY, False), (-DAY, True)])
def test_what_was_learnt_weeks_ago_is_where_to_begin_and_no_more(
    path: Path, age: float, known: bool
) -> None:
    pacer = learnt()
    pacer.estimator.episode = Episode(99.0, shut_until=99.5)
    KeptPacer(path, lambda: 1e9).save(pacer, 100.0)
    later = KeptPacer(path, lambda: 1e9 + age).load(5.0)
    assert later is not None
    assert later.rate == 7
    assert later.estimator.near is known
    assert (later.estimator.longest_shut, later.estimator.episode is None) == (
        (40.0, False) if known else (0.0, True)
    )


def test_a_told_quota_is_known_to_the_next_run_by_its_own_clock(path: Path) -> None:
    async def first() -> None:
        limiter = AdaptiveLimiter(state=path)
        headers = {
            "X-Rate-Limit-Limit": "600s",
            "X-Rate-Limit-Remaining": "0",
            "X-Rate-Limit-Reset": "2026-01-05T00:10:00Z",
            "Date": "Mon, 05 Jan 2026 00:00:00 GMT",
        }
        (await limiter.acquire()).release(Outcome.ANSWERED, headers)
        await limiter.aclose()

    async def second() -> float:
        limiter = AdaptiveLimiter(state=path)
        await limiter.acquire()
        assert limiter.quota == (1, 600)
        return now()

    virtual_time.run(first())
    assert virtual_time.run(second()) == pytest.approx(600, abs=2)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"name,hours\nAda,8\n",
        MAGIC,
        MAGIC + b"\0\0\0\0" + b"\x80",
        b"jibble-async pace 99\n",
        b"\xff" * 100_000,
    ],
)
def test_a_broken_or_foreign_file_is_ignored_and_told_of(
    path: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path.parent.mkdir()
    path.write_bytes(data)

    async def main() -> float:
        limiter = AdaptiveLimiter(3, state=path)
        await send(limiter)
        await limiter.aclose()
        return limiter.rate

    assert virtual_time.run(main()) == 3
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert str(path) in record.getMessage()
    # It makes room for what is learnt now.
    assert path.read_bytes().startswith(MAGIC)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_a_file_with_a_senseless_rate_is_ignored(path: Path, rate: float) -> None:
    KeptPacer(path).save(Pacer(RateEstimator(rate), asked_at=1.0), 0.0)
    assert KeptPacer(path).load(0.0) is None


def test_a_file_with_any_byte_changed_is_ignored(path: Path) -> None:
    KeptPacer(path).save(learnt(), 100.0)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert KeptPacer(path).load(0.0) is None


def test_a_folder_that_can_not_be_written_stops_no_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")

    async def main() -> None:
        limiter = AdaptiveLimiter(state=tmp_path / "file" / "limit.pace")
        for _ in range(3):
            await send(limiter)
            await limiter.aclose()

    virtual_time.run(main())
    assert len(caplog.records) == 1
