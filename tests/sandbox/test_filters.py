from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.sandbox.dataset import Dataset
from jibble_async.sandbox.errors import Refusal
from jibble_async.sandbox.filters import compile_filter
from jibble_async.sandbox.paths import Paths
from jibble_async.sandbox.schema import TYPES

DATASET = Dataset(people=12, since=date(2026, 7, 6), until=date(2026, 7, 19), seed=5)
ENTRIES = DATASET.rows("TimeEntries")
ANYBODY = ENTRIES[0]["personId"]
TRAINING = DATASET.rows("Activities")[4]["id"]


def keep(text: str, name: str = "TimeEntries") -> list[dict[str, Any]]:
    condition = compile_filter(
        text, TYPES[name], Paths(DATASET), lambda: "2026-07-13T12:00:00.0000000Z"
    )
    return [row for row in DATASET.rows(name) if condition(row)]


def latitude(row: dict[str, Any], otherwise: float) -> float:
    found: float = otherwise if row["coordinates"] is None else row["coordinates"]["latitude"]
    return found


def instant(row: dict[str, Any]) -> datetime:
    head, _, fraction = row["time"][:-1].partition(".")
    return datetime.fromisoformat(f"{head}.{fraction[:6]:0<6}+00:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("belongsToDate eq 2026-07-13", lambda row: row["belongsToDate"] == "2026-07-13"),
        ("BELONGSTODATE ge 2026-07-13", lambda row: row["belongsToDate"] >= "2026-07-13"),
        ("type ne 'Out'", lambda row: row["type"] != "Out"),
        (
            f"personId eq {ANYBODY.upper()} and not(status eq 'Archived')",
            lambda row: row["personId"] == ANYBODY and row["status"] != "Archived",
        ),
        (f"personId eq '{ANYBODY}'", lambda row: row["personId"] == ANYBODY),
        (f"personId in ({ANYBODY})", lambda row: row["personId"] == ANYBODY),
        ("type eq '2'", lambda row: row["type"] == "StartBreak"),
        ("time ge 2026-07-13", lambda row: instant(row) >= datetime(2026, 7, 13, tzinfo=UTC)),
        (
            "(time lt 2026-07-08 and type eq 'In')or (type eq 'Out')and(isManual eq false)",
            lambda row: (
                (row["time"] < "2026-07-08" and row["type"] == "In")
                or (row["type"] == "Out" and not row["isManual"])
            ),
        ),
        ("type eq 'In' OR type eq 'Out'", lambda row: row["type"] in {"In", "Out"}),
        ("type in ('In','Out')", lambda row: row["type"] in {"In", "Out"}),
        ("type in ('Out') or isManual", lambda row: row["type"] == "Out" or row["isManual"]),
        ("projectId eq null", lambda row: row["projectId"] is None),
        ("note ne null and length(note) gt 3", lambda row: len(row["note"] or "") > 3),
        ("contains(note,'O''Brien')", lambda row: "O'Brien" in (row["note"] or "")),
        ("startswith(note, '=')", lambda row: (row["note"] or "").startswith("=")),
        ("endswith(toupper(note),'IN')", lambda row: (row["note"] or "").upper().endswith("IN")),
        ("indexof(note,'t') eq 3", lambda row: (row["note"] or "").find("t") == 3),
        ("substring(type,0,1) eq 'S'", lambda row: row["type"] == "StartBreak"),
        ("trim(concat(' ',type)) eq 'In'", lambda row: row["type"] == "In"),
        ("year(time) eq 2026 and day(time) eq 8", lambda row: row["time"][8:10] == "08"),
        ("hour(time) lt 6", lambda row: int(row["time"][11:13]) < 6),
        ("date(time) eq 2026-07-08", lambda row: row["time"].startswith("2026-07-08")),
        ("time(time) ge 12:00:00", lambda row: row["time"][11:] >= "12:00:00"),
        ("offset eq duration'PT330M'", lambda row: row["offset"] == "PT5H30M"),
        (
            "time ge 2026-07-13T02:00:00+05:30",
            lambda row: instant(row) >= datetime.fromisoformat("2026-07-12T20:30:00+00:00"),
        ),
        (
            "time lt now()",
            lambda row: instant(row) < datetime.fromisoformat("2026-07-13T12:00:00+00:00"),
        ),
        ("coordinates/latitude lt 0", lambda row: latitude(row, 1) < 0),
        ("round(coordinates/latitude) eq 25", lambda row: round(latitude(row, 0)) == 25),
        ("coordinates/latitude add 1 gt 53", lambda row: latitude(row, 0) + 1 > 53),
        ("activity/name eq 'Training'", lambda row: row["activityId"] == TRAINING),
    ],
)
def test_a_filter_keeps_what_it_says(text: str, expected: Any) -> None:
    wanted = [row["id"] for row in ENTRIES if expected(row)]
    assert [row["id"] for row in keep(text)] == wanted
    assert 0 < len(wanted) < len(ENTRIES)


def test_navigation_goes_on_through_null() -> None:
    named = keep("person/group/name eq 'Office'")
    groups = {row["id"]: row["groupId"] for row in DATASET.rows("TimeTrackingPeople")}
    office = DATASET.rows("Groups")[2]["id"]
    assert {groups[row["personId"]] for row in named} == {office}
    assert any(groups[row["personId"]] is None for row in keep("person/group/name eq null"))


