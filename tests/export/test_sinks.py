from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jibble_legacy import TeamMember

from jibble_async import ConfigurationError, DecodeError, Person, TimeEntry
from jibble_async.core.pages import RawRow
from jibble_async.core.raw_rows import RawRows
from jibble_async.export.sinks import Format, FormatSink, csv_records, file_format
from jibble_async.export.sinks.csv_records import CsvSink, csv_lines
from jibble_async.export.sinks.json_lines import JsonLinesSink
from jibble_async.export.sinks.spreadsheets import spreadsheet_safe


def raw(*rows: str) -> list[RawRow]:
    return [(str(place), msgspec.Raw(row.encode())) for place, row in enumerate(rows)]


def cells(sink: CsvSink, row: str) -> dict[str, str]:
    text = (sink.head() + sink.encode(raw(row))).decode("utf-8-sig")
    (record,) = csv.DictReader(io.StringIO(text, newline=""))
    return record


def test_rows_stay_as_they_are() -> None:
    rows = ('{"id": "a", "x":1.50,"y":1e3}', '{"id":"b","note":"one\\ntwo \\u00fc ü"}')
    assert JsonLinesSink(TimeEntry).encode(raw(*rows)).decode() == "".join(
        row + "\n" for row in rows
    )


@pytest.mark.parametrize("white", ["\n", "\r\n", "\r"])
def test_a_row_over_several_lines_is_put_on_one(white: str) -> None:
    row = f'{{{white}  "id": "a",{white}  "x": 1.50 {white}}}'
    written = JsonLinesSink(TimeEntry).encode(raw('{"id":"0"}', row))
    assert written == b'{"id":"0"}\n{"id":"a","x":1.50}\n'


def test_the_columns_are_the_documented_fields() -> None:
    names = (
        CsvSink(TimeEntry, spreadsheet_safe=True)
        .head()
        .decode("utf-8-sig")
        .rstrip("\r\n")
        .split(",")
    )
    assert names[:5] == ["id", "type", "status", "time", "localTime"]
    assert "coordinates.latitude" in names
    assert not {"coordinates", "person", "activity", "project"}.intersection(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])  # noqa: RUF001
def test_formulas_are_disarmed(start: str) -> None:
    row = json.dumps({"id": "a", "note": f"{start}SUM(A1)"})
    safe = CsvSink(TimeEntry, spreadsheet_safe=True)
    assert cells(safe, row)["note"] == f"'{start}SUM(A1)"
    plain = CsvSink(TimeEntry, spreadsheet_safe=False)
    assert cells(plain, row)["note"] == f"{start}SUM(A1)"


@pytest.mark.parametrize("operator", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])  # noqa: RUF001
@pytest.mark.parametrize("separator", [";", "\t", "|", "\n", "\r\n", ";;", '";'])
def test_formulas_are_disarmed_behind_any_separator(separator: str, operator: str) -> None:
    safe = CsvSink(TimeEntry, spreadsheet_safe=True)
    row = json.dumps({"id": "a", "note": f"x{separator}{operator}1+1"})
    assert cells(safe, row)["note"] == f"x{separator}'{operator}1+1"
    # As Excel reads it where semicolons separate, and a quote behind a comma begins no cell.
    line = safe.encode(raw(row)).decode()
    pieces = re.split(r"[;\t|\r\n]", line)
    assert not [piece for piece in pieces if piece.startswith(operator)]
    plain = CsvSink(TimeEntry, spreadsheet_safe=False)
    assert cells(plain, row)["note"] == f"x{separator}{operator}1+1"


def test_a_separator_may_be_an_escape() -> None:
    row = r'{"id":"a","note":"x\u003b=1+1"}'
    assert cells(CsvSink(TimeEntry), row)["note"] == "x;'=1+1"


