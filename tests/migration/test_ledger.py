"""What the ledger keeps, from whom, and through which deaths."""

import asyncio
import sqlite3
import stat
from datetime import UTC, datetime

import pytest
from jibble_legacy.migration.ledger.commits import InlineCommits, ThreadCommits
from jibble_legacy.migration.ledger.ledger import Ledger, note
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.states import State

from jibble_async.errors import ConfigurationError, MigrationError
from tests.support.memory_wire import KilledError
from tests.support.virtual_time import run

NOW = datetime(2026, 7, 13, 9, 0, tzinfo=UTC)


def opened(path, **arguments):
    arguments.setdefault("commits", InlineCommits())
    return Ledger.open(path, create=True, now=lambda: NOW, **arguments)


def add(name, value=1):
    return lambda connection: (
        connection.execute("INSERT INTO meta VALUES (?, ?)", (name, str(value))).rowcount
    )


def test_what_is_written_is_there_for_the_next_one_and_private(path):
    async def main():
        async with opened(path) as ledger:
            await ledger.put("team", {"id": "t1"})
            await ledger.write(lambda connection: note(connection, 5, "begun", pages=3))
        async with opened(path) as ledger:
            assert ledger.get("team") == {"id": "t1"}
            assert ledger.get("nothing", 7) == 7
            assert ledger.read("SELECT at, what, detail FROM event") == [
                (5, "begun", '{"pages":3}')
            ]
            assert list(ledger.scan("SELECT key FROM meta", at_a_time=1)) == [("team",)]
            ledger.check()
            for each in path.parent.iterdir():
                assert stat.S_IMODE(each.stat().st_mode) == 0o600, each

    run(main())


def test_a_moment_is_whole_milliseconds():
    assert milliseconds(datetime(2026, 7, 13, 9, 0, 0, 123_999, tzinfo=UTC)) == 1783933200123
    assert milliseconds(datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)) == -1000


def test_a_second_one_is_told_who_has_it_and_may_look(path):
    async def main():
        async with opened(path, step="apply") as ledger:
            with pytest.raises(
                MigrationError, match=r"acme.jbmg is in use by `apply`, process \d+"
            ):
                opened(path)
            await ledger.put("team", 1)
            async with Ledger.look(path) as seen:
                assert seen.get("team") == 1
                with pytest.raises(MigrationError, match="readonly"):
                    seen.read("DELETE FROM meta")
                with pytest.raises(MigrationError, match="looked at"):
                    await seen.put("team", 2)
        opened(path).abandon(KilledError())

    run(main())


@pytest.mark.parametrize("opening", [Ledger.open, Ledger.look])
def test_what_is_no_ledger_is_left_alone(path, opening):
    with pytest.raises(ConfigurationError, match="no such ledger"):
        opening(path)
    path.write_bytes(b"Name;Mail\n" * 2000)
    with pytest.raises(ConfigurationError, match="is no ledger"):
        opening(path)
    assert path.read_bytes() == b"Name;Mail\n" * 2000
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (a)")
    other.close()
    with pytest.raises(ConfigurationError, match="another program"):
        opening(path)


def test_another_version_of_it_is_not_touched(path):
    opened(path).abandon(KilledError())
    with sqlite3.connect(path) as later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(ConfigurationError, match="version 99"):
        opened(path)


def test_damage_is_found(path):
    async def main():
        async with opened(path) as ledger:
            await asyncio.gather(*(ledger.put(f"key {n}", "x" * 500) for n in range(500)))
        damaged = bytearray(path.read_bytes())
        damaged[50_000:90_000] = bytes(40_000)
        path.write_bytes(damaged)
        async with Ledger.look(path) as ledger:
            with pytest.raises(MigrationError, match="is damaged"):
                ledger.check()

    run(main())


def test_damage_is_told_by_whatever_meets_it(path):
    async def main():
        async with opened(path) as ledger:
            await asyncio.gather(*(ledger.put(f"key {n}", "x" * 500) for n in range(500)))
        content = bytearray(path.read_bytes())
        content[8192:] = b"\xff" * (len(content) - 8192)
        path.write_bytes(content)
        for look in (
            lambda ledger: ledger.read("SELECT * FROM meta"),
            lambda ledger: list(ledger.scan("SELECT * FROM meta")),
            lambda ledger: ledger.get("key 1"),
        ):
            async with Ledger.look(path) as ledger:
                with pytest.raises(MigrationError, match="is damaged"):
                    look(ledger)
        with pytest.raises(MigrationError, match="is damaged"):
            opened(path)

    run(main())


@pytest.mark.parametrize("opening", [Ledger.open, Ledger.look])
def test_what_can_not_be_opened_is_not_called_damaged(path, opening):
    path.mkdir()
    with pytest.raises(MigrationError, match=r"acme.jbmg can't be read or written"):
        opening(path)


def test_a_mistake_in_a_query_is_no_damage(path):
    async def main():
        async with opened(path) as ledger:
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                ledger.read("SELECT * FROM planz")

    run(main())


def test_a_full_disk_is_told_as_such(path):
    def filling(connection):
        connection.execute("PRAGMA max_page_count = 1")
        connection.execute("CREATE TABLE large (a)")
        connection.execute("INSERT INTO large VALUES (zeroblob(1000000))")

    async def main():
        async with opened(path) as ledger:
            with pytest.raises(MigrationError, match=r"full.*disk has room"):
                await ledger.write(filling)
            assert ledger.get("large") is None

    run(main())


