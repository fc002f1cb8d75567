"""`jibble payroll` on a made-up company: files are the same twice, and sums the server's own."""

from __future__ import annotations

import csv
import io
import json
import sys
import zipfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jibble_async import JibbleClient, TrackedTime
from jibble_async.cli import connection, main, payroll_reading, payroll_workbook
from jibble_async.cli import payroll as command
from jibble_async.cli.connection import Common
from jibble_async.cli.payroll_files import as_csv
from jibble_async.cli.payroll_page import payroll_page
from jibble_async.cli.payroll_workbook import workbook
from jibble_async.limits.slots import Unlimited
from jibble_async.pages import rendering
from jibble_async.payroll import payroll, tables
from jibble_async.sandbox import Fault, Sandbox
from jibble_async.sandbox.scalars import parse_duration
from jibble_async.sandbox.timesheets import Attendance
from tests.cli.test_report import Checker
from tests.payroll.rows import DAY, day_of, sheet

# With Labour Day, and two months.
FIRST, LAST = date(2026, 4, 27), date(2026, 5, 3)
WEEK = ("--since", str(FIRST), "--until", str(LAST))
STAMP = "1780272000"
MADE = "2026-06-01 00:00 UTC"


class Page(Checker):
    """A page, whose rectangles may have titles."""

    VOID = frozenset({"meta"})


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch) -> int:
    """The sandbox of `--sandbox` is one of that many people, and the moment is told."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", STAMP)
    people = 12

    def make(**period: Any) -> Sandbox:
        return Sandbox(people=people, **period)

    monkeypatch.setattr(connection, "make_sandbox", make)
    return people


def run(*arguments: str) -> int:
    return main(["payroll", "--sandbox", *WEEK, *arguments])


def seconds(rows: list[dict[str, Any]], *names: str) -> float:
    return sum(row[f"{name}_seconds"] for row in rows for name in names)


def test_three_hundred_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nights, zones, forgotten Outs, half days and a holiday: the sums are the server's own."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", STAMP)
    box = Sandbox(people=300, since=FIRST, until=LAST)
    monkeypatch.setattr(connection, "make_sandbox", lambda **_: box)
    assert run("--json", "--grace", "10") == 0
    told = json.loads(capsys.readouterr().out)
    # One list for each set, whatever the number of people; and none has what opens a kiosk.
    assert len(box.ledger.requests) < 40
    (asked,) = box.ledger.select("workspace", path="/People")
    assert "fullName" in asked.target
    assert "pinCode" not in asked.target
    people = [row for row in box.dataset.rows("People") if row["status"] != "Removed"]
    days = [FIRST + timedelta(days=place) for place in range(7)]
    own = Attendance(box.dataset).timesheets(box.dataset.rows("People"), days)
    worked = sum((parse_duration(row["totalPayroll"]) for row in own), timedelta(0))
    off = [day["timeOff"] for row in own for day in row["daily"]]
    paid = sum((parse_duration(each["paidTimeOff"]) for each in off), timedelta(0))
    expected = (worked + paid).total_seconds()
    for name in ("sign", "days", "groups"):
        assert seconds(told[name], "total") == pytest.approx(expected)
    assert seconds(told["sign"], "unpaid_time_off") > 0
    # The holiday, overtime, half days and forgotten Outs are there at all.
    for kind in ("public_holiday_overtime", "rest_day_overtime", "daily_overtime"):
        assert seconds(told["days"], kind) > 0
    assert {row["day"] for row in told["days"] if row["public_holiday_overtime_seconds"]} == {
        "2026-05-01"
    }
    assert told["check"] == []
    assert {row["what_is_odd"] for row in told["odd"]} >= {"open shift", "pending time off"}
    assert all(row["who"] for row in told["odd"])
    # Shifts begin within minutes of their schedule, nights and half days too.
    late = [row["late_seconds"] for row in told["lateness"] if row["late_seconds"]]
    assert late
    assert max(late) < 3600
    assert {row["day"] for row in told["lateness"]}.isdisjoint({"2026-05-01", "2026-05-02"})
    assert len({row["person"] for row in told["sign"]}) > 200
    assert len(told["sign"]) == 2 * len(people) + 2 * (len(own) - len(people))


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize("suffix", ["xlsx", "html", "csv", "json"])
def test_the_same_bytes_twice_but_for_the_stamp(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, suffix: str
) -> None:
    for name, stamp in (("first", STAMP), ("again", STAMP), ("later", "1780272060")):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", stamp)
        assert run("--out", f"{name}.{suffix}") == 0
    first, again, later = (
        (tmp_path / f"{name}.{suffix}").read_bytes() for name in ("first", "again", "later")
    )
    assert first == again
    assert (first == later) is (suffix == "csv")
    assert without_stamp(first, "00:00") == without_stamp(later, "00:01")


def without_stamp(content: bytes, clock: str) -> dict[str, bytes]:
    """The members of a workbook, but for the moment at which it was made."""
    stamps = (f"2026-06-01 {clock}", f"2026-06-01T{clock}")
    found = members_of(content) if content.startswith(b"PK") else {"": content}
    for stamp in stamps:
        found = {name: data.replace(stamp.encode(), b"") for name, data in found.items()}
    return found


def members_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as members:
        return {name: members.read(name) for name in members.namelist()}


@pytest.mark.usefixtures("company")
def test_a_workbook_for_a_manager_to_sign(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("rates.csv").write_text("person,rate,currency\n*,21.50,EUR\nE-1,9,EUR\n", "utf-8")
    options = ("--rates", "rates.csv", "--paper", "letter", "--by", "whole")
    assert run("--out", "week.xlsx", *options) == 0
    told, said = capsys.readouterr()
    assert f"file                     {tmp_path / 'week.xlsx'}\n" in told
    assert "rates.csv has rates of nobody that there is: 'E-1'\n" in said
    assert run("--out", "week.json", *options) == 0
    data = json.loads((tmp_path / "week.json").read_text("utf-8"))
    book = openpyxl.load_workbook(tmp_path / "week.xlsx")
    assert book.sheetnames == [
        "Hours to sign",
        "Amounts",
        "Days",
        "To be mended",
        "Late early absent",
        "Groups",
        "Locations",
        "Check",
    ]
    for sheet_, name in zip(
        book, ("sign", "amounts", "days", "odd", "lateness", "groups"), strict=False
    ):
        assert sheet_.freeze_panes == "B4"
        assert sheet_.print_title_rows == "$3:$3"
        assert (sheet_.page_setup.paperSize, sheet_.page_setup.orientation) == (1, "landscape")
        assert sheet_.max_row >= 4 + len(data[name])
        assert sheet_["A1"].value.startswith("Payroll Sandbox Works Ltd: ")
        assert sheet_["A2"].value == f"27 April 2026 to 3 May 2026, made {MADE}"
    signed = {
        sheet_.title for sheet_ in book if "signature" in str(sheet_.cell(sheet_.max_row, 1).value)
    }
    assert signed == {"Hours to sign", "Amounts"}
    sign = book["Hours to sign"]
    heads = [cell.value for cell in sign[3]]
    rows = list(sign.iter_rows(min_row=4, max_row=4 + len(data["sign"])))
    for row, expected in zip(rows, data["sign"], strict=False):
        found = dict(zip(heads, row, strict=True))
        assert (found["Person"].value, found["Code"].value) == (
            expected["person"],
            expected["code"],
        )
        assert isinstance(found["Total"].value, timedelta)
        assert found["Total"].value.total_seconds() == pytest.approx(
            expected["total_seconds"], abs=1
        )
        assert found["Total"].number_format.startswith("[h]:mm")
    total = dict(zip(heads, rows[-1], strict=True))
    assert total["Person"].value == "Total"
    assert total["Total"].value.total_seconds() == pytest.approx(
        seconds(data["sign"], "total"), abs=1
    )
    assert "EUR" in told
    euros = sum(float(row["total"]) for row in data["amounts"])
    assert any(
        isinstance(cell.value, float) and cell.value == pytest.approx(euros)
        for row in book["Amounts"].iter_rows()
        for cell in row
    )


def test_texts_of_a_workbook_are_texts(tmp_path: Path) -> None:
    names = ("=cmd|'/c calc'!A0", "明 山田", "فاطمة الفارسي", "+1", "@x", "a\x00b\ud800\u202ec")
    sheets = [
        sheet(f"p{place}", day_of(worked=1), name=name, code="007", group_name="{=1}")
        for place, name in enumerate(names)
    ]
    made = tables(payroll(DAY, DAY, sheets))
    content = workbook(made, "=title", "about", datetime(2026, 6, 1, tzinfo=UTC))
    assert not any(b"<f" in data for name, data in members_of(content).items() if "sheet" in name)
    book = openpyxl.load_workbook(io.BytesIO(content))
    cells = [row[:3] for row in book.worksheets[0].iter_rows(min_row=4, max_row=9)]
    shown = {cell.value for row in cells for cell in row}
    assert {"007", "{=1}", *names[:5], "a b  c"} == shown
    assert {cell.data_type for row in cells for cell in row} == {"s"}
    assert {cell.number_format for row in cells for cell in row} == {"@"}


def test_more_rows_than_a_sheet_holds_go_on_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payroll_workbook, "_MOST_ROWS", 4)
    days = [day_of(DAY + timedelta(days=place)) for place in range(10)]
    made = tables(payroll(DAY, DAY + timedelta(days=9), [sheet("ann", *days)]))
    content = workbook(made, "title", "about", datetime(2026, 6, 1, tzinfo=UTC))
    book = openpyxl.load_workbook(io.BytesIO(content))
    names = [name for name in book.sheetnames if name.startswith("Days")]
    assert names == ["Days 1", "Days 2", "Days 3"]
    found = [
        row[0].value for name in names for row in book[name].iter_rows(min_row=4) if row[0].value
    ]
    assert found.count("Ann") == 10
    assert found.count("Total") == 1


def test_lengths_below_nothing_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    row = TrackedTime(id="ann", tracked_time=timedelta(hours=7))
    made = tables(payroll(DAY, DAY, [sheet("ann", day_of(worked=8))], report=[row]))
    book = openpyxl.load_workbook(
        io.BytesIO(workbook(made, "title", "about", datetime(2026, 6, 1, tzinfo=UTC)))
    )
    assert [cell.value for cell in book["Check"][4]][-1] == "-1:00"


@pytest.mark.usefixtures("company")
def test_a_page_is_whole_and_loads_nothing(tmp_path: Path) -> None:
    assert run("--out", "week.html", "--grace", "5") == 0
    document = (tmp_path / "week.html").read_text("utf-8")
    found = Page(document)
    assert found.open == []
    assert found.seen.isdisjoint({"script", "link", "img", "src", "href", "onload", "iframe"})
    assert "url(" not in document
    assert "@page { size: A4 landscape; }" in document
    assert {"Payroll Sandbox Works Ltd", "Overtime", "Hours to sign", "Total"} <= set(found.text)
    assert document.count('<rect class="h') > 40
    order = ('class="sign"', "Made by: name", "Checked by: name", 'class="odd"')
    assert sorted(order, key=document.index) == [*order]


def test_names_can_not_break_a_page() -> None:
    name = "</title><script>alert(1)</script>\u202e&amp;\"'"
    sheets = [sheet("p", day_of(worked=1, daily_overtime=1), name=name, group_name=name)]
    done = payroll(DAY, DAY, sheets)
    document = payroll_page(
        done, tables(done), name, (DAY, DAY), datetime(2026, 6, 1, tzinfo=UTC), "A4"
    )
    found = Page(document)
    assert found.open == []
    assert "script" not in found.seen
    assert "\u202e" not in document


@pytest.mark.usefixtures("company")
def test_a_csv_has_the_table_that_is_asked_for(tmp_path: Path) -> None:
    for name in ("sign", "days", "odd", "lateness", "groups", "locations", "check"):
        assert run("--out", "week.csv", "--table", name) == 0
        content = (tmp_path / "week.csv").read_bytes()
        assert content.startswith(b"\xef\xbb\xbf")
        (head, *_) = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        assert len(head) == len(set(head)) > 1
    assert run("--out", "week.csv", "--table", "amounts") == 2


def test_no_name_in_a_csv_is_a_formula() -> None:
    (sign, *_) = tables(payroll(DAY, DAY, [sheet("ann", day_of(), name="=cmd", code="-1")]))
    assert b"\r\n'=cmd,'-1," in as_csv(sign)


@pytest.mark.usefixtures("company")
def test_the_terminal_shows_what_is_signed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--by", "whole", "-o", "table") == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].split()[:2] == ["Name", "Code"]
    assert max(map(len, out.splitlines())) <= 80
    assert "to be mended" in err
    assert run("--by", "whole", "-q") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 12
    assert err == ""


@pytest.mark.usefixtures("company")
def test_one_person_or_group_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "--person", "E-0002") == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["code"] for row in told["sign"]} == {"E-0002"}
    assert {row["code"] for row in told["odd"]} <= {"E-0002"}
    assert told["check"] == []
    assert run("--json", "--group", "office") == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["group"] for row in told["groups"]] == ["Office"]
    assert told["check"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--out", "week.pdf"), "'week.pdf' is no payroll: end it in .xlsx, .html, .csv or .json"),
        (("--rates", "none.csv"), "none.csv can't be read: No such file"),
        (("--table", "amounts"), "--table amounts needs --rates"),
        (("--grace", "-1"), "grace"),
    ],
)
def test_what_can_not_be_is_told_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    monkeypatch.setattr(connection, "make_sandbox", lambda **_: pytest.fail("it was asked"))
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(("suffix", "extra"), [("xlsx", "xlsx"), ("html", "cli")])
def test_a_package_that_is_missing_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], suffix: str, extra: str
) -> None:
    rendering._environment.cache_clear()
    for name in ("xlsxwriter", "jinja2"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(connection, "make_sandbox", lambda **_: pytest.fail("it was asked"))
    assert run("--out", f"week.{suffix}") == 78
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f'pip install "jibble-async[{extra}]"')


@pytest.mark.usefixtures("company")
def test_sets_that_may_not_be_read_are_done_without(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(**period: Any) -> Sandbox:
        box = Sandbox(people=2, **period)
        box.faults.add(Fault("denied_403", path="Schedules", times=None))
        return box

    monkeypatch.setattr(connection, "make_sandbox", make)
    assert run("--json") == 0
    out, err = capsys.readouterr()
    assert "without schedules, which may not be read" in err
    assert json.loads(out)["lateness"] == []


def test_several_organisations_have_a_file_each_and_one_of_totals(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", STAMP)
    boxes = {
        name: Sandbox(people=3, since=FIRST, until=LAST, seed=len(name))
        for name in ("acme", "beta2")
    }

    @asynccontextmanager
    async def both(common: Common, *_: object) -> AsyncGenerator[list[tuple[str, JibbleClient]]]:
        async with AsyncExitStack() as stack:
            clients: list[tuple[str, JibbleClient]] = []
            for name in common.profiles:
                box = await stack.enter_async_context(boxes[name])
                client = JibbleClient.from_env(box.environment(), limiter=Unlimited())
                clients.append((name, await stack.enter_async_context(client)))
            yield clients

    monkeypatch.setattr(command, "connect_profiles", both)

    def run_both(*arguments: str) -> int:
        return main(["payroll", "-p", "acme", "-p", "beta2", *WEEK, "--by", "whole", *arguments])

    for suffix in ("json", "xlsx", "html", "csv"):
        assert run_both("--out", f"april.{suffix}") == 0
    names = [
        f"april-{name}.{suffix}"
        for name in ("acme", "beta2", "totals")
        for suffix in ("csv", "html", "json", "xlsx")
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    acme, beta, both_of_them = (
        json.loads((tmp_path / f"april-{name}.json").read_text("utf-8"))
        for name in ("acme", "beta2", "totals")
    )
    groups = both_of_them["groups"]
    assert {row["organization"] for row in groups} == {"acme", "beta2"}
    assert seconds(groups, "total") == pytest.approx(
        seconds(acme["sign"], "total") + seconds(beta["sign"], "total")
    )
    places = both_of_them["locations"]
    assert seconds(places, "clocked") == pytest.approx(
        seconds(acme["locations"], "clocked") + seconds(beta["locations"], "clocked")
    )
    capsys.readouterr()
    assert run_both("-o", "csv") == 0
    records = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(records) == 6
    assert run_both("-o", "json") == 0
    assert len(json.loads(capsys.readouterr().out)) == 3
    assert main(["payroll", "-p", "acme", "-p", "totals", *WEEK]) == 2
    assert "a profile is called totals" in capsys.readouterr().err


def test_the_last_days_that_there_are_can_be_read() -> None:
    days = list(payroll_reading._windows(date(9999, 12, 1), date.max, 20))
    assert days == [(date(9999, 12, 1), date(9999, 12, 20)), (date(9999, 12, 21), date.max)]
    assert list(payroll_reading._windows(date.max, date.max, 9000)) == [(date.max, date.max)]
