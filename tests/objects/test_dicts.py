from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jibble_legacy.entities import LegacyTimeEntry, TeamMember

from jibble_async import (
    ConfigurationError,
    Coordinates,
    DaySchedule,
    EntryType,
    Person,
    Project,
    Schedule,
    TimeEntry,
)
from jibble_async.entities import ValueObject
from jibble_async.entities.dicts import DictForm, as_dict
from tests.objects.drawn import classes, entity

KEY = "11111111-1111-4111-8111-111111111111"
ENTRY = TimeEntry(
    id=KEY,
    type=EntryType("Teleport"),
    time=datetime(2026, 7, 1, 8, tzinfo=UTC),
    local_time=datetime(2026, 7, 1, 10, tzinfo=timezone(timedelta(hours=2))),
    offset=timedelta(hours=2),
    belongs_to_date=date(2026, 7, 1),
    coordinates=Coordinates(latitude=42, longitude=-13.5),
    person=Person(id=KEY, full_name="Zoë", pin_code="canary"),
    project=Project(id=KEY, name="Ω"),
)

ANY = st.sampled_from(classes()).flatmap(entity)


@given(ANY)
def test_what_came_goes_out_and_comes_in_again(one: ValueObject) -> None:
    kind = type(one)
    told = one.to_dict(names="wire", secrets=True)
    assert msgspec.convert(told, kind) == one
    text = one.to_json(names="wire", secrets=True)
    assert msgspec.json.decode(text, type=kind) == one
    short = one.to_json(names="wire", secrets=True, exclude_none=True)
    assert msgspec.json.decode(short, type=kind) == one
    assert list(told) == list(kind.__struct_encode_fields__)
    assert list(one.to_dict(secrets=True)) == list(kind.__struct_fields__)


def test_a_dict_has_plain_values_by_the_names_of_python() -> None:
    found = ENTRY.to_dict(exclude_none=True)
    assert found == {
        "id": KEY,
        "type": "Teleport",
        "time": ENTRY.time,
        "local_time": ENTRY.local_time,
        "offset": timedelta(hours=2),
        "belongs_to_date": date(2026, 7, 1),
        "coordinates": {"latitude": 42, "longitude": -13.5},
        "person": {"id": KEY, "full_name": "Zoë"},
        "project": {"id": KEY, "name": "Ω"},
    }
    assert type(found["type"]) is str
    assert "note" in ENTRY.to_dict()


def test_json_has_the_words_of_the_server() -> None:
    found = json.loads(ENTRY.to_json(names="wire", exclude_none=True))
    assert found["offset"] == "PT2H"
    assert found["belongsToDate"] == "2026-07-01"
    assert found["localTime"] == "2026-07-01T10:00:00+02:00"
    assert found["person"] == {"id": KEY, "fullName": "Zoë"}
    assert '"local_time":"2026-07-01T10:00:00+02:00"' in ENTRY.to_json()
    day = DaySchedule(start=time(8), end=None, duration=timedelta(hours=9))
    told = Schedule(id="a", day_schedules=[day]).to_dict(names="wire", exclude_none=True)
    assert told["daySchedules"] == [{"from": time(8), "duration": timedelta(hours=9)}]


def test_what_opens_a_kiosk_goes_along_only_if_it_is_asked_for() -> None:
    for one in (ENTRY, Person(id=KEY, pin_code="canary"), TeamMember(id=KEY, nfc_token="canary")):
        assert "canary" not in f"{one.to_dict()} {one.to_json()} {one._repr_html_()}"
        assert "canary" in str(one.to_dict(secrets=True))
        assert "canary" in one.to_json(secrets=True)


def test_an_entry_of_the_old_api_has_its_own_fields() -> None:
    one = LegacyTimeEntry(
        id="a1", custom_data={"x": [1, None]}, person=TeamMember(id="b", first_name="Ann")
    )
    found = one.to_dict(names="wire", exclude_none=True)
    # By the class of what hangs there, and not by that of the field.
    assert found == {
        "id": "a1",
        "customData": {"x": [1, None]},
        "person": {"id": "b", "firstName": "Ann"},
    }


def test_what_was_not_given_is_left_out() -> None:
    class Given(msgspec.Struct):
        a: int | msgspec.UnsetType = msgspec.UNSET
        b: int | None = None

    assert as_dict(Given(), DictForm()) == {"b": None}
    assert as_dict(Given(a=1), DictForm(exclude_none=True)) == {"a": 1}


@pytest.mark.parametrize("names", ["Wire", "", None])
def test_other_names_are_an_error(names: Any) -> None:
    for method in (ENTRY.to_dict, ENTRY.to_json):
        with pytest.raises(ConfigurationError, match="there are python and wire"):
            method(names=names)
