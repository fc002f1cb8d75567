"""What each entity set holds: property names as the wire writes them, their kinds, navigation.

Workspace types follow a captured EDM (metadata: people); `TimeEntry`, time off and the
time-tracking `Person` follow documented examples and public clients' types. URL names are matched
without regard to case, JSON is camelCase (observed: names).
"""

from __future__ import annotations

from typing import cast

from jibble_async.sandbox import enumerations as members
from jibble_async.sandbox.entity_types import EntityType, Kind, Navigation
from jibble_async.sandbox.settings import SETTINGS


def _kinds(**names: str) -> dict[str, Kind]:
    return {name: cast("Kind", kind) for kind, text in names.items() for name in text.split()}


_STAMPS = "createdAt updatedAt"
_UNIT = _kinds(
    guid="id organizationId calendarId scheduleId payPeriodDefinitionId",
    list="overriddenProperties projects workTypes managers unitTimeOffPolicies",
    instant=_STAMPS,
)
_COORDINATES = _kinds(number="latitude longitude")
_PICTURE = _kinds(text="fileName content hash", number="size", guid="fileId")
_UNIT_LINKS = {
    "organization": Navigation("Organizations", "organizationId"),
    "calendar": Navigation("Calendars", "calendarId"),
    "schedule": Navigation("Schedules", "scheduleId"),
    "payPeriodDefinition": Navigation("PayPeriodDefinitions", "payPeriodDefinitionId"),
    "unitManagers": Navigation("People", "managers", many=True, through="managerId"),
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
_TIME_OFF_MEMBERS = {"kind": members.TIME_OFF_KIND, "status": members.TIME_OFF_STATUS}
_PLATFORM: dict[str, Kind] = {
    **_kinds(text="clientVersion os deviceModel deviceId deviceName eventId"),
    "isQrKiosk": "bool",
}
_COMMON = {"status": members.COMMON_STATUS}
_TIME_OFF_LINKS = {
    "person": Navigation("TimeTrackingPeople", "personId"),
    "policy": Navigation("TimeOffPolicies", "policyId"),
}


def _named(name: str, **more: str) -> EntityType:
    kinds = _kinds(guid="id organizationId", text="name", enum="status", instant=_STAMPS)
    return EntityType(name, {**kinds, **_kinds(**more)}, members=_COMMON, etag=True)


TYPES: dict[str, EntityType] = {
    "Organizations": EntityType(
        "Organization",
        _kinds(guid="id faceRecognitionModelId", text="name", enum="status", instant=_STAMPS),
        members=_COMMON,
        settings=SETTINGS,
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
        {"picture": _PICTURE},
        {"status": members.PERSON_STATUS},
        settings=SETTINGS,
        etag=True,
    ),
    "TimeTrackingPeople": EntityType(
        "Person",
        _kinds(
            guid="id groupId",
            text="fullName email timeZone timeSheetTimeZone",
            enum="status",
            instant="latestTimeEntryTime",
            bool="isActive",
        ),
        {"group": Navigation("Groups", "groupId")},
        members={"status": members.PERSON_STATUS},
    ),
    "Groups": EntityType(
        "Group",
        {
            **_UNIT,
            **_kinds(text="name", enum="status", list="kiosks firstApprovers secondApprovers"),
            **_kinds(list="activities"),
        },
        {**_UNIT_LINKS, "members": Navigation("People", "id", "groupId", many=True)},
        members=_COMMON,
        settings=SETTINGS,
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
        members=_COMMON,
        etag=True,
    ),
    "Clients": EntityType(
        "Client",
        _kinds(guid="id organizationId", text="name code", enum="status", instant=_STAMPS),
        {"projects": Navigation("Projects", "id", "clientId", many=True)},
        members=_COMMON,
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
        members={**_COMMON, "geoFence/units": members.GEO_UNITS},
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
        {
            "workArrangement": members.WORK_ARRANGEMENT,
            "breaksType": members.BREAK_TYPE,
            "overtime/timeRangeStyle": members.TIME_RANGE_STYLE,
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
        members={"status": members.CALENDAR_DAY_STATUS},
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
        members={
            **_COMMON,
            "compensation": members.COMPENSATION,
            "kind": members.TIME_OFF_KIND[:2],
        },
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
        members={"cycle": members.PAY_PERIOD_CYCLE, "startAtDayOfWeek": members.DAYS},
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
            "picture": _PICTURE,
            "platform": _PLATFORM,
        },
        {
            "type": members.ENTRY_TYPES,
            "clientType": members.CLIENT_TYPES,
            "status": members.COMMON_STATUS,
        },
    ),
    "HourEntries": EntityType(
        "HourEntry",
        _kinds(
            guid="id personId projectId activityId",
            date="date",
            duration="duration",
            enum="clientType status",
            object="platform",
            text="note",
            instant="createdAt",
        ),
        {name: _WORK_LINKS[name] for name in ("person", "activity", "project")},
        {"platform": _PLATFORM},
        {"clientType": members.CLIENT_TYPES, "status": members.COMMON_STATUS},
    ),
    "TimeOffIntervals": EntityType(
        "TimeOffInterval",
        {**_TIME_OFF, **_kinds(guid="organizationId", instant=_STAMPS)},
        _TIME_OFF_LINKS,
        members=_TIME_OFF_MEMBERS,
    ),
    "TimeOffOverview": EntityType(
        "TimeOffOverview",
        {**_TIME_OFF, **_kinds(number="duration")},
        _TIME_OFF_LINKS,
        members=_TIME_OFF_MEMBERS,
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

WORKING_NOW = EntityType(
    "WhoIsWorkingNow",
    _kinds(guid="id personId groupId", text="fullName email timeZone", instant="time"),
)
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
        "HourEntries",
        "TimeOffIntervals",
        "TimeOffOverview",
        "LeaveBalances",
        "ExportLogs",
    }
)
WORKSPACE_SETS = {name.lower(): name for name in TYPES if name not in _ELSEWHERE}
TIME_TRACKING_SETS = {
    "timeentries": "TimeEntries",
    "hourentries": "HourEntries",
    "people": "TimeTrackingPeople",
    "timeoffintervals": "TimeOffIntervals",
    "timeoffoverview": "TimeOffOverview",
    "leavebalances": "LeaveBalances",
}
