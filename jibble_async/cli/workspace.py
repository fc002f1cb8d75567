"""`jibble whoami` and `jibble people`: who you are, who works here, who is in."""

from __future__ import annotations

from cyclopts import App

from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect, connect_either
from jibble_async.cli.output import show_facts, show_json, show_rows
from jibble_async.client import JibbleClient
from jibble_async.entities import Person
from jibble_async.errors import ConfigurationError, NotFoundError, PermissionDeniedError
from jibble_async.resources.base import E, Resource

__all__ = ["people", "whoami"]

people: App = App(name="people", help="List the people of the organisation, or those at work.")

_COLUMNS = ("id", "full_name", "email", "role", "status")


async def whoami(*, common: Common = DEFAULTS) -> None:
    """Show the organisation and the person that the credentials act for.

    Args:
        common: What every command takes.
    """
    async with connect(common) as client:
        identity = await client.whoami()
        organization = await _seen(client.organizations, identity.organization_id)
        person = await _seen(client.people, identity.person_id)
    organization_name = organization and organization.name
    person_name = person and person.full_name
    if common.json:
        show_json(
            {
                "organization": {"id": identity.organization_id, "name": organization_name},
                "person": {"id": identity.person_id, "full_name": person_name},
            }
        )
        return
    facts = {
        "organisation": organization_name,
        "organisation id": identity.organization_id,
        "person": person_name,
        "person id": identity.person_id,
    }
    show_facts({name: value or "unknown" for name, value in facts.items()})


@people.default
@people.command(name="list")
async def list_people(*, include_removed: Flag = False, common: Common = DEFAULTS) -> None:
    """List the people of the organisation.

    Args:
        include_removed: List people who were removed, too.
        common: What every command takes.
    """
    if common.legacy and include_removed:
        raise ConfigurationError(
            "the old API keeps nobody who was removed: leave --include-removed out"
        )
    async with connect_either(common) as client:
        if isinstance(client, JibbleClient):
            found = await client.people.list(
                select=_COLUMNS, order_by="full_name", include_removed=include_removed
            ).collect()
        else:
            found = sorted(await client.people.list().collect(), key=_name)
    rows = [{name: getattr(person, name) for name in _COLUMNS} for person in found]
    heads = {"Name": "full_name", "Email": "email", "Role": "role", "Status": "status"}
    show_rows(rows, heads, json=common.json)


@people.command
async def clocked_in(*, common: Common = DEFAULTS) -> None:
    """List the people who are at work now.

    Args:
        common: What every command takes.
    """
    async with connect(common) as client:
        found = await client.people.clocked_in().collect()
    rows = [{"id": each.id, "full_name": each.full_name} for each in sorted(found, key=_name)]
    show_rows(rows, {"Name": "full_name", "Id": "id"}, json=common.json)


def _name(person: Person) -> str:
    return person.full_name or ""


async def _seen(resource: Resource[E], id: str | None) -> E | None:
    try:
        return None if id is None else await resource.get(id)
    except (NotFoundError, PermissionDeniedError):
        # A key acts as a person of its own, which the key need not be allowed to see.
        return None
