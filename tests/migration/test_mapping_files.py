"""Files for people with a spreadsheet: as they are written, and as Excel saves them again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from jibble_legacy.migration.files.answers import digests_of_files
from jibble_legacy.migration.files.mapping_files import (
    ACTIVITIES,
    PEOPLE,
    REJECTS,
    PersonSaid,
    RejectSaid,
    ThingSaid,
    read_people,
    read_rejects,
    read_things,
)
from jibble_legacy.migration.files.spreadsheets import (
    Flaws,
    day_of,
    id_cell,
    moment_of,
    write_table,
)
from jibble_legacy.migration.states import Decision

from jibble_async import ConfigurationError

NAMES = {"a": "Ann", "A": "Other", "12345E6789": "Gone", "b": "Bob"}
HEADING = "decision,new_person,new_name,time_zone,from,until,old_name,old_id"


def people(folder: Path, text: str) -> dict[str, PersonSaid | None]:
    folder.joinpath(PEOPLE.file).write_text(text, newline="")
    flaws = Flaws()
    said = read_people(folder, NAMES, flaws)
    flaws.stop()
    return said


def _saved(text: str, *, delimiter: str, encoding: str, end: str = "\r\n") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows(
        csv.reader(io.StringIO(text, newline=""))
    )
    return out.getvalue().encode(encoding)


def _shuffled(text: str) -> bytes:
    """Other columns first, other lines first, one of the user's own, blank lines and columns."""
    rows = list(csv.reader(io.StringIO(text, newline="")))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow([*reversed(rows[0]), "mine", "", ""])
    writer.writerow([])
    for row in reversed(rows[1:]):
        writer.writerow([*reversed(row), "x", "", ""])
        writer.writerow([""] * len(row))
    return out.getvalue().encode("utf-8-sig")


EXCEL: dict[str, Callable[[str], bytes]] = {
    "as it was written": lambda text: text.encode("utf-8-sig"),
    "comma": lambda text: _saved(text, delimiter=",", encoding="utf-8"),
    "semicolon": lambda text: _saved(text, delimiter=";", encoding="utf-8-sig"),
    "tab": lambda text: _saved(text, delimiter="\t", encoding="utf-8"),
    "Unicode text": lambda text: _saved(text, delimiter="\t", encoding="utf-16"),
    "old Mac lines": lambda text: _saved(text, delimiter=";", encoding="utf-8", end="\r"),
    "sep line": lambda text: b"sep=;\r\n" + _saved(text, delimiter=";", encoding="utf-8"),
    "shuffled": _shuffled,
}


