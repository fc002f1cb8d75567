"""Requests and answers about time off and reports, as the API's documentation prints them."""

from __future__ import annotations

from typing import Any

TIME_TRACKING_HOST = "time-tracking.prod.jibble.io"
TIME_ATTENDANCE_HOST = "time-attendance.prod.jibble.io"

TIME_OFF_TARGET = (
    "/v1/TimeOffOverview?$count=true"
    "&$expand=person($select=fullName,id),policy($select=name,compensation,kind,id)"
    "&$filter=(((startDate ge 2024-02-01 and startDate le 2024-02-07)"
    " or (endDate ge 2024-02-01 and endDate le 2024-02-07)))"
    "&$orderby=startDate desc&$skip=0&$top=20"
)
TIME_OFF_ANSWER: dict[str, Any] = {
    "@odata.context": "https://time-tracking.prod.jibble.io/v1/$metadata#TimeOffOverview("
    "person(fullName,id),policy(name,compensation,kind,id))",
    "@odata.count": 1,
    "value": [
        {
            "id": "1345e75d-75a6-4134-b893-b7a872deba91",
            "policyId": "3bfaa111-12a1-4257-a898-2ba5fe18cd30",
            "personId": "b300bacf-81f7-4248-90b1-68274f9c8b64",
            "kind": "FullDay",
            "startDate": "2024-02-01",
            "endDate": "2024-02-07",
            "startTime": None,
            "endTime": None,
            "status": "Pending",
            "note": "Just a vacation",
            "duration": 7,
            "holidays": [],
            "person": {"fullName": "dummy", "id": "b300bacf-81f7-4248-90b1-68274f9c8b64"},
            "policy": {
                "name": "Vacation Leave",
                "compensation": "Paid",
                "kind": "FullDay",
                "id": "3bfaa111-12a1-4257-a898-2ba5fe18cd30",
            },
        }
    ],
}
TIME_OFF_REQUEST = {
    "startDate": "2024-02-11",
    "endDate": "2024-02-16",
    "note": "Just a vacation",
    "personId": "fbb1572e-e9fc-46bc-9d28-c28828a61400",
    "policyId": "3bfaa111-12a1-4257-a898-2ba5fe18cd30",
}
# What asking for time off answers, and what is asked for by its id.
TIME_OFF_INTERVAL: dict[str, Any] = {
    "@odata.context": "https://time-tracking.prod.jibble.io/v1/$metadata#TimeOffIntervals/$entity",
    "policyId": "3bfaa111-12a1-4257-a898-2ba5fe18cd30",
    "personId": "fbb1572e-e9fc-46bc-9d28-c28828a61400",
    "organizationId": "398d45be-7bd1-4888-a3f8-2fbf609923fd",
    "createdAt": "2024-01-25T07:38:57.7039582Z",
    "updatedAt": "2024-01-25T07:38:57.7039582Z",
    "kind": "FullDay",
    "startTime": None,
    "endTime": None,
    "startDate": "2024-02-11",
    "endDate": "2024-02-16",
    "status": "Pending",
    "note": "Just a vacation",
    "id": "21a03702-b0b9-4304-beea-60828aedfbfd",
    "holidays": [],
}

TRACKED_TIME_TARGET = (
    "/v1/TrackedTimeReport?$expand=Subject,Items($expand=Subject)"
    "&from=2021-12-20T08:00:00.000Z&groupBy=Member"
    "&personids=099e532e-7b42-4da4-8f29-1235ed9bdce2"
    "&subGroupBy=Project&to=2021-12-27T08:00:00.000Z"
    "&projectids=7ef93dc8-a402-460d-aa30-af80424e4157"
)
TRACKED_TIME_ANSWER: dict[str, Any] = {
    "@odata.context": "https://time-attendance.prod.jibble.io/v1/$metadata#TrackedTimeReport("
    "subject(),items(subject()))",
    "value": [
        {
            "id": "099e532e-7b42-4da4-8f29-22a5ed9bdce2",
            "trackedTime": "PT38M19.066774S",
            "time": "PT38M19.066774S",
            "billableAmount": 0,
            "subject": {
                "id": "099e532e-7b42-4da4-8f29-22a5ed9bdce2",
                "name": "Fred Long",
                "chipColor": None,
            },
            "items": [
                {
                    "id": "7ef93dc8-a402-460d-9f30-af80424e4157",
                    "trackedTime": "PT38M19.066774S",
                    "time": "PT38M19.066774S",
                    "billableAmount": 0,
                    "subject": {
                        "id": "7ef93dc8-a402-460d-9f30-af80424e4157",
                        "name": "My Big project",
                        "chipColor": None,
                    },
                }
            ],
        }
    ],
}

START_EXPORT_TARGET = (
    "/v1/TimeAttendanceReportStartExport?fileFormat=Xlsx&from=2025-06-09&to=2025-06-15"
    "&doIncludeIndividualReports=false&doIncludeRawTimeEntries=false"
    "&doIncludeRawTimesheets=false&doIncludeSummaryByDate=false"
    "&groupIds=9e9f5e69-44a9-44ab-a093-1c9f92b6463a"
    "&personIds=04e69039-ef99-442c-8b9b-75d996d24b45"
    "&personIds=e50112b9-10f4-4b1f-9f0a-806683969fa0"
    "&scheduleIds=a5c3d2ca-ed92-495d-85af-4298eaccc037"
)
START_EXPORT_ANSWER: dict[str, Any] = {
    "@odata.context": "https://time-attendance.prod.jibble.io/v1/$metadata#"
    "TimeAttendanceReportStartExport/Jibble.TimeAttendance.Data.Entities.ExportLog",
    "@odata.type": "#Jibble.TimeAttendance.Data.Entities.ExportLog",
    "personId": "48609258-5365-4f66-8140-51710542bcba",
    "organizationId": "d1677864-8c33-4954-9172-5db9cb591c45",
    "name": "Time Attendance Report",
    "fileName": None,
    "createdOn": "2025-06-11T06:00:37.4142276Z",
    "fileSizeBytes": 0,
    "mimeType": None,
    "status": "InProgress",
    "requestParametersHashId": "d0eee985-e826-49ee-883f-8bf14d52a45f",
    "jobId": "53eac7f1-6392-43c0-9858-c094d2dff93a",
    "id": "90fc7f9d-afb7-471a-93ad-02834f8e1693",
}

# Not documented, but sent by programs that run against the API.
OBSERVED_MONTH_OF_ENTRIES_TARGET = (
    "/v1/TimeEntries?$filter=belongsToDate ge 2026-08-01 and belongsToDate le 2026-08-31"
    "&$select=id,personId,time,belongsToDate,type,note&$top=1000&$skip=2000"
)
OBSERVED_ENTRIES_SINCE_TARGET = (
    "/v1/TimeEntries?$filter=time ge 2026-10-06T00:00:00.000Z and status ne 'Archived'"
    "&$orderby=time asc&$select=id,type,time,belongsToDate,personId&$top=100&$skip=0"
)
OBSERVED_TIMESHEETS_TARGET = "/v1/Timesheets?period=Custom&date=2026-08-19&endDate=2026-08-19"
OBSERVED_MONTH_TARGET = (
    "/v1/Timesheets?$count=true&$expand=person&$orderby=person/fullName asc&$skip=0&$top=20"
    "&date=2026-08-01&period=Month"
)
OBSERVED_SUMMARY_TARGET = (
    "/v1/TimesheetsSummary?date=2026-08-01&endDate=2026-08-31&period=Custom&$top=10&$skip=10"
)
