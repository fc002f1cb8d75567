"""The page that is signed: its sentence, its sum, and that nothing in an account can break it."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jibble_legacy.migration import Migration
from jibble_legacy.migration.report.chart import chart, every_month
from jibble_legacy.migration.report.html import NONE, hours, moment, share, span
from jibble_legacy.migration.report.numbers import Month, ReadBack, Sums, TellingGap
from jibble_legacy.migration.report.page import page
from jibble_legacy.migration.report.verdict import Colour, judgement
from msgspec.structs import replace

from jibble_async.errors import ConfigurationError
from jibble_async.pages import rendering
from tests.migration.made_up import PEOPLE, READY, WAITS, WRONG, at

_VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Whether tags close in their order; what is loaded or run; and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("numbers", [READY, WAITS, WRONG], ids=["ready", "waits", "wrong"])
def test_the_page_is_whole_and_loads_and_runs_nothing(numbers: object) -> None:
    assert isinstance(numbers, type(READY))
    html = page(numbers)
    read = Reader(html)
    assert not read.tags & {"script", "link", "img", "iframe", "object", "form", "a"}
    assert not {each for each in read.attributes if each.startswith("on")}
    assert not read.attributes & {"src", "href", "action"}
    assert "url(" not in html
    assert "@import" not in html
    assert "default-src 'none'" in html


def test_what_an_account_holds_is_text_and_can_turn_no_line() -> None:
    evil = "</bdi><script>alert(1)</script>\u202e\x00\" onload='x' &amp;"
    person = replace(
        PEOPLE[0], old_id=evil, name=evil, email=evil, found=evil, zone=evil, is_open=False
    )
    sample = replace(
        READY.samples[0],
        old_id=evil,
        person=evil,
        note=evil,
        new_id=evil,
        action=evil,
        local=evil,
        day=evil,
        type=evil,
        verdict=evil,
    )
    gap = TellingGap(
        person=evil,
        month="2026-01",
        old_entries=1,
        new_entries=0,
        old_worked=0,
        new_worked=0,
        is_explained=False,
    )
    reason = replace(READY.held_back[0], code=evil, reason=evil, way_out=evil)
    numbers = replace(
        WRONG,
        old_name=evil,
        old_host=evil,
        new_name=evil,
        people=[person],
        samples=[sample],
        gaps=[gap],
        held_back=[reason],
        flaws=[evil],
        homeless=[replace(READY.homeless[0], what=evil, fields=evil, file=evil)],
        oddities=[replace(READY.oddities[0], what=evil, means=evil)],
        again=ReadBack(source=evil),
        auditor=replace(READY.auditor, chain=evil, plan=evil, tool=evil, probe=[evil]),
        drawn_by=evil,
    )
    html = page(numbers)
    read = Reader(html)
    assert "script" not in read.tags
    assert "onload" not in read.attributes
    # A name is isolated, and what would turn the line is gone from it.
    assert "\x00" not in html
    named = re.findall("<bdi>(.*?)</bdi>", html, re.DOTALL)
    assert named
    assert not any("\u202e" in name or "<" in name for name in named)


def test_it_may_be_signed_if_the_rest_cant_be_moved() -> None:
    said = judgement(READY)
    assert (said.colour, said.headline, said.reasons) == (Colour.GREEN, "Ready to sign.", ())
    assert "4 are held back for good" in said.told


def test_a_person_without_a_decision_is_the_headline() -> None:
    said = judgement(WAITS)
    assert said.colour == Colour.AMBER
    assert said.headline == "Not finished: 1 person with 2,036 entries waits for a decision."


def test_all_that_speaks_against_it_is_listed_the_wrong_before_the_unfinished() -> None:
    said = judgement(WRONG)
    assert (said.colour, said.headline) == (Colour.RED, "Do not sign: 5 things are wrong.")
    assert said.reasons == (
        "page 12 of the ledger is not what it was when it was read",
        "2 entries are missing",
        "1 entry differs",
        "4 entries are there twice",
        "of 3 entries nobody knows whether it arrived",
        "1 person with 2,036 entries waits for a decision",
        "Jibble refused 2 entries",
    )
    assert "Nothing is missing" not in said.told


GAP = WAITS.gaps[0]


@pytest.mark.parametrize(
    ("changes", "colour", "reason"),
    [
        ({"flaws": ["the chain is broken"]}, Colour.RED, "the chain is broken"),
        ({"sums": replace(READY.sums, missing=1, arrived=17_225)}, Colour.RED, "1 entry is miss"),
        ({"sums": replace(READY.sums, unknown=1, arrived=17_225)}, Colour.RED, "of 1 entry nobody"),
        ({"sums": replace(READY.sums, arrived=17_225)}, Colour.RED, "the sum is wrong by 1"),
        ({"found": replace(READY.found, differs=1)}, Colour.RED, "1 entry differs"),
        ({"found": replace(READY.found, doubled=2)}, Colour.RED, "2 entries are there twice"),
        ({"gaps": [replace(GAP, is_explained=False)]}, Colour.RED, "hours differ in 1 month of a"),
        (
            {"sums": replace(READY.sums, waiting=7, arrived=17_219)},
            Colour.AMBER,
            "7 entries are st",
        ),
        (
            {"sums": replace(READY.sums, unread=1, arrived=17_225)},
            Colour.AMBER,
            "1 entry was written since",
        ),
        (
            {"sums": replace(READY.sums, refused=1, arrived=17_225)},
            Colour.AMBER,
            "Jibble refused 1",
        ),
        ({"again": ReadBack(source_changed=1)}, Colour.AMBER, "1 entry changed in the old account"),
        ({"read_back": None}, Colour.AMBER, "nothing was read back yet"),
        ({"held_back": [WAITS.held_back[-1]]}, Colour.AMBER, "2,036 entries wait for a decision"),
        ({"gaps": [GAP]}, Colour.GREEN, ""),
        ({"found": replace(READY.found, changed=1, as_probed=1)}, Colour.GREEN, ""),
    ],
)
def test_each_thing_alone_decides_the_colour(
    changes: dict[str, object], colour: Colour, reason: str
) -> None:
    said = judgement(replace(READY, **changes))
    assert said.colour == colour
    assert "".join(said.reasons).startswith(reason)
    assert (not said.reasons) == (colour == Colour.GREEN)


def test_the_sum_adds_up_in_the_page() -> None:
    for numbers in (READY, WAITS, WRONG):
        assert numbers.sums.unaccounted == 0
        [sums] = re.findall('<div class="sum">(.*?)\n<p', page(numbers), re.DOTALL)
        old, *parts = (int(each.replace(",", "")) for each in re.findall("<b>(.*?)</b>", sums))
        assert old == sum(parts)


def test_what_is_waited_for_or_missing_is_a_term_only_if_there_is_any() -> None:
    assert "still to be written" not in page(READY)
    numbers = replace(READY, sums=Sums(old=4, arrived=1, waiting=1, missing=1, unread=1))
    assert "written, not read back yet" in page(numbers)
    assert "still to be written" in page(numbers)
    assert "<span>missing</span>" in page(numbers)


def test_hours_of_both_sides_are_said_apart_only_if_they_differ() -> None:
    assert "the same in both accounts" in page(READY).replace("\n", " ")
    assert "<b>27,766:30 hours</b>" in page(WAITS)
    assert "<b>27,758:30</b> by the new one" in page(WAITS)
    assert "changed over there since, see below" in page(WAITS)
    wrong = replace(WAITS, gaps=[replace(GAP, is_explained=False)])
    assert "not all of it explained" in page(wrong)


def test_the_rows_of_one_human_stand_together_as_they_come() -> None:
    words = Reader(page(READY)).words
    assert words.index("the same human as above") > words.index("person5@example.com")
    assert "with it" in words


def test_months_without_entries_have_their_place() -> None:
    months = [Month(month="2025-11", old=4, new=4), Month(month="2026-02", old=1, new=0)]
    assert [each.month for each in every_month(months)] == [
        "2025-11",
        "2025-12",
        "2026-01",
        "2026-02",
    ]
    assert every_month([]) == []
    assert chart([]) == ""


def test_the_strip_shows_the_share_and_not_merely_that_something_is_held_back() -> None:
    months = [
        Month(month="2026-01", old=100, new=50),
        Month(month="2026-02", old=100, new=75),
        Month(month="2026-03", old=100, new=99),
    ]
    heights = re.findall('class="held" .*?height="(.*?)%"', chart(months))
    assert heights == ["100.00", "50.00", "12.00"]
    assert "at most 50% (January 2026)" in chart(months)
    assert "No month lacks an entry" in chart([Month(month="2026-01", old=1, new=1)])


def test_no_bar_is_wider_or_higher_than_its_drawing() -> None:
    drawn = chart([Month(month="2026-01", old=1, new=3), Month(month="2026-02", old=0, new=0)])
    for x, width, y, height in re.findall(
        'x="(.*?)%" width="(.*?)%" y="(.*?)%" height="(.*?)%"', drawn
    ):
        assert float(x) + float(width) <= 100
        assert float(y) + float(height) == pytest.approx(100)


@pytest.mark.parametrize(
    ("part", "words"),
    [(0, "0%"), (0.001, "less than 1%"), (0.5, "50%"), (0.999, "99%"), (1, "100%")],
)
def test_a_share_is_never_rounded_to_nothing_or_all(part: float, words: str) -> None:
    assert share(part) == words


def test_moments_and_lengths_in_words() -> None:
    day = at("2026-08-01T01:00")
    assert moment(day) == "1 August 2026, 01:00"
    assert moment(day + 2, seconds=True) == "1 August 2026, 01:00:00.002"
    assert moment(None) == NONE
    assert span(day, day + 60_000) == "1 August 2026, 01:00 to 01:01"
    assert span(day, day + 86_400_000) == "1 August 2026, 01:00 to 2 August 2026, 01:00"
    assert hours(99_959_400_000) == "27,766:30"


async def test_nothing_is_read_for_a_page_that_can_not_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rendering._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ConfigurationError, match=r"pages need jinja2: pip install"):
        await Migration(tmp_path).verify()