@pytest.mark.parametrize("way", EXCEL)
def test_what_was_written_is_read_however_excel_saves_it(tmp_path: Path, way: str) -> None:
    path = tmp_path / PEOPLE.file
    rows = [
        {"old_id": id_cell("a"), "old_name": "=SUM(A1:A9)", "last_note": "a;b,c\t'd'\r\n\"e\""},
        {
            "old_id": id_cell("12345E6789"),
            "decision": "create",
            "new_name": "+49 Müller",
            "old_name": "",
        },
        {
            "old_id": id_cell("A"),
            "decision": "Match",
            "new_person": "x@example.com",
            "until": "all",
        },
    ]
    write_table(path, (*PEOPLE.asked, *PEOPLE.told), rows)
    path.write_bytes(EXCEL[way](path.read_bytes().decode("utf-8-sig")))
    flaws = Flaws()
    said = read_people(tmp_path, NAMES, flaws)
    flaws.stop()
    mine = {"mine": "x"} if way == "shuffled" else {}
    lines = {each.line for each in said.values() if each is not None}
    assert len(lines) == len([each for each in said.values() if each is not None])
    shown = {
        old_id: None
        if each is None
        else (each.decision, each.new_person, each.new_name, each.until)
        for old_id, each in said.items()
    }
    assert shown == {
        "a": (Decision.UNDECIDED, "", "", "") if mine else None,
        "12345E6789": (Decision.CREATE, "", "+49 Müller", ""),
        "A": (Decision.MATCH, "x@example.com", "", "all"),
    }
    assert all(each.more == mine for each in said.values() if each is not None)


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    cells = ["=1", "+1", "-1", "@x", "\tx", "\rx", "\uff1d1", "-", "ok"]
    write_table(path, ("a",), [{"a": cell} for cell in cells])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    written = [row[0] for row in csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig")))]
    assert written == ["a", "'=1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "'\uff1d1", "-", "ok"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{HEADING}\nskip,,,,,,Ann,id:zz", r"line 2: names id:zz, which the old account does not"),
        (f"{HEADING}\n\n\nskip,,,,,,Ann,", "line 4: names nothing: put its old_id back"),
        (f"{HEADING}\nperhaps,,,,,,Ann,id:a", "line 2: has the decision 'perhaps'"),
        (f"{HEADING}\nmatch,,,,,,Ann,id:a", "line 2: matches nobody"),
        (f"{HEADING}\n,x@example.com,,,,,Ann,id:a", "line 2: names a new_person and decides"),
        (f"{HEADING}\n,,,Berlin,,,Ann,id:a", "line 2: has the time zone 'Berlin'"),
        (f"{HEADING}\n,,,,2026-07-01,,Ann,id:a", "line 2: says from when, but not which"),
        (f"{HEADING}\n,,,Europe/Berlin,soon,,Ann,id:a", "line 2: has 'soon' as from"),
        (f"{HEADING}\n,,,Europe/Berlin,2026-07-01,,Ann,id:a", "no time zone for the time before"),
        (f"{HEADING}\n,,,,,7/8/2026,Ann,id:a", "line 2: has '7/8/2026' as until"),
        (f"{HEADING}\nskip,,,,,,,id:a\nskip,,,,,,,id:a", "line 3: decides again what line 2"),
        (f"{HEADING}\n,,,Asia/Tokyo,,,,id:a\n,,,Europe/Berlin,,,,id:a", "two time zones at once"),
        (f"{HEADING}\nskip,,,,,,Ann,id:a,more", "line 2: has a cell without a heading"),
        (f'{HEADING}\nskip,"id:a', "line 2: can't be split into cells"),
        ("decision,old_name\nskip,Ann", "line 1: the heading has no column 'old_id'"),
        ("old_id,old_name\nid:a,Ann", "line 1: the heading has no column 'decision'"),
        (HEADING.replace("until", "till"), "line 1: the heading has no column 'until'"),
        (f"{HEADING}\n,,,,,9999-12-31,Ann,id:a", "line 2: has '9999-12-31' as until"),
        (f"{HEADING}\n,,,Asia/Tokyo,0001-01-01,,Ann,id:a", "line 2: has '0001-01-01' as from"),
        ("decision,decision,old_id\n,,id:a", "the column 'decision' twice"),
    ],
)
def test_a_bad_line_is_named_with_the_way_out(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=r"people\.csv, ") as error:
        people(tmp_path, text)
    assert complaint in str(error.value)


def test_all_bad_lines_are_named_at_once(tmp_path: Path) -> None:
    lines = "\n".join(f"skip,,,,,,,id:no{place}" for place in range(25))
    with pytest.raises(ConfigurationError, match="and 5 more") as error:
        people(tmp_path, f"{HEADING}\n{lines}")
    assert "line 21: names id:no19" in str(error.value)


@pytest.mark.parametrize(
    ("raw", "complaint"),
    [
        (f"{HEADING}\n,,,,,,Müller,id:a".encode("cp1252"), "line 2: is not UTF-8"),
        (f"{HEADING}\n,,,,,,x,id:a".encode("utf-16-le"), "line 1: holds NUL characters"),
    ],
)
def test_another_encoding_is_refused_with_a_line(
    tmp_path: Path, raw: bytes, complaint: str
) -> None:
    tmp_path.joinpath(PEOPLE.file).write_bytes(raw)
    flaws = Flaws()
    assert read_people(tmp_path, NAMES, flaws) == {}
    with pytest.raises(ConfigurationError, match=complaint):
        flaws.stop()


