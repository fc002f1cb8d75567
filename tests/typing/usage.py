"""The public interface as a type checker sees it; checked by `test_usage.py`, never run.

A line that ends in `# error` must be an error for every checker, and no other line may be one.
"""

# ruff: noqa: B015, B018
from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Unpack, assert_type
from uuid import UUID

from jibble_legacy.client import LegacyClient
from jibble_legacy.entities import LegacyTimeEntry, PowerUp, Team, TeamClient, TeamMember
from jibble_legacy.query_fields import LegacyTimeEntryFields, TeamMemberFields
from jibble_legacy.query_fields import fields as legacy_fields

import jibble_async
from jibble_async import (
    Activity,
    APIError,
    Auth,
    Client,
    ClientConfig,
    ClientCredentials,
    Coordinates,
    Cursor,
    EntryStatus,
    EntryType,
    ExportJob,
    Expression,
    FullTimeEntry,
    Hook,
    Identity,
    ItemOutcome,
    JibbleClient,
    JibbleError,
    Leftover,
    ListOptions,
    Organization,
    Outcome,
    Page,
    Pager,
    Person,
    PersonHoliday,
    PersonStatus,
    Ping,
    Platform,
    Priority,
    Project,
    RateLimiter,
    ResponseMetadata,
    RetryPolicy,
    Schedule,
    Service,
    Slot,
    StaticToken,
    Stats,
    Stretch,
    TimeEntry,
    TimeOff,
    TimeOffInterval,
    Timeouts,
    Timesheet,
    TimesheetSummary,
    TimeTracker,
    TokenBucket,
    TrackedTime,
    Unlimited,
    WorkSessions,
    fields,
    grouped,
    raw_filter,
    work_sessions,
)
from jibble_async.export import Exporter, ExportReport
from jibble_async.query.clauses import Expand, Ordering
from jibble_async.query.expressions import Between, Comparison, InList, Predicate
from jibble_async.query.fields import DateField, EnumField, IdField, NumberField, TextField
from jibble_async.query.vocabulary import PersonFields, TimeEntryFields

T = fields(TimeEntry)
E = legacy_fields(LegacyTimeEntry)
P = fields(Person)
DAY = date(2026, 10, 1)
NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)

assert_type(T, TimeEntryFields)
assert_type(fields(LegacyTimeEntry), TimeEntryFields)
assert_type(legacy_fields(TimeEntry), TimeEntryFields)
assert_type(E, LegacyTimeEntryFields)
assert_type(E.client_id, IdField)
assert_type(E.meta.key("appVer"), TextField)
assert_type(legacy_fields(TeamMember), TeamMemberFields)
E.meta.key("appVer") >= 1  # error
E.clientId  # error
assert_type(T.person, PersonFields)
assert_type(T.person_id, IdField)
assert_type(T.person.full_name, TextField)
assert_type(T.person.group.name, TextField)
assert_type(T.type, EnumField[EntryType | str])
assert_type(T.time.date(), DateField)
assert_type(T.note.strip().length(), NumberField)
assert_type(T.time >= NOON, Comparison)
assert_type(T.belongs_to_date == DAY, Comparison)
assert_type(T.time < T.updated_at, Comparison)
assert_type(T.note == None, Comparison)  # noqa: E711 - an expression
assert_type(T.note.contains("x"), Predicate)
assert_type(T.belongs_to_date.between(DAY, DAY), Between)
assert_type(T.type.is_in(["In", EntryType.OUT]), InList)
assert_type((T.note == "x") & ~(T.type == "In"), Expression)
assert_type((T.note == "x") | raw_filter("a eq 1"), Expression)
assert_type(grouped(T.belongs_to_date.between(DAY, DAY), 0), Expression)
assert_type(T.time.desc(), Ordering)
assert_type(T.person.select("id", P.full_name).limit(1), Expand)

