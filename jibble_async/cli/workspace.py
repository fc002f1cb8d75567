"""`jibble whoami` and `jibble people`: who you are, who works here, who is in."""

from __future__ import annotations

from cyclopts import App

from jibble_async.cli.connection import DEFAULTS, Common, Flag, connect, connect_either
from jibble_async.cli.output import show_facts, show_json, show_table
from jibble_async.client import JibbleClient
from jibble_async.entities import Organization, Person
from jibble_async.errors import ConfigurationError, NotFoundError, PermissionDeniedError

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
        organization = await _organization(client, identity.organization_id)
        person = await _person(client, identity.person_id)
    organization_name = organization.name if organization is not None else None
    person_name = person.full_name if person is not None else None
    if common.json:
        show_json(
            {
                "organization": {"id": identity.organization_id, "name": organization_name},
                "person": {"id": identity.person_id, "full_name": person_name},
            }
        )
        return
    show_facts(
        {
            "organisation": organization_name or "unknown",
            "organisation id": identity.organization_id or "unknown",
            "person": person_name or "unknown",
            "person id": identity.person_id or "unknown",
        }
    )


@people.default
@people.command(name="list")
async def list_people(
    *,
    include_removed: Flag = False,
    common: Common = DEFAULTS,
) -> None:
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
    if common.json:
        show_json([{name: getattr(person, name) for name in _COLUMNS} for person in found])
        return
    show_table(
        ("Name", "Email", "Role", "Status"),
        [(person.full_name, person.email, person.role, person.status) for person in found],
    )


@people.command
async def clocked_in(*, common: Common = DEFAULTS) -> None:
    """List the people who are at work now.

    Args:
        common: What every command takes.
    """
    async with connect(common) as client:
        found = await client.people.clocked_in().collect()
    found.sort(key=_name)
    if common.json:
        show_json([{"id": person.id, "full_name": person.full_name} for person in found])
        return
    show_table(("Name", "Id"), [(person.full_name, person.id) for person in found])


def _name(person: Person) -> str:
    return person.full_name or ""


async def _organization(client: JibbleClient, id: str | None) -> Organization | None:
    try:
        return None if id is None else await client.organizations.get(id)
    except (NotFoundError, PermissionDeniedError):
        return None


async def _person(client: JibbleClient, id: str | None) -> Person | None:
    try:
        return None if id is None else await client.people.get(id)
    except (NotFoundError, PermissionDeniedError):
        # A key acts as a person of its own, which the key need not be allowed to see.
        return None
