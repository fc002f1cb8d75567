"""The tracked-time report: stretches of work, added up by one thing or by two.

Breaks are left out. Time without a project, client or activity makes a row without id and subject;
what the service makes of it is unknown, and so are rows of a grouping that was not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from jibble_async.sandbox.scalars import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.timesheets import Stretch

GROUPS = {name.lower(): name for name in ("Date", "Member", "Client", "Project", "Activity")}
FILTERS = {
    f"{name}ids": name
    for name in ("person", "activity", "project", "client", "group", "location", "schedule")
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What a report is asked for.

    Args:
        begin: The first day, or an instant.
        end: The last day, included, or an instant.
        group: What a row is about.
        sub_group: What the rows within a row are about; None for no such rows.
        filters: By the names in `FILTERS`: the ids that are wanted, all where there are none.
        subjects: Whether rows show what they are about, at the top and within.
        items: Whether rows show the rows within.
    """

    begin: date | datetime
    end: date | datetime
    group: str
    sub_group: str | None
    filters: dict[str, frozenset[str]]
    subjects: tuple[bool, bool]
    items: bool


class TrackedTime:
    """Computes reports.

    Args:
        dataset: The rows.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def rows(self, question: Question, stretches: Iterable[Stretch]) -> list[Row]:
        """The rows of a report, days in their order and other things by name."""
        counted = [
            (stretch, length)
            for stretch in stretches
            if stretch.at_work
            and (length := _within(stretch, question)) > timedelta(0)
            and self._wanted(stretch, question.filters)
        ]
        rows: list[Row] = []
        for key, members in self._grouped(counted, question.group):
            row = self._row(question.group, key, members, subject=question.subjects[0])
            if question.items:
                sub_group = question.sub_group
                row["items"] = sub_group and [
                    self._row(sub_group, inner, some, subject=question.subjects[1])
                    for inner, some in self._grouped(members, sub_group)
                ]
            rows.append(row)
        return rows

    def _grouped(
        self, counted: list[tuple[Stretch, timedelta]], group: str
    ) -> list[tuple[str | None, list[tuple[Stretch, timedelta]]]]:
        found: dict[str | None, list[tuple[Stretch, timedelta]]] = {}
        for stretch, length in counted:
            found.setdefault(self._key(stretch, group), []).append((stretch, length))

        def place(item: tuple[str | None, object]) -> tuple[bool, str]:
            key = item[0]
            name = key if group == "Date" else self._subject(group, key)["name"] if key else ""
            return key is None, name or ""

        return sorted(found.items(), key=place)

    def _key(self, stretch: Stretch, group: str) -> str | None:
        match group:
            case "Date":
                return stretch.day
            case "Member":
                return stretch.person_id
            case "Activity":
                return stretch.activity_id
            case "Project":
                return stretch.project_id
            case _:
                return self._client(stretch)

    def _client(self, stretch: Stretch) -> str | None:
        project = self._dataset.index("Projects").get(stretch.project_id or "")
        return None if project is None else project["clientId"]

    def _wanted(self, stretch: Stretch, filters: dict[str, frozenset[str]]) -> bool:
        person = self._dataset.index("People").get(stretch.person_id, {})
        has = {
            "person": stretch.person_id,
            "activity": stretch.activity_id,
            "project": stretch.project_id,
            "client": self._client(stretch) if "client" in filters else None,
            "group": person.get("groupId"),
            "location": stretch.location_id,
            "schedule": person.get("scheduleId"),
        }
        return all(has[name] in ids for name, ids in filters.items())

    def _row(
        self,
        group: str,
        key: str | None,
        members: list[tuple[Stretch, timedelta]],
        *,
        subject: bool,
    ) -> Row:
        length = format_duration(sum((length for _, length in members), timedelta(0)))
        about = None if key is None else self._subject(group, key)
        row: Row = {
            "id": about and about["id"],
            "trackedTime": length,
            "time": length,
            "billableAmount": 0,
        }
        if subject:
            row["subject"] = about
        return row

    def _subject(self, group: str, key: str) -> Row:
        if group == "Date":
            day = date.fromisoformat(key)
            name = f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
            return _about(name, name, group)
        sets = {"Member": "People", "Client": "Clients", "Project": "Projects"}
        row = self._dataset.index(sets.get(group, "Activities")).get(key)
        if row is None:
            return _about(key, "", group, deleted=True)
        return _about(
            key,
            row["fullName" if group == "Member" else "name"],
            group,
            color=row.get("color"),
            deleted=row["status"] in {"Archived", "Removed"},
        )


def _about(
    key: str, name: str, group: str, *, color: str | None = None, deleted: bool = False
) -> Row:
    return {
        "id": key,
        "name": name,
        "chipColor": color,
        "entityType": group,
        "isDeleted": deleted,
    }


def _within(stretch: Stretch, question: Question) -> timedelta:
    """How much of a stretch the report covers: whole days by their date, or by the clock."""
    begin, end = question.begin, question.end
    if isinstance(begin, datetime) and isinstance(end, datetime):
        return min(stretch.end, end) - max(stretch.start, begin)
    inside = begin.isoformat() <= stretch.day <= end.isoformat()
    return stretch.length if inside else timedelta(0)
