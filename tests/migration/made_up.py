"""Made-up numbers of a migration, for the page: to be signed, waiting, and wrong."""

from __future__ import annotations

from datetime import UTC, datetime

from jibble_legacy.migration.report.numbers import (
    Auditor,
    Found,
    HeldBack,
    Homeless,
    Month,
    Numbers,
    Oddity,
    PersonLine,
    Proof,
    ReadBack,
    Sample,
    Sums,
    TellingGap,
)
from msgspec.structs import replace


def at(text: str) -> int:
    """A moment in milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def _months(held: float) -> list[Month]:
    names = [f"{year}-{month:02}" for year in range(2016, 2027) for month in range(1, 13)]
    months: list[Month] = []
    for place, name in enumerate(names[2:127]):
        old = 28 + min(place * 3, 110) + place * 7 % 37
        more = 0.55 if place < 5 else held * (1 + place % 3 / 4)
        months.append(Month(month=name, old=old, new=old - round(old * more) if held else old))
    return months


PEOPLE = (
    PersonLine(
        old_id="ybZLHi3qTf",
        name="Jürgen Müller",
        email="person2@example.com",
        zone="Asia/Dubai",
        first="2016-03-07",
        last="2026-07-31",
        old=2036,
        is_open=True,
    ),
    PersonLine(
        old_id="lBGLIKQQw0",
        name="Anna Schmidt",
        email="person1@example.com",
        found="found by e-mail",
        new_id="1",
        zone="Europe/Berlin",
        by_day=0.004,
        first="2016-03-01",
        last="2024-05-31",
        old=1337,
        new=1333,
        worked=9_910_800_000,
    ),
    PersonLine(
        old_id="Mxk8n0MBh4",
        name="Fatima Al-Farsi",
        email="person5@example.com",
        found="found by e-mail",
        new_id="2",
        zone="America/New_York",
        first="2016-09-02",
        last="2026-07-31",
        old=1874,
        new=1874,
        worked=15_264_000_000,
    ),
    PersonLine(
        old_id="ztkWEJDX4U",
        name="Fatima Al-Farsi",
        email="person5@example.com",
        found="found by e-mail",
        new_id="2",
        same_as="Mxk8n0MBh4",
        zone="America/New_York",
        first="2016-09-02",
        last="2026-07-31",
        old=1918,
        new=1918,
    ),
    PersonLine(
        old_id="IEnWX5jdNS",
        name="Former member IEnWX5jdNS",
        found="created, by your file",
        new_id="3",
        zone="Asia/Dubai",
        first="2016-10-03",
        last="2023-04-28",
        old=1270,
        new=1270,
        worked=9_424_800_000,
    ),
    PersonLine(
        old_id="QmB7cc01Za",
        name="محمد \u202eعبد الله",
        email="person7@example.com",
        found="created",
        new_id="4",
        zone="Asia/Dubai",
        first="2018-01-08",
        last="2023-09-30",
        old=1102,
        new=1102,
        worked=8_182_800_000,
    ),
    PersonLine(
        old_id="RpVpu3mxNv",
        name="明 山田",
        found="created, by your file",
        new_id="5",
        zone="Asia/Tokyo",
        first="2021-02-01",
        last="2026-07-31",
        old=7693,
        new=7693,
        worked=7_952_400_000,
    ),
)

_HELD = (
    HeldBack(
        code="unknown-action",
        reason="Neither In nor Out",
        way_out="Nothing: the old account itself could not show it.",
        entries=1,
        people=1,
    ),
    HeldBack(
        code="future",
        reason="Dated in the future",
        way_out="Give the right moment in rejects.csv, or leave it.",
        entries=2,
        people=1,
    ),
    HeldBack(
        code="duplicate",
        reason="The old account has this punch twice, to the millisecond",
        way_out="Nothing, unless you want both.",
        entries=1,
        people=1,
    ),
)
_OPEN = HeldBack(
    code="person-undecided",
    reason="Nobody has said who this is in the new account",
    way_out="Fill in the line in people.csv, then plan and apply again.",
    entries=2036,
    people=1,
    is_open=True,
)

_SAMPLES = tuple(
    Sample(
        old_id=old_id,
        page=page,
        row=row,
        person=person,
        ms=at(moment),
        action="1 · In" if kind == "In" else "2 · Out",
        note=note,
        new_id="148456fc-3f61-4a2e-9d6a-0a3b1f1ce0a1",
        local=local,
        day=local[:10],
        type=kind,
        verdict="equal",
    )
    for old_id, page, row, person, moment, kind, note, local in (
        (
            "BMiFNC6lGsoO9grB",
            73,
            39,
            "Anna Schmidt",
            "2020-05-18T23:57:52.002",
            "Out",
            "",
            "2020-05-19 01:57:52",
        ),
        (
            "5eXMBMHv4GECnol6",
            79,
            94,
            "محمد الحسن",
            "2020-09-21T07:09:53.126",
            "In",
            "تسليم",
            "2020-09-21 12:39:53",
        ),
        (
            "xZJqNlXv63DI775W",
            162,
            3,
            "明 山田",
            "2025-03-31T10:52:19.315",
            "In",
            "O'Brien signed; 100% done  <b>🙂</b>",
            "2025-03-31 19:52:19",
        ),
    )
)

READY = Numbers(
    old_name="Werk Süd & Field Service",
    old_host="connect.jibble.io",
    new_name="Sandbox Works Ltd",
    old_until=at("2026-08-01T00:00"),
    written_from=at("2026-08-01T01:00"),
    written_until=at("2026-08-01T01:40"),
    read_back=at("2026-08-01T01:41"),
    sums=Sums(old=17_230, arrived=17_226, held_back=4),
    found=Found(equal=17_226, only_there=12, before=240),
    worked_old=99_959_400_000,
    worked_new=99_959_400_000,
    months=_months(0),
    outside=2,
    held_back=_HELD,
    people=PEOPLE[1:],
    oddities=(
        Oddity(
            what="In that nothing ended (somebody forgot the Out)",
            means="counts no time on either side by our rules; Jibble's own timesheets may differ",
            entries=46,
        ),
        Oddity(what="Out without an In before it", means="the same", entries=850),
        Oddity(
            what="Entries whose activity or client was deleted",
            means="moved without it; the old id is in the side file",
            entries=428,
        ),
    ),
    homeless=(
        Homeless(
            what="How the entry was made (web, phone, version)",
            fields="meta",
            values=17_229,
            file="side/entries-meta.jsonl",
        ),
        Homeless(
            what="When the entry was first written and last changed",
            fields="created_at, updated_at",
            values=17_230,
            file="side/entries-stamps.csv",
        ),
        Homeless(
            what="First and last name apart",
            fields="firstName, lastName",
            values=11,
            file="side/people.jsonl",
        ),
    ),
    again=ReadBack(
        target_rows=17_478,
        target_requests=31,
        source="rows changed since the extraction: none; and 12 of 180 pages, drawn: all as before",
        pages_checked=180,
    ),
    auditor=Auditor(
        chain="9ce34c1a556474217407c2f77f8a65994cdb3e50453ef047068411726d48808f",
        answers=180,
        requests=185,
        read_from=at("2026-08-01T00:00"),
        read_until=at("2026-08-01T00:58"),
        busiest_hour=150,
        plan="91c0be5524d0f1a7",
        plan_at=at("2026-08-01T00:58"),
        tool="jibble-async 0.3.0",
        proofs=(
            Proof(name="people.csv", sha256="91c0" * 16),
            Proof(name="activities.csv", sha256="04be" * 16),
        ),
        probe=(
            "one entry of March 2016, archived again: moment, day, note, clock and mark were kept",
            "sent twice, the second was refused",
        ),
        not_shown=(
            "entries deleted from the old account before 1 August 2026, 00:00 UTC",
            "how Jibble's own timesheets count what is odd",
        ),
    ),
    samples=_SAMPLES,
    drawn_by="the hash of the source",
)

WAITS = replace(
    READY,
    sums=Sums(old=17_230, arrived=15_190, held_back=2_040),
    found=Found(equal=15_187, changed=3, only_there=12, before=240),
    months=_months(0.11),
    held_back=(*_HELD, _OPEN),
    people=PEOPLE,
    gaps=(
        TellingGap(
            person="Anna Schmidt",
            month="2020-05",
            old_entries=44,
            new_entries=42,
            old_worked=540_000_000,
            new_worked=511_200_000,
            is_explained=True,
        ),
    ),
    worked_new=99_930_600_000,
)

WRONG = replace(
    WAITS,
    sums=Sums(old=17_230, arrived=15_186, held_back=2_037, refused=2, unknown=3, missing=2),
    found=Found(equal=15_185, differs=1, doubled=4, ended=2, only_there=12, before=240),
    flaws=("page 12 of the ledger is not what it was when it was read",),
)
