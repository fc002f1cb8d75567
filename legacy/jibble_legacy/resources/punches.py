"""Punches of the old API: how one is sent so that it can be found again.

A punch carries a nonce in its custom data, the only place that a caller may fill and that comes
back (documented). If the answer is lost it is looked up by that and by nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Self, TypedDict

import msgspec

from jibble_async.api.listing import require_known
from jibble_async.api.writing import given, lost, moment
from jibble_async.entities import EntryType
from jibble_async.errors import AmbiguousWriteError, JibbleError, NotSupportedError
from jibble_legacy.columns import wire_values
from jibble_legacy.entities import LegacyTimeEntry
from jibble_legacy.literals import ACTIONS, instant
from jibble_legacy.resources.base import optional_id

__all__ = ["NEAR", "NONCE", "LegacyPunch", "LegacyPunchOptions", "recovered"]

NONCE = "jibbleAsync"
"""The key of the nonce in an entry's custom data."""
NEAR = 300.0
"""How far from its time an entry of the same kind is still worth showing, in seconds."""


class LegacyPunchOptions(TypedDict, total=False):
    """What any punch may say beside who and what.

    Attributes:
        activity_id: The kind of work.
        client_id: For whom it is done.
        note: A note.
        custom_data: What to store with it; a key `jibbleAsync` is added.
    """

    activity_id: str | None
    client_id: str | None
    note: str | None
    custom_data: Mapping[str, Any] | None


class LegacyPunch(msgspec.Struct, frozen=True):
    """A punch as it is sent.

    Attributes:
        nonce: What comes back in the entry.
        person_id: Whose punch; None for whom the token belongs to.
        type: What it marks.
        at: Its moment, if one is sent.
        near: The moment that it should have.
        values: The body, by name on the wire.
    """

    nonce: str
    person_id: str | None
    type: EntryType
    at: datetime | None
    near: datetime
    values: dict[str, Any]

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
        """A punch with a nonce.

        Args:
            type: What it marks.
            person_id: Whose it is.
            now: The present, by this machine.
            options: What else it says.
            at: Its moment; without it the server takes its own.

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
            activity_id=given(optional_id(options.get("activity_id"), "activity_id")),
            client_id=given(optional_id(options.get("client_id"), "client_id")),
            note=given(options.get("note")),
            time=given(None if time is None else instant(time)),
            person_id=given(optional_id(person_id, "person_id")),
            custom_data={**(options.get("custom_data") or {}), NONCE: nonce},
        )
        return cls(nonce, person_id, kind, time, time or now, values)

    @property
    def trace(self) -> str:
        """How it can be found."""
        return f"look for {self.nonce} in `custom_data`"

    def made(self, entry: LegacyTimeEntry) -> bool:
        """Whether an entry carries the nonce."""
        return entry.custom_data is not None and entry.custom_data.get(NONCE) == self.nonce

    def resembles(self, entry: LegacyTimeEntry) -> bool:
        """Whether an entry could be this punch, were it known to be."""
        if entry.type != self.type or entry.time is None:
            return False
        return abs((entry.time - self.near).total_seconds()) <= NEAR


async def recovered(
    punch: LegacyPunch,
    error: JibbleError,
    around: Callable[[], Awaitable[list[LegacyTimeEntry]]],
) -> LegacyTimeEntry:
    """The entry that a punch made whose answer was lost.

    Args:
        punch: What was sent.
        error: What its answer was lost with.
        around: Gives the entries among which it must be.

    Raises:
        AmbiguousWriteError: It was not found, or the lookup failed.
    """
    try:
        rows = await around()
    except JibbleError as trouble:
        raise _unknown(punch, error, f"looking it up failed ({trouble.message})", []) from error
    made = [entry for entry in rows if punch.made(entry)]
    if len(made) == 1:
        return made[0]
    if made:
        raise _unknown(punch, error, "it is there more than once", made) from error
    similar = [entry for entry in rows if punch.resembles(entry)]
    raise _unknown(punch, error, "nothing carries the nonce that was sent", similar) from error


def _unknown(
    punch: LegacyPunch, error: JibbleError, known: str, seen: list[LegacyTimeEntry]
) -> AmbiguousWriteError:
    advice = f"it was not sent again: {punch.trace} before you do"
    return lost(error, f"{known}; {advice}", candidates=tuple(seen), nonce=punch.nonce)
