"""Settings in the rows of organisations, groups and people, whose types are open.

Their names are from a connector's schemas that were imported from live data, the values are made
up. What a unit does not set itself, its rows don't have here; whether the service shows what it
inherits is unknown but for the time zone, which people's rows have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jibble_async.sandbox.entity_types import Row

TIME_ZONE = "ICultureSettings/TimeZone"
TIME_SHEET_TIME_ZONE = "ICalculationSettings/TimeSheetTimeZone"
DEVICES = "ITimeTrackingSettings/AllowedDevices"
AUTOMATIC_OUT = "ITimeTrackingSettings/AutomaticOutAtTime"
SETTINGS = frozenset({TIME_ZONE, TIME_SHEET_TIME_ZONE, DEVICES, AUTOMATIC_OUT})


def zone_settings(zone: str) -> Row:
    """What a person's row says of the time zone.

    Args:
        zone: Its IANA name.
    """
    return {TIME_ZONE: zone, TIME_SHEET_TIME_ZONE: zone}


def devices(*allowed: str) -> Row:
    """What a row says of the devices that may be punched with, with the annotation of its type."""
    return {f"{DEVICES}@odata.type": "#Collection(String)", DEVICES: list(allowed)}


def organisation_settings(zone: str) -> dict[str, Any]:
    """What an organisation sets for everybody.

    Args:
        zone: Where it is, as an IANA name.
    """
    return {
        **zone_settings(zone),
        **devices("Mobile", "Kiosk", "Web"),
        AUTOMATIC_OUT: None,
    }
