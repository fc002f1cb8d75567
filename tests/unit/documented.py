"""Requests and answers as the API's documentation prints them, without its credentials.

Where the documentation has a placeholder ("Person ID", "{{autoOutTime}}"), a value of the right
kind stands here.
"""

from __future__ import annotations

from typing import Any

TOKEN_HOST = "identity.prod.jibble.io"
TOKEN_TARGET = "/connect/token"
TOKEN_FORM = {
    "grant_type": "client_credentials",
    "client_id": "CLIENT_ID",
    "client_secret": "CLIENT_SECRET",
}
TOKEN_ANSWER: dict[str, Any] = {
    "access_token": "fake.access.token",
    "expires_in": 2147483647,
    "token_type": "Bearer",
    "scope": "api1",
    "organizationId": "ecef673f-0737-4e45-9a2a-2e2e3b72e8a1",
    "personId": "03877d7a-64b2-433e-9424-f1f6b33276c1",
}

TIME_TRACKING_HOST = "time-tracking.prod.jibble.io"

TIME_ENTRIES_TARGET = (
    "/v1/TimeEntries?$count=true"
    "&$expand=activity($select=id,name,code),project($select=id,name,code)"
    ",person($select=id,groupId,fullname)"
    "&$filter=(belongsToDate eq 2024-06-13 and status ne 'Archived')"
    "&$orderby=time asc&$skip=0&$top=100"
    "&$select=id,type,time,localTime,belongsToDate,personId,projectId,activityId,locationId,note"
    ",coordinates,address"
)
TIME_ENTRIES_ANSWER: dict[str, Any] = {
    "@odata.context": "https://time-tracking.prod.jibble.io/v1/$metadata#TimeEntries(id,type,time,"
    "localTime,belongsToDate,personId,projectId,activityId,locationId,note,coordinates,address,"
    "activity(id,name,code),project(id,name,code),person(id,groupId,fullName))",
    "@odata.count": 3,
    "value": [
        {
            "localTime": "2024-06-13T03:42:00+04:00",
            "personId": "bdf16ff7-71e4-4603-bb1c-55dd00475be7",
            "projectId": "8c6b1319-b4e2-45d9-8ab7-ccdb406f2f3e",
            "activityId": "3cf11f61-76ad-418a-8783-103b66b22fde",
            "locationId": None,
            "type": "In",
            "address": None,
            "time": "2024-06-12T23:42:00Z",
            "belongsToDate": "2024-06-13",
            "note": "Just a clock in",
            "id": "21102566-57bc-46d9-ae83-767deda79f57",
            "coordinates": None,
            "activity": {
                "name": "Reading book",
                "code": "ACT-881",
                "id": "3cf11f61-76ad-418a-8783-103b66b22fde",
            },
            "project": {
                "name": "Big project",
                "code": "Bp-1",
                "id": "8c6b1319-b4e2-45d9-8ab7-ccdb406f2f3e",
            },
            "person": {
                "groupId": None,
                "fullName": "Paul Oak",
                "id": "bdf16ff7-71e4-4603-bb1c-55dd00475be7",
            },
        },
        {
            "localTime": "2024-06-13T13:42:00+04:00",
            "personId": "bdf16ff7-71e4-4603-bb1c-55dd00475be7",
            "projectId": None,
            "activityId": None,
            "locationId": None,
            "type": "Out",
            "address": None,
            "time": "2024-06-13T09:42:00Z",
            "belongsToDate": "2024-06-13",
            "note": "",
            "id": "bdae6fa6-99f4-4d66-bdbd-253f3395c5fa",
            "coordinates": None,
            "activity": None,
            "project": None,
            "person": {
                "groupId": None,
                "fullName": "Paul Oak",
                "id": "bdf16ff7-71e4-4603-bb1c-55dd00475be7",
            },
        },
        {
            "localTime": "2024-06-13T18:01:14.313918+04:00",
            "personId": "5d3b37e7-64a8-411a-9a1e-056c149a13fc",
            "projectId": None,
            "activityId": None,
            "locationId": None,
            "type": "Out",
            "address": None,
            "time": "2024-06-13T14:01:14.313918Z",
            "belongsToDate": "2024-06-13",
            "note": "",
            "id": "3e14e509-b6d9-40bd-b8ee-af52d43cc91d",
            "coordinates": None,
            "activity": None,
            "project": None,
            "person": {
                "groupId": "783f7e40-41c6-48a8-8fd7-7b0741c1dfdb",
                "fullName": "Peter Solz",
                "id": "5d3b37e7-64a8-411a-9a1e-056c149a13fc",
            },
        },
    ],
}

