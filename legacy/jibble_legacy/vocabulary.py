"""The old API's rows as entities, and back.

Nothing that both APIs know is called by the old one's name: a team is the organisation, `notes`
is `note`, `date` is `time`, and the actions 1 and 2 are `In` and `Out`. The old API deletes for
good, so that nothing has a status.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from jibble_async.core.paging import BadRowHandler
from jibble_async.core.wire import Reply, decode_json
from jibble_async.entities import Activity, EntryType
from jibble_async.entities.base import Entity
from jibble_async.errors import DecodeError
from jibble_legacy.entities import LegacyTimeEntry, PowerUp, Team, TeamClient, TeamMember
from jibble_legacy.wire import (
    ActivityRow,
    ClientRow,
    EntryRow,
    MemberRow,
    PowerUpRow,
    Reference,
    Row,
    TeamRow,
)

__all__ = [
    "ACTIONS",
    "RowsReader",
    "color_out",
    "entity_reader",
    "instant",
    "row_reader",
    "rows_reader",
]

T = TypeVar("T")

RowsReader = Callable[[bytes, BadRowHandler | None], tuple[list[T], int]]
"""Finds in a page the rows that can be read, and how many there are."""

ACTIONS: dict[EntryType, int] = {EntryType.IN: 1, EntryType.OUT: 2}
"""The number of each kind of entry (documented)."""

_TYPES = {number: kind for kind, number in ACTIONS.items()}
_COLOR = r"#[0-9A-Fa-f]{6}"


def _team(row: TeamRow) -> Team:
    return Team(
        id=row.id,
        name=row.name,
        working_hours=row.working_hours,
        first_weekday=row.first_weekday,
        first_month=row.first_month,
        member_sort_order=row.member_sort_order,
        subscription_plan_type=row.subscription_plan_type,
        subscription_plan_id=_id(row.subscription_plan),
        owner_id=_id(row.owner),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _member(row: MemberRow) -> TeamMember:
    names = [name for name in (row.first_name, row.last_name) if name]
    return TeamMember(
        id=row.id,
        full_name=" ".join(names) or None,
        first_name=row.first_name,
        last_name=row.last_name,
        email=row.email,
        role=row.role,
        organization_id=_id(row.team),
        user_id=_id(row.user),
        team=_included(row.team, _team),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _activity(row: ActivityRow) -> Activity:
    return Activity(
        id=row.id,
        name=row.name,
        description=row.description,
        color=_color_in(row.color),
        organization_id=_id(row.team),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _client(row: ClientRow) -> TeamClient:
    return TeamClient(
        id=row.id,
        name=row.name,
        organization_id=_id(row.team),
        team=_included(row.team, _team),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _power_up(row: PowerUpRow) -> PowerUp:
    return PowerUp(
        id=row.id,
        power_up_id=row.power_up_id,
        is_enabled=row.is_enabled,
        organization_id=_id(row.team),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _entry(row: EntryRow) -> LegacyTimeEntry:
    kind = None if row.action is None else _TYPES.get(row.action)
    if kind is None:
        raise DecodeError(f"a time entry's action is 1 or 2, not {row.action}")
    return LegacyTimeEntry(
        id=row.id,
        type=kind,
        time=row.date,
        note=row.notes,
        person_id=_id(row.person),
        activity_id=_id(row.activity),
        client_id=_id(row.client),
        person=_included(row.person, _member),
        activity=_included(row.activity, _activity),
        client=_included(row.client, _client),
        meta=row.meta,
        custom_data=row.custom_data,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


_ROWS: dict[type[Entity], tuple[type[Row], Callable[[Any], Entity]]] = {
    Team: (TeamRow, _team),
    TeamMember: (MemberRow, _member),
    Activity: (ActivityRow, _activity),
    TeamClient: (ClientRow, _client),
    PowerUp: (PowerUpRow, _power_up),
    LegacyTimeEntry: (EntryRow, _entry),
}


@functools.cache
def entity_reader(entity: type[Entity]) -> Callable[[Reply], Any]:
    """What finds an entity of this class in a reply.

    Args:
        entity: A class of the old API's vocabulary.
    """
    row, convert = _ROWS[entity]
    decode = msgspec.json.Decoder(row).decode
    return lambda reply: convert(decode_json(reply, decode))


@functools.cache
def row_reader(entity: type[Entity]) -> Callable[[bytes | msgspec.Raw], tuple[Any, dict[str, Any]]]:
    """What finds an entity of this class in a row, and the fields that it has no place for.

    Args:
        entity: A class of the old API's vocabulary.
    """
    row, convert = _ROWS[entity]
    decode = msgspec.json.Decoder(row).decode
    known = {field.encode_name for field in msgspec.structs.fields(row)}

    def read(raw: bytes | msgspec.Raw) -> tuple[Any, dict[str, Any]]:
        sent: dict[str, Any] = msgspec.json.decode(raw)
        return convert(decode(raw)), {name: sent[name] for name in sent if name not in known}

    return read


@functools.cache
def rows_reader(entity: type[Entity]) -> RowsReader[Any]:
    """What finds entities of this class in a page.

    Args:
        entity: A class of the old API's vocabulary.
    """
    row, convert = _ROWS[entity]
    decode = msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]

    def read(raw: bytes, on_bad_row: BadRowHandler | None) -> tuple[list[Any], int]:
        try:
            rows = decode_json(Reply(200, {}, raw), decode)
            return [convert(each) for each in rows], len(rows)
        except DecodeError as error:
            if error.malformed:
                raise
            return _one_by_one(raw, row, convert, on_bad_row)

    return read


_RAW = msgspec.json.Decoder(list[msgspec.Raw])


def _one_by_one(
    raw: bytes,
    row: type[Row],
    convert: Callable[[Any], Entity],
    on_bad_row: BadRowHandler | None,
) -> tuple[list[Any], int]:
    sent = decode_json(Reply(200, {}, raw), _RAW.decode)
    items: list[Any] = []
    for number, each in enumerate(sent):
        try:
            items.append(convert(msgspec.json.decode(each, type=row)))
        except (msgspec.MsgspecError, DecodeError) as error:
            failure = DecodeError(f"row {number} of the page can't be read: {error}", row=number)
            if on_bad_row is None:
                raise failure from None
            on_bad_row(failure, bytes(each))
    return items, len(sent)


def instant(value: datetime) -> str:
    """A moment as the old API writes it: UTC with three decimals (documented).

    Args:
        value: A datetime with a time zone; what is finer than a millisecond is cut off.
    """
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def color_out(color: str) -> str:
    """A colour as the old API writes it, with a `#`.

    Args:
        color: Six hexadecimal digits, with or without it.
    """
    return color if color.startswith("#") else f"#{color}"


def _color_in(color: str | None) -> str | None:
    return color[1:] if color is not None and re.fullmatch(_COLOR, color) else color


def _id(row: Row | Reference | None) -> str | None:
    return None if row is None else row.id


R = TypeVar("R", bound=Row)


def _included(row: R | None, convert: Callable[[R], T]) -> T | None:
    return convert(row) if row is not None and row.is_whole else None