ok: list[Expression] = [
    T.status != EntryStatus.ARCHIVED,
    P.status == PersonStatus.JOINED,
    T.is_manual == True,  # noqa: E712 - an expression
    T.offset > timedelta(hours=8),
    T.face_similarity >= 1,
    T.coordinates.latitude <= 52.5,
    T.coordinates.is_null(),
    T.person.group_id.is_null(),
    T.person_id == UUID(int=0),
]

T.person_idd  # error
T.person.fullname  # error
T.person.group.nam  # error
T.time >= "2026-10-01"  # error
T.time >= DAY  # error
T.belongs_to_date < 5  # error
T.offset > 8  # error
T.face_similarity >= "high"  # error
T.note < 5  # error
T.note.contains(5)  # error
T.id < "x"  # error
T.is_manual > False  # error
T.type.contains("In")  # error
T.time.is_in([DAY])  # error
T.belongs_to_date.between("a", "b")  # error
T.belongs_to_date.hour()  # error
T.person.managers.contains("x")  # error
T.person.select(5)  # error
(T.note == "x") & "y"  # error
fields(str)  # error
raw_filter(5)  # error


async def uses(jibble: JibbleClient) -> None:
    pager = jibble.time_entries.list(
        since=DAY,
        until=DAY,
        where=(T.person_id == "x") & ~T.type.is_in(["StartBreak"]),
        expand=[T.person.select("id", "full_name"), "project"],
        order_by=T.time.desc(),
        select=["id", T.time],
        page_size=100,
        limit=5,
        concurrency=4,
        verify=True,
    )
    assert_type(pager, Pager[TimeEntry])
    whole = jibble.time_entries.list(
        since=DAY, expand=["person"], page_size=100, where=T.note == ""
    )
    assert_type(whole, Pager[FullTimeEntry])
    pagers: list[Pager[TimeEntry]] = [pager, whole]
    assert_type(len(pagers), int)
    async for full in whole:
        assert_type(full.id, str)
        assert_type(full.type, EntryType)
        assert_type(full.time, datetime)
        assert_type(full.local_time, datetime)
        assert_type(full.offset, timedelta)
        assert_type(full.belongs_to_date, date)
        assert_type(full.person_id, str)
        assert_type(full.status, EntryStatus)
        assert_type(full.note, str | None)
        assert_type(full.person, Person | None)
        full.time = NOON  # error
    work_sessions(await whole.collect())
    assert_type(await jibble.time_entries.get("x"), FullTimeEntry)
    jibble.time_entries.list(selekt=["id"])  # error
    async for entry in pager:
        assert_type(entry, TimeEntry)
        assert_type(entry.id, str)
        assert_type(entry.time, datetime | None)
        assert_type(entry.offset, timedelta | None)
        assert_type(entry.belongs_to_date, date | None)
        assert_type(entry.type, EntryType | None)
        assert_type(entry.person, Person | None)
        assert_type(entry.coordinates, Coordinates | None)
        assert_type(entry.is_manual, bool | None)
        entry.person.full_name  # error
        entry.personId  # error
        entry.note = "x"  # error
    assert_type(pager.pages(), AsyncGenerator[Page[TimeEntry], None])
    async for page in pager.pages():
        assert_type(page.items, list[TimeEntry])
        assert_type(page.cursor, Cursor)
        assert_type(page.raw, bytes)
        assert_type(page.response, ResponseMetadata)
        assert_type(page.response.request_id, str | None)
        assert_type(page.total, int | None)
    async with pager as same:
        assert_type(same, Pager[TimeEntry])
    assert_type(await pager.first(), TimeEntry | None)
    assert_type(await pager.collect(limit=3), list[TimeEntry])
    assert_type(await pager.count(), int)

    assert_type(await jibble.people.get("x"), Person)
    assert_type(jibble.people.list(include_removed=True), Pager[Person])
    assert_type(jibble.people.clocked_in(), Pager[Person])
    assert_type(jibble.projects.list(include_archived=True, counted=False), Pager[Project])
    assert_type(await jibble.activities.get("x"), Activity)
    assert_type(await jibble.whoami(), Identity)
    assert_type(jibble.stats, Stats)
    assert_type(await jibble.time_entries.clock_in("x", at=NOW, note="y"), TimeEntry)
    assert_type(await jibble.time_entries.clock_out("x", project_id=None), TimeEntry)
    assert_type(await jibble.time_entries.start_break("x", platform=Platform(os="y")), TimeEntry)
    assert_type(await jibble.time_entries.create("x", EntryType.OUT, NOW, DAY), TimeEntry)
    assert_type(await jibble.time_off.request("x", "y", DAY), TimeOffInterval)
    assert_type(await jibble.time_off.approve("x", "y"), list[ItemOutcome])
    assert_type(await jibble.people.create("x", send_invite=True), Person)
    assert_type(await jibble.projects.create("x"), Project)
    await jibble.time_entries.update("x", note=None)
    await jibble.people.update("x", email=None)

    key = UUID(int=1)
    assert_type(await jibble.people.get(key), Person)
    assert_type(await jibble.time_entries.clock_in(key, activity_id=key, id=key), TimeEntry)
    assert_type(await jibble.time_off.approve(key, "x"), list[ItemOutcome])
    jibble.timesheets.list(DAY, person_ids=[key, "x"])
    await jibble.people.update(key, group_id=key)

    await jibble.time_entries.clock_in("x", at="2026-10-01")  # error
    await jibble.time_entries.clock_in("x", projectId="y")  # error
    await jibble.time_entries.clock_out("x", auto_clock_out_at=NOW)  # error
    await jibble.time_entries.create("x", EntryType.OUT, NOW)  # error
    await jibble.time_entries.update("x", status="Active")  # error
    await jibble.people.update("x", full_name=None)  # error
    await jibble.people.create("x", None, "y")  # error
    await jibble.time_off.approve(["x"])  # error
    assert_type(jibble.with_options(timeout=None, priority="bulk"), JibbleClient)
    assert_type(jibble.with_options(headers={"X-Request-Id": "x"}), JibbleClient)
    jibble.with_options(headers=["x"])  # error
    assert_type(await jibble.ping(), Ping)
    assert_type(await jibble.request("GET", "workspace", "/v1/Schedules"), Any)
    assert_type(await jibble.metadata("workspace"), str)
    assert_type(jibble.paginate("workspace", "/v1/Schedules", params={"a": [1, "b"]}), Pager[Any])

    jibble.time_entries.list(sinse=DAY)  # error
    jibble.time_entries.list(since="2026-10-01")  # error
    jibble.time_entries.list(where="a eq 1")  # error
    jibble.time_entries.list(where=T.note == 5)  # error
    jibble.time_entries.list(where=T.time == "2026-10-01")  # error
    jibble.time_entries.list(where=T.is_manual == "yes")  # error
    jibble.time_entries.list(select=[5])  # error
    jibble.time_entries.list(expand=[5])  # error
    jibble.time_entries.list(page_size="100")  # error
    jibble.people.list(include_archived=True)  # error
    jibble.projects.list(include_removed=True)  # error
    jibble.people.list(DAY)  # error
    await jibble.people.get(5)  # error
    jibble.persons  # error
    jibble.with_options(priority="urgent")  # error
    jibble.with_options(timeouts=5)  # error
    await jibble.request("GET", "legacy", "/v1/Schedules")  # error
    jibble.paginate("workspace", "/v1/Schedules", params="$top=1")  # error


