"""`jibble payroll` on a made-up company: files that are the same twice, and sums of the server's."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jibble_async.cli import connection, main, payroll_workbook
from jibble_async.cli.payroll_files import as_csv
from jibble_async.cli.payroll_workbook import workbook
from jibble_async.payroll import payroll, tables
from jibble_async.sandbox import Sandbox
from jibble_async.sandbox.scalars import parse_duration
from jibble_async.sandbox.timesheets import Attendance
from tests.cli.test_report import Checker
from tests.payroll.rows import DAY, day_of, sheet

# With Labour Day, and two months.
FIRST, LAST = date(2026, 4, 27), date(2026, 5, 3)
WEEK = ("--since", str(FIRST), "--until", str(LAST))
STAMP = "1780272000"
MADE = "2026-06-01 00:00 UTC"


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
    return sum(row[name] for row in rows for name in names)


def test_three_hundred_people_twice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nights, zones, forgotten Outs, half days and a holiday: the sums are the server's own."""
    box = Sandbox(people=300, since=FIRST, until=LAST)
    monkeypatch.setattr(connection, "make_sandbox", lambda **_: box)
    for stamp in (STAMP, STAMP, "1780272060"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", stamp)
        assert run("--out", f"{len(list(tmp_path.iterdir()))}.xlsx") == 0
    first, again, later = ((tmp_path / f"{place}.xlsx").read_bytes() for place in range(3))
    assert first == again
    assert first != later
    assert without_stamp(first, "00:00") == without_stamp(later, "00:01")
    capsys.readouterr()
    assert run("--json", "--grace", "10") == 0
    told = json.loads(capsys.readouterr().out)
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
    assert {row["day"] for row in told["days"] if row["public_holiday_overtime"]} == {"2026-05-01"}
    assert told["check"] == []
    assert {row["what_is_odd"] for row in told["odd"]} >= {"open shift", "pending time off"}
    assert all(row["who"] for row in told["odd"])
    # Shifts begin within minutes of their schedule, nights and half days too.
    late = [row["late"] for row in told["lateness"] if row["late"]]
    assert late
    assert max(late) < 3600
    assert {row["day"] for row in told["lateness"]}.isdisjoint({"2026-05-01", "2026-05-02"})
    assert len({row["person"] for row in told["sign"]}) > 200
    assert len(told["sign"]) == 2 * len(people) + 2 * (len(own) - len(people))


def without_stamp(content: bytes, clock: str) -> dict[str, bytes]:
    """The members of a workbook, but for the moment at which it was made."""
    stamps = (f"2026-06-01 {clock}", f"2026-06-01T{clock}")
    with zipfile.ZipFile(io.BytesIO(content)) as members:
        found = {name: members.read(name) for name in members.namelist()}
    for stamp in stamps:
        found = {name: data.replace(stamp.encode(), b"") for name, data in found.items()}
    return found