def test_further_lines_tell_the_zones_of_somebody_who_moved(tmp_path: Path) -> None:
    text = (
        f"{HEADING}\n,,,Asia/Tokyo,01.07.2020,,,id:a\ncreate,,Zoe,Europe/Berlin,,31.12.2025,,id:a"
        "\n,,,America/New_York,7/31/2024,,,id:a"
    )
    said = people(tmp_path, text)["a"]
    assert said is not None
    assert said.zones == (
        ("", "Europe/Berlin"),
        ("2020-07-01", "Asia/Tokyo"),
        ("2024-07-31", "America/New_York"),
    )
    assert (said.decision, said.new_name, said.until) == (Decision.CREATE, "Zoe", "2025-12-31")


def test_an_activity_is_named_once(tmp_path: Path) -> None:
    path = tmp_path / ACTIVITIES.file
    path.write_text("new_name;old_id\nAssembly;id:a\n;id:A\nTraining;id:a\n")
    flaws = Flaws()
    said = read_things(ACTIVITIES, tmp_path, NAMES, flaws)
    assert said == {"a": ThingSaid(line=2, new_name="Assembly"), "A": None}
    with pytest.raises(ConfigurationError, match="line 4: says again what line 2 is about"):
        flaws.stop()


def test_what_is_said_of_rejects(tmp_path: Path) -> None:
    path = tmp_path / REJECTS.file
    path.write_text(
        "decision;new_moment;new_person;old_id\n"
        "Move;27.07.2026 8:00;ann@example.com;id:e1\n;;;id:e2\nskip;2026-07-27 08:00;;id:e3\n"
        "later;;;id:e4\nmove;yesterday;;id:e5\n"
    )
    flaws = Flaws()
    said = {old_id: answer for old_id, _, answer in read_rejects(tmp_path, flaws)}
    wanted = RejectSaid(
        line=2, decision="move", new_moment="27.07.2026 8:00", new_person="ann@example.com"
    )
    assert said == {"e1": wanted, "e2": None}
    with pytest.raises(ConfigurationError) as error:
        flaws.stop()
    for complaint in ("line 4: skips the entry and mends", "line 5: has the decision 'later'"):
        assert complaint in str(error.value)
    assert "line 6: has the moment 'yesterday'" in str(error.value)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-07-31", date(2026, 7, 31)),
        ("2026/7/31", date(2026, 7, 31)),
        ("31.7.2026", date(2026, 7, 31)),
        ("31/07/2026", date(2026, 7, 31)),
        ("7/31/2026", date(2026, 7, 31)),
        ("7/7/2026", date(2026, 7, 7)),
        ("7/8/2026", None),
        ("8/7/2026", None),
        ("31.02.2026", None),
        ("13/13/2026", None),
        ("45869", None),
    ],
)
def test_a_day_is_read_unless_it_may_be_two(text: str, day: date | None) -> None:
    assert day_of(text) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-31 08:00", datetime.fromisoformat("2026-07-31T08:00")),
        ("2026-07-31T06:00:00Z", datetime.fromisoformat("2026-07-31T06:00:00+00:00")),
        ("31.07.2026 8:05", datetime.fromisoformat("2026-07-31T08:05")),
        ("7/8/2026 8:05", None),
        ("31.07.2026", None),
        ("31.07.2026 25:00", None),
        ("9999-12-31 23:59", None),
        ("0001-01-01T00:00+14:00", None),
    ],
)
def test_a_moment_is_read_as_excel_shows_it(text: str, moment: datetime | None) -> None:
    assert moment_of(text) == moment


@pytest.mark.parametrize(
    "read", [lambda folder: read_people(folder, NAMES, Flaws()), digests_of_files]
)
def test_a_file_that_can_not_be_opened_is_named(tmp_path: Path, read: Any) -> None:
    tmp_path.joinpath(PEOPLE.file).mkdir()
    with pytest.raises(ConfigurationError, match=r"people\.csv can't be read .*close it"):
        read(tmp_path)


def test_a_file_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing can be written in"):
        write_table(tmp_path / "no" / "people.csv", ("a",), [])