async def makes() -> None:
    async with JibbleClient("x", "y") as jibble:
        assert_type(jibble, JibbleClient)
    assert_type(JibbleClient.from_env(), JibbleClient)
    JibbleClient(auth=StaticToken("x"), config=ClientConfig(page_size=5), limiter=Unlimited())
    JibbleClient(auth=ClientCredentials("x", "y"), limiter={"workspace": TokenBucket(limit=5)})
    JibbleClient(auth=provide)
    ClientConfig(timeouts=Timeouts(total=None), retry=RetryPolicy(attempts=1))
    JibbleClient("x", secret="y")  # error
    JibbleClient(auth="token")  # error
    JibbleClient("x", "y", limiter={"worksspace": Unlimited()})  # error
    JibbleClient("x", "y", limiter=5)  # error
    ClientConfig(pagesize=5)  # error
    ClientConfig().page_size = 5  # error
    TimeEntry("x")  # error
    TimeEntry(id="x", type=5)  # error


async def lists(jibble: JibbleClient, service: Service, **options: Unpack[ListOptions]) -> None:
    """What programs write of their own around ours."""
    auth: Auth = provide
    hook: Hook = print
    JibbleClient(auth=auth, config=ClientConfig(hooks=(hook,)))
    ClientConfig(hooks=[hook])
    assert_type(jibble.people.list(**options), Pager[Person])
    await jibble.metadata(service)


