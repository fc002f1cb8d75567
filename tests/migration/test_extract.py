"""What is read of an old account, and what is kept of it."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from datetime import timedelta

import msgspec
import pytest
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.reading.estimating import estimate
from jibble_legacy.migration.reading.extract import extract, require_extracted
from jibble_legacy.migration.reading.storage import check_pages, page_body
from jibble_legacy.migration.source import Source
from jibble_legacy.migration.states import Exit, Kind

from jibble_async.core.wire import Reply
from jibble_async.errors import ConfigurationError, MigrationError
from jibble_async.sandbox import History, Sandbox
from jibble_async.sandbox.legacy.models import MODELS
from tests.migration import extracting
from tests.migration.extracting import KINDS, life, moment, most_in, quota, world
from tests.support.memory_wire import BEGIN, MemoryWire, clock_from


async def test_everything_is_read_once_and_kept_byte_for_byte(path, monkeypatch):
    box = world(700)
    report = await life(box, path, monkeypatch)
    assert report.exit is Exit.CLEAN
    assert report.entries == report.new == 700
    assert report.listed == {kind: len(box.legacy.rows(kind)) for kind in KINDS}
    async with Ledger.look(path) as ledger:
        ledger.check()
        assert check_pages(ledger) == report.chain == ledger.get("chain")
        require_extracted(ledger)
        entries = ledger.read("SELECT id, ms, action, note, hash, page, pos FROM entry")
        assert {row[0] for row in entries} == set(box.legacy.index("timeentries"))
        for key, ms, action, text, digest, page, pos in entries:
            row = box.legacy.index("timeentries")[key]
            sent = msgspec.json.decode(page_body(ledger, page), type=list[msgspec.Raw])[pos]
            assert msgspec.json.decode(sent) == MODELS["timeentries"].shown(row)
            assert hashlib.sha256(sent).digest()[:16] == digest
            assert (action, text) == (row["action"], row.get("notes"))
            date = row.get("date")
            assert (date and date.replace("Z", "+00:00")) == (
                None if ms is None else moment(ms).isoformat(timespec="milliseconds")
            )
        for kind in KINDS:
            rows = dict(ledger.read("SELECT id, row FROM source WHERE kind = ? AND run = 1", kind))
            shown = [MODELS[kind].shown(row) for row in box.legacy.rows(kind)]
            assert sorted(map(msgspec.json.decode, rows.values()), key=str) == sorted(
                shown, key=str
            )


async def test_what_entries_name_and_no_list_shows_is_asked_for_once(path, monkeypatch):
    box = world(300)
    await life(box, path, monkeypatch)
    asked = [one.path for one in box.ledger.requests if one.path.count("/") == 4]
    workers = {worker.id for worker in box.past.workers if not worker.listed}
    assert {one.rpartition("/")[2] for one in asked if "teammembers" in one} == workers
    assert len(asked) == len(set(asked))
    async with Ledger.look(path) as ledger:
        gone = ledger.read("SELECT id FROM source WHERE kind = ? AND gone > 0", Kind.PERSON)
        assert {key for (key,) in gone} == workers
        # The old account says no more of them in an entry, which was tried once.
        assert ledger.get("include_person") is False
    assert sum("include" in one.target for one in box.ledger.requests) == 1
    before = len(box.ledger.requests)
    await life(box, path, monkeypatch, delta=True)
    later = [one.path for one in box.ledger.requests[before:]]
    assert not set(later) & set(asked)


@pytest.mark.parametrize("cap", [100, 7, 1])
async def test_what_has_no_moment_is_read_where_the_server_puts_it_last(path, monkeypatch, cap):
    box = world(300)
    whole = extracting.MemoryWire

    class Last(whole):
        async def send(self, request, headers, call):
            reply = await super().send(request, headers, call)
            query, rows = request.url.query, box.legacy.rows("timeentries")
            if not request.url.path.endswith("timeentries") or "filter[order]" not in query:
                return reply
            since = query.get("filter[where][date][gte]", "")
            rows = [row for row in rows if not since or (row.get("date") or "") >= since]
            rows.sort(key=lambda row: (row.get("date") is None, row.get("date") or ""))
            skip = int(query.get("filter[skip]", 0))
            shown = [MODELS["timeentries"].shown(row) for row in rows[skip : skip + cap]]
            return Reply(reply.status, reply.headers, msgspec.json.encode(shown))

    monkeypatch.setattr(extracting, "MemoryWire", Last)
    assert any(row.get("date") is None for row in box.legacy.rows("timeentries"))
    assert (await life(box, path, monkeypatch)).entries == 300


async def test_a_person_that_only_an_entry_still_shows_is_kept(path, monkeypatch):
    box = world(300)
    gone = {worker.id for worker in box.past.workers if not worker.listed}
    shown = MODELS["timeentries"].shown

    def showing(row):
        found = shown(row)
        if row.get("person") in gone:
            found["person"] = {"id": row["person"], "firstName": "Paul"}
        return found

    # Whatever is asked for: to the extraction it is what `include` brings.
    box.legacy.rows("timeentries")
    object.__setattr__(MODELS["timeentries"], "shown", showing)
    try:
        await life(box, path, monkeypatch)
    finally:
        object.__delattr__(MODELS["timeentries"], "shown")
    async with Ledger.look(path) as ledger:
        found = ledger.read("SELECT id, row, gone > 0, run FROM source WHERE gone AND row NOTNULL")
        assert {key for key, *_ in found} == gone
        for key, row, is_gone, run in found:
            assert msgspec.json.decode(row) == {"id": key, "firstName": "Paul"}
            assert (is_gone, run) == (1, None)
        check_pages(ledger)


async def test_what_was_read_whole_is_not_read_again(path, monkeypatch):
    box = world()
    first = await life(box, path, monkeypatch)
    before = len(box.ledger.requests)
    again = await life(box, path, monkeypatch)
    assert len(box.ledger.requests) == before
    assert (again.requests, again.new, again.chain) == (0, 0, first.chain)


async def test_a_delta_reads_what_changed_by_the_servers_clock(path, monkeypatch):
    box = world(400)
    await life(box, path, monkeypatch)
    await asyncio.sleep(30 * 86400)
    entries = box.legacy.rows("timeentries")
    stamp = "2026-08-12T09:00:00.000Z"
    dated = [row["id"] for row in entries if row.get("date")]
    changed, deleted = dated[7], dated[9]
    box.legacy.update("timeentries", changed, {"notes": "later", "updated_at": stamp})
    box.legacy.remove("timeentries", deleted)
    new = {**box.legacy.index("timeentries")[changed], "id": "new1", "date": stamp}
    box.legacy.add("timeentries", new)
    before = len(box.ledger.requests)
    report = await life(box, path, monkeypatch, delta=True)
    assert (report.run, report.delta, report.new, report.changed) == (2, True, 1, 1)
    # What was deleted can't be seen.
    assert report.entries == 401
    entry_requests = [
        one for one in box.ledger.requests[before:] if one.path == "/api/v1/timeentries"
    ]
    assert len(entry_requests) <= 4
    async with Ledger.look(path) as ledger:
        query = "SELECT note, page FROM entry WHERE id = ?"
        ((note, page),) = ledger.read(query, changed)
        assert note == "later"
        assert b'"later"' in page_body(ledger, page)
        assert check_pages(ledger) == report.chain
        # An hour less: clocks differ.
        began, since = ledger.value("SELECT server_began FROM run"), None
        since = ledger.value("SELECT since FROM run WHERE number = 2")
        assert began - since == 3_600_000
    third = await life(box, path, monkeypatch, delta=True)
    assert (third.run, third.new, third.changed, third.entries) == (3, 0, 0, 401)


async def test_a_delta_is_not_blinded_by_a_stamp_in_the_future(path, monkeypatch):
    box = world(400)
    assert box.past.oddities["stamp in the future"]
    await life(box, path, monkeypatch)
    await asyncio.sleep(86400)
    key = next(row["id"] for row in box.legacy.rows("timeentries") if row.get("date"))
    stamp = "2026-07-14T08:00:00.000Z"
    box.legacy.update("timeentries", key, {"notes": "later", "updated_at": stamp})
    report = await life(box, path, monkeypatch, delta=True)
    assert (report.new, report.changed) == (0, 1)


async def test_the_servers_clock_counts_and_not_ours(path, monkeypatch):
    behind = clock_from(BEGIN - timedelta(hours=5))
    box = Sandbox(20, until=BEGIN.date(), history=History(200), clock=behind)
    await life(box, path, monkeypatch)
    async with Ledger.look(path) as ledger:
        began = ledger.value("SELECT server_began FROM run")
        assert timedelta(0) <= moment(began) - (BEGIN - timedelta(hours=5)) < timedelta(minutes=1)
    # Changed over there when our clock says that it was read already.
    await asyncio.sleep(60)
    stamp = "2026-07-13T04:00:30.000Z"
    key = next(row["id"] for row in box.legacy.rows("timeentries") if row.get("date"))
    box.legacy.update("timeentries", key, {"notes": "later", "updated_at": stamp})
    assert (await life(box, path, monkeypatch, delta=True)).changed == 1


async def test_a_delta_waits_for_the_first_reading(path, monkeypatch):
    box = world()
    with pytest.raises(MigrationError, match="before everything was read once"):
        await life(box, path, monkeypatch, delta=True)
    async with Ledger.look(path) as ledger:
        with pytest.raises(MigrationError, match="run extract first"):
            require_extracted(ledger)


async def test_a_reading_that_is_not_at_its_end_is_no_ground_for_a_plan(path, monkeypatch):
    box = world()
    with pytest.raises(BaseException):  # noqa: B017, PT011 - a kill
        await life(box, path, monkeypatch, end_at=60)
    async with Ledger.look(path) as ledger:
        with pytest.raises(MigrationError, match="run extract again"):
            require_extracted(ledger)


async def test_another_account_is_refused(path, monkeypatch):
    await life(world(), path, monkeypatch)
    other = world(seed=8)
    with pytest.raises(ConfigurationError, match="another one"):
        await life(other, path, monkeypatch, delta=True)
    assert {one.path for one in other.ledger.requests if one.service == "legacy"} == {
        "/api/v1/teams"
    }
    async with Ledger.open(path) as ledger:
        wire = MemoryWire(other)
        client = wire.legacy_client(monkeypatch)
        before = len(other.ledger.requests)
        with pytest.raises(ConfigurationError, match=r"holds https://connect.jibble.io, and this"):
            await extract(ledger, Source(client, base="https://elsewhere.invalid"), delta=True)
        assert len(other.ledger.requests) == before


async def test_it_says_how_much_there_is_and_when_it_ends_before_it_begins(path, monkeypatch):
    box = world(1500, people=40)
    seen = []
    await life(box, path, monkeypatch, on_progress=seen.append, limiter=quota())
    first = seen[0]
    assert (first.step, first.what) == ("extract", "estimate")
    assert first.total >= 1500
    entries = [each for each in seen if each.what == "timeentries"]
    assert [each.done for each in entries] == sorted(each.done for each in entries)
    assert all(each.total >= each.done for each in entries)
    assert entries[-1].done == 1500
    assert abs(entries[0].ends - (BEGIN + timedelta(hours=1))) < timedelta(hours=1)


@pytest.mark.parametrize("entries", [1, 999, 1001, 1500, 33_000])
async def test_an_estimate_is_within_four_per_cent(monkeypatch, entries):
    # Only how many there are is asked for.
    box = world(20)
    rows = box.legacy.rows("timeentries")
    one = dict(rows[0])
    rows[:] = [{**one, "id": f"e{n}"} for n in range(entries)]
    box.legacy.touch()
    client = MemoryWire(box).legacy_client(monkeypatch, limiter=quota())
    found = await estimate(Source(client))
    assert found.least <= entries <= found.most
    assert found.most - found.least <= max(40, found.most * 0.04)
    assert found.asked <= {33_000: 12, 1500: 7}.get(entries, 12)
    # What counts already is counted, too.
    assert found.seconds == (found.requests + found.asked - 1) // 150 * 3600
    assert found.ends >= BEGIN + timedelta(seconds=found.seconds)


async def test_an_hour_gets_no_more_requests_than_are_taken_and_they_are_used(path, monkeypatch):
    box = world(3_300, people=30)
    report = await life(box, path, monkeypatch, limiter=quota(20))
    assert most_in(box, hours=1) <= 20
    requests = sum(one.service == "legacy" for one in box.ledger.requests)
    least = (requests - 1) // 20 * 3600
    assert least <= (report.ended - report.began).total_seconds() + 60 <= least * 1.02 + 120


async def test_there_is_no_way_to_write_to_the_source(path, monkeypatch):
    box = world()
    await life(box, path, monkeypatch)
    await life(box, path, monkeypatch, delta=True)
    sent = {one.method for one in box.ledger.requests if one.service == "legacy"}
    assert sent == {"GET"}
    assert box.ledger.committed == []
    source = Source(MemoryWire(box).legacy_client(monkeypatch))
    held = [name for name in vars(source) if not name.startswith("__")]
    # None of what it holds is a client or a session.
    assert held == ["base", "size", "limiter", "now", "_paths", "_get"]


async def test_a_page_that_was_tampered_with_is_found(path, monkeypatch):
    await life(world(), path, monkeypatch)
    swapped = "UPDATE page SET body = (SELECT body FROM page WHERE number = 3) WHERE number = 4"
    with sqlite3.connect(path) as tampering:
        tampering.execute(swapped)
    async with Ledger.look(path) as ledger:
        with pytest.raises(MigrationError, match="page 4 is not what was read"):
            check_pages(ledger)
    with tampering:
        tampering.execute("DELETE FROM page WHERE number = 2")
    tampering.close()
    async with Ledger.look(path) as ledger:
        with pytest.raises(MigrationError, match="chain breaks at page 3"):
            check_pages(ledger)


async def test_pages_that_were_cut_off_at_the_end_are_missed(path, monkeypatch):
    await life(world(), path, monkeypatch)
    with sqlite3.connect(path) as tampering:
        tampering.execute("DELETE FROM page WHERE number = (SELECT max(number) FROM page)")
    tampering.close()
    async with Ledger.look(path) as ledger:
        with pytest.raises(MigrationError, match="taken out at the end"):
            check_pages(ledger)
