"""What pages are made of: words, bars, maps of days, and one shell for all."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from jibble_async.cli.report_html import page
from jibble_async.cli.report_lines import Line
from jibble_async.entities import GroupBy
from jibble_async.pages import Html, clean_text, hours_words, render
from jibble_async.pages.charts import heat_map, pieces_of
from jibble_async.pages.words import day_words, minutes_words, span_words

DAY = date(2026, 7, 6)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("seconds", "rounded", "cut"),
    [
        (0, "0:00", "0:00"),
        (59, "0:01", "0:00"),
        (3600, "1:00", "1:00"),
        (28_859.999, "8:01", "8:00"),
        (4_204_799, "1,168:00", "1,167:59"),
        (-1800, "-0:30", "-0:30"),
    ],
)
def test_lengths_in_words(seconds: float, rounded: str, cut: str) -> None:
    length = timedelta(seconds=seconds)
    assert (hours_words(length), minutes_words(length)) == (rounded, cut)


def test_days_in_words_whatever_the_locale() -> None:
    assert day_words(DAY) == "Mon 6 Jul 2026"
    assert span_words(DAY, DAY) == "6 July 2026"
    assert span_words(DAY, date(2027, 1, 1)) == "6 July 2026 to 1 January 2027"


def test_a_text_keeps_what_a_document_can_hold() -> None:
    assert clean_text("a\x00b\u202ec\ud800d\uffffe\tf 明 ف") == "a b c d e\tf 明 ف"


def test_pieces_lie_one_behind_the_other() -> None:
    parts = [("a", HOUR), ("b", timedelta(0)), ("c", -HOUR), ("d", 3 * HOUR)]
    found = [(each.kind, each.begin, each.length) for each in pieces_of(parts, 5 * HOUR)]
    assert found == [("a", 0, 20), ("d", 20, 60)]
    assert pieces_of(parts, timedelta(0)) == []


def test_a_map_has_a_shade_for_hours_and_a_frame_for_time_off() -> None:
    hours = {
        DAY + timedelta(days=place): length * HOUR
        for place, length in enumerate((0.1, 4, 6, 8, 10))
    }
    off = frozenset({DAY, DAY + timedelta(days=5)})
    made = heat_map([("Ann", hours)], DAY, DAY + timedelta(days=9), [off])
    (row,) = made.rows
    # What was worked on a day off is shown as work.
    assert [cell.kind for cell in row.cells] == ["h1", "h2", "h3", "h4", "h5", "off"]
    assert [cell.x for cell in row.cells] == [0, 10, 20, 30, 40, 50]
    assert row.cells[1].told == "Tue 7 Jul 2026: 4:00"
    assert row.total == "28:06"
    assert ("off", "time off") in made.key
    assert [tick.text for tick in made.ticks if not tick.minor] == ["6", "11"]
    assert ("off", "time off") not in heat_map([("Ann", hours)], DAY, DAY).key


@pytest.mark.parametrize(("days", "ticks"), [(45, 45), (46, 23), (366, 41)])
def test_days_that_have_no_room_have_no_number(days: int, ticks: int) -> None:
    assert len(heat_map([], DAY, DAY + timedelta(days=days - 1)).ticks) == ticks


def test_values_are_escaped_and_html_is_not() -> None:
    document = render("document.html", title="<t>", style=Html("b > i {}"), body=Html("<p>x</p>"))
    assert "<title>&lt;t&gt;</title>" in document
    assert "b > i {}" in document
    assert "<p>x</p>" in document
    assert "&lt;p&gt;" in render("document.html", title="", style="", body="<p>")


def test_every_page_is_of_the_shell() -> None:
    part = Line(None, "day", HOUR, day=DAY)
    line = Line("a", "Ann", HOUR, parts=(part,))
    document = page([line], DAY, DAY, GroupBy.MEMBER, GroupBy.DATE)
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert f'<meta http-equiv="Content-Security-Policy" content="{policy}">' in document
    assert '<table class="heat">' in document
    assert "Mon 6 Jul 2026: 1:00" in document
    # Days that are on the map are no parts below the bars.
    assert 'class="parts"' not in document


def test_every_colour_of_the_day_has_one_of_the_night() -> None:
    document = render("document.html", title="", style="", body="")
    by_day, by_night, *_ = document.split("@media")
    names = [re.findall(r"(--[a-z0-9]+): #", part) for part in (by_day, by_night)]
    assert names[0] == names[1] != []
