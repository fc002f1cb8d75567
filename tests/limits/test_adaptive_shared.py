"""What only the adaptive limiters do that processes share."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from pathlib import Path

import pytest

from jibble_async.errors import ConfigurationError
from jibble_async.limits.adaptive.limiter import first_pacer
from jibble_async.limits.adaptive.pacer import Heard, Permit
from jibble_async.limits.adaptive.redis import RedisAdaptive
from jibble_async.limits.adaptive.sqlite import SharedAdaptive, open_file
from jibble_async.limits.adaptive.stored import StoredAdaptive
from jibble_async.limits.adaptive.turns import Asked, SharedPacer, Told
from jibble_async.limits.headers import Reading
from jibble_async.limits.slots import Outcome
from jibble_async.limits.stored import catch_up
from tests.limits.calls import is_due, now, send
from tests.limits.fleet import Fleet, Job
from tests.limits.pacers import Memory, Redis, SharedPlace, VirtualRedis
from tests.limits.redis_server import RedisServer
from tests.support import virtual_time
from tests.support.chaos import seeds


async def refuse(limiter: StoredAdaptive) -> None:
    (await limiter.acquire()).release(Outcome.THROTTLED)
    await asyncio.sleep(0.01)


def test_what_was_learnt_outlasts_the_processes(shared_place: SharedPlace) -> None:
    async def main() -> float:
        before = shared_place.limiter(initial=10)
        await refuse(before)
        await before.aclose()
        after = shared_place.limiter(initial=10)
        await send(after)
        return after.rate

    assert virtual_time.run(main()) == 7


def test_a_process_that_died_in_the_queue_is_not_waited_for(shared_place: SharedPlace) -> None:
    async def main() -> float:
        dead, alive = shared_place.limiter(initial=2), shared_place.limiter(initial=2)
        await refuse(dead)
        waiting = asyncio.create_task(dead.acquire())
        await asyncio.sleep(0.1)
        # As if killed: nothing is said any more.
        exchanges = dead._exchanges
        assert exchanges is not None
        exchanges.cancel()
        waiting.cancel()
        await asyncio.wait([waiting, exchanges])
        began = now()
        await alive.acquire()
        return now() - began

    # A gap, a tenth of one more, and as long as is waited for one that is late.
    assert virtual_time.run(main()) <= 0.5 + 1 / 1.4 / 10 + 0.06


def test_a_slot_that_reached_a_stopped_process_too_late_is_not_used() -> None:
    async def main() -> tuple[int, float]:
        place = Memory()
        store = place.store(initial=1)
        limiter = StoredAdaptive("limiter", store)
        update, granted = store._exchange, 0

        async def slow(asked: Asked) -> tuple[SharedPacer, Told]:
            nonlocal granted
            shared, told = await update(asked)
            granted += len(told.granted)
            await asyncio.sleep(1.5 if granted == 1 and told.granted else 0)
            return shared, told

        store._exchange = slow  # type: ignore[method-assign]
        await limiter.acquire()
        return granted, now()

    assert virtual_time.run(main()) == (2, is_due(1.5))


def test_a_store_that_is_away_leaves_a_part_of_the_rate_and_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        place = Memory()
        stores = [place.store(initial=10) for _ in range(2)]
        one, other = (StoredAdaptive("limiter", store) for store in stores)
        await refuse(one)
        await send(other)
        await send(one)
        assert one.rate == pytest.approx(7, abs=0.1)
        stores[0].away = True
        began = now()
        for _ in range(4):
            await send(one)
        # Half of 7 a second.
        assert now() - began == pytest.approx(4 / 3.5, abs=0.2)
        assert one.degraded is not None
        assert "one of 2" in one.degraded
        assert other.degraded is None
        stores[0].away = False
        await asyncio.sleep(16)
        await send(one)
        assert one.degraded is None

    virtual_time.run(main())
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_store_that_stays_away_is_asked_more_and_more_rarely() -> None:
    async def main() -> int:
        store = Memory().store(initial=50)
        tries = 0

        async def away(asked: Asked) -> tuple[SharedPacer, Told]:
            nonlocal tries
            tries += 1
            store.away = True
            return await exchange(asked)

        exchange = store._exchange
        store._exchange = away  # type: ignore[method-assign]
        limiter = StoredAdaptive("limiter", store)
        while now() < 60:
            await send(limiter)
            await asyncio.sleep(0.1)
        return tries

    assert virtual_time.run(main()) == 7


def test_the_clock_of_redis_counts_whatever_the_workers_clocks_say(
    redis_server: RedisServer,
) -> None:
    async def main() -> None:
        store = VirtualRedis(redis_server, initial=2)
        # The store's clock is ahead by days, this worker's is five seconds behind.
        store.open(lambda: now() - 5.0)
        store.link.clock = lambda: now() + 1e6
        permit = (await store.exchange(Asked("one", calls=1))).granted[0]
        assert permit.sent_at == pytest.approx(now() + 1e6, abs=0.01)
        heard = Heard(permit, Outcome.THROTTLED, now() - 5.0)
        told = await store.exchange(Asked("one", [heard], calls=1))
        assert told.ask_again == pytest.approx(now() - 5.0 + 0.5 + 0.1 / 1.4, abs=0.01)
        assert told.granted_at == pytest.approx(now() - 5.0, abs=0.01)
        assert store.pacer.estimator.judged_from == pytest.approx(now() + 1e6, abs=0.01)

    virtual_time.run(main())


def test_an_emptied_redis_gets_back_what_was_seen_last(redis_server: RedisServer) -> None:
    async def main() -> float:
        one, other = (
            Redis(redis_server).limiter(initial=10),
            Redis(redis_server).limiter(initial=10),
        )
        await refuse(one)
        redis_server.client.flushall()  # pyright: ignore[reportUnknownMemberType]
        await send(one)
        await send(other)
        return other.rate

    assert virtual_time.run(main()) == pytest.approx(7, abs=0.2)


def test_what_is_nonsense_in_redis_is_an_error_that_names_the_key(
    redis_server: RedisServer,
) -> None:
    store = VirtualRedis(redis_server)
    redis_server.client.hset(store._key, mapping={"mark": "x", "state": "nonsense"})

    async def main() -> None:
        with pytest.raises(ConfigurationError, match="another key="):
            await StoredAdaptive("limiter", store).acquire()

    virtual_time.run(main())


@pytest.mark.parametrize("url", ["http://cache", "redis://:canary@cache:port"])
def test_a_wrong_address_is_an_error_that_shows_no_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="rediss://") as caught:
        RedisAdaptive(url)
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(RedisAdaptive("redis://:canary@cache:6379/0"))


def test_a_restart_of_the_machine_ends_no_wait_and_forgets_no_rate(path: Path) -> None:
    moment = [1000.0]
    first = first_pacer("a test", 10)
    file = open_file(path, first, lambda: moment[0])
    permit = file.update(lambda shared, at: shared.exchange(Asked("one", calls=1), at)).granted[0]
    heard = Heard(permit, Outcome.THROTTLED, 1000.0, wait=60.0)
    file.update(lambda shared, at: shared.exchange(Asked("one", [heard], calls=1), at))
    moment[0] = 5.0
    told = file.update(lambda shared, at: shared.exchange(Asked("two", calls=1), at))
    assert not told.granted
    assert file.update(lambda shared, _: shared.pacer.due()) == 65.0
    assert file.update(lambda shared, _: shared.pacer.rate) == 7
    assert file.update(lambda shared, _: [each.holder for each in shared.places]) == ["two"]
    file.close()


@pytest.mark.real_time
def test_a_damaged_file_is_a_clear_error_and_a_foreign_one_is_left(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("name,hours\nAda,8\n" * 100)

    async def main() -> None:
        async with contextlib.aclosing(SharedAdaptive(path)) as limiter:
            with pytest.raises(ConfigurationError, match="not a database"):
                await limiter.acquire()

    asyncio.run(main())
    assert path.read_text().startswith("name,hours")


@pytest.mark.real_time
async def test_a_file_is_used_in_a_thread_and_closed(path: Path) -> None:
    async with SharedAdaptive(path) as limiter:
        for _ in range(3):
            await send(limiter)
        assert limiter.rate == 4
        assert limiter.degraded is None
    assert repr(limiter) == f"SharedAdaptive({str(path)!r})"


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.real_time
async def test_real_processes_that_are_killed_or_stopped_hold_up_nobody(path: Path) -> None:
    job = Job("adaptive", str(path), 20, 1.0, callers=2, rest=0.05)
    async with Fleet(leg=0.005) as fleet:
        for name in ("a", "b"):
            await fleet.start(name, job)
        await fleet.heard("a", "b", count=2)
        fleet.send_signal("a", signal.SIGKILL)
        fleet.stop_outside_of(path, "b")
        await fleet.start("c", job)
        await fleet.heard("c", count=5)
        fleet.send_signal("b", signal.SIGCONT)
        await fleet.heard("b", "c")
        for name in ("b", "c"):
            await fleet.finish(name)


TICK = 1 / 64
"""Times are whole ticks, so that no store rounds them."""


class Drawn:
    """Random exchanges of three processes."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self.now = 100.0
        self._out: list[Permit] = []

    def asked(self) -> Asked:
        """What one of them asks next."""
        dice = self._dice
        self.now += TICK * dice.choice((0, 1, 6, 20, 64, dice.randrange(2000)))
        heard: list[Heard] = []
        for permit in dice.sample(self._out, min(len(self._out), dice.choice((0, 1, 1, 2)))):
            self._out.remove(permit)
            outcome = dice.choice((*[Outcome.ANSWERED] * 6, *Outcome))
            reading = None
            if dice.random() < 0.3:
                reading = Reading(dice.randrange(20), self.now + dice.uniform(0, 10), 10.0)
            wait = 3.0 if outcome is Outcome.THROTTLED and dice.random() < 0.2 else None
            heard.append(Heard(permit, outcome, self.now, reading, None, wait))
        holder, calls = dice.choice("abc"), dice.choice((0, 1, 1, 2, 9))
        return Asked(holder, heard, calls, bulk=dice.random() < 0.4)

    def granted(self, told: Told) -> None:
        """Take note of what may go."""
        self._out += told.granted


@seeds(12)
def test_stored_or_not_the_answers_are_the_same(
    path: Path, redis_server: RedisServer, seed: int
) -> None:
    drawn = Drawn(seed)
    kept = SharedPacer(100.0, first_pacer("a test", 5))
    file = open_file(path, first_pacer("a test", 5), lambda: drawn.now)
    stores = [VirtualRedis(redis_server, 5) for _ in range(3)]

    async def main() -> None:
        for store in stores:
            store.open(lambda: drawn.now)
        for _ in range(80):
            asked = drawn.asked()
            catch_up(kept, drawn.now)
            told = kept.exchange(asked, drawn.now)
            assert file.update(lambda shared, at, a=asked: shared.exchange(a, at)) == told
            store = stores["abc".index(asked.holder)]
            assert (await store._exchange(asked))[1] == told
            drawn.granted(told)

    virtual_time.run(main())
    file.close()
