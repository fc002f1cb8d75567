"""Exchanges with the stores that processes share, one by one: who gets what, and who is next."""

from __future__ import annotations

import pytest

from jibble_async.limits.stored import ASK_AGAIN, OVERDUE
from jibble_async.limits.windows.policy import Policy, Wanted
from jibble_async.limits.windows.stored import Answer, GivenBack
from tests.limits.stores import Exchange, SharedStore


class Process:
    """What a process says to its store."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def ask(self, *given_back: GivenBack, look: int = 1, **wanted: float) -> Answer:
        """An exchange that wants what is given by the names of `Wanted`."""
        return self._exchange(given_back, Wanted(**wanted), look)  # type: ignore[arg-type]


class Processes:
    """Processes that share a window of 100 seconds, and their clock."""

    def __init__(self, shared: SharedStore) -> None:
        self._shared = shared
        self.now = 0.0

    def start(self, limit: int, reserve: float = 0.0) -> Process:
        """Another process."""
        policy = Policy("window", limit, 100, 0, reserve, lease=100)
        return Process(self._shared.exchanges(policy, lambda: self.now))


@pytest.fixture
def processes(shared: SharedStore) -> Processes:
    return Processes(shared)


@pytest.mark.parametrize("bulk_is_due", [False, True])
def test_window_of_one_grants_one(processes: Processes, bulk_is_due: bool) -> None:
    one = processes.start(1)
    answer = one.ask(interactive=2, bulk=2, bulk_is_due=bulk_is_due)
    assert len(answer.granted) == 1
    assert answer.used == 1
    assert not processes.start(1).ask(interactive=1, bulk=1, bulk_is_due=bulk_is_due).granted


@pytest.mark.parametrize("bulk_is_due", [False, True])
def test_no_more_is_granted_than_is_free(processes: Processes, bulk_is_due: bool) -> None:
    one = processes.start(5)
    assert len(one.ask(bulk=2).granted) == 2
    answer = one.ask(interactive=9, bulk=9, bulk_is_due=bulk_is_due)
    assert len(answer.granted) == 3
    assert answer.used == 5


def test_bulk_that_was_overtaken_often_enough_goes_before_interactive(
    processes: Processes,
) -> None:
    job, web = processes.start(10), processes.start(10)
    keys = web.ask(interactive=10).granted
    assert not job.ask(bulk=1).granted
    processes.now = 0.01
    granted = [web.ask(GivenBack(key, None), interactive=1).granted for key in keys]
    assert [len(keys) for keys in granted] == [1] * 9 + [0]
    assert job.ask(bulk=1).granted


def test_what_overtook_bulk_more_than_a_period_ago_has_overtaken_nobody(
    processes: Processes,
) -> None:
    job, web = processes.start(10), processes.start(10)
    full = list(job.ask(bulk=10).granted)
    assert not job.ask(bulk=1).granted
    for moment, count in ((1.0, 5), (102.0, 5)):
        processes.now = moment - 0.01
        assert not job.ask(bulk=1).granted
        processes.now = moment
        for _ in range(count):
            back = GivenBack(full.pop(), None)
            # Its slot counts for long, but it has overtaken for a period only.
            (key,) = web.ask(back, interactive=1).granted
            web.ask(GivenBack(key, 1000.0))
    processes.now = 102.04
    assert not job.ask(bulk=1).granted
    assert not web.ask(interactive=1).granted


def test_overtaken_bulk_calls_do_not_keep_processes_waiting_for_each_other(
    processes: Processes,
) -> None:
    mixed, job, web = (processes.start(10) for _ in range(3))
    (last,) = web.ask(bulk=1).granted
    clicks = web.ask(interactive=9).granted
    web.ask(GivenBack(last, 105.0), *(GivenBack(key, 102.0) for key in clicks))
    processes.now = 101.0
    assert not mixed.ask(bulk=1).granted
    processes.now = 101.1
    assert not job.ask(bulk=1).granted
    processes.now = 102.0
    overtaking = 0
    while overtaking < 9:
        overtaking += len(web.ask(interactive=9 - overtaking).granted)
    for processes.now in (104.0, 104.99):
        assert not mixed.ask(interactive=1, bulk=1).granted
        assert not job.ask(bulk=1).granted
    processes.now = 105.0
    granted = [*mixed.ask(interactive=1, bulk=1).granted, *job.ask(bulk=1).granted]
    assert len(granted) == 1


def test_bulk_keeps_its_place_while_its_process_gets_slots_for_interactive(
    processes: Processes,
) -> None:
    one, other = processes.start(2), processes.start(2)
    full = one.ask(bulk=2).granted
    one.ask(bulk=1)
    processes.now = 0.01
    other.ask(bulk=1)
    (click,) = one.ask(GivenBack(full[0], None), interactive=1, bulk=1).granted
    assert not other.ask(GivenBack(click, None), bulk=1).granted
    assert one.ask(bulk=1).granted


def test_who_comes_first_is_served_first(processes: Processes) -> None:
    one, other = processes.start(1), processes.start(1)
    (key,) = one.ask(interactive=1).granted
    assert not one.ask(interactive=1).granted
    processes.now = 0.01
    assert not other.ask(GivenBack(key, None), interactive=1).granted
    assert one.ask(interactive=1).granted


def test_who_asks_too_late_is_not_waited_for(processes: Processes) -> None:
    one, other = processes.start(1), processes.start(1)
    (key,) = one.ask(interactive=1).granted
    waits_until = one.ask(GivenBack(key, 200.0), interactive=1).ask_again
    assert waits_until == pytest.approx(ASK_AGAIN)
    one.ask(GivenBack(key, None), interactive=0)
    (key,) = one.ask(interactive=1).granted
    one.ask(interactive=1)
    processes.now = waits_until + OVERDUE + 0.01
    assert other.ask(GivenBack(key, None), interactive=1).granted


def test_who_is_behind_asks_soon_whether_the_one_ahead_is_still_there(
    processes: Processes,
) -> None:
    one, other = processes.start(2, reserve=0.5), processes.start(2, reserve=0.5)
    assert one.ask(bulk=1).granted
    assert not one.ask(bulk=1).granted
    processes.now = 0.01
    answer = other.ask(bulk=1)
    assert not answer.granted
    assert answer.ask_again == pytest.approx(0.01 + OVERDUE)


def test_each_process_gets_its_part_of_what_is_free(processes: Processes) -> None:
    one, other, third = (processes.start(9) for _ in range(3))
    full = one.ask(interactive=9).granted
    assert not one.ask(interactive=9).granted
    processes.now = 0.01
    assert not other.ask(interactive=9).granted
    back = [GivenBack(key, None) for key in full]
    # Two are ahead of the third, and share the other seven slots with it.
    assert len(third.ask(*back, interactive=9).granted) == 2
    assert len(one.ask(interactive=9).granted) == 3
    assert len(other.ask(interactive=9).granted) == 4


def test_dues_are_told_for_each_place(processes: Processes) -> None:
    one = processes.start(4)
    keys = one.ask(bulk=4).granted
    processes.now = 10.0
    one.ask(*(GivenBack(key, 110.0 + number) for number, key in enumerate(keys[:3])))
    answer = one.ask(interactive=4, look=4)
    # The slot that is under way may be answered now.
    assert answer.dues == pytest.approx([110.0, 110.0, 110.0, 110.0])
    one.ask(GivenBack(keys[3], 150.0))
    answer = one.ask(interactive=4, look=4)
    assert answer.dues == pytest.approx([110.0, 111.0, 112.0, 150.0])
    assert answer.oldest_due == pytest.approx(110.0)
    processes.now = 10.01
    assert processes.start(4).ask(interactive=1, look=2).dues == pytest.approx([111.0, 112.0])


@pytest.mark.parametrize("count", [1, 2])
def test_bulk_leaves_what_interactive_of_another_used(processes: Processes, count: int) -> None:
    job, web = processes.start(4, reserve=0.1), processes.start(4, reserve=0.1)
    assert len(web.ask(interactive=count).granted) == count
    # So many and their root are expected again: one leaves room for a bulk call, two don't.
    assert len(job.ask(bulk=1).granted) == 2 - count


@pytest.mark.parametrize(("later", "at_once"), [(10.01, 1), (5.0, 2), (9.99, 1)])
def test_how_long_a_slot_is_kept_depends_on_how_interactive_calls_come(
    processes: Processes, later: float, at_once: int
) -> None:
    job, web = processes.start(10, reserve=0.2), processes.start(10, reserve=0.2)
    back = [GivenBack(key, 195) for key in job.ask(bulk=8).granted]
    processes.now = 100.0
    job.ask(*back)

    def granted(spacing: float) -> bool:
        keys = job.ask(bulk=1, spacing=spacing).granted
        job.ask(*(GivenBack(key, None) for key in keys))
        return bool(keys)

    def click(count: int) -> None:
        keys = web.ask(interactive=count).granted
        assert len(keys) == count
        web.ask(*(GivenBack(key, None) for key in keys))

    # Nobody clicks: as far apart as slots come due.
    assert not granted(44)
    assert granted(46)
    click(1)
    # One by one: the time of one slot.
    assert not granted(46)
    processes.now = 100.0 + later
    click(at_once)
    one_by_one = later > 10 and at_once == 1
    assert granted(46) is not one_by_one


def test_calls_that_wait_together_are_a_crowd_however_they_are_served(
    processes: Processes,
) -> None:
    job, web = processes.start(10, reserve=0.2), processes.start(10)
    keys = web.ask(bulk=10).granted
    web.ask(*(GivenBack(key, 195.0) for key in keys[:8]))
    assert not web.ask(interactive=2).granted
    processes.now = 50.0
    (click,) = web.ask(GivenBack(keys[8], None), interactive=1).granted
    web.ask(GivenBack(click, None), GivenBack(keys[9], None))
    assert job.ask(bulk=1, spacing=97).granted


def test_nobody_gets_a_slot_before_the_time_that_one_process_was_told(
    processes: Processes,
) -> None:
    one, other = processes.start(5), processes.start(5)
    one.ask(closed_until=30.0)
    one.ask(closed_until=20.0)
    answer = other.ask(interactive=1, look=3)
    assert not answer.granted
    assert answer.dues == pytest.approx([30.0] * 3)
    assert answer.ask_again == pytest.approx(ASK_AGAIN)
    processes.now = 30.0
    assert other.ask(interactive=1).granted


@pytest.mark.parametrize(("interactive", "granted"), [(1, 8), (4, 4)])
def test_calls_that_get_a_slot_now_are_expected_again(
    processes: Processes, interactive: int, granted: int
) -> None:
    # So many and their root are to find a slot afterwards: bulk calls get the others.
    answer = processes.start(10).ask(interactive=interactive, bulk=9)
    assert len(answer.granted) == granted


def test_bulk_that_is_due_goes_before_who_came_earlier(processes: Processes) -> None:
    web, job = processes.start(1), processes.start(1)
    (key,) = web.ask(interactive=1).granted
    assert not web.ask(interactive=1).granted
    processes.now = 0.01
    assert not job.ask(bulk=1).granted
    assert job.ask(GivenBack(key, None), bulk=1, bulk_is_due=True).granted


def test_slots_that_come_due_before_that_time_wait_for_it(processes: Processes) -> None:
    one = processes.start(1)
    (key,) = one.ask(interactive=1).granted
    one.ask(GivenBack(key, 100.0), closed_until=150.0)
    assert one.ask(interactive=1).dues == pytest.approx([150.0])
