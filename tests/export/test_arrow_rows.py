"""Every row of the table of inputs that Arrow's reader of JSON was tried with."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from jibble_async import ConfigurationError, DecodeError, Person, TimeEntry
from jibble_async.core.pages import RawRow
from jibble_async.core.wire import Reply
from jibble_async.entities import ValueObject
from jibble_async.odata.envelope import read_page
from jibble_async.tables.schema import schema_of

pa = pytest.importorskip("pyarrow", reason="without pyarrow there is no Parquet")
parquet = pytest.importorskip("pyarrow.parquet")

from jibble_async.export.sinks.parquet import ParquetSink  # noqa: E402

GOOD = '{"id":"good"}'


def rows(*texts: str | bytes) -> list[RawRow]:
    raws = [each if isinstance(each, bytes) else each.encode() for each in texts]
    return [(f"row {place}", msgspec.Raw(raw)) for place, raw in enumerate(raws)]


def read(sink: ParquetSink, *texts: str | bytes) -> list[dict[str, Any]]:
    data = sink.encode(rows(*texts)) + sink.finish()
    found: list[dict[str, Any]] = parquet.read_table(io.BytesIO(data)).to_pylist()
    return found


def entry(text: str, **options: Any) -> dict[str, Any]:
    """A row of a time entry beside a good one, as it is read back."""
    good, found = read(ParquetSink(TimeEntry, **options), GOOD, text)
    assert good["id"] == "good"
    return found


def test_new_fields_are_counted_and_named() -> None:
    sink = ParquetSink(TimeEntry)
    read(
        sink,
        '{"id":"a","mood":"good","@odata.etag":"1","platform":{"os":"x","chip":"y","cpu":null}}',
        '{"id":"b","mood":null,"tags":["x"],"person":{"id":"p"},"new":null}',
        '{"id":"c","mood":"2026-07-01","platform":{"chip":"z"}}',
    )
    assert sink.unknown_fields == {"mood": 2, "tags": 1, "person": 1, "platform.chip": 2}


def test_a_new_field_of_two_types_in_a_page_is_counted_too() -> None:
    sink = ParquetSink(TimeEntry)
    found = read(sink, '{"id":"a","mood":"good","note":"x"}', '{"id":"b","mood":5,"tags":null}')
    assert [each["note"] for each in found] == ["x", None]
    assert sink.unknown_fields == {"mood": 2}


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ('"note":5', "Expected `str \\| null`, got `int`"),
        ('"isOffline":"yes"', "Expected `bool \\| null`, got `str`"),
        ('"coordinates":[1,2]', "Expected `object \\| null`, got `array`"),
        ('"picture":{"size":1e400}', "out of range"),
        ('"picture":{"size":12345678901234567890123}', "int64"),
        ('"faceSimilarity":"NaN"', "Expected `float \\| null`, got `str`"),
        ('"time":"yesterday"', "RFC3339"),
        ('"belongsToDate":"2026-13-01"', "RFC3339"),
    ],
)
def test_a_row_that_does_not_fit_is_named(odd: str, reason: str) -> None:
    bad = f'{{"id":"bad",{odd}}}'
    with pytest.raises(DecodeError, match=f"the row 'row 1' can't be read: .*{reason}") as raised:
        read(ParquetSink(TimeEntry), GOOD, bad, GOOD)
    assert raised.value.row == 1
    met: list[tuple[int | None, bytes]] = []
    sink = ParquetSink(TimeEntry, on_bad_row=lambda error, row: met.append((error.row, row)))
    assert [each["id"] for each in read(sink, GOOD, bad, GOOD)] == ["good", "good"]
    assert met == [(1, bad.encode())]


@pytest.mark.parametrize("odd", ["null", "5", "[1]", '"x"'])
@pytest.mark.parametrize("before", [(), (GOOD,)])
def test_a_row_that_is_no_object_is_named(odd: str, before: tuple[str, ...]) -> None:
    # Arrow's reader ends the process where the first row is null.
    with pytest.raises(DecodeError, match=r"the row 'row [01]' can't be read: Expected `object`"):
        read(ParquetSink(TimeEntry), *before, odd)


def test_text_that_is_no_utf_8_is_found_before_it_is_written() -> None:
    with pytest.raises(DecodeError, match=r"the row 'row 1' can't be read: .*utf-8"):
        read(ParquetSink(TimeEntry), GOOD, b'{"id":"bad","note":"\xff"}')
    sink = ParquetSink(TimeEntry)
    assert len(read(sink, GOOD, b'{"id":"b","mood":"\xff"}')) == 2
    assert sink.unknown_fields == {"mood": 1}


@pytest.mark.parametrize(
    ("odd", "field", "expected"),
    [
        ('"note":"first","note":"last"', "note", "last"),
        ('"mood":1,"mood":2', "note", None),
        ('"picture":{"size":"12"}', "picture", 12),
        ('"belongsToDate":"2026-07-01T00:00:00Z"', "belongsToDate", date(2026, 7, 1)),
        ('"time":"2026-07-01"', "time", datetime(2026, 7, 1, tzinfo=UTC)),
        ('"coordinates":null', "coordinates", None),
        ('"coordinates":{"latitude":1,"longitude":2.5}', "coordinates", (1.0, 2.5)),
        ('"note":"\\u0000 \\u00fc \\ud83d\\ude00 ☕"', "note", "\0 ü 😀 ☕"),
    ],
)
def test_what_is_odd_is_read_as_the_clients_read_it(odd: str, field: str, expected: object) -> None:
    found = entry(f'{{"id":"odd",{odd}}}')[field]
    if isinstance(found, dict):
        found = found["size"] if field == "picture" else tuple(found.values())
    assert found == expected


def test_rows_over_several_lines_are_read() -> None:
    assert entry('{\r\n  "id": "a",\n  "note": "x"\n}')["note"] == "x"


def test_missing_fields_and_no_rows_at_all() -> None:
    assert set(entry("{}").values()) == {None}
    sink = ParquetSink(TimeEntry)
    assert read(sink) == []
    assert parquet.read_schema(io.BytesIO(b"".join([ParquetSink(TimeEntry).finish()]))) == (
        schema_of(TimeEntry)
    )


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-07-01T10:00:00Z", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("2026-07-01T10:00:00.1234567Z", datetime(2026, 7, 1, 10, 0, 0, 123456, UTC)),
        ("2026-07-01T10:00:00.9999999Z", datetime(2026, 7, 1, 10, 0, 0, 999999, UTC)),
        ("2026-07-01T10:00:00.5+02:00", datetime(2026, 7, 1, 8, 0, 0, 500000, UTC)),
        ("1969-12-31T23:59:59.9999999Z", datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.9999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        ("2026-07-01T10:00:00", datetime(2026, 7, 1, 10, tzinfo=UTC)),
    ],
)
def test_moments_are_cut_to_microseconds(sent: str, expected: datetime) -> None:
    assert entry(f'{{"id":"a","time":"{sent}"}}')["time"] == expected


def pages(sink: ParquetSink, *texts: str) -> list[dict[str, Any]]:
    """Rows of pages of one row each, as they are read back."""
    data = b"".join([*(sink.encode(rows(each)) for each in texts), sink.finish()])
    found: list[dict[str, Any]] = parquet.read_table(io.BytesIO(data)).to_pylist()
    return found


def test_a_field_may_have_its_first_value_on_any_page() -> None:
    sink = ParquetSink(TimeEntry, names={"personId": {"p": "Ann"}})
    found = pages(
        sink,
        '{"id":"a","note":null}',
        '{"id":"b","note":"2026-07-01","coordinates":null}',
        '{"id":"c","coordinates":{"latitude":1},"picture":{},"personId":"p"}',
        '{"id":"d","time":"2026-07-01T10:00:00.1234567Z","isOffline":true,"new":null}',
        '{"id":"e","note":"x","new":"y"}',
        '{"id":"f","new":"z","platform":{"chip":"v"}}',
    )
    assert [each["note"] for each in found] == [None, "2026-07-01", None, None, "x", None]
    assert found[2]["coordinates"]["latitude"] == 1.0
    assert found[2]["picture"] is not None
    assert [each["coordinates"] for each in found[:2]] == [None, None]
    assert [each["personName"] for each in found[1:4]] == [None, "Ann", None]
    assert found[3]["time"] == datetime(2026, 7, 1, 10, 0, 0, 123456, UTC)
    assert [each["isOffline"] for each in found] == [None, None, None, True, None, None]
    assert sink.unknown_fields == {"new": 2, "platform.chip": 1}


@pytest.mark.parametrize("odd", ["5", '{"x":1}', "[1]", "true"])
def test_a_first_value_of_another_type_is_a_bad_row(odd: str) -> None:
    with pytest.raises(DecodeError, match="Expected `str \\| null`"):
        pages(ParquetSink(TimeEntry), '{"id":"a"}', f'{{"id":"b","note":{odd}}}')


def test_moments_that_nanoseconds_have_no_room_for_may_come_on_any_page() -> None:
    sent = ["2026-07-01T10:00:00.1234567Z", "9999-12-31T23:59:59Z", "2026-07-01T10:00:00.9999999Z"]
    found = pages(ParquetSink(TimeEntry), *(f'{{"id":"a","time":"{each}"}}' for each in sent))
    assert [each["time"] for each in found] == [
        datetime(2026, 7, 1, 10, 0, 0, 123456, UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 7, 1, 10, 0, 0, 999999, UTC),
    ]


def test_clocks_of_one_page_may_be_written_in_several_forms() -> None:
    sent = ["10:00:00+02:00", "11:00:00Z", "12:00:00.5-0530", "13:00:00"]
    texts = [f'{{"id":"a","localTime":"2026-07-01T{each}"}}' for each in sent]
    found = [each["localTime"] for each in read(ParquetSink(TimeEntry), *texts)]
    assert found == [
        clock(2026, 7, 1, 10),
        clock(2026, 7, 1, 11),
        clock(2026, 7, 1, 12, 0, 0, 500000),
        clock(2026, 7, 1, 13),
    ]


def clock(*parts: int) -> datetime:
    return datetime(*parts)  # noqa: DTZ001 - what a clock on the wall says


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ("2026-07-01T10:00:00+02:00", clock(2026, 7, 1, 10)),
        ("2026-07-01T10:00:00.1234567-05:30", clock(2026, 7, 1, 10, 0, 0, 123456)),
        ("2026-07-01T10:00:00Z", clock(2026, 7, 1, 10)),
        ("2026-07-01T10:00:00", clock(2026, 7, 1, 10)),
        ("9999-12-31T23:59:59.9999999+14:00", clock(9999, 12, 31, 23, 59, 59, 999999)),
    ],
)
def test_a_moment_on_the_clock_has_no_zone(sent: str, expected: datetime) -> None:
    assert entry(f'{{"id":"a","localTime":"{sent}"}}')["localTime"] == expected


def test_times_within_objects_and_lists() -> None:
    found = read(
        ParquetSink(_Outer),
        '{"parts":[{"at":"2026-07-01T10:00:00.1234567Z","day":"2026-07-01","more":1},null],'
        '"inner":{"at":null},"tags":["a",null]}',
        '{"parts":null,"inner":null,"tags":[]}',
        '{"parts":[],"inner":{"day":"2026-07-02"}}',
    )
    moment = datetime(2026, 7, 1, 10, 0, 0, 123456, UTC)
    assert found == [
        {
            "parts": [{"at": moment, "day": date(2026, 7, 1)}, None],
            "inner": {"at": None, "day": None},
            "tags": ["a", None],
        },
        {"parts": None, "inner": None, "tags": []},
        {"parts": [], "inner": {"at": None, "day": date(2026, 7, 2)}, "tags": None},
    ]


def test_a_page_without_value_is_an_error_and_not_a_page_of_no_rows() -> None:
    with pytest.raises(DecodeError, match="value"):
        read_page(Reply(200, {}, b'{"@odata.count":3}'), msgspec.Raw)


def test_half_a_character_is_mended_where_a_page_is_split() -> None:
    page = read_page(Reply(200, {}, b'{"value":[{"id":"a","note":"cut \\ud83d"}]}'), msgspec.Raw)
    (found,) = read(ParquetSink(TimeEntry), bytes(page.items[0]))
    assert found["note"] == "cut \ufffd"
    # A row that comes from elsewhere is refused.
    with pytest.raises(DecodeError):
        read(ParquetSink(TimeEntry), '{"id":"a","note":"cut \\ud83d"}')


@pytest.mark.parametrize("at", [0, 499, 999])
def test_one_bad_row_does_not_cost_its_page(at: int) -> None:
    page = [f'{{"id":"{number}","picture":{{"size":{number}}}}}' for number in range(1000)]
    # What the clients can read and Arrow has no room for.
    page[at] = f'{{"id":"{at}","picture":{{"size":{2**70}}}}}'
    met: list[int | None] = []
    sink = ParquetSink(TimeEntry, on_bad_row=lambda error, _: met.append(error.row))
    found = [each["id"] for each in read(sink, *page)]
    assert found == [str(number) for number in range(1000) if number != at]
    assert met == [at]


def test_columns_and_names() -> None:
    names = {"personId": {"p": "Ann", "q": "Bob"}, "projectId": {}}
    wanted = ["coordinates.longitude", "personName", "note", "time"]
    sink = ParquetSink(TimeEntry, columns=wanted, names=names)
    found = read(
        sink,
        '{"id":"a","personId":"q","note":"x","coordinates":{"latitude":1,"longitude":2},"x":1}',
        '{"id":"b","personId":"gone","projectId":"p","status":5}',
    )
    assert [list(each.values()) for each in found] == [
        [{"longitude": 2.0}, "Bob", "x", None, None],
        [None, None, None, None, None],
    ]
    assert sink.unknown_fields == {"x": 1}
    assert list(found[0]) == ["coordinates", "personName", "note", "time", "projectName"]


def test_what_opens_a_kiosk_is_left_out_unless_it_is_asked_for() -> None:
    row = '{"id":"a","pinCode":"canary","nfcToken":"canary","fullName":"Ann"}'
    plain = ParquetSink(Person)
    assert "canary" not in str(read(plain, row))
    assert not plain.unknown_fields
    assert str(read(ParquetSink(Person, secrets=True), row)).count("canary") == 2


def test_what_may_be_anything_has_no_column() -> None:
    sink = ParquetSink(_Loose)
    assert read(sink, '{"id":"a","extra":{"x":1}}') == [{"id": "a"}]
    assert sink.unknown_fields == {"extra": 1}
    with pytest.raises(ConfigurationError, match="'extra' may hold anything"):
        ParquetSink(_Loose, columns=["extra"])


def test_the_schema_is_that_of_the_entity() -> None:
    schema = schema_of(TimeEntry)
    assert schema.field("time").type == pa.timestamp("us", "UTC")
    assert schema.field("localTime").type == pa.timestamp("us")
    assert schema.field("belongsToDate").type == pa.date32()
    assert schema.field("offset").type == pa.string()
    assert schema.field("isOffline").type == pa.bool_()
    assert schema.field("picture").type.field("size").type == pa.int64()
    assert schema.field("coordinates").type.field("latitude").type == pa.float64()
    assert "pinCode" not in schema_of(Person).names
    assert schema_of(TimeEntry, columns=["note", "id"], names=["personId"]).names == [
        "note",
        "id",
        "personName",
    ]


def test_rows_are_gathered_and_what_repeats_has_a_dictionary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("jibble_async.export.sinks.parquet._GROUP_ROWS", 250)
    sink = ParquetSink(TimeEntry)
    pages = [
        rows(
            *(
                json.dumps({"id": f"{page}-{n}", "type": "In", "platform": {"os": "x"}})
                for n in range(100)
            )
        )
        for page in range(6)
    ]
    data = b"".join([*map(sink.encode, pages), sink.finish()])
    file = parquet.ParquetFile(io.BytesIO(data))
    groups = [file.metadata.row_group(n) for n in range(file.num_row_groups)]
    assert [group.num_rows for group in groups] == [300, 300]
    columns = {column.path_in_schema: column for column in map(groups[0].column, range(20))}
    assert "RLE_DICTIONARY" in columns["type"].encodings
    assert "RLE_DICTIONARY" not in columns["id"].encodings
    assert columns["id"].compression == "ZSTD"
    joined = b"".join(ParquetSink.joined([io.BytesIO(data), io.BytesIO(data)]))
    assert parquet.read_table(io.BytesIO(joined)).num_rows == 1200


class _Inner(ValueObject):
    at: datetime | None = None
    day: date | None = None


class _Outer(ValueObject):
    parts: list[_Inner] | None = None
    inner: _Inner | None = None
    tags: list[str] | None = None


class _Loose(ValueObject):
    id: str
    extra: dict[str, Any] | None = None