async def provide() -> str:
    return "token"


class Polite:
    """A limiter of one's own."""

    async def acquire(
        self, *, priority: Priority = "interactive", max_wait: float | None = None
    ) -> Slot:
        raise NotImplementedError


class Rude:
    """Something that is no limiter."""

    async def acquire(self) -> None:
        raise NotImplementedError


jibble_async.Nonsense  # error

limiter: RateLimiter = Polite()
no_limiter: RateLimiter = Rude()  # error


def handles(error: JibbleError, slot: Slot) -> None:
    assert_type(error.cursor, str | None)
    assert_type(error.request_id, str | None)
    assert_type(error.response, ResponseMetadata | None)
    assert_type(error.headers, Mapping[str, str])
    if isinstance(error, APIError):
        assert_type(error.status, int)
        assert_type(error.retry_after, float | None)
    slot.release(Outcome.ANSWERED)
    slot.release("answered")  # error
    error.status  # error


async def hours(jibble: JibbleClient) -> None:
    assert_type(jibble.timesheets.list(DAY, period="Week"), Pager[Timesheet])
    assert_type(jibble.timesheet_summaries.list(DAY, end_date=DAY), Pager[TimesheetSummary])
    assert_type(jibble.reports.tracked_time(DAY, DAY), Pager[TrackedTime])
    assert_type(jibble.reports.tracked_time(NOON, NOON, group_by="Date"), Pager[TrackedTime])
    assert_type(await jibble.reports.start_attendance_export(DAY, DAY), ExportJob)
    assert_type(jibble.time_off.list(since=DAY), Pager[TimeOff])
    assert_type(await jibble.time_off.get("1"), TimeOffInterval)
    assert_type(await jibble.time_entries.latest("1"), TimeEntry | None)
    assert_type(await jibble.schedules.get("1"), Schedule)
    assert_type(await jibble.people.schedule("1"), Schedule | None)
    assert_type(await jibble.people.by_email("x"), Person | None)
    assert_type(await jibble.people.get_by_email("x"), Person)
    assert_type(jibble.timesheets.list(since=DAY, until=DAY), Pager[Timesheet])
    assert_type(jibble.timesheet_summaries.list(since=DAY, until=DAY), Pager[TimesheetSummary])
    assert_type(jibble.people.holidays("1"), Pager[PersonHoliday])
    jibble.timesheets.list(DAY, select=["id"])  # error
    jibble.timesheets.list("2026-10-01")  # error
    jibble.timesheet_summaries.list(DAY, order_by="person_id")  # error
    jibble.reports.tracked_time(DAY)  # error
    jibble.reports.get("1")  # error
    fields(TrackedTime)  # error


def stretches(entries: list[TimeEntry]) -> None:
    sessions = work_sessions(entries, longest=timedelta(hours=10))
    assert_type(sessions, WorkSessions)
    assert_type(sessions.work[0], Stretch)
    assert_type(sessions.leftovers[0], Leftover)
    assert_type(sessions.worked, timedelta)
    assert_type(sessions.by_person(), dict[str, timedelta])
    assert_type(sessions.by_day(), dict[date, timedelta])
    assert_type(sessions.by_project(), dict[str | None, timedelta])
    assert_type(sessions.worked_by(lambda each: (each.day, each.duration > timedelta(0))),
                dict[tuple[date, bool], timedelta])  # fmt: skip
    sessions.worked_by(lambda each: each.dya)  # error
    work_sessions(entries, longest=10)  # error
    sessions.work = []  # error


