"""Punches of the old API: how one is sent so that it can be found again.

A punch carries a nonce in its custom data, the only place that a caller may fill and that comes
back (documented: old-rows); see `jibble_async.api.punches`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Self, TypedDict

from jibble_async.api.listing import require_known
from jibble_async.api.punches import Punch
from jibble_async.api.writing import moment
from jibble_async.entities import EntryType
from jibble_async.errors import NotSupportedError
from jibble_legacy.columns import wire_values
from jibble_legacy.entities import LegacyTimeEntry
from jibble_legacy.literals import ACTIONS, instant
from jibble_legacy.resources.base import optional_id

__all__ = ["NONCE", "LegacyPunch", "LegacyPunchOptions"]

NONCE = "jibbleAsync"
"""The key of the nonce in an entry's custom data."""


class LegacyPunchOptions(TypedDict, total=False):
    """What any punch may say beside who and what."""

    activity_id: str | None
    """The kind of work."""
    client_id: str | None
    """For whom it is done."""
    note: str | None
    """A note."""
    custom_data: Mapping[str, Any] | None
    """What to store with it; a key `jibbleAsync` is added."""


class LegacyPunch(Punch[LegacyTimeEntry], frozen=True, kw_only=True):
    """A punch of the old API."""

    nonce_place: ClassVar[str] = "custom_data"

    @classmethod
    def make(
        cls,
        type: EntryType | str,
        person_id: str | None,
        now: datetime,
        options: LegacyPunchOptions,
        *,
        at: datetime | None = None,
    ) -> Self:
        """A punch with a nonce; `LegacyTimeEntries.create` says what the arguments are.

        Raises:
            ConfigurationError: An option that there is not, an id that is none of the old API's,
                a moment without a time zone.
            NotSupportedError: The old API has no such kind of entry.
        """
        require_known(options, LegacyPunchOptions)
        kind, nonce = EntryType(type), str(uuid.uuid4())
        if kind not in ACTIONS:
            raise NotSupportedError(f"the old API knows In and Out, not {kind}; nothing was sent")
        time = None if at is None else moment(at, "at")
        values = wire_values(
            LegacyTimeEntry,
            type=ACTIONS[kind],
            activity_id=optional_id(options.get("activity_id"), "activity_id"),
            client_id=optional_id(options.get("client_id"), "client_id"),
            note=options.get("note"),
            time=None if time is None else instant(time),
            person_id=optional_id(person_id, "person_id"),
            custom_data={**(options.get("custom_data") or {}), NONCE: nonce},
        )
        return cls(
            nonce=nonce,
            nonce_of=_nonce_of,
            person_id=person_id,
            type=kind,
            at=time,
            now=now,
            values=values,
        )


def _nonce_of(entry: LegacyTimeEntry) -> str | None:
    return None if entry.custom_data is None else entry.custom_data.get(NONCE)
