"""Whatever the format, a file has the values that the clients read of the same rows."""

from __future__ import annotations

import csv
import io
import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jibble_async import TimeEntry
from jibble_async.core.lenient import lenient_decoder
from jibble_async.core.wire import Reply
from jibble_async.export.sinks import Format, FormatSink
from jibble_async.export.sinks.csv_records import CsvSink
from jibble_async.odata.raw_pages import head_type, read_raw

parquet = pytest.importorskip("pyarrow.parquet", reason="without pyarrow there is no Parquet")

_TEXTS = st.text(st.sampled_from('a1,;="\r\n\\\0ü☕😀 '), max_size=5) | st.sampled_from(
    ["null", "true", "2026-07-01", "-1", "},{"]
)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-90, 90)


def rows(first: int, last: int) -> st.SearchStrategy[dict[str, Any]]:
    """Rows with moments of these years."""
    moments = st.builds(
        lambda at, digits, zone: f"{at.isoformat()}{digits}{zone}",
        st.datetimes(datetime(first, 1, 2), datetime(last, 12, 30)).map(_whole),  # noqa: DTZ001
        st.sampled_from(["", ".5", ".1234567", ".9999999", ".000000"]),
        st.sampled_from(["Z", "+02:00", "-05:30"]),
    )
    fields: dict[str, st.SearchStrategy[Any]] = {
        "note": _TEXTS,
        "address": _TEXTS,
        "isOffline": st.booleans(),
        "faceSimilarity": _NUMBERS,
        "coordinates": st.fixed_dictionaries({"latitude": _NUMBERS, "longitude": _NUMBERS}),
        "platform": st.fixed_dictionaries({}, optional={"os": _TEXTS, "chip": _TEXTS}),
        "picture": st.fixed_dictionaries({}, optional={"size": st.integers(0, 2**63 - 1)}),
        "time": moments,
        "localTime": moments,
        "belongsToDate": st.dates().map(str),
        "new": _TEXTS | st.integers() | st.lists(st.booleans(), max_size=2),
    }
    return st.fixed_dictionaries({}, optional={name: st.none() | of for name, of in fields.items()})


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _pages(row: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[list[dict[str, Any]]]]:
    return st.lists(st.lists(row, min_size=1, max_size=4), min_size=1, max_size=4)


def written(sink: FormatSink, pages: list[bytes]) -> bytes:
    head = head_type("id")
    read = [read_raw(Reply(200, {}, page), head).items for page in pages]
    return b"".join([sink.head(), *map(sink.encode, read), sink.finish()])


@settings(max_examples=20)
# Nanoseconds, in which Arrow reads moments, have no room for the years of the second.
@given(_pages(rows(1900, 2100)) | _pages(rows(1000, 9999)), st.booleans())
def test_a_file_has_what_the_clients_read(
    pages: list[list[dict[str, Any]]], is_compact: bool
) -> None:
    numbers = itertools.count()
    sent = [[{"id": str(next(numbers)), **row} for row in page] for page in pages]
    flat = [row for page in sent for row in page]
    bodies = [json.dumps({"value": page}, ensure_ascii=not is_compact).encode() for page in sent]
    if is_compact:
        bodies = [msgspec.json.format(body, indent=-1) for body in bodies]
    decode = lenient_decoder(TimeEntry)
    entries = [decode(json.dumps(row).encode()) for row in flat]

    lines = written(Format.JSONL.sink(TimeEntry), bodies)
    assert msgspec.json.Decoder().decode_lines(lines) == flat

    text = written(CsvSink(TimeEntry, spreadsheet_safe=False), bodies).decode()
    records = [*csv.DictReader(io.StringIO(text, newline=""))]
    table = written(Format.PARQUET.sink(TimeEntry), bodies)
    found: list[dict[str, Any]] = parquet.read_table(io.BytesIO(table)).to_pylist()
    assert len(entries) == len(records) == len(found)
    for row, entry, record, values in zip(flat, entries, records, found, strict=True):
        wire = dict(zip(entry.__struct_encode_fields__, entry.__struct_fields__, strict=True))
        for name, value in values.items():
            read = getattr(entry, wire[name])
            if isinstance(value, datetime):
                # Files have moments cut, and clients rounded.
                aware = value.replace(tzinfo=value.tzinfo or read.tzinfo)
                assert timedelta(0) <= read.astimezone(UTC) - aware <= timedelta(microseconds=1)
            elif isinstance(value, dict):
                assert value == {key: each for key, each in _built(read).items() if key in value}
            else:
                assert value == read
        for name, cell in record.items():
            owner, _, inner = name.rpartition(".")
            value = (row.get(owner) or {}).get(inner) if owner else row.get(name)
            assert cell == ("" if value is None else _plain(value))


def _built(read: Any) -> dict[str, Any]:
    wire = dict(zip(read.__struct_encode_fields__, read.__struct_fields__, strict=True))
    return {name: getattr(read, attribute) for name, attribute in wire.items()}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