async def old(legacy: LegacyClient) -> None:
    assert_type(
        legacy.time_entries.list(since=DAY, where=T.person_id == "1"), Pager[LegacyTimeEntry]
    )
    assert_type(legacy.people.list(verify=True), Pager[TeamMember])
    assert_type(legacy.organizations.list(), Pager[Team])
    assert_type(await legacy.clients.get("1"), TeamClient)
    assert_type(await legacy.activities.create("x", "a8a8a8", "1"), Activity)
    assert_type(await legacy.power_ups.update("1", is_enabled=False), PowerUp)
    assert_type(await legacy.time_entries.clock_in("1", activity_id="2", at=NOW), LegacyTimeEntry)
    assert_type(await legacy.time_entries.latest("1"), LegacyTimeEntry | None)
    assert_type(legacy.with_options(max_wait=5), LegacyClient)
    assert_type(legacy.stats, Stats)
    assert_type(await Exporter(legacy, "people", out="x.csv").run(), ExportReport)
    Exporter(legacy, "power_ups", out="x.csv")  # error
    LegacyClient("x", timezone={"1": "Asia/Kuala_Lumpur", "": UTC})
    legacy.people.list(since=DAY)  # error
    legacy.people.list(include_removed=True)  # error
    legacy.projects  # error
    legacy.time_entries.clock_in("1", project_id="2")  # error
    legacy.time_entries.update("1", note=None)  # error
    await legacy.request("GET", "legacy", "/api/v1/teams")  # error
    LegacyClient(timezone=5)  # error


def either(jibble: JibbleClient, legacy: LegacyClient) -> list[TimeTracker]:
    return [jibble, legacy]


async def whichever(tracker: TimeTracker) -> None:
    pager = tracker.time_entries.list(
        since=DAY,
        until=DAY,
        where=T.note == "x",
        expand=["person", T.activity],
        order_by=[T.time.desc(), "id"],
        page_size=100,
        limit=5,
        concurrency=4,
        resume_from="x",
        verify=True,
        on_bad_row=lambda _, __: None,
    )
    assert_type(pager, Pager[TimeEntry])
    async for entry in pager:
        assert_type(entry, TimeEntry)
    assert_type(work_sessions(await pager.collect()), WorkSessions)
    assert_type({each.id: each.full_name async for each in tracker.people.list()},
                dict[str, str | None])  # fmt: skip
    assert_type(tracker.activities.list(where=fields(Activity).name == "x"), Pager[Activity])
    assert_type(tracker.organizations.list(), Pager[Organization])
    assert_type(await tracker.clients.get("1"), Client)
    assert_type(await tracker.time_entries.get("1"), TimeEntry)
    assert_type(await tracker.time_entries.latest("1"), TimeEntry | None)
    assert_type(await tracker.time_entries.clock_in("1", activity_id="2", at=NOW), TimeEntry)
    assert_type(await tracker.time_entries.clock_out("1", note="x"), TimeEntry)
    assert_type(tracker.stats, Stats)
    assert_type(tracker.with_options(timeout=None, priority="bulk"), TimeTracker)
    async with tracker as same:
        assert_type(same, TimeTracker)
    await tracker.aclose()

    tracker.projects  # error
    tracker.people = tracker.clients  # error
    tracker.people.list(select=["id"])  # error
    tracker.people.list(include_removed=True)  # error
    tracker.people.list(since=DAY)  # error
    tracker.time_entries.list(since="2026-10-01")  # error
    tracker.time_entries.list(page_size=None)  # error
    await tracker.time_entries.delete("1")  # error
    await tracker.time_entries.start_break("1")  # error
    await tracker.time_entries.clock_in("1", project_id="2")  # error
    await tracker.time_entries.clock_in("1", at=DAY)  # error
    await tracker.people.create("x")  # error
    tracker.with_options(priority="urgent")  # error


class Deaf:
    """Something that is no client."""

    people: list[Person]


no_tracker: TimeTracker = Deaf()  # error
