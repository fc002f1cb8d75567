from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from jibble_async import GroupBy, TrackedSubject, TrackedTime
from jibble_async.cli import connection, main
from jibble_async.cli.report_html import page
from jibble_async.cli.report_lines import Line, as_csv, lines_of
from jibble_async.core.transport import Transport
from jibble_async.core.wire import Reply
from jibble_async.pages import hours_words
from jibble_async.sandbox import Sandbox
from tests.support.patience import PATIENCE

WEEK = ("--sandbox", "--since", "2026-07-06", "--until", "2026-07-12")
DAY = date(2026, 7, 6)
pytestmark = pytest.mark.usefixtures("small")


def report(*arguments: str) -> int:
    return main(["report", "tracked-time", *WEEK, *arguments])


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert report("--json", *arguments) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["since"], answer["until"]) == ("2026-07-06", "2026-07-12")
    rows: list[dict[str, Any]] = answer["rows"]
    return rows


def test_every_grouping_adds_up_to_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    sums: list[float] = []
    for grouping in ("date", "member", "client", "project", "activity"):
        rows = asked(capsys, "--group-by", grouping, "--sub-group-by", "date")
        sums.append(sum(row["seconds"] for row in rows))
        for row in rows:
            parts = sum(part["seconds"] for part in row["items"])
            assert parts == pytest.approx(row["seconds"])
    assert sums[0] > 0
    assert sums == pytest.approx([sums[0]] * 5)


def test_bars_fit_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rows = asked(capsys)
    assert report("-o", "table") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Member", "Hours"]
    assert max(map(len, lines)) <= 80
    for row, line in zip(rows, lines[1:], strict=False):
        assert line.startswith(row["name"])
        assert hours_words(timedelta(seconds=row["seconds"])) in line
        assert "█" in line
    # The first is the longest.
    assert lines[1].count("█") == max(line.count("█") for line in lines)


def test_a_pipe_gets_lines_to_cut(capsys: pytest.CaptureFixture[str]) -> None:
    rows = asked(capsys, "--sub-group-by", "project")
    assert report() == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert (head, len(lines)) == ("Member\tHours", len(rows))
    assert report("--sub-group-by", "project") == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "Member\tProject\tHours"
    assert len(lines) == sum(len(row["items"]) for row in rows)
    assert report("-o", "csv") == 0
    assert capsys.readouterr().out.startswith("member id,member,hours")
    assert report("-o", "id") == 0
    assert capsys.readouterr().out.split() == [row["id"] for row in rows]
    assert report("-o", "jsonl") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["name"] for each in told] == [row["name"] for row in rows]


def test_only_what_was_called_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    everybody = asked(capsys)
    (mine,) = asked(capsys, "--person", everybody[0]["name"].upper())
    assert mine["id"] == everybody[0]["id"]
    crane = asked(capsys, "--project", "harbour", "--group-by", "project")
    assert [row["name"] for row in crane] in ([], ["Harbour crane"])
    assert report("--client", "nobody at all") == 2
    assert "no client fits 'nobody at all'" in capsys.readouterr().err


