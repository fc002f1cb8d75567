"""What each entity set holds: property names as the wire writes them, their kinds, navigation.

Workspace types follow a captured EDM (observed); `TimeEntry`, time off and the time-tracking
`Person` follow documented examples and public clients' types. URL names are matched without regard
to case, JSON is camelCase (both observed).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

Row: TypeAlias = dict[str, Any]
Kind: TypeAlias = Literal[
    "guid",
    "text",
    "enum",
    "instant",
    "date",
    "time",
    "duration",
    "bool",
    "number",
    "object",
    "list",
    "any",
]


@dataclass(frozen=True, slots=True)
class Navigation:
    """Where a navigation property leads.

    Args:
        target: The dataset's set that holds the other end.
        local: The property of this row that is compared.
        remote: The property of the other row that it equals.
        many: A collection rather than one row or null.
    """

    target: str
    local: str
    remote: str = "id"
    many: bool = False


@dataclass(frozen=True)
class EntityType:
    """The shape of the rows of a set; `names` finds a property by its lower-case name."""

    name: str
    properties: dict[str, Kind]
    navigations: dict[str, Navigation] = field(default_factory=dict[str, Navigation])
    objects: dict[str, dict[str, Kind]] = field(default_factory=dict[str, dict[str, Kind]])
    etag: bool = False
    names: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        names = {name.lower(): name for name in (*self.properties, *self.navigations)}
        object.__setattr__(self, "names", names)

    def blank(self) -> Row:
        """A new row with every property: empty lists, false flags, null for the rest."""
        empty: dict[Kind, Any] = {"bool": False}
        return {
            name: [] if kind == "list" else empty.get(kind)
            for name, kind in self.properties.items()
        }


def _kinds(**names: str) -> dict[str, Kind]:
    return {name: cast("Kind", kind) for kind, text in names.items() for name in text.split()}


_STAMPS = "createdAt updatedAt"
_UNIT = _kinds(
    guid="id organizationId calendarId scheduleId payPeriodDefinitionId",
    list="overriddenProperties projects workTypes managers unitTimeOffPolicies",
    instant=_STAMPS,
)
_COORDINATES = _kinds(number="latitude longitude")
_UNIT_LINKS = {
    "organization": Navigation("Organizations", "organizationId"),
    "calendar": Navigation("Calendars", "calendarId"),
    "schedule": Navigation("Schedules", "scheduleId"),
    "payPeriodDefinition": Navigation("PayPeriodDefinitions", "payPeriodDefinitionId"),
}
_WORK_LINKS = {
    "person": Navigation("TimeTrackingPeople", "personId"),
    "activity": Navigation("Activities", "activityId"),
    "project": Navigation("Projects", "projectId"),
    "location": Navigation("Locations", "locationId"),
}
_TIME_OFF = _kinds(
    guid="id policyId personId",
    enum="kind status",
    date="startDate endDate",
    instant="startTime endTime",
    text="note",
    list="holidays",
)
_TIME_OFF_LINKS = {
    "person": Navigation("TimeTrackingPeople", "personId"),
    "policy": Navigation("TimeOffPolicies", "policyId"),
}


def _named(name: str, **more: str) -> EntityType:
    kinds = _kinds(guid="id organizationId", text="name", enum="status", instant=_STAMPS)
    return EntityType(name, {**kinds, **_kinds(**more)}, etag=True)


TYPES: dict[str, EntityType] = {
    "Organizations": EntityType(
        "Organization",
        _kinds(guid="id faceRecognitionModelId", text="name", enum="status", instant=_STAMPS),
        etag=True,
    ),
    "People": EntityType(
        "Person",
        {
            **_UNIT,
            **_kinds(
                guid="groupId positionId employmentTypeId userId",
                instant="joinDate invitedAt removedAt latestTimeEntryTime",
                text="email phoneNumber countryCode fullName preferredName role code pinCode "
                "nfcToken",
                object="picture",
                list="managedUnits kiosks",
                enum="status",
                bool="hasEmbeddings",
                date="workStartDate",
            ),
        },
        {
            **_UNIT_LINKS,
            "group": Navigation("Groups", "groupId"),
            "position": Navigation("Positions", "positionId"),
            "employmentType": Navigation("EmploymentTypes", "employmentTypeId"),
        },
        {"picture": _kinds(text="fileName content hash", number="size", guid="fileId")},
        etag=True,
    ),
    "TimeTrackingPeople": EntityType(
        "Person",
        _kinds(guid="id groupId", text="fullName", bool="isActive"),
        {"group": Navigation("Groups", "groupId")},
    ),
    "Groups": EntityType(
        "Group",
        {
            **_UNIT,
            **_kinds(text="name", enum="status", list="kiosks firstApprovers secondApprovers"),
            **_kinds(list="activities"),
        },
        {**_UNIT_LINKS, "members": Navigation("People", "id", "groupId", many=True)},
        etag=True,
    ),
    "Activities": _named("Activity", text="code description color", list="assignedGroups"),
    "Projects": EntityType(
        "Project",
        _kinds(
            guid="id organizationId clientId locationId",
            text="name code description",
            enum="status",
            instant=_STAMPS,
            list="assignees",
        ),
        {
            "client": Navigation("Clients", "clientId"),
            "location": Navigation("Locations", "locationId"),
        },
        etag=True,
    ),
    "Clients": EntityType(
        "Client",
        _kinds(guid="id organizationId", text="name code", enum="status", instant=_STAMPS),
        {"projects": Navigation("Projects", "id", "clientId", many=True)},
        etag=True,
    ),
    "Positions": _named("Position"),
    "EmploymentTypes": _named("EmploymentType"),
    "Locations": EntityType(
        "Location",
        _kinds(
            guid="id organizationId",
            text="name code address",
            enum="status",
            instant=_STAMPS,
            object="geoFence coordinates",
            list="schedules",
        ),
        objects={
            "coordinates": _COORDINATES,
            "geoFence": _kinds(number="radius radiusInMeters", enum="units"),
        },
        etag=True,
    ),
    "Schedules": EntityType(
        "Schedule",
        _kinds(
            guid="id organizationId",
            text="name",
            enum="workArrangement breaksType",
            bool="default excludeEarlyClockIn",
            list="daySchedules autoDeductions breaks locations",
            object="overtime",
            duration="weeklyHours",
            instant=_STAMPS,
        ),
        {"people": Navigation("People", "id", "scheduleId", many=True)},
        {
            "overtime": _kinds(
                enum="timeRangeStyle",
                bool="dailyOvertime dailyDoubleOvertime weeklyOvertime restDayOvertime "
                "publicHolidayOvertime",
                time="dailyFrom dailyDoubleFrom endWorkDayAt",
                duration="dailyDuration dailyDoubleDuration weeklyDuration",
                number="dailyOvertimeMultiplier dailyDoubleOvertimeMultiplier "
                "weeklyOvertimeMultiplier restDayOvertimeMultiplier "
                "publicHolidayOvertimeMultiplier",
            )
        },
        etag=True,
    ),
    "Calendars": EntityType(
        "Calendar",
        _kinds(
            guid="id organizationId importSourceId",
            text="name calendarImportSourceExtraOption",
            bool="default autoSync",
            instant=f"{_STAMPS} lastRefreshedAt",
        ),
        etag=True,
    ),
    "CalendarDays": EntityType(
        "CalendarDay",
        _kinds(
            guid="id calendarId",
            date="date",
            text="name",
            enum="status",
            list="rules",
            bool="isShortDay",
            instant=_STAMPS,
        ),
        {"calendar": Navigation("Calendars", "calendarId")},
    ),
    "TimeOffPolicies": EntityType(
        "TimeOffPolicy",
        _kinds(
            guid="id organizationId approvalConfigId",
            text="name",
            enum="compensation kind status",
            instant=_STAMPS,
            object="accrualSettings balanceRules",
            list="timeOffPolicyUnits",
        ),
    ),
    "PayPeriodDefinitions": EntityType(
        "PayPeriodDefinition",
        _kinds(
            guid="id organizationId",
            text="name",
            enum="cycle startAtDayOfWeek",
            date="startFromDate",
            number="startAtDayNumberFirst startAtDayNumberSecond",
            bool="default",
            instant=_STAMPS,
        ),
    ),
    "TimeEntries": EntityType(
        "TimeEntry",
        _kinds(
            guid="id personId organizationId projectId activityId locationId kioskId breakId "
            "previousTimeEntryId nextTimeEntryId",
            enum="type clientType status",
            instant=f"time localTime autoClockOutTime clockInOutReminderTime {_STAMPS}",
            duration="offset",
            date="belongsToDate",
            text="note address",
            object="coordinates picture platform",
            bool="isOffline isAutomatic isManual isOutsideGeofence isManualLocation isUnusual "
            "isEndOfDay isFromSpeedKiosk isLocked isFaceRecognized",
            number="faceSimilarity",
        ),
        _WORK_LINKS,
        {
            "coordinates": _COORDINATES,
            "picture": _kinds(text="fileName content hash", number="size", guid="fileId"),
            "platform": _kinds(text="clientVersion os deviceModel deviceId deviceName eventId"),
        },
    ),
    "TimeOffIntervals": EntityType(
        "TimeOffInterval",
        {**_TIME_OFF, **_kinds(guid="organizationId", instant=_STAMPS)},
        _TIME_OFF_LINKS,
    ),
    "TimeOffOverview": EntityType(
        "TimeOffOverview", {**_TIME_OFF, **_kinds(number="duration")}, _TIME_OFF_LINKS
    ),
    # The set is documented, the names of its fields are not: rows that a test adds are shown whole.
    "LeaveBalances": EntityType("LeaveBalance", _kinds(guid="id")),
    "ExportLogs": EntityType(
        "ExportLog",
        _kinds(
            guid="id personId organizationId requestParametersHashId jobId",
            text="name fileName mimeType",
            instant="createdOn",
            number="fileSizeBytes",
            enum="status",
        ),
    ),
}

HOLIDAY = EntityType(
    "PersonHoliday", _kinds(date="date", text="name", list="rules", bool="isShortDay")
)
# What a schedule is without where it holds and when it was made.
PERSON_SCHEDULE = EntityType(
    "PersonSchedule",
    {
        name: kind
        for name, kind in TYPES["Schedules"].properties.items()
        if name not in {"organizationId", "createdAt", "locations"}
    },
)

_ELSEWHERE = frozenset(
    {
        "TimeTrackingPeople",
        "TimeEntries",
        "TimeOffIntervals",
        "TimeOffOverview",
        "LeaveBalances",
        "ExportLogs",
    }
)
WORKSPACE_SETS = {name.lower(): name for name in TYPES if name not in _ELSEWHERE}
TIME_TRACKING_SETS = {
    "timeentries": "TimeEntries",
    "people": "TimeTrackingPeople",
    "timeoffintervals": "TimeOffIntervals",
    "timeoffoverview": "TimeOffOverview",
    "leavebalances": "LeaveBalances",
}
