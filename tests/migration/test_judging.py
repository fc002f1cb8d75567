"""One person's entries both ways: each kind of leftover on either side has its own count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jibble_legacy.migration.checking.comparing import Found, Known, Sent, Verdict
from jibble_legacy.migration.checking.judging import Findings, Person, Written, findings
from jibble_legacy.migration.checking.readback import ThereEntry
from jibble_legacy.migration.marks import OUR_VERSION
from jibble_legacy.migration.states import State
from msgspec.structs import replace

HOUR = 3_600_000
KNOWN = Known()
IN, OUT = 1_589_800_000_000, 1_589_800_000_000 + 8 * HOUR


def written(entry: int, ms: int, type: str, state: State = State.CONFIRMED) -> Written:
    sent = Sent(person="P", ms=ms, type=type, day="2020-05-18", offset=0, written=9)
    return Written(entry, f"old{entry}", 1, sent, state, f"new{entry}")


def there(id: str, ms: int, type: str, **changes: Any) -> ThereEntry:
    """An entry of somebody else."""
    found = Found(id=id, person="P", ms=ms, type=type, day="2020-05-18", offset=0, updated=9)
    mark, program, device = (changes.pop(name, "") for name in ("mark", "program", "device"))
    return ThereEntry(replace(found, **changes), "", 1, mark, program, device)


def ours(entry: int, ms: int, type: str, **changes: Any) -> ThereEntry:
    """An entry that carries a mark of ours."""
    changes = {"mark": f"key{entry}", "program": OUR_VERSION, "device": f"old{entry}"} | changes
    return there(changes.pop("id", f"new{entry}"), ms, type, **changes)


PAIR = (written(1, IN, "In"), written(2, OUT, "Out"))
BOTH = (ours(1, IN, "In"), ours(2, OUT, "Out"))


def keys(each: Written) -> Iterator[str]:
    yield f"key{each.entry}"


def judged(
    *rows: ThereEntry,
    entries: tuple[Written, ...] = PAIR,
    known: Known = KNOWN,
    by_twin: bool = False,
    **more: Any,
) -> Findings:
    person = Person(entries, {row.found.id: row for row in rows}, **more)
    return findings(person, known, keys, by_twin=by_twin)


def test_both_sides_alike() -> None:
    found = judged(*BOTH)
    assert found.verdicts == {Verdict.EQUAL: 2}
    assert (found.arrived, found.months) == ({1: 2}, {"2020-05": 2})
    assert found.old == found.new
    assert found.old.worked == 8 * HOUR
    assert [found.judged, found.extras, found.strays, found.late, found.gaps] == [[]] * 5


def test_what_is_not_there_is_missing_and_its_hours_are_a_gap() -> None:
    found = judged(BOTH[0])
    assert found.verdicts == {Verdict.EQUAL: 1, Verdict.MISSING: 1}
    assert [(each.entry, each.verdict) for each in found.judged] == [(2, Verdict.MISSING)]
    assert [gap.is_explained for gap in found.gaps] == [False]


def test_what_cant_be_read_is_not_missing() -> None:
    assert judged(BOTH[0], unreadable=["new2"]).verdicts[Verdict.UNREADABLE] == 1


def test_what_is_elsewhere_is_compared_there() -> None:
    moved = ours(2, OUT, "Out", person="Q")
    found = judged(BOTH[0], elsewhere={"new2": moved})
    assert found.verdicts == {Verdict.EQUAL: 1, Verdict.DIFFERS: 1}
    assert judged(BOTH[0], elsewhere={"new2": None}).verdicts[Verdict.MISSING] == 1


@pytest.mark.parametrize(
    "mark",
    [{"mark": "key2"}, {"id": "KEY2", "mark": "", "program": "", "device": ""}, {"mark": ""}],
)
def test_another_one_of_our_mark_is_an_extra(mark: dict[str, str]) -> None:
    again = ours(2, OUT, "Out", **({"id": "other"} | mark))
    found = judged(*BOTH, again)
    [extra] = found.extras
    assert (extra.entry, extra.copy.id, extra.is_marked) == (2, again.found.id, True)
    # It counts, so what people see doubles.
    assert found.new.entries == 3


def test_what_only_looks_like_ours_is_an_extra_without_a_mark() -> None:
    [extra] = judged(*BOTH, there("other", IN, "In")).extras
    assert (extra.entry, extra.is_marked) == (1, False)
    [extra] = judged(*BOTH, there("other", IN, "In"), by_twin=True).extras
    assert extra.is_marked


@pytest.mark.parametrize(
    "row", [there("x", IN + 1, "In"), there("x", IN, "Out"), there("x", IN, "In", active=False)]
)
def test_another_moment_kind_or_an_archived_one_is_no_twin(row: ThereEntry) -> None:
    found = judged(*BOTH, row)
    assert not found.extras
    assert found.only_there == row.found.active


def test_twins_are_told_by_the_second_where_the_server_keeps_no_more() -> None:
    entries = (written(1, IN + 5, "In"),)
    rows = (ours(1, IN, "In"), there("x", IN, "In"))
    found = judged(*rows, entries=entries, known=Known(whole_seconds=True))
    assert len(found.extras) == 1
    assert not found.old.worked
    assert found.verdicts == {Verdict.EXPLAINED: 1}
    assert (found.changed, found.judged) == (0, [])


def test_hours_of_whole_seconds_are_the_same_on_both_sides() -> None:
    entries = (written(1, IN + 5, "In"), written(2, OUT + 900, "Out"))
    found = judged(*BOTH, entries=entries, known=Known(whole_seconds=True))
    assert (found.old.worked, found.gaps) == (8 * HOUR, [])


def test_what_was_there_before_or_is_somebody_elses_answer_is_none_of_these() -> None:
    row = there("x", IN, "In")
    found = judged(*BOTH, row, before=["x"])
    assert (found.before, found.only_there, found.extras) == (1, 0, [])
    found = judged(*BOTH, row, of_others=["x"])
    assert (found.before, found.only_there, found.extras) == (0, 0, [])


def test_what_is_there_before_the_ledger_knows_is_late_and_no_extra() -> None:
    for state in (State.PLANNED, State.DOUBTFUL, State.UNKNOWN):
        open_one = replace(written(2, OUT, "Out", state), target=None)
        found = judged(*BOTH, entries=(PAIR[0], open_one))
        assert (found.late, found.extras) == ([2], [])
    # Who keeps no mark: what looks like it may be it.
    found = judged(BOTH[0], there("x", OUT, "Out"), entries=(PAIR[0], open_one), by_twin=True)
    assert found.late == [2]
    found = judged(BOTH[0], there("x", OUT, "Out"), entries=(PAIR[0], open_one))
    assert found.late == []


def test_what_was_rolled_back_and_is_there_is_an_extra() -> None:
    undone = replace(written(2, OUT, "Out", State.UNDONE), target=None)
    found = judged(*BOTH, entries=(PAIR[0], undone))
    assert [extra.entry for extra in found.extras] == [2]


def test_a_mark_of_ours_that_the_ledger_does_not_know_is_a_stray() -> None:
    stray = ours(7, IN + 9, "In", mark="key7")
    assert judged(*BOTH, stray).strays == ["new7"]


def test_what_a_probe_left_is_told_apart() -> None:
    left = ours(7, IN + 9, "In", device="probe")
    found = judged(*BOTH, left)
    assert (found.probes, found.strays) == (1, [])


def test_what_is_to_be_edited_is_not_compared_yet_and_did_not_arrive() -> None:
    stale = written(2, OUT, "Out", State.STALE)
    found = judged(BOTH[0], ours(2, OUT + HOUR, "Out"), entries=(PAIR[0], stale))
    assert found.verdicts == {Verdict.EQUAL: 1}
    assert found.arrived == {1: 1}
    assert [gap.is_explained for gap in found.gaps] == [True]


def test_hours_are_explained_only_as_far_as_what_explains_them_goes() -> None:
    later = written(3, OUT + 40 * 24 * HOUR, "In")
    later = replace(later, sent=replace(later.sent, day="2020-06-27"))
    changed = ours(2, OUT - HOUR, "Out", updated=10)
    found = judged(BOTH[0], changed, entries=(*PAIR, later))
    # May is explained by the change, June has an entry that is missing.
    assert [(gap.month, gap.is_explained) for gap in found.gaps] == [
        ("2020-05", True),
        ("2020-06", False),
    ]
    assert found.changed == 1


def test_a_refused_or_skipped_one_is_not_looked_for() -> None:
    for state in (State.REFUSED, State.SKIPPED, State.PLANNED):
        entries = (PAIR[0], replace(written(2, OUT, "Out", state), target=None))
        assert judged(BOTH[0], entries=entries).verdicts == {Verdict.EQUAL: 1}
