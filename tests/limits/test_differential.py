"""The script of `RedisWindow` decides what the policy decides, in random exchanges."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from jibble_async.limits.windows.policy import Policy, Wanted
from jibble_async.limits.windows.stored import Answer, GivenBack
from tests.limits.redis_server import RedisServer
from tests.limits.stores import Redis, Sqlite
from tests.support.chaos import seeds

EXCHANGES = 60
TICK = 1 / 64
"""Times are whole ticks, so that neither side rounds them."""


class Twins:
    """Three processes, each of which asks two stores the same."""

    def __init__(self, path: Path, server: RedisServer, dice: random.Random) -> None:
        self.now = 0.0
        self._dice = dice
        self._slots: list[tuple[str, str]] = []
        per = dice.choice((1.0, 4.0, 16.0, 64.0))
        limit = dice.randint(1, 12)
        reserve = dice.choice((0.0, 0.1, 0.5))
        self._policy = Policy("window", limit, per, dice.choice((0.0, 2.0)), reserve, lease=8.0)
        stores = Sqlite(path), Redis(server)
        self._processes = [
            [store.exchanges(self._policy, lambda: self.now) for store in stores] for _ in range(3)
        ]

    def exchange(self) -> tuple[Wanted, Answer, Answer]:
        """One exchange of one process with both stores, and what both say."""
        dice, policy = self._dice, self._policy
        longest = dice.choice((TICK, policy.per / policy.limit, policy.per / 4, 12.0))
        self.now += TICK * dice.randint(0, max(1, round(longest / TICK)))
        given_back: tuple[list[GivenBack], list[GivenBack]] = [], []
        for keys in dice.sample(self._slots, min(len(self._slots), dice.choice((0, 0, 1, 2, 5)))):
            self._slots.remove(keys)
            free_at = None
            if dice.random() < 0.7:
                free_at = self.now + policy.per + dice.choice((0.0, 0.0, policy.linger))
            for slots, key in zip(given_back, keys, strict=True):
                slots.append(GivenBack(key, free_at))
        bulk = dice.choice((0, 1, 1, 3, 9))
        wanted = Wanted(
            interactive=dice.choice((0, 0, 1, 1, 3, 9)),
            bulk=bulk,
            bulk_is_due=bulk > 0 and dice.random() < 0.1,
            spacing=TICK * dice.randint(0, round(2 * policy.per / policy.limit / TICK)),
            closed_until=self.now + dice.randint(1, 99) * TICK if dice.random() < 0.03 else 0.0,
        )
        look = dice.randint(1, policy.limit)
        by_policy, by_script = (
            exchange(slots, wanted, look)
            for exchange, slots in zip(dice.choice(self._processes), given_back, strict=True)
        )
        self._slots += zip(by_policy.granted, by_script.granted, strict=False)
        return wanted, by_policy, by_script


@seeds(25)
def test_policy_and_script_give_equal_answers(
    path: Path, redis_server: RedisServer, seed: int
) -> None:
    twins = Twins(path, redis_server, random.Random(seed))
    for number in range(EXCHANGES):
        wanted, by_policy, by_script = twins.exchange()
        where = f"exchange {number} at {twins.now}: {wanted}"
        assert len(by_script.granted) == len(by_policy.granted), where
        assert by_script.used == by_policy.used, where
        assert by_script.oldest_due == pytest.approx(by_policy.oldest_due, abs=1e-5), where
        assert by_script.dues == pytest.approx(by_policy.dues, abs=1e-5), where
        assert by_script.ask_again == pytest.approx(by_policy.ask_again, abs=1e-5), where
