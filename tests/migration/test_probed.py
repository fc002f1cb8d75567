"""What may be relied on after a probe."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from jibble_legacy.migration.moments import moment_at
from jibble_legacy.migration.writing.probed import Probed, Witness, judged
from jibble_legacy.migration.writing.stopping import KEEPABLE, Planned
from msgspec.structs import replace

from jibble_async import TimeEntry
from jibble_async.entities import EntryStatus, EntryType, Platform

PERSON, KEY = "aaaaaaaa-0000-4000-8000-000000000001", "11111111-2222-5333-8444-555555555555"
SENT = Planned(PERSON, 1_500_000_000_123, "In", "2017-07-14", 7200, None, None, "☕ probe")
ROW = TimeEntry(
    id=KEY,
    person_id=PERSON,
    time=moment_at(SENT.ms),
    type=EntryType.IN,
    status=EntryStatus.ACTIVE,
    belongs_to_date=date(2017, 7, 14),
    offset=timedelta(hours=2),
    note="☕ probe",
    platform=Platform(event_id=KEY.upper()),
)


def verdict(row: TimeEntry = ROW, **seen: Any) -> Probed:
    usual: dict[str, Any] = {"by_id": row, "around": (row,)}
    return judged(Witness(KEY, SENT, row, **usual | seen))


def test_a_server_that_keeps_everything() -> None:
    told = verdict()
    assert told == Probed()
    assert not told.by_twin
    assert told.known_differences == ()


@pytest.mark.parametrize("keeps_id", [True, False])
@pytest.mark.parametrize("keeps_mark", [True, False])
def test_which_marks_are_kept(keeps_id: bool, keeps_mark: bool) -> None:
    row = replace(
        ROW, id=KEY if keeps_id else "other", platform=ROW.platform if keeps_mark else Platform()
    )
    told = verdict(row)
    assert (told.keeps_id, told.keeps_mark) == (keeps_id, keeps_mark)
    assert told.by_twin == (not keeps_id and not keeps_mark)
    assert told.stop is None


def test_a_moment_that_is_not_kept_stops_it() -> None:
    told = verdict(replace(ROW, time=moment_at(SENT.ms + 1000)))
    assert "moment" in str(told.stop)
    told = verdict(replace(ROW, time=None))
    assert "moment" in str(told.stop)


def test_whole_seconds_are_for_a_person_to_accept() -> None:
    told = verdict(replace(ROW, time=moment_at(SENT.ms // 1000 * 1000)))
    assert told.stop is None
    assert told.whole_seconds
    assert told.known_differences == ("time",)


@pytest.mark.parametrize("seen", [{"by_id": None}, {"around": ()}])
def test_what_can_not_be_found_can_not_be_relied_on(seen: dict[str, Any]) -> None:
    assert "is not found" in str(verdict(**seen).stop)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"belongs_to_date": date(2026, 7, 1)}, "belongsToDate"),
        ({"offset": timedelta(0)}, "offset"),
        ({"note": "? probe"}, "note"),
    ],
)
def test_what_else_is_not_kept_is_a_known_difference(change: dict[str, Any], name: str) -> None:
    told = verdict(replace(ROW, **change))
    assert told.stop is None
    assert told.known_differences == (name,)
    assert set(told.kept) == set(KEEPABLE) - {name}


def test_what_no_server_may_change_stops_it() -> None:
    assert "type" in str(verdict(replace(ROW, type=EntryType.OUT)).stop)


def test_an_archived_entry_must_be_gone_from_the_list() -> None:
    assert verdict(listed=()).archives
    assert verdict(listed=(replace(ROW, status=EntryStatus.ARCHIVED),)).archives
    assert verdict(listed=(replace(ROW, id="other"),)).archives
    assert not verdict(listed=(ROW,)).archives
