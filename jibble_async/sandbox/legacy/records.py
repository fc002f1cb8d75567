"""The organisation as the old API shows it: one team, its members, and what they punched.

The old API knows no breaks: a StartBreak is an Out (2), and the In that ends it an In (1) with its
activity. Archived rows and removed people are absent, since it deletes for good; what removed
people punched stays, and names somebody who is gone. An entry has the client of its project. Of the
roles only `team_owner` is documented; the others are named in its manner here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jibble_async.sandbox.legacy.scalars import derived_id, stamp

if TYPE_CHECKING:
    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row

# The lengths that the examples show; whatever is not named here has ten.
_LENGTHS = {"Clients": 16, "TimeEntries": 16}
_ROLES = {"Owner": "team_owner", "Admin": "team_admin"}
_POWER_UPS = ("billing", "slack")


def legacy_id(name: str, guid: str) -> str:
    """The old API's id of a row of the current one.

    Args:
        name: The row's entity set, such as `People`.
        guid: Its id there.
    """
    return derived_id(guid, _LENGTHS.get(name, 10))


def organisation_rows(dataset: Dataset) -> dict[str, list[Row]]:
    """The rows of every resource, with references as bare ids.

    Args:
        dataset: The organisation; it is read once and not kept.
    """
    organisation = dataset.rows("Organizations")[0]
    owner = dataset.index("People").get(dataset.owner_id, {})
    team = legacy_id("Organizations", organisation["id"])
    return {
        "clients": [
            {"name": row["name"], "team": team, **_identity("Clients", row)}
            for row in dataset.rows("Clients")
            if row["status"] != "Archived"
        ],
        "activities": [
            {
                "name": row["name"],
                "description": row["description"] or "",
                "color": f"#{row['color'] or row['id'][:6]}",
                "team": team,
                **_identity("Activities", row),
            }
            for row in dataset.rows("Activities")
            if row["status"] != "Archived"
        ],
        "teams": [
            {
                "name": organisation["name"],
                **TEAM_DEFAULTS,
                "owner": legacy_id("Users", owner.get("userId") or dataset.owner_id),
                "subscriptionPlan": derived_id(f"plan {organisation['id']}", 10),
                **_identity("Organizations", organisation),
            }
        ],
        "teammembers": [
            _member(row, team) for row in dataset.rows("People") if row["status"] != "Removed"
        ],
        "powerups": [
            {
                **_identity("PowerUps", {**organisation, "id": f"{name} {organisation['id']}"}),
                "team": team,
                "isEnabled": name == _POWER_UPS[0],
                "powerUpId": name,
            }
            for name in _POWER_UPS
        ],
        "timeentries": _entries(dataset, team),
    }


TEAM_DEFAULTS: Row = {
    "workingHours": 8,
    "firstWeekday": 1,
    "subscriptionPlanType": "power",
    "firstMonth": 0,
    "memberSortOrder": "firstName",
}


def _identity(name: str, row: Row) -> Row:
    return {
        "id": legacy_id(name, row["id"]),
        "updated_at": stamp(row["updatedAt"]),
        "created_at": stamp(row["createdAt"]),
    }


def _member(row: Row, team: str) -> Row:
    first, _, last = row["fullName"].partition(" ")
    return {
        "firstName": first,
        "lastName": last,
        "email": row["email"],
        "role": _ROLES.get(row["role"], "team_member"),
        "team": team,
        "user": row["userId"] and legacy_id("Users", row["userId"]),
        **_identity("People", row),
    }


def _entries(dataset: Dataset, team: str) -> list[Row]:
    people = {row["id"]: legacy_id("People", row["id"]) for row in dataset.rows("People")}
    activities = {
        row["id"]: legacy_id("Activities", row["id"]) for row in dataset.rows("Activities")
    }
    clients = {
        row["id"]: legacy_id("Clients", row["clientId"])
        for row in dataset.rows("Projects")
        if row["clientId"] is not None
    }
    return [
        {
            "person": people.get(row["personId"]) or legacy_id("People", row["personId"]),
            "activity": activities.get(row["activityId"]),
            "client": clients.get(row["projectId"]),
            "action": 1 if row["type"] == "In" else 2,
            "meta": _meta(row),
            "date": stamp(row["time"]),
            "notes": row["note"],
            "team": team,
            **_identity("TimeEntries", row),
        }
        for row in dataset.rows("TimeEntries")
        if row["status"] != "Archived"
    ]


def _meta(row: Row) -> Row:
    """The program that made an entry; corrections count as made through the API."""
    version = row["platform"] and row["platform"]["clientVersion"]
    if row["isManual"] or not version:
        return {"app": "public-api"}
    app, _, number = version.partition(" ")
    return {"app": app, "appVer": number} if number else {"app": app}
