from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from jibble_legacy import LegacyClient
from rich.pretty import pretty_repr

from jibble_async import Cursor, EntryType, JibbleClient, Page, Person, TimeEntry
from jibble_async.entities.rows import Rows
from jibble_async.html_tables import html_table
from jibble_async.pairing import work_sessions

KILOBYTE = 1000
NASTY = "<script>alert('x')</script>&" * 20


class Cells(HTMLParser):
    """What a browser would show, and the elements that it would make."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.rows += tag == "tr"


def month() -> list[TimeEntry]:
    """A month of forty people."""
    found: list[TimeEntry] = []
    for number in range(31 * 40 * 2):
        day, person = date(2026, 7, 1 + number // 80), number // 2 % 40
        kind = EntryType.OUT if number % 2 else EntryType.IN
        moment = datetime(day.year, day.month, day.day, 8 + 8 * (number % 2), tzinfo=UTC)
        found.append(
            TimeEntry(
                id=f"e{number}",
                type=kind,
                time=moment,
                local_time=moment,
                person_id=f"p{person}",
                belongs_to_date=day,
                note=NASTY,
                project_id="project",
            )
        )
    return found


def bundle(shown: Any) -> str:
    """All that a notebook keeps of a cell."""
    return repr(shown) + (shown._repr_html_() if hasattr(shown, "_repr_html_") else "")


def test_a_cell_of_a_month_is_small() -> None:
    entries = Rows(month(), entity=TimeEntry)
    sessions = work_sessions(entries)
    cursor = Cursor(offset=1, fingerprint="x")
    page = Page(items=list(entries), cursor=cursor, total=5000, raw=b"canary" * 1000)
    assert len(sessions.work) == 1240
    for shown in (entries, sessions, sessions.work, page, entries[0]):
        assert len(bundle(shown)) < 50 * KILOBYTE
        if not isinstance(shown, TimeEntry):
            assert "\n" not in repr(shown)
        html = Cells(shown._repr_html_())  # type: ignore[union-attr]
        assert "script" not in html.tags
        assert html.rows <= 11
    assert len(repr(sessions)) < 200
    assert "1230 more rows" in sessions._repr_html_()
    assert "canary" not in bundle(page)
    assert "canary" not in pretty_repr(page)
    assert len(pretty_repr(sessions)) < KILOBYTE
    assert repr(page) == "<Page: 2480 of 5000 rows>"


def test_reprs_are_short_and_say_what_helps() -> None:
    client = JibbleClient("the-id", "canary")
    legacy = LegacyClient("canary")
    assert repr(client) == "<JibbleClient: 0 requests so far>"
    assert repr(legacy) == "<LegacyClient: 0 requests so far>"
    assert repr(client.people.list()).startswith("<Pager of Person: read it by `async for`")
    assert repr(legacy.time_entries.list()).startswith("<Pager of LegacyTimeEntry: ")
    entries = [
        TimeEntry(
            id=f"e{hour}",
            type=kind,
            time=datetime(2026, 7, 1, hour, tzinfo=UTC),
            person_id="p",
            belongs_to_date=date(2026, 7, 1),
        )
        for hour, kind in ((8, EntryType.IN), (12, EntryType.OUT), (13, EntryType.IN))
    ]
    sessions = work_sessions(entries)
    assert repr(sessions) == ("<WorkSessions: 4:00 h in 1 stretches, 0 breaks, 1 leftovers>")
    assert repr(sessions.work) == "[<Stretch of p: 2026-07-01 08:00 UTC, 4:00:00>]"
    assert repr(sessions.leftovers) == "[<Leftover: no end, entry e13>]"


def test_rows_are_a_list_in_all_else() -> None:
    plain = [TimeEntry(id=f"{number}") for number in range(7)]
    rows = Rows(plain, entity=TimeEntry)
    assert rows == plain
    assert repr(rows).endswith(" … 2 more]")
    assert repr(Rows(plain[:5])) == repr(plain[:5])
    assert msgspec.json.encode(rows) == msgspec.json.encode(plain)
    for same in (pickle.loads(pickle.dumps(rows)), copy.copy(rows), copy.deepcopy(rows)):
        assert (type(same), same) == (list, plain)


def test_a_row_with_a_long_text_is_shortened() -> None:
    rows = Rows([TimeEntry(id="a", note="x" * 10**6)] * 3)
    assert len(bundle(rows)) < 10 * KILOBYTE


def test_rows_of_anything_have_a_table() -> None:
    assert ">-3:00:00</td>" in Rows([timedelta(hours=-3)])._repr_html_()
    assert ">3:00:00</td>" in Rows([timedelta(hours=3)])._repr_html_()
    assert "1 dict" in Rows([{"a": "<b>"}], entity=dict)._repr_html_()
    assert "&lt;b&gt;" in Rows([{"a": "<b>"}])._repr_html_()
    assert ">5</td>" in Rows([5])._repr_html_()
    assert Cells(Rows[Person]()._repr_html_()).rows == 1


def test_a_table_is_bounded_in_every_way() -> None:
    many = html_table(
        [f"c{n}" for n in range(50)],
        [["&" * 1000] * 50 for _ in range(100)],
        caption="&" * 1000,
        count=100,
    )
    assert len(many) < 50 * KILOBYTE
    assert "and 96 more rows and 34 more columns" in many
    assert many.count("<th ") == 16
    assert "&amp;…</td>" in many


@pytest.mark.parametrize("rows", [0, 10, 11])
def test_a_table_says_how_many_rows_it_leaves_out(rows: int) -> None:
    found = html_table(["a"], [[n] for n in range(rows)], caption="", count=rows)
    assert ("more" in found) == (rows > 10)
    assert found.count("<td ") == min(rows, 10)


def test_a_person_is_shown_without_what_opens_a_kiosk() -> None:
    one = Person(id="a", full_name="Ann", pin_code="canary")
    assert "Ann" in one._repr_html_()
    flags = [name for name in TimeEntry.__struct_fields__ if name.startswith("is_")]
    many = msgspec.structs.replace(TimeEntry(id="a"), **dict.fromkeys(flags, True))
    assert Cells(many._repr_html_()).rows == 1 + 1 + len(flags) > 11
    assert "canary" not in one._repr_html_()
