"""`jibble whoami` and `jibble people`: who you are, who works here, who is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclopts import App

from jibble_async.cli.connection import (
    DEFAULTS,
    Common,
    Flag,
    Several,
    connect,
    connect_either,
    connect_named,
)
from jibble_async.cli.lookup import Lookup, listed
from jibble_async.cli.output import show_facts, show_json, show_rows
from jibble_async.entities import Person
from jibble_async.errors import ConfigurationError, NotFoundError, PermissionDeniedError
from jibble_async.query.vocabulary import fields

if TYPE_CHECKING:
    from jibble_async.resources.base import E, Resource

__all__ = ["people", "whoami"]

people: App = App(name="people")

_HEADS = {
    "Name": "full_name",
    "Email": "email",
    "Code": "code",
    "Role": "role",
    "Status": "status",
}
_COLUMNS = ("id", *_HEADS.values())
_P = fields(Person)


async def whoami(*, common: Common = DEFAULTS) -> None:
    """Show whom the credentials act for, and where.

    Args:
        common: What every command takes.
    """
    async with connect_named(common) as (profile, client):
        identity = await client.whoami()
        organization = await _seen(client.organizations, identity.organization_id)
        person = await _seen(client.people, identity.person_id)
    organization_name = organization and organization.name
    person_name = person and person.full_name
    if common.form in {"json", "jsonl"}:
        told = {
            "profile": profile or None,
            "organization": {"id": identity.organization_id, "name": organization_name},
            "person": {"id": identity.person_id, "full_name": person_name},
        }
        show_json(told, common.form)
        return
    facts = {
        "organisation": organization_name,
        "organisation id": identity.organization_id,
        "person": person_name,
        "person id": identity.person_id,
    }
    known = {name: value or "unknown" for name, value in facts.items()}
    if profile:
        known = {"profile": profile, **known}
    show_facts(known, common.form, id="person id")


@people.default
@people.command(name="list")
async def list_people(
    *, group: Several = (), include_removed: Flag = False, common: Common = DEFAULTS
) -> None:
    """List the people of the organisation.

    Args:
        group: Only those of this group; repeatable.
        include_removed: List people who were removed, too.
        common: What every command takes.
    """
    if common.legacy and (include_removed or group):
        raise ConfigurationError(
            "the old API has no groups and keeps nobody who was removed: leave --group and "
            "--include-removed away"
        )
    async with connect_either(common) as client:
        ids = await Lookup(client).ids("group", group)
        options = {"where": _P.group_id.is_in(ids)} if ids else {}
        found = listed(client, "people", _COLUMNS, gone=include_removed, **options)
        everybody = sorted(await found.collect(), key=_name)
    rows = [{name: getattr(person, name) for name in _COLUMNS} for person in everybody]
    show_rows(rows, _HEADS, common.form)


@people.command
async def clocked_in(*, common: Common = DEFAULTS) -> None:
    """List the people who are at work now.

    Args:
        common: What every command takes.
    """
    async with connect(common) as client:
        found = await client.people.clocked_in().collect()
    rows = [{"id": each.id, "full_name": each.full_name} for each in sorted(found, key=_name)]
    show_rows(rows, {"Name": "full_name", "Id": "id"}, common.form)


def _name(person: Person) -> tuple[str, str]:
    return (person.full_name or "").casefold(), person.id


async def _seen(resource: Resource[E], id: str | None) -> E | None:
    try:
        return None if id is None else await resource.get(id)
    except (NotFoundError, PermissionDeniedError):
        # A key acts as a person of its own, which the key need not be allowed to see.
        return None
