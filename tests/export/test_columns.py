from __future__ import annotations

import csv
import io
import json
from datetime import datetime

import msgspec
import pytest

from jibble_async import ConfigurationError, Person, TimeEntry
from jibble_async.entities import Schedule, Timesheet, TrackedTime, ValueObject
from jibble_async.export.sinks import FormatSink
from jibble_async.export.sinks.csv_records import CsvSink
from jibble_async.export.sinks.json_lines import JsonLinesSink
from jibble_async.tables.columns import Holds, Table, table_of

ROW = (
    '{"id":"a","personId":"p1","note":"=1","coordinates":{"latitude":1.50,"longitude":2},'
    '"projectId":null,"isOffline":true}'
)
NAMES = {"personId": {"p1": "=Ann", "p2": "Bob"}, "projectId": {}, "groupId": {"g": "Crew"}}


class Inner(ValueObject):
    depth: int | None = None


class Outer(ValueObject):
    inner: Inner | None = None
    at: datetime | None = None


class Row(ValueObject):
    outer: Outer | None = None


def names(table: Table) -> list[str]:
    return [leaf.name for leaf in table.leaves]


def record(sink: CsvSink, row: str = ROW) -> dict[str, str]:
    text = sink.head() + sink.encode([("a", msgspec.Raw(row.encode()))])
    (found,) = csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline=""))
    return found


def line(row: str = ROW, **options: object) -> dict[str, object]:
    sink = JsonLinesSink(TimeEntry, **options)
    found: dict[str, object] = json.loads(sink.encode([("a", msgspec.Raw(row.encode()))]))
    return found


def test_columns_come_in_the_order_that_is_wanted() -> None:
    wanted = ["note", "coordinates.longitude", "id", "coordinates.latitude"]
    table = table_of(TimeEntry, columns=wanted)
    assert names(table) == wanted
    assert [field.name for field in table.fields] == ["note", "coordinates", "id"]
    assert [each.name for each in table.fields[1].fields] == ["longitude", "latitude"]


def test_the_name_of_an_object_stands_for_all_of_its_columns() -> None:
    table = table_of(TimeEntry, columns=["coordinates", "id"])
    assert names(table) == ["coordinates.latitude", "coordinates.longitude", "id"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["ID"], "no column 'ID': did you mean id"),
        (["id", "note", "id"], "'id' is wanted twice"),
        (["coordinates", "coordinates.latitude"], "'coordinates.latitude' is wanted twice"),
        (["pinCode"], "'pinCode' opens a kiosk: secrets=True"),
        ([], "at least one"),
        ("id", "a list of names"),
    ],
)
@pytest.mark.parametrize("sink", [CsvSink, JsonLinesSink])
def test_columns_that_there_are_not(sink: type[FormatSink], columns: list[str], said: str) -> None:
    shape = Person if columns == ["pinCode"] else TimeEntry
    with pytest.raises(ConfigurationError, match=said):
        sink(shape, columns=columns)


def test_a_secret_is_a_column_if_it_is_asked_for() -> None:
    assert names(table_of(Person, columns=["pinCode"], secrets=True)) == ["pinCode"]
    assert not {"pinCode", "nfcToken"}.intersection(names(table_of(Person)))


def test_names_stand_behind_their_ids_or_at_the_end_or_where_they_are_wanted() -> None:
    found = names(table_of(TimeEntry, names=NAMES))
    assert found[found.index("personId") + 1] == "personName"
    assert "groupName" not in found
    ids = ["personId", "projectId"]
    table = table_of(TimeEntry, columns=["personId", "note"], names=ids)
    assert names(table) == ["personId", "personName", "note", "projectName"]
    table = table_of(TimeEntry, columns=["projectName", "note", "personName"], names=ids)
    assert names(table) == ["projectName", "note", "personName"]


def test_a_record_of_chosen_columns_and_names() -> None:
    wanted = ["coordinates.longitude", "personName", "isOffline", "coordinates.latitude"]
    sink = CsvSink(TimeEntry, columns=wanted, names=NAMES)
    found = record(sink)
    assert list(found.items()) == [
        ("coordinates.longitude", "2"),
        ("personName", "'=Ann"),
        ("isOffline", "true"),
        ("coordinates.latitude", "1.50"),
        ("projectName", ""),
    ]
    assert not sink.unknown_fields
    odd = ROW.replace('"note"', '"mood":1,"note"').replace('"p1"', '"p2"')
    assert record(sink, odd)["personName"] == "Bob"
    assert record(sink, odd.replace('"p2"', '"p3"'))["personName"] == ""
    assert sink.unknown_fields == {"mood": 2}


def test_a_line_of_chosen_columns_has_the_digits_that_were_sent() -> None:
    wanted = ["coordinates.latitude", "personId", "address"]
    sink = JsonLinesSink(TimeEntry, columns=wanted)
    written = sink.encode([("a", msgspec.Raw(ROW.replace('"note"', '"mood":1,"note"').encode()))])
    assert written == b'{"coordinates":{"latitude":1.50},"personId":"p1","address":null}\n'
    assert sink.unknown_fields == {"mood": 1}


def test_a_line_gets_names_behind_all_that_was_sent() -> None:
    found = line(names=NAMES)
    assert list(found)[-2:] == ["personName", "projectName"]
    assert (found["personName"], found["projectName"]) == ("=Ann", None)
    assert list(line(columns=["personName"], names={"personId": {"p1": "Ann"}}).items()) == [
        ("personName", "Ann")
    ]


def test_kinds_are_those_of_the_fields() -> None:
    kinds = {field.name: field.holds for field in table_of(TimeEntry).fields}
    assert kinds["time"] is Holds.MOMENT
    assert kinds["localTime"] is Holds.CLOCK
    assert kinds["belongsToDate"] is Holds.DAY
    assert kinds["offset"] is kinds["type"] is kinds["personId"] is Holds.TEXT
    assert kinds["isOffline"] is Holds.FLAG
    assert kinds["faceSimilarity"] is Holds.NUMBER
    assert kinds["coordinates"] is Holds.OBJECT


def test_rows_within_rows_and_expanded_entities_are_no_columns() -> None:
    assert "items" not in names(table_of(TrackedTime))
    assert "unitManagers" not in names(table_of(Person))
    assert "group" not in names(table_of(Person))
    lists = {field.name: field for field in table_of(Schedule).fields}
    assert lists["daySchedules"].items is Holds.OBJECT
    daily = next(field for field in table_of(Timesheet).fields if field.name == "daily")
    kinds = {field.name: field.holds for field in daily.fields}
    assert kinds["firstInOffset"] is Holds.CLOCK
    assert kinds["trackedHours"] is Holds.OBJECT


def test_objects_within_objects_are_json() -> None:
    sink = CsvSink(Row)
    assert (
        record(sink, '{"outer":{"inner":{"depth": 2},"at":null}}')["outer.inner"] == '{"depth":2}'
    )