def test_one_that_fails_harms_none_of_those_beside_it(path):
    def failing(connection):
        add("half")(connection)
        raise KeyError("my own")

    async def main():
        seen = []
        async with opened(path, steps=seen.append) as ledger:
            done = await asyncio.gather(
                ledger.write(add("a")),
                ledger.write(failing),
                ledger.write(add("a")),
                ledger.write(add("b")),
                return_exceptions=True,
            )
            assert seen == ["begins", "committed"]
            assert done[0] == done[3] == 1
            assert isinstance(done[1], KeyError)
            assert isinstance(done[2], sqlite3.IntegrityError)
            assert ledger.read("SELECT key FROM meta") == [("a",), ("b",)]

    run(main())


def test_one_whose_caller_was_cancelled_is_done(path):
    async def main():
        async with opened(path, commits=InlineCommits(delay=1.0)) as ledger:
            task = asyncio.create_task(ledger.put("a", 1))
            await asyncio.sleep(0.5)
            task.cancel()
            await asyncio.sleep(1)
            assert task.cancelled()
            assert ledger.get("a") == 1

    run(main())


@pytest.mark.parametrize("at", ["begins", "committed"])
def test_a_kill_at_a_transaction_ends_all_who_wait_and_keeps_what_was_committed(path, at):
    def steps(name):
        if armed and name == at:
            raise KilledError

    armed = []

    async def main():
        ledger = opened(path, steps=steps)
        await ledger.put("before", 1)
        armed.append(True)
        done = await asyncio.gather(*(ledger.put(name, 1) for name in "ab"), return_exceptions=True)
        assert [type(each) for each in done] == [KilledError, KilledError]
        with pytest.raises(KilledError):
            await ledger.put("c", 1)
        ledger.abandon(KilledError())
        async with opened(path) as ledger:
            ledger.check()
            kept = {key for (key,) in ledger.read("SELECT key FROM meta")}
        assert kept == ({"before"} if at == "begins" else {"before", "a", "b"})

    run(main())


def test_a_kill_in_a_function_takes_all_that_shared_its_transaction(path):
    def killed(connection):
        add("half")(connection)
        raise KilledError

    async def main():
        ledger = opened(path)
        done = await asyncio.gather(
            ledger.put("a", 1), ledger.write(killed), return_exceptions=True
        )
        assert [type(each) for each in done] == [KilledError, KilledError]
        ledger.abandon(KilledError())
        async with opened(path) as ledger:
            assert ledger.read("SELECT key FROM meta") == []

    run(main())


def test_a_kill_from_without_loses_what_is_not_committed(path):
    async def main():
        ledger = opened(path, commits=InlineCommits(delay=1.0))
        task = asyncio.create_task(ledger.put("a", 1))
        await asyncio.sleep(0.5)
        ledger.abandon(KilledError())
        with pytest.raises(KilledError):
            await task
        with pytest.raises(KilledError):
            await ledger.put("b", 1)
        async with opened(path) as ledger:
            assert ledger.read("SELECT key FROM meta") == []

    run(main())


def test_what_was_sent_is_in_doubt_when_it_is_opened_again(path):
    def sent(connection):
        connection.executemany(
            "INSERT INTO write (entry, lane, ms, type, day, offset, state, generation, hash)"
            " VALUES (?, 1, 0, 'In', '2026-07-13', 0, ?, 0, x'')",
            [(1, State.SENT), (2, State.CONFIRMED)],
        )
        connection.execute(
            "INSERT INTO thing (n, kind, state, removal) VALUES (1, 'teammembers', 'sent', 'sent')"
        )

    async def main():
        async with opened(path) as ledger:
            await ledger.write(sent)
            assert ledger.value("SELECT state FROM write WHERE entry = 1") == State.SENT
        async with opened(path) as ledger:
            at = milliseconds(NOW)
            assert ledger.read("SELECT state, since FROM write ORDER BY entry") == [
                (State.DOUBTFUL, at),
                (State.CONFIRMED, None),
            ]
            assert ledger.read("SELECT state, removal FROM thing") == [("doubtful", "doubtful")]

    run(main())


def test_one_new_entry_answers_for_one_old_one(path):
    def twice(connection):
        connection.executemany(
            "INSERT INTO write"
            " (entry, lane, ms, type, day, offset, state, generation, hash, target)"
            " VALUES (?, 1, 0, 'In', '2026-07-13', 0, 'confirmed', 0, x'', 'a')",
            [(1,), (2,)],
        )

    async def main():
        async with opened(path) as ledger:
            with pytest.raises(sqlite3.IntegrityError, match=r"write.target"):
                await ledger.write(twice)

    run(main())


@pytest.mark.real_time
def test_a_thread_commits_what_is_queued_together(path):
    async def main():
        seen = []
        async with opened(path, commits=ThreadCommits(), steps=seen.append) as ledger:
            await asyncio.gather(*(ledger.put(f"{number}", number) for number in range(1200)))
            assert ledger.value("SELECT count(*) FROM meta") == 1200
            assert len(seen) < 100
        with pytest.raises(MigrationError, match="closed"):
            await ledger.put("late", 1)

    asyncio.run(main())


@pytest.mark.real_time
def test_a_kill_in_the_thread_ends_all_who_wait(path):
    def steps(name):
        if name == "committed":
            raise KilledError

    async def main():
        ledger = opened(path, commits=ThreadCommits(), steps=steps)
        done = await asyncio.gather(
            *(ledger.put(f"{number}", 1) for number in range(50)), return_exceptions=True
        )
        assert {type(each) for each in done} == {KilledError}
        with pytest.raises(KilledError):
            await ledger.put("late", 1)
        ledger.abandon(KilledError())
        async with opened(path) as ledger:
            assert ledger.value("SELECT count(*) FROM meta") > 0

    asyncio.run(main())
