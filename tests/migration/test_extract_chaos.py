"""Ends at every step of an extraction, and whatever a network does to one."""

from __future__ import annotations

import asyncio
from random import Random

import msgspec
import pytest
from jibble_legacy.migration.ledger.ledger import Ledger
from jibble_legacy.migration.reading.old_rows import read_entry
from jibble_legacy.migration.reading.storage import check_pages, page_body

from jibble_async import RollingWindow
from jibble_async.errors import JibbleError
from jibble_async.sandbox.faults import Fault
from jibble_async.sandbox.legacy.models import MODELS
from jibble_async.sandbox.quotas import Quota
from tests.migration.extracting import life, most_in, world
from tests.support.chaos import TIMES, seeds
from tests.support.memory_wire import KilledError, MemoryWire, clock_from
from tests.support.virtual_time import run

# The pages of a small account are to be several.
_SIZE = 20
_TROUBLE = ("drop_before", "drop_after", "truncate", "invalid_json", "html_502", "too_many")
_STRIDE = 1 if TIMES > 1 else 19
"""One step of so many is tried where there is little time."""


def killed_at(number):
    """A hook that ends everything at a step of a transaction; None for never."""
    seen = []

    def steps(name):
        seen.append(name)
        if len(seen) == number:
            raise KilledError

    return steps, seen


def small_world(seed=7):
    # Whoever asks for more than the limit is refused.
    quota = Quota(12, 60, headers=False, kind="sliding", empty_403=True)
    return world(130, people=14, seed=seed, legacy_quota=quota)


def window():
    return RollingWindow(12, 60.0)


async def to_the_end(box, path, patch, limiter, **arguments):
    return await life(box, path, patch, limiter=limiter, page_size=_SIZE, **arguments)


def require_whole(box, path, *, may_have_gone=frozenset()):
    """What must hold of a ledger and its source after anything."""
    ledger = Ledger.look(path)
    try:
        ledger.check()
        check_pages(ledger)
        assert ledger.read("SELECT number FROM run WHERE ended IS NULL") == []
        wanted = {key: row_hash(row) for key, row in box.legacy.index("timeentries").items()}
        kept = dict(ledger.read("SELECT id, hash FROM entry"))
        assert {key: digest for key, digest in kept.items() if key not in may_have_gone} == {
            key: digest for key, digest in wanted.items() if key not in may_have_gone
        }
        # Columns are those of the row that the page holds.
        for key, page, pos, digest in ledger.read("SELECT id, page, pos, hash FROM entry"):
            sent = msgspec.json.decode(page_body(ledger, page), type=list[msgspec.Raw])[pos]
            row = read_entry(sent)
            assert (row.id, row.hash) == (key, digest)
        unasked = "SELECT id FROM source WHERE row IS NULL AND gone IS NULL"
        assert ledger.read(unasked) == []
        assert ledger.read("PRAGMA foreign_key_check") == []
    finally:
        ledger.abandon(KilledError())
    assert {one.method for one in box.ledger.requests if one.service == "legacy"} == {"GET"}
    assert box.ledger.committed == []
    assert most_in(box, hours=1 / 60) <= 12


def row_hash(row):
    shown = MODELS["timeentries"].shown(row)
    return read_entry(msgspec.Raw(msgspec.json.encode(shown))).hash


def steps_of_a_whole_reading(path, patch):
    """How many steps there are at the wire, and of transactions."""
    seen = []

    async def main():
        box = small_world()
        wires = []
        patch.setattr(
            "tests.migration.extracting.MemoryWire",
            lambda *args, **options: wires.append(MemoryWire(*args, **options)) or wires[-1],
        )
        await to_the_end(box, path, patch, window(), steps=seen.append)
        patch.setattr("tests.migration.extracting.MemoryWire", MemoryWire)
        return len(wires[0].steps)

    return run(main()), len(seen)


def test_an_end_at_any_step_costs_nothing(tmp_path, monkeypatch):
    at_wire, at_disk = steps_of_a_whole_reading(tmp_path / "whole.jbmg", monkeypatch)
    assert at_wire > 80
    assert at_disk > 40
    ends = [("wire", step) for step in range(1, at_wire + 1)]
    ends += [("disk", step) for step in range(1, at_disk + 1)]
    for place, step in ends[step_of_today() :: _STRIDE]:
        path = tmp_path / f"{place} {step}.jbmg"

        async def main(place=place, step=step, path=path):
            box, limiter = small_world(), window()
            steps, _ = killed_at(step if place == "disk" else None)
            with pytest.raises(KilledError):
                await to_the_end(
                    box,
                    path,
                    monkeypatch,
                    limiter,
                    end_at=step if place == "wire" else None,
                    steps=steps,
                )
            await asyncio.sleep(Random(step).uniform(0.5, 4000))
            report = await to_the_end(box, path, monkeypatch, limiter)
            assert report.entries == 130
            require_whole(box, path)
            # What was kept is not asked for again.
            async with Ledger.look(path) as ledger:
                asked = "SELECT count(*), count(DISTINCT request) FROM page"
                ((pages, different),) = ledger.read(asked)
                assert pages == different

        run(main())


def step_of_today():
    """Where the steps that are tried begin."""
    return 0 if _STRIDE == 1 else 2


@seeds(10)
def test_whatever_happens_everything_is_there_in_the_end(tmp_path, monkeypatch, seed):
    path = tmp_path / "acme.jbmg"
    random = Random(f"extract {seed}")

    async def main():
        box, limiter = small_world(seed), window()
        changes = Changes(box, random)
        box.faults.script = lambda received: trouble(random, received)
        kills = random.randrange(6)
        for delta in (False, True):
            for _ in range(60):
                options = {}
                if kills and random.random() < 0.7:
                    kills -= 1
                    if random.random() < 0.5:
                        options["end_at"] = random.randrange(1, 120)
                    else:
                        options["steps"], _ = killed_at(random.randrange(1, 60))
                elif kills == 0 and delta:
                    box.faults.script = None
                try:
                    await to_the_end(
                        box,
                        path,
                        monkeypatch,
                        limiter,
                        delta=delta,
                        on_progress=lambda _, delta=delta: changes.happen(delta),
                        **options,
                    )
                    break
                except (KilledError, JibbleError):
                    await asyncio.sleep(random.uniform(0.5, 4000))
            else:
                pytest.fail("it never came to an end")
        # One more, in which nothing happens: what changed while the last was under way.
        box.faults.script = None
        await to_the_end(box, path, monkeypatch, limiter, delta=True)
        require_whole(box, path, may_have_gone=changes.gone)

    run(main())


class Changes:
    """What people do in the old account while it is read: every change has its stamp."""

    def __init__(self, box, random):
        self._box = box
        self._random = random
        self._made = 0
        self.gone = set()

    def happen(self, delta):
        random, entries = self._random, self._box.legacy
        if self._made >= 25 or random.random() < 0.6:
            return
        self._made += 1
        now = clock_from()().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        rows = entries.rows("timeentries")
        row = random.choice(rows)
        kind = random.choice(["delete", "add", "change"])
        if kind == "delete":
            self.gone.add(row["id"])
            entries.remove("timeentries", row["id"])
        elif kind == "change":
            entries.update("timeentries", row["id"], {"notes": f"{random}", "updated_at": now})
        else:
            new = {**row, "id": f"new{self._made}", "updated_at": now, "created_at": now}
            entries.add("timeentries", new)


def trouble(random, received):
    """What befalls a request; a token is never refused for long."""
    if received.service != "legacy" or random.random() > 0.15:
        return None
    kind = random.choice([*_TROUBLE, "empty_403", "status"])
    return Fault(kind)
