"""Conditions as `filter[where]`: every documented operator, and each refusal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from jibble_legacy.entities import LegacyTimeEntry, PowerUp, Team, TeamMember
from jibble_legacy.query_fields import fields
from jibble_legacy.render import render_where

import jibble_async
from jibble_async import (
    Activity,
    ConfigurationError,
    NotSupportedError,
    Person,
    TimeEntry,
    grouped,
    raw_filter,
)
from jibble_async.core.operation import Operation, Safety, build
from jibble_async.query.expressions import Expression, all_of
from tests.unit.recording import target

T = jibble_async.fields(TimeEntry)
E = fields(LegacyTimeEntry)
M = fields(TeamMember)
NOON = datetime(2018, 5, 18, 12, 16, 59, 490000, UTC)
STAMP = "2018-05-18T12:16:59.490Z"
EXACT = NOON + timedelta(microseconds=1)
GUID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


def sent(expression: Expression, entity: Any = LegacyTimeEntry) -> str:
    """The query as it is sent, percent-decoded once."""
    operation = Operation("legacy", "GET", "/api/v1/timeentries", Safety.READ)
    request = build(operation, "http://x", params=render_where(entity, expression))
    return target(request).partition("?")[2].replace("filter[where]", "")


@pytest.mark.parametrize(
    ("expression", "query"),
    [
        (T.organization_id == "YYY123XXX", "[team]=YYY123XXX"),
        (T.activity_id == "XXX123YYY", "[activity]=XXX123YYY"),
        (T.type == "In", "[action]=1"),
        (T.type != "In", "[action][neq]=1"),
        (~(T.type == "Out"), "[action][neq]=2"),
        (~~(T.type == "Out"), "[action]=2"),
        (~grouped(T.type == "Out", 2), "[action][neq]=2"),
        (T.type.is_in(["Out"]), "[action]=2"),
        (~T.type.is_in(["Out"]), "[action][neq]=2"),
        # There are no breaks, so nothing needs to be left out.
        (T.type != "StartBreak", ""),
        (~T.type.is_in(["StartBreak", "Out"]), "[action][neq]=2"),
        (~T.type.is_in(["StartBreak"]) & T.note.contains("O'"), "[notes][like]=O'"),
        (~(T.activity_id != "XXX123YYY"), "[activity]=XXX123YYY"),
        (T.activity_id != "XXX123YYY", "[activity][neq]=XXX123YYY"),
        (E.meta.key("appVer") == "1", "[meta.appVer]=1"),
        (E.meta.key("appVer") >= "1", "[meta.appVer][gte]=1"),
        (E.meta.key("appVer") <= "1", "[meta.appVer][lte]=1"),
        (
            E.meta.key("appVer").between("1", "2"),
            "[meta.appVer][between][0]=1&[meta.appVer][between][1]=2",
        ),
        (T.time == NOON, f"[date]={STAMP}"),
        (T.time == NOON.astimezone(timezone(timedelta(hours=8))), f"[date]={STAMP}"),
        (T.time > NOON, f"[date][gt]={STAMP}"),
        (T.time >= NOON, f"[date][gte]={STAMP}"),
        (T.time < NOON, f"[date][lt]={STAMP}"),
        (T.time <= NOON, f"[date][lte]={STAMP}"),
        (T.note.contains("a.b"), r"[notes][like]=a\.b"),
        (T.note.startswith("100%_"), r"[notes][like]=^100\x25\x5f"),
        (T.note.endswith("/+"), r"[notes][like]=\/\+(?![\s\S])"),
        (T.note.contains(""), "[notes][like]=^"),
        ((T.person_id == "p1") & (E.client_id == "c1"), "[person]=p1&[client]=c1"),
        (~((T.person_id == "p1") | (T.type == "In")), "[person][neq]=p1&[action][neq]=1"),
        ((T.type == "In") & (T.type == "In"), "[action]=1"),
        (T.note == "a+b & [c]=%", "[notes]=a+b & [c]=%"),
    ],
    ids=str,
)
def test_a_condition_is_written_as_documented(expression: Expression, query: str) -> None:
    assert sent(expression) == query


@pytest.mark.parametrize(
    ("entity", "expression", "query"),
    [
        (TeamMember, M.last_name == "Ting-Un", "[lastName]=Ting-Un"),
        (TeamMember, M.role == "team_owner", "[role]=team_owner"),
        (TeamMember, M.role != "team_owner", "[role][neq]=team_owner"),
        (TeamMember, jibble_async.fields(Person).email.contains("@"), "[email][like]=@"),
        (Team, fields(Team).working_hours >= 7.5, "[workingHours][gte]=7.5"),
        (PowerUp, fields(PowerUp).is_enabled == True, "[isEnabled]=true"),  # noqa: E712
        (Activity, fields(Activity).updated_at > NOON, f"[updated_at][gt]={STAMP}"),
    ],
    ids=str,
)
def test_each_set_has_its_names(entity: Any, expression: Expression, query: str) -> None:
    assert sent(expression, entity) == query


HOUR = timedelta(hours=1)
MS = timedelta(milliseconds=1)
BETWEEN = "[date][between][0]={}&[date][between][1]={}"


@pytest.mark.parametrize(
    ("parts", "low", "high"),
    [
        ([T.time >= NOON, T.time <= NOON + HOUR], NOON, NOON + HOUR),
        ([T.time <= NOON + HOUR, T.time >= NOON], NOON, NOON + HOUR),
        ([T.time > NOON, T.time < NOON + HOUR], NOON + MS, NOON + HOUR - MS),
        ([T.time > NOON, T.time >= NOON, T.time <= NOON + HOUR], NOON + MS, NOON + HOUR),
        ([T.time.between(NOON, NOON + HOUR), T.time > NOON - HOUR], NOON, NOON + HOUR),
        ([T.time.between(NOON, NOON + HOUR), T.time <= NOON], NOON, NOON),
        ([T.time >= EXACT, T.time < EXACT + HOUR], NOON + MS, NOON + HOUR),
        ([T.time > EXACT, T.time <= EXACT + HOUR], NOON + MS, NOON + HOUR),
    ],
)
def test_two_bounds_become_between(parts: list[Expression], low: datetime, high: datetime) -> None:
    def stamp(moment: datetime) -> str:
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    assert sent(all_of(parts)) == BETWEEN.format(stamp(low), stamp(high))


@pytest.mark.parametrize(
    ("expression", "query"),
    [
        (T.time > EXACT, f"[date][gt]={STAMP}"),
        (T.time <= EXACT, f"[date][lte]={STAMP}"),
        (T.time >= EXACT, "[date][gte]=2018-05-18T12:16:59.491Z"),
        (T.time < EXACT, "[date][lt]=2018-05-18T12:16:59.491Z"),
    ],
    ids=str,
)
def test_a_bound_between_two_milliseconds_keeps_its_meaning(
    expression: Expression, query: str
) -> None:
    assert sent(expression) == query


@pytest.mark.parametrize("fold", [0, 1])
def test_a_moment_of_the_hour_that_comes_twice_is_taken_as_it_is(fold: int) -> None:
    moment = datetime(2018, 10, 28, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=fold)
    stamp = f"2018-10-28T0{fold}:30:00.000Z"
    assert sent(T.time == moment) == f"[date]={stamp}"
    assert sent(T.time >= moment) == f"[date][gte]={stamp}"
    assert sent(T.time < moment) == f"[date][lt]={stamp}"


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (T.note == None, "has a value"),  # noqa: E711
        (T.note.is_not_null(), "has a value"),
        (T.person.is_null(), "can't filter or sort by TimeEntry.person"),
        (T.time == EXACT, "exact to milliseconds"),
        (T.type == "StartBreak", "In and Out for TimeEntry.type, not 'StartBreak'"),
        (T.type.is_in(["In", "Out"]), r"TimeEntry.type.is_in\(\['In', 'Out'\]\): ask once"),
        (~T.type.is_in(["In", "Out"]), "one condition on TimeEntry.type"),
        ((T.type == "In") | (T.note == "x"), "ask once for each alternative"),
        (~((T.type == "In") & (T.note == "x")), "ask once for each alternative"),
        (~(T.time > NOON), r"~\(TimeEntry.time > .*without a value"),
        (~T.note.contains("x"), r"~\(TimeEntry.note.contains\('x'\)\)"),
        ((T.note >= "a") & (T.note < "b"), "use >= and <="),
        ((T.note >= "a") & T.note.contains("b"), "one condition on TimeEntry.note"),
        ((T.time == NOON) & (T.time > NOON), "one condition on TimeEntry.time"),
        ((T.person_id == "a") & (T.person_id == "b"), "one condition on TimeEntry.person_id"),
        (T.note.lower() == "x", r"TimeEntry.note.lower\(\) == 'x'.*nothing else"),
        (T.note.lower().contains("x"), "nothing else"),
        (T.time.year() == 2018, "nothing else"),
        (T.note == T.address, "TimeEntry.note == TimeEntry.address"),
        (T.belongs_to_date >= date(2018, 5, 18), "give since= and until="),
        (T.local_time > NOON, "use time"),
        (T.project_id == "x", "client_id of fields"),
        (T.status != "Archived", "leave it out"),
        (T.person.full_name == "x", "can't filter or sort by TimeEntry.person.full_name"),
        (T.person_id.is_in(["a"]) & raw_filter("filter[where][person][neq]=x"), "one condition"),
    ],
    ids=str,
)
def test_what_the_old_api_cannot_say_is_refused(expression: Expression, words: str) -> None:
    with pytest.raises(NotSupportedError, match=words):
        render_where(LegacyTimeEntry, expression)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (T.person_id == GUID, "person_id: .* is an id of the current API"),
        (~T.activity_id.is_in([UUID(GUID)]), "activity_id: .* is an id of the current API"),
        (raw_filter("action eq 1"), "write it as documented"),
        (raw_filter("filter[limit]=1"), "write it as documented"),
    ],
    ids=str,
)
def test_what_cannot_be_sent_is_refused(expression: Expression, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        render_where(LegacyTimeEntry, expression)


def test_the_names_that_people_have_are_named() -> None:
    with pytest.raises(NotSupportedError, match="first_name and last_name"):
        render_where(TeamMember, jibble_async.fields(Person).full_name == "x")
    with pytest.raises(ConfigurationError, match="letters, digits"):
        E.meta.key("app]Ver")


@pytest.mark.parametrize(
    "text",
    [
        "filter[where][team][like]=YYY123XXX",
        "filter[where][date][eq]=2018-05-18T12:16:59.490Z",
        "filter[where][action][gt]=1",
        "filter[where][meta.appVer][[between][0]]=1&filter[where][meta.appVer][[between][1]]=2",
    ],
)
def test_a_raw_filter_is_sent_to_the_letter(text: str) -> None:
    assert sent(raw_filter(text)) == text.replace("filter[where]", "")


def test_a_raw_filter_goes_along_with_others() -> None:
    raw = raw_filter("filter[where][notes][like]=a%26b+c")
    assert sent(raw & (T.type == "In")) == "[action]=1&[notes][like]=a&b+c"


def test_the_calendar_may_end() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    assert sent(T.time < last) == "[date][lt]=9999-12-31T23:59:59.999Z"
    assert sent((T.time > last) & (T.time < last)).count("9999-12-31T23:59:59.99") == 2