def test_long_names_leave_room_for_bars(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(**period: Any) -> Sandbox:
        box = Sandbox(people=1, **period)
        box.dataset.rows("People")[0]["fullName"] = "\x1b[2J" + "Wolfeschlegel " * 9
        return box

    monkeypatch.setattr(connection, "make_sandbox", make)
    assert report("--sub-group-by", "project", "-o", "table") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80
    assert out.splitlines()[1].count("█") > 20


def test_a_table_for_spreadsheets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = asked(capsys, "--sub-group-by", "project")
    assert report("--sub-group-by", "project", "--out", "week.csv") == 0
    assert f"rows   {len(rows)}\n" in capsys.readouterr().out
    with (tmp_path / "week.csv").open(newline="", encoding="utf-8-sig") as text:
        records = list(csv.DictReader(text))
    assert list(records[0]) == ["member id", "member", "project id", "project", "hours"]
    assert len(records) == sum(len(row["items"]) for row in rows)
    whole = sum(float(record["hours"]) for record in records)
    assert whole == pytest.approx(sum(row["seconds"] for row in rows) / 3600, abs=0.01)


def test_no_name_is_a_formula() -> None:
    line = Line("id", "=HYPERLINK(1)", timedelta(hours=1, minutes=30))
    assert as_csv([line], GroupBy.MEMBER, None) == (
        b"member id,member,hours\r\nid,'=HYPERLINK(1),1.5000\r\n"
    )


def test_hours_in_no_part_are_in_the_table_too() -> None:
    part = Line("p", "Roof", timedelta(hours=3))
    ann = Line("a", "Ann", timedelta(hours=8), parts=(part,))
    bob = Line("b", "Bob", timedelta(hours=5, milliseconds=9))
    assert as_csv([ann, bob], GroupBy.MEMBER, GroupBy.PROJECT).decode().splitlines()[1:] == [
        "a,Ann,p,Roof,3.0000",
        "a,Ann,,,5.0000",
        "b,Bob,,,5.0000",
    ]
    whole = Line("a", "Ann", timedelta(hours=3, milliseconds=9), parts=(part,))
    assert len(as_csv([whole], GroupBy.MEMBER, GroupBy.PROJECT).splitlines()) == 2


class Checker(HTMLParser):
    """Whether tags are closed, what is loaded, and what text there is."""

    VOID = frozenset({"meta", "rect"})

    def __init__(self, document: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.text: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen |= {tag, *(name for name, _ in attrs)}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_page_is_whole_and_loads_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = asked(capsys, "--sub-group-by", "project")
    assert report("--sub-group-by", "project", "--out", "week.html", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"path": str(tmp_path / "week.html"), "rows": len(rows)}
    document = (tmp_path / "week.html").read_text(encoding="utf-8")
    found = Checker(document)
    assert found.open == []
    assert found.seen.isdisjoint({"script", "link", "img", "src", "href", "onload", "iframe"})
    assert "url(" not in document
    assert "@import" not in document
    for row in rows:
        assert row["name"] in found.text
        assert hours_words(timedelta(seconds=row["seconds"])) in found.text


def line(name: str, minutes: int, *parts: Line, ident: str | None = "") -> Line:
    return Line(name if ident == "" else ident, name, timedelta(minutes=minutes), parts=parts)


def bars(document: str) -> list[list[tuple[str, str, str]]]:
    """The pieces of each bar: class, beginning and width."""
    found: list[list[tuple[str, str, str]]] = []
    for text in document.split("<svg")[1:]:
        svg = ET.fromstring("<svg" + text.partition("</svg>")[0] + "</svg>")
        pieces = [rect.attrib for rect in svg if rect.get("class") != "track"]
        found.append([(each["class"], each["x"], each["width"]) for each in pieces])
    return found


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    lines = [line("Ann", 120), line("Bob", 30), line("Cy", 0)]
    assert bars(page(lines, DAY, DAY, GroupBy.MEMBER)) == [
        [("c0", "0.00%", "100.00%")],
        [("c0", "0.00%", "25.00%")],
        [],
    ]


def test_parts_have_one_colour_and_one_order_everywhere() -> None:
    lines = [
        line("Ann", 100, line("(none)", 50, ident=None), line("B", 40), line("A", 10)),
        line("Bob", 50, line("A", 40), line("B", 10)),
    ]
    whole, *others = bars(page(lines, DAY, DAY, GroupBy.MEMBER, GroupBy.PROJECT))
    assert whole == [
        ("c0", "0.00%", "33.33%"),
        ("c1", "33.33%", "33.33%"),
        ("c7", "66.67%", "33.33%"),
    ]
    assert others == [
        [("c0", "0.00%", "10.00%"), ("c1", "10.00%", "40.00%"), ("c7", "50.00%", "50.00%")],
        [("c0", "0.00%", "40.00%"), ("c1", "40.00%", "10.00%")],
    ]


def test_parts_are_added_up_over_all_lines() -> None:
    lines = [
        line("Ann", 100, line("B", 40), line("(none)", 50, ident=None), line("A", 10)),
        line("Bob", 65, line("A", 60), line("(none)", 5, ident=None)),
    ]
    found = Checker(page(lines, DAY, DAY, GroupBy.MEMBER, GroupBy.PROJECT)).text
    first = found.index("A")
    shown = [text for text in found[first:] if text.strip()]
    assert shown[:6] == ["A", "1:10", "B", "0:40", "(none)", "0:55"]
    assert "sum" not in page([line("Ann", 1)], DAY, DAY, GroupBy.MEMBER).partition("<body")[2]


@pytest.mark.parametrize(("parts", "tall"), [(60, False), (61, True)])
def test_only_a_row_that_fits_no_sheet_is_broken(parts: int, tall: bool) -> None:
    row = line("Ann", 100, *(line(f"Project {number}", 1) for number in range(parts)))
    document = page([row], DAY, DAY, GroupBy.MEMBER, GroupBy.PROJECT)
    assert ('<tr class="tall">' in document) is tall


@pytest.mark.parametrize(
    ("name", "width"), [("B", "4.4rem"), ("x" * 20, "11.6rem"), ("x" * 99, "20.0rem")]
)
def test_long_names_get_wide_columns(name: str, width: str) -> None:
    document = page([line("Ann", 9, line(name, 9))], DAY, DAY, GroupBy.MEMBER, GroupBy.PROJECT)
    assert f'<body style="--part: {width}">' in document


def test_a_page_says_which_days_it_is_about() -> None:
    whole = page([], DAY, date(2026, 7, 12), GroupBy.DATE)
    assert "6 July 2026</time> to <time" in whole
    assert "12 July 2026</time>, by day" in whole
    assert "6 July 2026</time>, by day" in page([], DAY, DAY, GroupBy.DATE)


def test_too_many_parts_share_a_colour_and_are_all_named() -> None:
    parts = [line(f"Project {number}", 10) for number in range(8)]
    document = page([line("Ann", 80, *parts)], DAY, DAY, GroupBy.MEMBER, GroupBy.PROJECT)
    assert bars(document) == [[("c0", "0.00%", "100.00%")]]
    assert all(f"<bdi>Project {number}</bdi>" in document for number in range(8))


def test_names_can_not_break_the_page() -> None:
    name = "</title><script>alert(1)</script>\u202e&amp;\"'"
    document = page([line(name, 5, line(name, 5))], DAY, DAY, GroupBy.MEMBER, GroupBy.PROJECT)
    found = Checker(document)
    assert found.open == []
    assert "script" not in found.seen
    assert "\u202e" not in document


def test_a_page_about_nothing() -> None:
    document = page([], DAY, DAY, GroupBy.ACTIVITY)
    assert Checker(document).open == []
    assert "Nothing was tracked." in document
    assert bars(page([line("Ann", 0)], DAY, DAY, GroupBy.MEMBER)) == [[]]


def test_lines_are_days_in_order_or_the_most_first() -> None:
    def row(ident: str, minutes: int, name: str | None = None, **about: Any) -> TrackedTime:
        subject = None if name is None else TrackedSubject(name=name, **about)
        return TrackedTime(id=ident, tracked_time=timedelta(minutes=minutes), subject=subject)

    days = lines_of([row("10 July 2026", 9), row("9 July 2026", 1)], GroupBy.DATE)
    assert [each.name for each in days] == ["Thu 2026-07-09", "Fri 2026-07-10"]
    rows = [row("a", 1, "Ann"), row("b", 2, "Bob", is_deleted=True), row("c", 3), row("d", 4, "")]
    names = [each.name for each in lines_of(rows, GroupBy.MEMBER)]
    assert names == ["(no name)", "(no member)", "Bob (deleted)", "Ann"]


def test_hours_and_minutes() -> None:
    lengths = [timedelta(hours=h, seconds=s) for h, s in ((0, 0), (0, 59), (1, 20), (1234, -60))]
    assert [hours_words(length) for length in lengths] == ["0:00", "0:01", "1:00", "1,233:59"]
    assert hours_words(timedelta(minutes=-90)) == "-1:30"


def test_timesheets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timesheets", *WEEK, "--json"]) == 0
    sheets = json.loads(capsys.readouterr().out)
    assert sum(len(sheet["days"]) for sheet in sheets) > 10
    assert main(["timesheets", *WEEK]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["Name", "Days", "Tracked", "Payroll"]
    assert len(lines) == len(sheets) + 1
    assert max(map(len, lines)) <= 80
    # Numbers end under each other, as their heads do.
    assert not any(line.endswith(" ") for line in lines)


def test_the_days_of_a_timesheet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timesheets", *WEEK, "--json"]) == 0
    sheet = max(json.loads(capsys.readouterr().out), key=lambda each: len(each["days"]))
    assert main(["timesheets", *WEEK, "--daily", "--person", sheet["person_id"]]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["Name", "Day", "Date", "In", "Out", "Worked", "Breaks", "Payroll"]
    assert len(lines) == len(sheet["days"])
    for day, text in zip(sheet["days"], lines, strict=True):
        assert text.startswith(sheet["full_name"])
        assert f"{day['date']}\t{day['first_in'][:5]}" in text
        assert hours_words(timedelta(seconds=day["worked_seconds"])) in text


def test_paid_hours_that_nobody_clocked_are_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {"worked": "PT0S", "total": "PT0S"}
    sheet = {
        "personId": "5d3b37e7-64a8-411a-9a1e-056c149a13fc",
        "person": {"fullName": "Ann"},
        "totalPayroll": "PT8H",
        "daily": [
            {"date": "2026-07-06", "trackedHours": nothing, "payrollHours": {"total": "PT8H"}},
            {"date": "2026-07-07", "trackedHours": nothing, "payrollHours": {"total": "PT0S"}},
        ],
    }
    body = json.dumps({"@odata.count": 1, "value": [sheet]}).encode()

    async def answer(*_: Any) -> Reply:
        return Reply(200, {}, body)

    monkeypatch.setattr(Transport, "send", answer)
    monkeypatch.setenv("JIBBLE_TOKEN", "the-token")
    days = ("--since", "2026-07-06", "--until", "2026-07-07")
    assert main(["timesheets", *days, "--json"]) == 0
    (shown,) = json.loads(capsys.readouterr().out)
    paid = [day["payroll_seconds"] for day in shown["days"]]
    assert paid == [8 * 3600] == [shown["payroll_seconds"]]
    assert main(["timesheets", *days, "--daily"]) == 0
    (_, line) = capsys.readouterr().out.splitlines()
    assert "2026-07-06" in line
    assert line.endswith("8:00")


def test_a_terminal_that_knows_no_bars() -> None:
    root = Path(__file__).parents[2]
    command = (sys.executable, "-m", "jibble_async.cli", "report", "tracked-time")
    done = subprocess.run(
        [*command, *WEEK, "-o", "table"],
        env={
            **os.environ,
            "PYTHONPATH": f"{root}:{root / 'legacy'}",
            "PYTHONIOENCODING": "ascii",
        },
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"???" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--group-by", "planet"], "--group-by"),
        (["--out", "a.pdf"], ".csv or .html"),
        (["--out", "missing/a.csv"], "there is no folder"),
        (["--until", "2026-07-01"], "exchange them"),
    ],
)
def test_bad_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
) -> None:
    start = list(WEEK[:3]) if "--until" in arguments else list(WEEK)
    code = 73 if "missing/a.csv" in arguments else 2
    assert main(["report", "tracked-time", *start, *arguments]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert os.listdir(tmp_path) == []
