"""Requests and answers as the old API's documentation prints them.

Where it has a placeholder (`<:client_id>`), the id of its own table stands here.
"""

from __future__ import annotations

from typing import Any

ID = "XXX123YYY"
OTHER = "XXX321YYY"
DELETED = {"status": "success"}

CLIENT: dict[str, Any] = {
    "id": "1dkzv9nQTjLvK8OD",
    "name": "Client 1",
    "team": {"id": "FC6xFnSAYx"},
    "updated_at": "2018-06-23T05:31:21.989Z",
}
ACTIVITY: dict[str, Any] = {
    "id": "1hHkD0gDd2",
    "name": "Research and Development",
    "description": "",
    "color": "#55C9BD",
    "team": {"id": "FC6xFnSAYx"},
    "updated_at": "2018-06-21T13:12:24.401Z",
    "created_at": "2016-05-10T16:32:25.375Z",
}
TEAM: dict[str, Any] = {
    "id": "1C6xFnSAYx",
    "name": "Teeyoot 1",
    "workingHours": 8,
    "firstWeekday": 1,
    "subscriptionPlanType": "power",
    "firstMonth": 0,
    "memberSortOrder": "firstName",
    "owner": {"id": "tcHNNMhfyK"},
    "subscriptionPlan": {"id": "4r46JqzFIZ"},
    "updated_at": "2018-06-23T06:21:33.315Z",
}
MEMBER: dict[str, Any] = {
    "id": "1fDfeKfPrx",
    "firstName": "Jaclyn",
    "lastName": "Ting-Un",
    "email": "jaclyn@example.com",
    "role": "team_owner",
    "team": {"id": "FC6xFnSAYx"},
    "user": {"id": "cCOzuUDtsp"},
    "updated_at": "2018-06-24T15:54:27.723Z",
    "created_at": "2016-03-28T05:30:19.013Z",
}
POWER_UP: dict[str, Any] = {
    "id": "16BUnh9VfO",
    "team": {"id": "FC6xFnSAYx"},
    "isEnabled": True,
    "powerUpId": "billing",
    "updated_at": "2018-06-21T13:08:05.827Z",
    "created_at": "2016-05-06T08:34:13.546Z",
}
ENTRY: dict[str, Any] = {
    "id": "1PkkzOnseXDvldOE",
    "person": {"id": "907MKj9OKo"},
    "action": 1,
    "meta": {"app": "public-api"},
    "date": "2018-06-24T12:16:59.490Z",
    "notes": "work on the client app",
    "updated_at": "2018-06-24T15:54:20.533Z",
    "created_at": "2018-06-24T15:54:20.533Z",
}
CREATED_ENTRY: dict[str, Any] = {
    "id": "1PkkzOnseXDvldOE",
    "person": {"id": "907MKj9OKo"},
    "action": 1,
    "customData": {"app": "internal-system", "myId": 123, "synched": True},
    "date": "2018-06-24T12:16:59.490Z",
    "notes": "work on the client app",
    "updated_at": "2018-06-24T15:54:20.533Z",
    "created_at": "2018-06-24T15:54:20.533Z",
}

TOKEN_REQUEST = {
    "grant_type": "password",
    "client_id": "XXX123YYY",
    "client_secret": "secret",
    "username": "youremail@somewhere.com",
    "password": "password",
    "scope": "basic",
}
TOKEN_ANSWER = {
    "access_token": "XXfakeAccessTokenOfThirtyFourChars",
    "expires_in": 1209600,
    "scope": "basic",
    "refresh_token": "YYfakeRefreshTokenThirtyFourChars1",
    "token_type": "Bearer",
}