def test_collections_are_searched() -> None:
    group = DATASET.rows("Groups")[0]
    found = keep(f"assignedGroups/any(g: g/groupId eq {group['id']})", "Activities")
    assert {row["id"] for row in found} == {link["activityId"] for link in group["activities"]}
    members = keep("members/any(m: contains(m/fullName,'''') and m/status eq 'Joined')", "Groups")
    people = [row for row in DATASET.rows("People") if "'" in row["fullName"]]
    assert {row["id"] for row in members} == {row["groupId"] for row in people if row["groupId"]}
    assert keep("not members/any()", "Groups") == [
        row
        for row in DATASET.rows("Groups")
        if row["id"] not in {person["groupId"] for person in DATASET.rows("People")}
    ]
    assert keep("activities/all(a: a/groupId ne null)", "Groups") == DATASET.rows("Groups")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("personIdd eq null", "personIdd"),
        ("person/nickname eq 'x'", "nickname"),
        ("personId eq 'Paul'", "guid"),
        ("belongsToDate eq 2026-07-13T00:00:00Z", "date"),
        ("belongsToDate eq '2026-07-13'", "text"),
        ("time ge '2026-07-13T00:00:00Z'", "text"),
        ("type eq 'Nonsense'", "Nonsense"),
        ("type in ('In','in')", "'in'"),
        ("person/status eq 'ClockedIn'", "ClockedIn"),
        ("type eq '3'", "'3'"),
        ("time ge 2026-07-13T00:00:00", "offset"),
        ("time ge 2026-07-13T00:00:00 02:00", "parsed"),
        ("time ge 2026-02-30T00:00:00Z", "not valid"),
        ("belongsToDate eq 2026-02-30", "not valid"),
        ("isManual eq 'true'", "bool"),
        ("type eq In", "'In'"),
        ("note", "text"),
        ("not type eq 'In'", "true or false"),
        ("contains(note)", "1 arguments"),
        ("note/any()", "collection"),
        ("type eq 'In' and", "parsed"),
        ("type eq 'In", "parsed"),
        ("nothing(type) eq 1", "nothing"),
        ("length(time) eq 1", "length"),
        ("", "empty"),
        ("personId/name eq 'x'", "personId"),
        ("note/any(n: n eq 1)", "collection"),
    ],
)
def test_a_wrong_filter_is_a_400_that_names_it(text: str, says: str) -> None:
    with pytest.raises(Refusal) as caught:
        keep(text)
    assert caught.value.status == 400
    assert says in caught.value.message


LEAVES = st.sampled_from(
    [
        "type eq 'In'",
        "projectId eq null",
        "contains(note,'a')",
        "hour(time) gt 12",
        "isManual",
        "coordinates/latitude gt 30",
        "note lt 'B'",
    ]
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
    ),
    max_leaves=5,
)


def ids(text: str) -> set[str]:
    return {row["id"] for row in keep(text)}


@given(EXPRESSIONS, EXPRESSIONS)
def test_de_morgan_holds_with_three_values(left: str, right: str) -> None:
    assert ids(f"not (({left}) and ({right}))") == ids(f"not ({left}) or not ({right})")
    assert ids(f"not (({left}) or ({right}))") == ids(f"not ({left}) and not ({right})")
    assert not ids(left) & ids(f"not ({left})")


@given(st.text(max_size=12))
def test_any_text_can_be_asked_for(value: str) -> None:
    quoted = value.replace("'", "''")
    condition = compile_filter(
        f"note eq '{quoted}'", TYPES["TimeEntries"], Paths(DATASET), lambda: ""
    )
    assert condition({"note": value})
    assert not condition({"note": f"{value}x"})


@given(st.datetimes(datetime(2026, 7, 1), datetime(2026, 7, 20)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001
def test_instants_compare_as_instants_whatever_their_offset(moment: datetime, offset: int) -> None:
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset), 60)
    literal = f"{moment.isoformat()}{sign}{hours:02d}:{minutes:02d}"
    border = datetime.fromisoformat(literal)
    wanted = {row["id"] for row in ENTRIES if instant(row) >= border}
    nearly = {row["id"] for row in ENTRIES if instant(row) == border}
    assert ids(f"time ge {literal}") ^ wanted <= nearly


WORDS = st.sampled_from(
    [
        *(
            "personId",
            "time",
            "note",
            "isManual",
            "coordinates",
            "person",
            "person/fullName",
            "type",
        ),
        *("belongsToDate", "offset", "faceSimilarity", "null", "true", "5", "2.5", "'x'", "'In'"),
        *("2026-07-13", "2026-07-13T00:00:00Z", "duration'PT1H'", ANYBODY, "(", ")", ",", "-"),
        *("eq", "ne", "gt", "le", "and", "or", "not", "add", "div", "mod", "in", "in ('x')"),
        *("contains(", "length(", "year(", "now()", "round(", "substring(", "any(x:"),
    ]
)


def answered(text: str) -> int:
    try:
        keep(text)
    except Refusal as refusal:
        return refusal.status
    return 200


@given(st.one_of(st.text(max_size=30), st.lists(WORDS, max_size=9).map(" ".join)))
def test_whatever_is_sent_is_answered_or_refused(text: str) -> None:
    assert answered(text) in {200, 400}


@given(st.tuples(WORDS, WORDS, WORDS).map(" ".join))
def test_whatever_is_compared_is_answered_or_refused(text: str) -> None:
    assert answered(text) in {200, 400}
