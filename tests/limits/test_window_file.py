# ruff: noqa: ASYNC240 - these loops have nothing else to do
"""The file of a `SharedWindow`: what is kept over restarts, and what is no such file."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from pathlib import Path

import pytest

from jibble_async.errors import ConfigurationError
from jibble_async.limits.shared import SharedWindow
from jibble_async.limits.stored import OVERDUE, GivenBack, Terms, Wanted
from jibble_async.limits.window_file import WindowFile
from tests.limits.calls import send


def test_restart_of_the_machine_moves_what_is_counted_along(path: Path) -> None:
    moment = [1000.0]
    file = WindowFile(path, Terms(1, 10, 0, 1, 0), lambda: moment[0])
    (key,) = file.exchange((), Wanted(bulk=1), 1).granted
    file.exchange([GivenBack(key, 1010.0)], Wanted(), 1)
    file.close()
    # The monotonic clock has begun again.
    moment[0] = 5.0
    file = WindowFile(path, Terms(1, 10, 0, 1, 0), lambda: moment[0])
    assert file.exchange((), Wanted(bulk=1), 1).dues == [15.0]
    moment[0] = 15.0
    assert file.exchange((), Wanted(bulk=1), 1).granted
    file.close()


def test_overtaken_bulk_calls_do_not_keep_processes_waiting_for_each_other(path: Path) -> None:
    moment = [0.0]
    terms = Terms(10, 100, 0, 100, 0)
    mixed, job, web = (WindowFile(path, terms, lambda: moment[0]) for _ in range(3))
    (last,) = web.exchange((), Wanted(bulk=1), 1).granted
    clicks = web.exchange((), Wanted(interactive=9), 1).granted
    web.exchange([GivenBack(last, 5.0), *(GivenBack(key, 2.0) for key in clicks)], Wanted(), 1)
    for moment[0], file in ((1.0, mixed), (1.1, job)):
        assert not file.exchange((), Wanted(bulk=1), 1).granted
    moment[0] = 2.0
    overtaking = 0
    while overtaking < 9:
        overtaking += len(web.exchange((), Wanted(interactive=9 - overtaking), 1).granted)
    in_line = [(mixed, Wanted(interactive=1, bulk=1)), (job, Wanted(bulk=1))]
    for moment[0] in (4.0, 4.99):
        assert not any(file.exchange((), wanted, 1).granted for file, wanted in in_line)
    moment[0] = 5.0
    granted = [file.exchange((), wanted, 1).granted for file, wanted in in_line]
    assert sum(map(len, granted)) == 1
    for file in (mixed, job, web):
        file.close()


async def first_use(window: SharedWindow) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        await window.acquire()
    await window.aclose()
    return caught.value


async def test_damaged_file_is_a_clear_error(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"SQLite format 3\0" + random.Random(1).randbytes(8000))
    assert str(path) in str(await first_use(SharedWindow(path, 1, 1)))


async def test_file_damaged_in_use_is_a_clear_error(path: Path) -> None:
    window = SharedWindow(path, 5, 1)
    await send(window)
    await window.aclose()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 3)
    assert "damaged" in str(await first_use(window))


async def test_text_file_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("name,hours\nAda,8\n" * 100)
    assert "not a database" in str(await first_use(SharedWindow(path, 1, 1)))
    assert path.read_text().startswith("name,hours")


def test_file_that_another_process_makes_meanwhile_is_not_foreign(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = Terms(1, 10, 0, 1, 0)
    path.parent.mkdir()
    read = WindowFile._number
    others: list[WindowFile] = []

    def number(self: WindowFile, sql: str, *parameters: str | float) -> float:
        found = read(self, sql, *parameters)
        if not others:
            monkeypatch.setattr(WindowFile, "_number", read)
            others.append(WindowFile(path, terms, lambda: 0.0))
        return found

    monkeypatch.setattr(WindowFile, "_number", number)
    file = WindowFile(path, terms, lambda: 0.0)
    assert file.exchange((), Wanted(bulk=1), 1).granted
    assert not others[0].exchange((), Wanted(bulk=1), 1).granted
    for each in (file, *others):
        each.close()


async def test_foreign_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE people (name TEXT)")
    before = path.read_bytes()
    assert "something else" in str(await first_use(SharedWindow(path, 1, 1)))
    assert path.read_bytes() == before


async def test_folder_in_the_place_of_the_file(path: Path) -> None:
    path.mkdir(parents=True)
    assert str(path) in str(await first_use(SharedWindow(path, 1, 1)))


async def test_other_period_is_refused_while_something_counts(path: Path) -> None:
    window = SharedWindow(path, 1, 1000)
    await send(window)
    await window.aclose()
    assert "per 1000 s, not per 1 s" in str(await first_use(SharedWindow(path, 1, 1)))


def test_other_period_is_accepted_when_nothing_counts(path: Path) -> None:
    moment = [0.0]
    file = WindowFile(path, Terms(1, 10, 0, 1, 0), lambda: moment[0])
    file.exchange((), Wanted(bulk=1), 1)
    file.close()
    moment[0] = 100.0
    file = WindowFile(path, Terms(1, 20, 0, 1, 0), lambda: moment[0])
    assert file.exchange((), Wanted(bulk=1), 1).granted
    file.close()


def test_file_that_was_opened_before_a_fork_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = WindowFile(path, Terms(1, 10, 0, 1, 0), lambda: 0.0)
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: -1)
        with pytest.raises(ConfigurationError, match="make a window in each process"):
            file.exchange((), Wanted(bulk=1), 1)
    assert file.exchange((), Wanted(bulk=1), 1).granted
    file.close()


async def test_deleted_file_is_noticed(path: Path) -> None:
    window = SharedWindow(path, 5, 1)
    await send(window)
    path.unlink()
    assert "deleted" in str(await first_use(window))


async def test_file_of_a_newer_version_is_refused(path: Path) -> None:
    window = SharedWindow(path, 5, 1)
    await send(window)
    await window.aclose()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    assert "newer version" in str(await first_use(window))


def two_processes(
    path: Path, limit: int, reserve: float
) -> tuple[WindowFile, WindowFile, list[float]]:
    """Two processes of one window of 100 seconds, and their clock."""
    moment = [0.0]
    terms = Terms(limit, 100, 0, 1, reserve)
    one, other = (WindowFile(path, terms, lambda: moment[0]) for _ in range(2))
    return one, other, moment


def test_bulk_that_was_overtaken_often_enough_goes_before_interactive(path: Path) -> None:
    job, web, moment = two_processes(path, 10, 0)
    keys = web.exchange((), Wanted(interactive=10), 1).granted
    assert not job.exchange((), Wanted(bulk=1), 1).granted
    moment[0] = 0.01
    back = [GivenBack(key, None) for key in keys]
    granted = [web.exchange([slot], Wanted(interactive=1), 1).granted for slot in back]
    assert [len(keys) for keys in granted] == [1] * 9 + [0]
    assert job.exchange((), Wanted(bulk=1), 1).granted
    job.close()
    web.close()


def test_bulk_keeps_its_place_while_its_process_gets_slots_for_interactive(path: Path) -> None:
    one, other, moment = two_processes(path, 2, 0)
    full = one.exchange((), Wanted(bulk=2), 1).granted
    one.exchange((), Wanted(bulk=1), 1)
    moment[0] = 0.01
    other.exchange((), Wanted(bulk=1), 1)
    back = [GivenBack(full[0], None)]
    (click,) = one.exchange(back, Wanted(interactive=1, bulk=1), 1).granted
    assert not other.exchange([GivenBack(click, None)], Wanted(bulk=1), 1).granted
    assert one.exchange((), Wanted(bulk=1), 1).granted
    one.close()
    other.close()


def test_bulk_of_one_process_leaves_what_interactive_of_another_used(path: Path) -> None:
    job, web, _ = two_processes(path, 10, 0.1)
    assert len(web.exchange((), Wanted(interactive=4), 1).granted) == 4
    # Four and their root are expected again, so all that is left is kept.
    assert not job.exchange((), Wanted(bulk=1), 1).granted
    assert web.exchange((), Wanted(interactive=1), 1).granted
    job.close()
    web.close()


# The time of a slot is ten seconds.
@pytest.mark.parametrize(("later", "at_once"), [(9, 1), (10, 2)])
def test_how_long_a_slot_is_kept_depends_on_how_interactive_calls_come(
    path: Path, later: float, at_once: int
) -> None:
    job, web, moment = two_processes(path, 10, 0.2)
    back = [GivenBack(key, 95) for key in job.exchange((), Wanted(bulk=8), 1).granted]
    assert len(back) == 8
    job.exchange(back, Wanted(), 1)
    patient, hasty = Wanted(bulk=1, apart=44), Wanted(bulk=1, apart=46)

    def granted(wanted: Wanted) -> bool:
        keys = job.exchange((), wanted, 1).granted
        job.exchange([GivenBack(key, None) for key in keys], Wanted(), 1)
        return bool(keys)

    def click(count: int) -> None:
        keys = web.exchange((), Wanted(interactive=count), 1).granted
        assert len(keys) == count
        web.exchange([GivenBack(key, None) for key in keys], Wanted(), 1)

    assert not granted(patient)
    assert granted(hasty)
    click(1)
    assert not granted(hasty)
    moment[0] = later
    click(at_once)
    assert granted(hasty)
    job.close()
    web.close()


def test_how_interactive_calls_came_outlasts_a_restart_of_the_machine(path: Path) -> None:
    job, web, moment = two_processes(path, 10, 0.1)
    moment[0] = 1000
    back = [GivenBack(key, 1095) for key in job.exchange((), Wanted(bulk=9), 1).granted]
    click = web.exchange(back, Wanted(interactive=1), 1).granted[0]
    web.exchange([GivenBack(click, None)], Wanted(), 1)
    moment[0] = 5
    assert not job.exchange((), Wanted(bulk=1, apart=99), 1).granted
    moment[0] = 16
    assert job.exchange((), Wanted(bulk=1, apart=99), 1).granted
    job.close()
    web.close()


def test_who_is_behind_asks_soon_whether_the_one_ahead_is_still_there(path: Path) -> None:
    one, other, moment = two_processes(path, 2, 0.5)
    assert one.exchange((), Wanted(bulk=1), 1).granted
    assert not one.exchange((), Wanted(bulk=1), 1).granted
    moment[0] = 0.01
    answer = other.exchange((), Wanted(bulk=1), 1)
    assert not answer.granted
    assert answer.ask_again == pytest.approx(0.01 + OVERDUE)
    one.close()
    other.close()