PEOPLE_CLOCKED_IN_TARGET = "/v1/People?$filter=isActive eq true&$select=id,fullName"

PERSON = "bdf16ff7-71e4-4603-bb1c-55dd00475be7"
ACTIVITY = "3cf11f61-76ad-418a-8783-103b66b22fde"
_PLATFORM = {
    "clientVersion": "web 3.0",
    "os": "Windows 10",
    "deviceModel": "MacbookPro",
    "deviceName": "TestLaptop",
}
PROJECT = "8c6b1319-b4e2-45d9-8ab7-ccdb406f2f3e"
LOCATION = "c2a2c1ac-2a5f-4a51-8b0e-6d1c3f6a0f11"
_COORDINATES = {"latitude": 42, "longitude": -13.50}
_SAYS: dict[str, Any] = {"personId": PERSON, "clientType": "Web", "platform": _PLATFORM}
# Clocking in (plainly, at a location, with an automatic end) and clocking out. The second is
# printed with the coordinates of the first and without a location, unlike its title and answer.
PUNCHES: list[dict[str, Any]] = [
    {
        "id": "7b2212fc-e51f-4481-ab39-d82526141c2f",
        "type": "In",
        "activityId": ACTIVITY,
        "projectId": PROJECT,
        "coordinates": _COORDINATES,
        **_SAYS,
    },
    {
        "id": "0e9bd385-46d6-46d1-8c4d-7cbff458b620",
        "type": "In",
        "activityId": ACTIVITY,
        "projectId": PROJECT,
        "locationId": LOCATION,
        **_SAYS,
    },
    {
        "id": "93756bbc-ebf3-47eb-adde-00d5604131d6",
        "type": "In",
        "activityId": ACTIVITY,
        "autoClockOutTime": "2024-06-13T17:00:00Z",
        **_SAYS,
    },
    {"id": "e179104b-08c4-4100-ab7a-cf21ef5111b2", "type": "Out", **_SAYS},
]
# What the four answer.
NEW_TIME_ENTRIES: list[dict[str, Any]] = [
    {
        "id": "3aa77143-712d-456a-bf55-7f07bc33a706",
        "personId": PERSON,
        "type": "In",
        "activityId": ACTIVITY,
        "projectId": PROJECT,
        "clientType": "Web",
        "platform": _PLATFORM,
        "coordinates": _COORDINATES,
    },
    {
        "id": "aaeab218-fdcb-4a47-ad25-11a41c3c6cf2",
        "personId": PERSON,
        "type": "In",
        "activityId": ACTIVITY,
        "projectId": PROJECT,
        "clientType": "Web",
        "platform": _PLATFORM,
        "locationId": LOCATION,
    },
    {
        "id": "399c177b-04fb-4157-bdb6-5b356dc021ab",
        "personId": PERSON,
        "type": "In",
        "activityId": ACTIVITY,
        "clientType": "Web",
        "platform": _PLATFORM,
        "autoClockOutTime": "2024-06-13T17:00:00Z",
    },
    {
        "id": "5469240d-19d6-4f2a-a4ff-462640fbd3e4",
        "personId": PERSON,
        "type": "Out",
        "clientType": "Web",
        "platform": _PLATFORM,
    },
]
