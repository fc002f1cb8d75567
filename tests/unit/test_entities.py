from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from pprint import pformat
from typing import Any

import msgspec
import pytest
from jibble_legacy import TeamMember

import jibble_async.entities as vocabulary
from jibble_async import (
    CommonStatus,
    Coordinates,
    Entity,
    EntryType,
    Person,
    PersonStatus,
    Project,
    TimeEntry,
)
from jibble_async.core.wire import Reply
from jibble_async.entities import ValueObject
from jibble_async.odata.envelope import read_page

KEY = "21102566-57bc-46d9-ae83-767deda79f57"


def entry(**members: Any) -> TimeEntry:
    return msgspec.json.decode(msgspec.json.encode({"id": KEY, **members}), type=TimeEntry)


def entry_from_page(**members: Any) -> TimeEntry:
    body = msgspec.json.encode({"value": [{"id": KEY, **members}]})
    rows: list[TimeEntry] = read_page(Reply(200, {}, body), TimeEntry).items
    return rows[0]


@pytest.mark.parametrize("digits", range(8))
def test_instants_have_up_to_seven_fraction_digits(digits: int) -> None:
    fraction = "1234567"[:digits]
    text = f"2024-06-13T14:01:14{'.' if digits else ''}{fraction}Z"
    microseconds = int(f"{fraction:0<6}"[:6])
    expected = datetime(2024, 6, 13, 14, 1, 14, microseconds, UTC)
    found = entry_from_page(time=text).time
    assert found is not None
    assert abs(found - expected) <= timedelta(microseconds=1)
    assert found.date() == expected.date()


def test_an_offset_is_kept() -> None:
    found = entry(localTime="2024-06-13T03:42:00+04:00").local_time
    assert found == datetime(2024, 6, 12, 23, 42, tzinfo=UTC)
    assert found is not None
    assert found.utcoffset() == timedelta(hours=4)
    assert found.hour == 3


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.9999999"])
def test_the_largest_instant_of_dot_net_stays_on_its_day(text: str) -> None:
    found = entry_from_page(autoClockOutTime=text).auto_clock_out_time
    assert found is not None
    assert found.replace(tzinfo=None) == datetime.max  # noqa: DTZ901 - what is expected
    assert entry_from_page(time="0001-01-01T00:00:00Z").time == datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT0S", timedelta()),
        ("P0D", timedelta()),
        ("PT8H", timedelta(hours=8)),
        ("PT38M19.066774S", timedelta(minutes=38, seconds=19, microseconds=66774)),
        ("P1DT6H23M53S", timedelta(days=1, hours=6, minutes=23, seconds=53)),
        ("P1D", timedelta(days=1)),
        ("P40DT1S", timedelta(days=40, seconds=1)),
        ("-PT3H", -timedelta(hours=3)),
        ("-P1DT0.5S", -timedelta(days=1, seconds=0.5)),
        ("PT0.0000001S", timedelta()),
        ("PT1.1234567S", timedelta(seconds=1, microseconds=123456)),
        ("PT1,5S", timedelta(seconds=1.5)),
        ("P2W", timedelta(weeks=2)),
        ("-P1W", -timedelta(weeks=1)),
    ],
)
def test_durations(text: str, expected: timedelta) -> None:
    found = entry_from_page(offset=text).offset
    assert found is not None
    assert abs(found - expected) <= timedelta(microseconds=1)


def test_an_unknown_enum_value_is_kept_as_its_text() -> None:
    found = entry(type="Teleport", status="Active")
    assert found.type == "Teleport"
    assert found.type != "In"
    assert hash(found.type) == hash("Teleport")
    assert isinstance(found.type, EntryType)
    assert not found.type.is_known
    assert found.status is not None
    assert found.status.is_known
    assert "Teleport" not in list(EntryType)
    assert f"{found.type}" == "Teleport"
    assert msgspec.json.decode(msgspec.json.encode(found), type=TimeEntry) == found
    assert b'"type":"Teleport"' in msgspec.json.encode(found)
    # It is not remembered: a server can't fill the memory with names.
    assert "Teleport" not in EntryType.__members__