def test_formulas_within_lists_are_disarmed() -> None:
    row = json.dumps({"id": "a", "note": ["x;=1+1", -1], "address": {"=a": 1}})
    record = cells(CsvSink(TimeEntry), row)
    assert record["note"] == '["x;\'=1+1",-1]'


@pytest.mark.parametrize(
    "text", ["a;b", "a, -5", "2026-08-01", "x=1;y=2", "a\n\nb", "5-3", "", ";"]
)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert spreadsheet_safe(text) == text


@pytest.mark.parametrize(
    ("safe", "mark", "expected"),
    [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
)
def test_excel_is_told_that_it_is_utf_8(safe: bool, mark: bool | None, expected: bool) -> None:
    head = CsvSink(TimeEntry, spreadsheet_safe=safe, mark=mark).head()
    assert head.startswith(b"\xef\xbb\xbfid,") is expected
    assert JsonLinesSink(TimeEntry, mark=True).head() == b""


def test_numbers_keep_their_digits_and_their_sign() -> None:
    row = (
        '{"id":"a","coordinates":{"latitude":-23.5500,"longitude":-46},"faceSimilarity":-1.50,'
        '"isOffline":true,"isLocked":false,"picture":{"size":123456789012345678901},'
        '"note":-1e999999999999999999999}'
    )
    record = cells(CsvSink(TimeEntry, spreadsheet_safe=True), row)
    assert record["coordinates.latitude"] == "-23.5500"
    assert record["coordinates.longitude"] == "-46"
    assert record["faceSimilarity"] == "-1.50"
    assert (record["isOffline"], record["isLocked"]) == ("true", "false")
    assert record["picture.size"] == "123456789012345678901"
    assert record["note"] == "-1e999999999999999999999"


def test_texts_come_back_as_they_were() -> None:
    note = 'a "quoted", line\r\nand\nanother; Überstunden 客先 ☕ \u2028'
    row = json.dumps({"id": "a", "note": note})
    sink = CsvSink(TimeEntry, spreadsheet_safe=True)
    assert cells(sink, row)["note"] == note
    assert sink.encode(raw(row)).endswith(b"\r\n")


def test_lists_and_odd_values_are_json() -> None:
    row = '{"id":"a","note":[1.50,"x"],"address":{"street":"B"}}'
    record = cells(CsvSink(TimeEntry, spreadsheet_safe=True), row)
    assert json.loads(record["note"]) == [1.5, "x"]
    assert record["note"].startswith("[1.50,")
    assert json.loads(record["address"]) == {"street": "B"}


def test_what_has_no_column_is_counted() -> None:
    sink = CsvSink(TimeEntry, spreadsheet_safe=True)
    sink.encode(
        raw(
            '{"id":"a","mood":"good","@odata.etag":"1","platform":{"os":"x","chip":"y"}}',
            '{"id":"b","mood":null,"coordinates":"here","type@odata.type":"#String"}',
        )
    )
    assert sink.unknown_fields == {"mood": 1, "platform.chip": 1, "coordinates": 1}


@pytest.mark.parametrize("value", [b"1e", b"[" * 100_000])
def test_a_row_that_cannot_be_read_is_named(value: bytes) -> None:
    sink = CsvSink(TimeEntry, spreadsheet_safe=True)
    with pytest.raises(DecodeError, match=r"row 'ann' can't be read.*JSON lines keep every row"):
        sink.encode([("ann", msgspec.Raw(b'{"id":"ann","note":' + value + b"}"))])


@pytest.mark.parametrize("kind", [CsvSink, JsonLinesSink])
@pytest.mark.parametrize("columns", [None, ["id", "note"]])
def test_no_way_out_is_promised_for_a_row_that_is_no_text(
    kind: type[FormatSink], columns: list[str] | None
) -> None:
    sink = kind(TimeEntry, columns=columns)
    with pytest.raises(DecodeError, match="row 'ann' can't be read") as refused:
        sink.encode([("ann", msgspec.Raw(b'{"id":"ann","note":"\xff"}'))])
    assert "keep every row" not in str(refused.value)


def test_a_format_is_found_by_its_name_or_by_that_of_the_file() -> None:
    for each in Format:
        assert file_format(Path("x"), str(each)).format is each
        assert file_format(Path(f"x{each.suffixes[0]}"), None).format is each
        assert file_format(Path(f"x{each.suffixes[-1].upper()}"), None).format is each
        assert file_format(Path("x.csv"), each).format is each


def test_what_formats_there_are_is_said_where_one_is_not_known() -> None:
    with pytest.raises(ConfigurationError, match="no format 'xml': there are jsonl, csv, parquet"):
        file_format(Path("x.csv"), "xml")
    with pytest.raises(
        ConfigurationError, match=r"end it in .jsonl or .ndjson or .csv or .parquet, or"
    ):
        file_format(Path("x.xml"), None)


def test_a_format_says_whether_rows_stay_as_they_came() -> None:
    assert {each: each.sink.as_sent for each in Format} == {
        "jsonl": True,
        "csv": False,
        "parquet": False,
    }


@pytest.mark.parametrize("shape", [Person, TeamMember])
@pytest.mark.parametrize("sink", [CsvSink, JsonLinesSink])
def test_what_opens_a_kiosk_is_left_out_unless_it_is_asked_for(
    shape: type[Person], sink: type[FormatSink]
) -> None:
    row = '{"id":"a","pinCode":"canary","x":1.50,"nfcToken":"canary","fullName":"Ann"}'
    plain, asked = sink(shape), sink(shape, secrets=True)
    written = plain.head() + plain.encode(raw(row))
    assert b"canary" not in written
    assert b"pinCode" not in written
    assert b"Ann" in written
    assert set(plain.unknown_fields) <= {"x"}
    assert (asked.head() + asked.encode(raw(row))).count(b"canary") == 2


def test_what_is_left_out_leaves_the_rest_as_it_was() -> None:
    row = '{"id":"a","pinCode":null,"x":1.50,"y":{"b": 1e3},"z":"\\u00fc"}'
    written = JsonLinesSink(Person).encode(raw(row, '{"id": "b"}'))
    assert written.decode() == row.replace('"pinCode":null,', "") + '\n{"id": "b"}\n'


def test_quotes_stand_where_a_cell_needs_them_and_nowhere_else() -> None:
    notes = ["plain", "a, b", 'say "x"', "two\nlines", "", "plain"]
    sink = CsvSink(TimeEntry, columns=["id", "note"], mark=False)
    rows = [json.dumps({"id": str(place), "note": note}) for place, note in enumerate(notes)]
    written = sink.encode(raw(*rows)).decode()
    assert written == (
        '0,plain\r\n1,"a, b"\r\n2,"say ""x"""\r\n3,"two\nlines"\r\n4,\r\n5,plain\r\n'
    )
    # A comma in one cell must not make good for a record that has one too few.
    assert list(csv.reader(io.StringIO(written, newline=""))) == [
        [str(place), note] for place, note in enumerate(notes)
    ]


_NOTES = st.text(st.sampled_from("a1,;|\"=-+\t\r\n\\'\u00fc\uff1d "), max_size=6) | st.none()


@given(
    st.lists(st.lists(st.tuples(_NOTES, _NOTES), min_size=1, max_size=4), min_size=1, max_size=4),
    st.booleans(),
)
def test_a_record_is_the_same_alone_and_among_any_others(
    pages: list[list[tuple[str | None, str | None]]], safe: bool
) -> None:
    options: Any = {"columns": ["id", "note", "coordinates"], "mark": False}
    sink = CsvSink(TimeEntry, **options, spreadsheet_safe=safe)
    for page in pages:
        rows = [
            json.dumps({"id": str(at), "note": note, "coordinates": {"address": address}})
            for at, (note, address) in enumerate(page)
        ]
        alone = CsvSink(TimeEntry, **options, spreadsheet_safe=safe)
        text = "".join(f"{row}\n" for row in rows).encode()
        written = sink.encode(RawRows([str(at) for at in range(len(rows))], text))
        # As one reads it that nothing is known of.
        assert written == csv_lines([alone._record(row) for _, row in raw(*rows)])


@pytest.mark.parametrize("size", [1, 60, 10_000])
def test_rows_are_the_same_in_pieces_of_any_size(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(csv_records, "_PIECE", size)
    met: list[tuple[int | None, bytes]] = []
    sink = CsvSink(
        TimeEntry,
        columns=["id", "note"],
        mark=False,
        on_bad_row=lambda error, row: met.append((error.row, row)),
    )
    notes = ['"x, y"', "null", '"\\ud83d"', '"=1"', '"say \\"x\\""', "5", '"\\ud83d"', '"z"']
    rows = [f'{{"id":"{at}","note":{note},"new":{at}}}' for at, note in enumerate(notes)]
    assert sink.encode(raw(*rows)).decode() == (
        '0,"x, y"\r\n1,\r\n3,\'=1\r\n4,"say ""x"""\r\n5,5\r\n7,z\r\n'
    )
    assert met == [(2, rows[2].encode()), (6, rows[6].encode())]
    assert sink.unknown_fields == {"new": 6}


def test_an_empty_cell_alone_is_no_empty_line() -> None:
    sink = CsvSink(TimeEntry, columns=["note"], mark=False)
    written = sink.head() + sink.encode(raw('{"note":""}', '{"note":null}', '{"note":"x"}'))
    assert written == b'note\r\n""\r\n""\r\nx\r\n'


def test_more_new_fields_than_are_learned_are_read_all_the_same() -> None:
    sink = CsvSink(TimeEntry, columns=["id"], mark=False)
    row = json.dumps({"id": "a", **{f"new{number}": number for number in range(300)}})
    assert sink.encode(raw(row)) + sink.encode(raw(row)) == b"a\r\na\r\n"
    assert set(sink.unknown_fields.values()) == {2}
    assert len(sink.unknown_fields) == 300


def test_a_field_may_have_its_first_value_on_any_page() -> None:
    wanted = ["id", "note", "coordinates", "isOffline", "personName"]
    sink = CsvSink(TimeEntry, columns=wanted, names={"personId": {"p": "=Ann"}}, mark=False)
    pages = [
        '{"id":"a","note":null,"isOffline":null,"coordinates":null}',
        '{"id":"b","note":"=1"}',
        '{"id":"c","coordinates":{"latitude":-1.50,"longitude":null}}',
        '{"id":"d","isOffline":false,"personId":"p","new":null}',
        '{"id":"e","coordinates":{"longitude":2,"chip":5},"new":1}',
        '{"id":"f","note":"x, y","personId":"q","coordinates":"here"}',
        '{"id":"g","coordinates":{"chip":null}}',
    ]
    written = b"".join(sink.encode(raw(page)) for page in pages).decode()
    assert written.splitlines() == [
        "a,,,,,",
        "b,'=1,,,,",
        "c,,-1.50,,,",
        "d,,,,false,'=Ann",
        "e,,,2,,",
        'f,"x, y",,,,',
        "g,,,,,",
    ]
    assert sink.unknown_fields == {"new": 1, "coordinates.chip": 1, "coordinates": 1}


def test_a_bad_row_costs_no_other() -> None:
    met: list[int | None] = []
    sink = CsvSink(
        TimeEntry, columns=["id"], mark=False, on_bad_row=lambda error, _: met.append(error.row)
    )
    rows = [("a", msgspec.Raw(b'{"id":"a","new":1}')), ("b", msgspec.Raw(b'{"id":"\xff"}'))]
    assert sink.encode(rows) == b"a\r\n"
    assert met == [1]
    assert sink.unknown_fields == {"new": 1}
