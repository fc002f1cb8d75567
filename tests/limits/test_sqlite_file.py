# ruff: noqa: ASYNC240 - these loops have nothing else to do
"""The file of a `SharedWindow`: what is kept over restarts, and what is no such file."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from pathlib import Path
from zlib import crc32

import msgspec
import pytest

from jibble_async.errors import ConfigurationError
from jibble_async.limits.state_file import StateFile
from jibble_async.limits.windows.policy import Policy, Wanted
from jibble_async.limits.windows.sqlite import SharedWindow
from jibble_async.limits.windows.sqlite_file import Counted, WindowFile
from jibble_async.limits.windows.stored import GivenBack
from tests.limits.calls import send
from tests.support.chaos import TIMES

pytestmark = pytest.mark.real_time


def policy_of(limit: int, per: float) -> Policy:
    return Policy("window", limit, per, linger=0, reserve=0, lease=1)


def test_restart_of_the_machine_moves_what_is_counted_along(path: Path) -> None:
    moment = [1000.0]
    file = WindowFile(path, policy_of(1, 10), lambda: moment[0])
    (key,) = file.exchange((), Wanted(bulk=1), 1).granted
    file.exchange([GivenBack(key, 1010.0)], Wanted(), 1)
    # One that waits does not come back.
    file.exchange((), Wanted(interactive=1), 1)
    file.close()
    # The monotonic clock has begun again.
    moment[0] = 5.0
    file = WindowFile(path, policy_of(1, 10), lambda: moment[0])
    assert file.exchange((), Wanted(bulk=1), 1).dues == [15.0]
    moment[0] = 15.0
    assert file.exchange((), Wanted(bulk=1), 1).granted
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
    policy = policy_of(1, 10)
    path.parent.mkdir()
    read = StateFile._number
    others: list[WindowFile] = []

    def number(self: StateFile[Counted], sql: str) -> float:
        found = read(self, sql)
        if not others:
            monkeypatch.setattr(StateFile, "_number", read)
            others.append(WindowFile(path, policy, lambda: 0.0))
        return found

    monkeypatch.setattr(StateFile, "_number", number)
    file = WindowFile(path, policy, lambda: 0.0)
    assert file.exchange((), Wanted(bulk=1), 1).granted
    assert not others[0].exchange((), Wanted(bulk=1), 1).granted
    for each in (file, *others):
        each.close()


async def test_foreign_database_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE people (name TEXT)")
    before = path.read_bytes()
    # In these words only: nothing is damaged.
    refused = str(await first_use(SharedWindow(path, 1, 1)))
    assert refused == f"{path} is a SQLite file of something else: choose another path"
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
    file = WindowFile(path, policy_of(1, 10), lambda: moment[0])
    file.exchange((), Wanted(bulk=1), 1)
    file.close()
    moment[0] = 100.0
    file = WindowFile(path, policy_of(1, 20), lambda: moment[0])
    assert file.exchange((), Wanted(bulk=1), 1).granted
    file.close()


def test_file_that_was_opened_before_a_fork_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = WindowFile(path, policy_of(1, 10), lambda: 0.0)
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: -1)
        with pytest.raises(ConfigurationError, match="make a limiter in each process"):
            file.exchange((), Wanted(bulk=1), 1)
    assert file.exchange((), Wanted(bulk=1), 1).granted
    file.close()


@pytest.mark.parametrize("suffixes", [[""], ["-wal"], ["-shm"], ["-wal", "-shm"]])
async def test_deleted_file_is_noticed(path: Path, suffixes: list[str]) -> None:
    window = SharedWindow(path, 5, 1)
    await send(window)
    for suffix in suffixes:
        Path(f"{path}{suffix}").unlink()
    assert "deleted" in str(await first_use(window))


@pytest.mark.parametrize("suffixes", [[""], ["-wal"], ["", "-wal", "-shm"]])
async def test_file_that_was_cut_off_is_noticed(path: Path, suffixes: list[str]) -> None:
    window = SharedWindow(path, 5, 1)
    await send(window)
    # The store has been told of the slot by now.
    await send(window)
    for suffix in suffixes:
        os.truncate(f"{path}{suffix}", 0)
    assert "cut off" in str(await first_use(window))


async def test_files_that_grow_are_in_order(path: Path) -> None:
    window = SharedWindow(path, 500, 1)
    for _ in range(100):
        await send(window)
    await window.aclose()
    await send(window)
    await window.aclose()


def outcome(path: Path, policy: Policy) -> str:
    try:
        file = WindowFile(path, policy, lambda: 1000.0)
        try:
            file.exchange((), Wanted(bulk=1, interactive=1), 1)
        finally:
            file.close()
    except ConfigurationError as error:
        return "refused" if str(path) in str(error) else str(error)
    return "used"


def put(path: Path, state: object, checksum: object = None) -> None:
    if isinstance(state, list):
        state = msgspec.msgpack.encode(state)
    if isinstance(state, bytes) and checksum is None:
        checksum = crc32(state)
    with contextlib.closing(sqlite3.connect(path)) as db:
        # Files are damaged in ways that no statement leads to.
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL', '')")
        db.commit()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE counted SET state = ?, checksum = ?", (state, checksum))
        db.commit()


@pytest.mark.parametrize(
    "state",
    [
        None,
        "text",
        1.5,
        b"",
        b"\xff" * 99,
        [],
        [10.0],
        [10.0, "yesterday"],
        [10.0, 1000.0, [None]],
        [10.0, 1000.0, [], {"key": 1010.0}],
        [10.0, 1000.0, [], {}, [[], 0.0]],
        [10.0, 1000.0, [], {}, [[], 0.0, 0.0], [{"holder": "other"}]],
    ],
)
def test_nonsense_in_the_file_is_a_clear_error(path: Path, state: object) -> None:
    policy = policy_of(5, 10)
    WindowFile(path, policy, lambda: 1000.0).close()
    put(path, state)
    assert outcome(path, policy) == "refused"


@pytest.mark.parametrize("checksum", ["text", b"", 1])
def test_a_state_that_is_not_what_was_written_is_refused(path: Path, checksum: object) -> None:
    policy = policy_of(5, 10)
    WindowFile(path, policy, lambda: 1000.0).close()
    put(path, [10.0, 1000.0])
    assert outcome(path, policy) == "used"
    put(path, msgspec.msgpack.encode([10.0, 1000.0]), checksum)
    assert outcome(path, policy) == "refused"


def test_an_empty_table_is_a_clear_error(path: Path) -> None:
    policy = policy_of(5, 10)
    WindowFile(path, policy, lambda: 1000.0).close()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM counted")
        db.commit()
    assert outcome(path, policy) == "refused"


def test_a_file_with_any_bytes_changed_is_counted_in_or_refused(path: Path) -> None:
    dice = random.Random(3)
    file = WindowFile(path, policy_of(5, 10), lambda: 0.0)
    slots = file.exchange((), Wanted(interactive=2, bulk=2), 1).granted
    file.exchange([GivenBack(slots[0], 9.0)], Wanted(), 1)
    file.exchange((), Wanted(bulk=9), 1)
    file.close()
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        for _ in range(dice.choice([1, 5, 50])):
            # Most of the file is empty.
            damaged[dice.choice([dice.randrange(len(whole)), -dice.randrange(1, 200)])] = 255
        path.write_bytes(damaged)
        try:
            file = WindowFile(path, policy_of(5, 10), lambda: 1.0)
            file.exchange((), Wanted(interactive=1, bulk=1), 1)
            file.close()
        except ConfigurationError:
            refused += 1
    assert refused > 50


@pytest.mark.parametrize("version", [0, 1, 99])
async def test_file_of_another_version_is_refused(path: Path, version: int) -> None:
    window = SharedWindow(path, 5, 1)
    await send(window)
    await window.aclose()
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")
    assert "another version" in str(await first_use(window))


def test_how_interactive_calls_came_outlasts_a_restart_of_the_machine(path: Path) -> None:
    moment = [1000.0]
    policy = Policy("window", 10, 100, 0, 0.1, lease=1)
    job, web = (WindowFile(path, policy, lambda: moment[0]) for _ in range(2))
    back = [GivenBack(key, 1095) for key in job.exchange((), Wanted(bulk=9), 1).granted]
    click = web.exchange(back, Wanted(interactive=1), 1).granted[0]
    web.exchange([GivenBack(click, None)], Wanted(), 1)
    moment[0] = 5
    assert not job.exchange((), Wanted(bulk=1, spacing=99), 1).granted
    moment[0] = 16
    assert job.exchange((), Wanted(bulk=1, spacing=99), 1).granted
    job.close()
    web.close()


def test_a_restart_of_the_machine_ends_no_wait_that_the_server_asked_for(path: Path) -> None:
    moment = [1000.0]
    file = WindowFile(path, policy_of(1, 10), lambda: moment[0])
    file.exchange((), Wanted(closed_until=1060.0), 1)
    moment[0] = 5.0
    assert file.exchange((), Wanted(bulk=1), 1).dues == [65.0]
    file.close()


def test_what_counts_no_longer_is_not_kept(path: Path) -> None:
    moment = [0.0]
    file = WindowFile(path, policy_of(5, 10), lambda: moment[0])
    sizes = set()
    for seconds in range(0, 1000, 10):
        moment[0] = seconds
        slots = file.exchange((), Wanted(interactive=2), 1).granted
        file.exchange([GivenBack(key, seconds + 10.0) for key in slots], Wanted(), 1)
        with contextlib.closing(sqlite3.connect(path)) as db:
            sizes |= {size for (size,) in db.execute("SELECT length(state) FROM counted")}
    file.close()
    # But for the digits of the keys.
    assert max(sizes) - min(sizes) < 10


def test_a_slot_that_comes_back_when_it_counts_no_longer_takes_no_room(path: Path) -> None:
    moment = [0.0]
    file = WindowFile(path, policy_of(1, 10), lambda: moment[0])
    (key,) = file.exchange((), Wanted(bulk=1), 1).granted
    moment[0] = 15.0
    assert file.exchange([GivenBack(key, 15.0)], Wanted(bulk=1), 1).granted
    file.close()


def test_a_slot_that_comes_back_twice_counts_once(path: Path) -> None:
    file = WindowFile(path, policy_of(2, 10), lambda: 0.0)
    (key,) = file.exchange((), Wanted(bulk=1), 1).granted
    for _ in range(2):
        assert file.exchange([GivenBack(key, 10.0)], Wanted(), 1).used == 1
    assert file.exchange([GivenBack(key, None)], Wanted(), 1).used == 0
    file.close()


@pytest.mark.chaos
def test_whatever_is_damaged_in_the_file_is_an_error_of_ours(path: Path) -> None:
    """Other bytes here and there: what SQLite notices, and what only shows in a value."""
    policy = policy_of(5, 10)
    file = WindowFile(path, policy, lambda: 1000.0)
    key, *_ = file.exchange((), Wanted(bulk=2, interactive=1), 3).granted
    file.exchange([GivenBack(key, 1010.0)], Wanted(bulk=9, interactive=9), 1)
    file.close()
    whole = path.read_bytes()
    outcomes = set()
    for seed in range(300 * TIMES):
        chance = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 8, 200))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        outcomes.add(outcome(path, policy))
        for beside in path.parent.glob(f"{path.name}-*"):
            beside.unlink()
    assert outcomes == {"used", "refused"}
