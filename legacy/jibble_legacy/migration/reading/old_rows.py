"""Old rows as they came, and as much of them as is kept in columns. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, cast

import msgspec

from jibble_async.core.wire import Reply, decode_json
from jibble_legacy.migration.moments import milliseconds
from jibble_legacy.migration.reading.walk import Spot

__all__ = ["OldEntry", "OldRow", "read_entry", "read_page", "read_row", "reference"]

_ROWS = msgspec.json.Decoder(list[msgspec.Raw])


class _Entry(msgspec.Struct, gc=False):
    # Whatever a field holds: a row that is odd in one of them is kept all the same.
    id: Any = None
    date: Any = None
    updated_at: Any = None
    action: Any = None
    notes: Any = None
    person: Any = None
    activity: Any = None
    client: Any = None


_ENTRY = msgspec.json.Decoder(_Entry)


class OldRow(msgspec.Struct, frozen=True, gc=False):
    """A row of any kind.

    Attributes:
        id: Its id; `?` and its hash where it has none.
        hash: The first half of SHA-256 of its bytes.
        raw: Its bytes.
    """

    id: str
    hash: bytes
    raw: bytes


class OldEntry(msgspec.Struct, frozen=True, gc=False):
    """A time entry, as far as columns have it.

    Attributes:
        id, hash: As for `OldRow`.
        person, activity, client: Ids.
        ms: Its moment.
        updated: When it was changed, in ms.
        action: A number that should be 1 or 2.
        note: As it was written.
        date, stamp: Its moment and its change as they were written, for who walks by them.
        flaw: Why it can't be read, if it can't.
    """

    id: str
    hash: bytes
    person: str | None = None
    ms: int | None = None
    action: int | None = None
    activity: str | None = None
    client: str | None = None
    note: str | None = None
    updated: int | None = None
    date: str = ""
    stamp: str = ""
    flaw: str | None = None

    def spot(self, field: str) -> Spot:
        """What a walk by `date` or `updated_at` needs to know of it."""
        if field == "date":
            return Spot(self.id, self.ms, self.date)
        return Spot(self.id, self.updated, self.stamp)


def read_page(reply: Reply) -> list[msgspec.Raw]:
    """The rows of a list, as they came.

    Raises:
        DecodeError: It is no list.
    """
    return decode_json(reply, _ROWS.decode)


def read_row(raw: msgspec.Raw) -> OldRow:
    """A row of any kind.

    Args:
        raw: Its bytes.
    """
    content, digest = bytes(raw), _hash(raw)
    try:
        key: Any = _ENTRY.decode(raw).id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        key = None
    return OldRow(_key(key, digest), digest, content)


def read_entry(raw: msgspec.Raw) -> OldEntry:
    """A time entry.

    Args:
        raw: Its bytes.
    """
    digest = _hash(raw)
    try:
        row = _ENTRY.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return OldEntry(_key(None, digest), digest, flaw=f"it can't be read: {error}")
    ms, updated = _moment(row.date), _moment(row.updated_at)
    return OldEntry(
        id=_key(row.id, digest),
        hash=digest,
        person=reference(row.person),
        ms=ms,
        action=row.action if type(row.action) is int and abs(row.action) < 2**62 else None,
        activity=reference(row.activity),
        client=reference(row.client),
        note=row.notes if isinstance(row.notes, str) else None,
        updated=updated,
        date="" if ms is None else row.date,
        stamp="" if updated is None else row.updated_at,
        flaw=_flaw(row, ms),
    )


def _flaw(row: _Entry, ms: int | None) -> str | None:
    if not isinstance(row.id, str) or not row.id:
        return "it has no id"
    if row.date is not None and ms is None:
        return "its date is no moment"
    if row.notes is not None and not isinstance(row.notes, str):
        return "its notes are no text"
    for name, value in (("person", row.person), ("activity", row.activity), ("client", row.client)):
        if value is not None and reference(value) is None:
            return f"its {name} has no id"
    return None


def _key(key: Any, digest: bytes) -> str:
    return key if isinstance(key, str) and key else f"?{digest.hex()}"


def _hash(raw: msgspec.Raw) -> bytes:
    return hashlib.sha256(raw).digest()[:16]


def reference(value: Any) -> str | None:
    """The id of what a row names, by its id or with its own row; None if it names nothing."""
    if isinstance(value, dict):
        value = cast("dict[str, Any]", value).get("id")
    return value if isinstance(value, str) and value else None


def _moment(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return None if moment.tzinfo is None else milliseconds(moment)
    except (ValueError, OverflowError):
        return None
