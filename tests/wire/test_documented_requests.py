"""Every request that is documented, and those that programs are known to send, by a typed call.

On the wire: method, host, target and body. Documented targets are compared to the letter after one
percent-decoding; two ids that the documentation prints with a digit too few are completed. Of the
observed ones the path and each option are, but not the order of the options, which differs between
programs and means nothing. In the documented bodies of punches `platform` has no `eventId`; ours
has one, to find the punch by. Where the documentation has an answer, the result carries all of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote

import msgspec
import pytest

from jibble_async import (
    ClientConfig,
    Coordinates,
    DecodeError,
    Endpoints,
    JibbleClient,
    Pager,
    Platform,
    StaticToken,
    TimeEntry,
    TimeOff,
    Unlimited,
    fields,
    grouped,
)
from jibble_async.config import Service
from jibble_async.query.values import is_guid
from jibble_async.sandbox import Sandbox
from tests.support.raw_server import Answer, RawServer, Script, json_reply, reply
from tests.unit import documented, documented_time
from tests.unit.test_documented import assert_carries
from tests.wire.week import client_of

T, R = fields(TimeEntry), fields(TimeOff)
KEY = "3cf11f61-76ad-418a-8783-103b66b22fde"
FIRST, LAST = date(2024, 2, 1), date(2024, 2, 7)
DAY = date(2024, 6, 13)
LAPTOP = Platform(
    client_version="web 3.0", os="Windows 10", device_model="MacbookPro", device_name="TestLaptop"
)
PLACE = Coordinates(latitude=42, longitude=-13.5)
NOTHING: dict[str, Any] = {"value": []}


class Example(NamedTuple):
    """A request, the call that makes it, and what it is answered with.

    Attributes:
        request: Service, method and target.
        call: Makes it, or as the last of several.
        body: Its body.
        answers: In order; None for an answer without a body. The last is that of the request.
        observed: Whether it was seen in programs, rather than documented.
    """

    request: str
    call: Callable[[JibbleClient], Any]
    body: dict[str, Any] | None = None
    answers: tuple[dict[str, Any] | bytes | None, ...] = (NOTHING,)
    observed: bool = False


def page_of_keys(size: int, begin: int = 0) -> dict[str, Any]:
    """A full page, so that another is asked for."""
    keys = [f"{number:08}{KEY[8:]}" for number in range(begin, begin + size)]
    return {"value": [{"id": key, "personId": key} for key in keys]}


def punch(sent: dict[str, Any], method: str, **given: Any) -> Example:
    """A documented punch; its answer is that in the same place."""
    answer = documented.NEW_TIME_ENTRIES[documented.PUNCHES.index(sent)]
    return Example(
        "time-tracking POST /v1/TimeEntries",
        lambda client: getattr(client.time_entries, method)(
            sent["personId"], id=sent["id"], platform=LAPTOP, **given
        ),
        sent,
        (answer,),
    )


def decision(status: str, call: Callable[[JibbleClient], Any]) -> Example:
    """A documented decision on a request for time off."""
    request = f"time-tracking PATCH /v1/TimeOffIntervals({KEY})"
    return Example(request, call, {"status": status}, (None,))


IN, IN_AT_LOCATION, IN_WITH_AUTO_OUT, OUT = documented.PUNCHES
WORK = {"activity_id": documented.ACTIVITY, "project_id": documented.PROJECT}
EXAMPLES: dict[str, Example] = {
    "raw time entries": Example(
        f"time-tracking GET {documented.TIME_ENTRIES_TARGET}",
        lambda client: client.time_entries.list(
            since=DAY,
            until=DAY,
            expand=[
                T.activity.select("id", "name", "code"),
                T.project.select("id", "name", "code"),
                T.person.select("id", "group_id", "fullname"),
            ],
            order_by=T.time.asc(),
            stable=False,
            page_size=100,
            select=[
                *(T.id, T.type, T.time, T.local_time, T.belongs_to_date, T.person_id),
                *(T.project_id, T.activity_id, T.location_id, T.note, T.coordinates, T.address),
            ],
        ),
        answers=(documented.TIME_ENTRIES_ANSWER,),
    ),
    "a month of time entries": Example(
        f"time-tracking GET {documented_time.OBSERVED_MONTH_OF_ENTRIES_TARGET}",
        lambda client: client.time_entries.list(
            where=grouped(T.belongs_to_date.between(date(2026, 8, 1), date(2026, 8, 31)), 0),
            include_archived=True,
            select=["id", "person_id", "time", "belongs_to_date", "type", "note"],
            stable=False,
            counted=False,
        ),
        answers=(page_of_keys(1000), page_of_keys(1000, 1000), NOTHING),
        observed=True,
    ),
    "time entries since a moment": Example(
        f"time-tracking GET {documented_time.OBSERVED_ENTRIES_SINCE_TARGET}",
        lambda client: client.time_entries.list(
            where=grouped(
                (T.time >= datetime(2026, 10, 6, tzinfo=UTC)) & (T.status != "Archived"), 0
            ),
            include_archived=True,
            select=["id", "type", "time", "belongs_to_date", "person_id"],
            order_by=T.time.asc(),
            stable=False,
            counted=False,
            page_size=100,
        ),
        observed=True,
    ),
    "clock in": punch(IN, "clock_in", coordinates=PLACE, **WORK),
    "clock in at a location": punch(
        IN_AT_LOCATION, "clock_in", location_id=documented.LOCATION, **WORK
    ),
    "clock in with auto-out": punch(
        IN_WITH_AUTO_OUT,
        "clock_in",
        activity_id=documented.ACTIVITY,
        auto_clock_out_at=datetime(2024, 6, 13, 17, tzinfo=UTC),
    ),
    "clock out": punch(OUT, "clock_out"),
    "change a time entry": Example(
        f"time-tracking PATCH /v1/TimeEntries/{KEY}",
        lambda client: client.time_entries.update(
            KEY, activity_id=documented.ACTIVITY, project_id=documented.PROJECT, note="x"
        ),
        {"activityId": documented.ACTIVITY, "projectId": documented.PROJECT, "note": "x"},
        (None,),
    ),
    "delete a time entry": Example(
        f"time-tracking PATCH /v1/TimeEntries/{KEY}",
        lambda client: client.time_entries.archive(KEY),
        {"status": "Archived"},
        (None,),
    ),
    "people clocked in": Example(
        f"time-tracking GET {documented.PEOPLE_CLOCKED_IN_TARGET}",
        lambda client: client.people.clocked_in(),
        answers=({"value": [{"id": KEY, "fullName": "Paul Oak"}]},),
    ),
    "the latest time entry": Example(
        f"time-tracking GET /v1/People({KEY})/LatestTimeEntry",
        lambda client: client.time_entries.latest(KEY),
        answers=({"id": KEY, "type": "In"},),
    ),
    "time off": Example(
        f"time-tracking GET {documented_time.TIME_OFF_TARGET}",
        lambda client: client.time_off.list(
            where=grouped(R.start_date.between(FIRST, LAST) | R.end_date.between(FIRST, LAST), 2),
            expand=[
                R.person.select("full_name", "id"),
                R.policy.select("name", "compensation", "kind", "id"),
            ],
            order_by=R.start_date.desc(),
            stable=False,
            page_size=20,
        ),
        answers=(documented_time.TIME_OFF_ANSWER,),
    ),
    "ask for time off": Example(
        "time-tracking POST /v1/TimeOffIntervals",
        lambda client: client.time_off.request(
            documented_time.TIME_OFF_REQUEST["personId"],
            documented_time.TIME_OFF_REQUEST["policyId"],
            date(2024, 2, 11),
            date(2024, 2, 16),
            note="Just a vacation",
        ),
        documented_time.TIME_OFF_REQUEST,
        (documented_time.TIME_OFF_INTERVAL,),
    ),
    "approve time off": decision("Approved", lambda client: client.time_off.approve(KEY)),
    "reject time off": decision("Rejected", lambda client: client.time_off.reject(KEY)),
    "cancel time off": decision("Cancelled", lambda client: client.time_off.cancel(KEY)),
    "tracked time": Example(
        f"time-attendance GET {documented_time.TRACKED_TIME_TARGET}",
        lambda client: client.reports.tracked_time(
            datetime(2021, 12, 20, 8, tzinfo=UTC),
            datetime(2021, 12, 27, 8, tzinfo=UTC),
            group_by="Member",
            sub_group_by="Project",
            person_ids=["099e532e-7b42-4da4-8f29-1235ed9bdce2"],
            project_ids=["7ef93dc8-a402-460d-aa30-af80424e4157"],
        ),
        answers=(documented_time.TRACKED_TIME_ANSWER,),
    ),
    "start an export": Example(
        f"time-attendance GET {documented_time.START_EXPORT_TARGET}",
        lambda client: client.reports.start_attendance_export(
            date(2025, 6, 9),
            date(2025, 6, 15),
            group_ids=["9e9f5e69-44a9-44ab-a093-1c9f92b6463a"],
            person_ids=[
                "04e69039-ef99-442c-8b9b-75d996d24b45",
                "e50112b9-10f4-4b1f-9f0a-806683969fa0",
            ],
            schedule_ids=["a5c3d2ca-ed92-495d-85af-4298eaccc037"],
        ),
        answers=(documented_time.START_EXPORT_ANSWER,),
    ),
    "timesheets of a day": Example(
        f"time-attendance GET {documented_time.OBSERVED_TIMESHEETS_TARGET}",
        lambda client: client.timesheets.list(
            date(2026, 8, 19), period="Custom", end_date=date(2026, 8, 19), server_paged=True
        ),
        observed=True,
    ),
    "timesheets of a month": Example(
        f"time-attendance GET {documented_time.OBSERVED_MONTH_TARGET}",
        lambda client: client.timesheets.list(
            date(2026, 8, 1), period="Month", expand=["person"], page_size=20
        ),
        observed=True,
    ),
    "timesheet summaries": Example(
        f"time-attendance GET {documented_time.OBSERVED_SUMMARY_TARGET}",
        lambda client: client.timesheet_summaries.list(
            date(2026, 8, 1), end_date=date(2026, 8, 31), page_size=10
        ),
        answers=(page_of_keys(10), NOTHING),
        observed=True,
    ),
    "remove a person": Example(
        f"workspace PATCH /v1/People({KEY})",
        lambda client: client.people.remove(KEY),
        {"status": "Removed"},
        (None,),
    ),
    "create a project": Example(
        "workspace POST /v1/Projects",
        lambda client: client.projects.create("Roof", description="New tiles"),
        {"name": "Roof", "description": "New tiles"},
        ({"id": KEY, "name": "Roof"},),
    ),
    "metadata": Example(
        "workspace GET /v1/$metadata",
        lambda client: client.metadata("workspace"),
        answers=(b"<edmx:Edmx/>",),
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
async def test_a_known_request(server: RawServer, name: str) -> None:
    example = EXAMPLES[name]
    server.answer = Script(*[_answer(each) for each in example.answers])
    result = await _made(server, example.call)
    heard = server.heard[-1]
    service, method, target = example.request.split(" ", 2)
    assert heard.method == method
    shown = _options if example.observed else unquote
    assert shown(heard.target) == shown(f"/{service}{target}")
    sent = msgspec.json.decode(heard.body) if heard.body else None
    if sent is not None and "platform" in sent:
        assert is_guid(sent["platform"].pop("eventId"))
    assert sent == example.body

    answer = example.answers[-1]
    if isinstance(answer, dict):
        rows = answer.get("value", [answer])
        carried = result if isinstance(result, list) else [result]
        for entity, row in zip(carried[-len(rows) or len(carried) :], rows, strict=True):
            assert_carries(entity, row)


@pytest.mark.parametrize("service", ["workspace", "time-tracking", "time-attendance"])
async def test_metadata_is_asked_for_in_xml_and_read_as_text(
    server: RawServer, box: Sandbox, service: Service
) -> None:
    server.answer = Script(reply(200, "\ufeff<Edmx é=''/>".encode()), reply(200, b"<\xe9/>"))
    assert await _made(server, lambda client: client.metadata(service)) == "<Edmx é=''/>"
    assert server.heard[0].headers["accept"] == "application/xml"
    with pytest.raises(DecodeError, match="no XML document"):
        await _made(server, lambda client: client.metadata(service))
    async with client_of(box) as jibble:
        assert "<EntitySet " in await jibble.metadata(service)


async def _made(server: RawServer, call: Callable[[JibbleClient], Any]) -> Any:
    """What a call gives; a list is read to its end."""
    services = ("identity", "workspace", "time_tracking", "time_attendance")
    places = {name: f"{server.url}/{name.replace('_', '-')}" for name in services}
    config = ClientConfig(endpoints=Endpoints(**places))
    async with JibbleClient(
        auth=StaticToken("the-token"), config=config, limiter=Unlimited()
    ) as client:
        made: Pager[Any] | Awaitable[Any] = call(client)
        return await made.collect() if isinstance(made, Pager) else await made


def _answer(value: dict[str, Any] | bytes | None) -> Answer:
    if value is None:
        return reply(204)
    return reply(200, value) if isinstance(value, bytes) else json_reply(value)


def _options(target: str) -> tuple[str, list[str]]:
    """The path and the decoded options of a target, whatever their order."""
    path, _, query = target.partition("?")
    return unquote(path), sorted(unquote(option) for option in query.split("&"))
