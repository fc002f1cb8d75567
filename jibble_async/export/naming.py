"""The names that belong to the ids of rows, fetched once for an export."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.api.raw import RawSet, SetName
from jibble_async.core.pager import Pager
from jibble_async.core.paging import Paging
from jibble_async.errors import FeatureRestrictedError, NotSupportedError
from jibble_async.export.proof.plan import Extent
from jibble_async.export.sinks import Names

__all__ = ["fetch_names", "named_fields"]


class _Named(msgspec.Struct, gc=False):
    id: str
    full_name: str | None = msgspec.field(name="fullName", default=None)
    name: str | None = None


_DECODE = msgspec.json.Decoder(_Named).decode
_SETS: dict[str, SetName] = {
    "personId": "people",
    "groupId": "groups",
    "positionId": "positions",
    "employmentTypeId": "employment_types",
    "projectId": "projects",
    "activityId": "activities",
    "clientId": "clients",
    "locationId": "locations",
    "scheduleId": "schedules",
    "calendarId": "calendars",
    "policyId": "time_off_policies",
    "payPeriodDefinitionId": "pay_period_definitions",
}


def named_fields(shape: type[msgspec.Struct]) -> list[str]:
    """The fields of rows that hold ids of something with a name, by their names on the wire."""
    return [field for field in _SETS if field in shape.__struct_encode_fields__]


async def fetch_names(client: BaseClient[Any], shape: type[msgspec.Struct]) -> Names:
    """For each field of rows that holds ids, the names that belong to them.

    Whoever was removed, and what was archived, has names too, where the API keeps them.

    Args:
        client: Makes the calls; a client of either API.
        shape: The class of the rows.

    Raises:
        JibbleError: A call failed for good.
    """
    names: dict[str, dict[str, str]] = {}
    for field in named_fields(shape):
        rows = _rows(client, _SETS[field])
        # What the old API or a plan has not is no row's: a column without names says as much.
        names[field] = {}
        if rows is not None:
            with contextlib.suppress(FeatureRestrictedError):
                names[field] = await _read(client, rows)
    return names


def _rows(client: BaseClient[Any], what: SetName) -> RawSet | None:
    for include_archived in (True, False):
        try:
            extent = Extent(set=what, include_archived=include_archived, as_sent=False)
            return extent.raw_set(client)
        except NotSupportedError:
            continue
    return None


async def _read(client: BaseClient[Any], rows: RawSet) -> dict[str, str]:
    names: dict[str, str] = {}
    paging = Paging(page_size=rows.page_size)
    async for key, raw in Pager(rows.pages, session_of(client), paging):
        row = _DECODE(raw)
        name = row.full_name or row.name
        if name is not None:
            names[key] = name
    return names