@pytest.mark.parametrize("status", [PersonStatus.JOINED, PersonStatus("Frozen")])
def test_enum_values_survive_pickling_and_copying(status: PersonStatus) -> None:
    for again in (pickle.loads(pickle.dumps(status)), copy.deepcopy(status), copy.copy(status)):
        assert again == status
        assert type(again) is PersonStatus
        assert again.is_known == status.is_known


def test_an_enum_value_must_be_text() -> None:
    with pytest.raises(ValueError, match="5 is not a valid"):
        CommonStatus(5)  # type: ignore[arg-type]
    with pytest.raises(msgspec.ValidationError):
        entry(status=5)


def test_unknown_fields_are_ignored() -> None:
    found = entry(**{"@odata.etag": 'W/"x"', "brandNew": {"deep": [1]}}, note="kept")
    assert found == TimeEntry(id=KEY, note="kept")


def test_null_and_absent_are_none() -> None:
    assert entry(note=None, coordinates=None).note is None
    assert entry() == TimeEntry(id=KEY)


def test_the_key_is_required() -> None:
    for body in (b"{}", b'{"id":null}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(body, type=TimeEntry)


def test_entities_are_frozen_and_comparable() -> None:
    one = TimeEntry(id=KEY, type=EntryType.IN, coordinates=Coordinates(latitude=1, longitude=2))
    with pytest.raises(AttributeError):
        one.note = "other"  # type: ignore[misc]
    same = TimeEntry(id=KEY, type=EntryType.IN, coordinates=Coordinates(latitude=1, longitude=2))
    assert one == same
    assert hash(one) == hash(same)
    assert one != TimeEntry(id=KEY)
    assert msgspec.structs.replace(one, note="x").note == "x"


def test_a_whole_entity_survives_a_round_trip() -> None:
    one = TimeEntry(
        id=KEY,
        type=EntryType("Teleport"),
        time=datetime(2026, 7, 1, 8, 0, 0, 5, UTC),
        local_time=datetime(2026, 7, 1, 10, tzinfo=timezone(timedelta(hours=2))),
        offset=timedelta(hours=2),
        belongs_to_date=date(2026, 7, 1),
        coordinates=Coordinates(latitude=42, longitude=-13.5),
        person=Person(id=KEY, full_name="Zoë O'Neil"),
        project=Project(id=KEY, name="Ω"),
    )
    assert msgspec.json.decode(msgspec.json.encode(one), type=TimeEntry) == one
    assert pickle.loads(pickle.dumps(one)) == one
    assert copy.deepcopy(one) == one


@pytest.mark.parametrize("kind", [Person, TeamMember])
def test_repr_leaves_out_what_opens_a_kiosk(kind: type[Person]) -> None:
    person = kind(id=KEY, full_name="Ann", pin_code="canary-1", nfc_token="canary-2")
    entry = TimeEntry(id=KEY, person=person)
    for shown in (
        repr(person),
        f"{person} {entry} {[person]}",
        pformat(person),
        repr(list(person.__rich_repr__())),
    ):
        assert "canary" not in shown
        assert "Ann" in shown
    assert (person.pin_code, person.nfc_token) == ("canary-1", "canary-2")


def test_repr_leaves_out_what_is_not_there() -> None:
    assert repr(Person(id=KEY, full_name="Ann")) == f"Person(id='{KEY}', full_name='Ann')"


def value_objects() -> list[type[ValueObject]]:
    found = [getattr(vocabulary, name) for name in vocabulary.__all__]
    return [item for item in found if isinstance(item, type) and issubclass(item, ValueObject)]


@pytest.mark.parametrize("owner", value_objects(), ids=lambda owner: owner.__name__)
def test_every_entity_is_cheap_to_hold_and_optional_but_for_its_key(
    owner: type[ValueObject],
) -> None:
    config = owner.__struct_config__
    assert config.frozen
    assert not config.gc
    for field in msgspec.structs.fields(owner):
        if issubclass(owner, Entity) and field.name == "id":
            assert field.required
        elif owner is not Coordinates:
            assert field.default is None, field.name
