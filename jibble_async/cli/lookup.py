"""The ids of people and things that a command line calls by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from jibble_async.cli.connection import is_current
from jibble_async.cli.names import Named, one_of
from jibble_async.entities import CommonStatus, Group, OpenEnum, Person, PersonStatus
from jibble_async.errors import ConfigurationError, NotSupportedError
from jibble_async.query.values import is_guid
from jibble_async.query.vocabulary import fields

if TYPE_CHECKING:
    from jibble_legacy import LegacyClient

    from jibble_async.client import JibbleClient
    from jibble_async.core.pager import Pager

__all__ = ["Kind", "Lookup", "listed", "person_id"]

Kind: TypeAlias = Literal[
    "person", "group", "project", "activity", "location", "client", "policy", "schedule"
]
"""What can be called by its name."""

_SETS: dict[Kind, str] = {
    "person": "people",
    "group": "groups",
    "project": "projects",
    "activity": "activities",
    "location": "locations",
    "client": "clients",
    "policy": "time_off_policies",
    "schedule": "schedules",
}
# The old API's ids have ten or sixteen letters and digits (documented: old-rows), as names may have
# letters and codes digits: what has both is not looked for.
_OLD_ID = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])(?:[0-9A-Za-z]{10}|[0-9A-Za-z]{16})")
_P = fields(Person)
_NAMES = ("id", "full_name", "name", "preferred_name", "email", "code", "status")
_GONE: dict[OpenEnum | None, str] = {
    CommonStatus.ARCHIVED: "archived",
    PersonStatus.REMOVED: "removed",
}


class Lookup:
    """Finds ids, and lists each set at most once, and only for what is not an id already.

    Args:
        client: Whom to ask, of either API.
        include_gone: Whether people who were removed and things that were archived are found by
            their names, too; by their ids they are in any case.
    """

    def __init__(self, client: JibbleClient | LegacyClient, *, include_gone: bool = False) -> None:
        self._client = client
        self._include_gone = include_gone
        self._known: dict[Kind, list[Named]] = {}
        self._names: dict[str, str] = {}

    async def optional(self, kind: Kind, text: str | None) -> str | None:
        """The id of what is called so; None for None. Raises as `id` does."""
        return None if text is None else await self.id(kind, text)

    async def members(self, groups: Sequence[str]) -> tuple[str, ...]:
        """The ids of everybody who is in these groups, or was when they were removed.

        Args:
            groups: Their names or ids.

        Raises:
            ConfigurationError: Nobody is in them; or as `id` raises it.
        """
        ids = await self.ids("group", groups)
        people: Any = self._client.people
        found = people.list(where=_P.group_id.is_in(ids), select=["id"], include_removed=True)
        members = tuple([each.id async for each in found])
        if not members:
            raise ConfigurationError(f"nobody is in {' or '.join(groups)}")
        return members

    async def people(self, people: Iterable[str], groups: Sequence[str]) -> list[str]:
        """The ids of people, and of everybody in groups, each once; empty if neither is named.

        Args:
            people: Their names, or what else `id` takes.
            groups: The names or ids of groups.

        Raises:
            ConfigurationError: As `id` and `members` raise it.
        """
        named = await self.ids("person", people)
        members = await self.members(groups) if groups else ()
        return [*dict.fromkeys([*named, *members])]

    async def own_id(self) -> str | None:
        """The id of the person that the credentials act for, if they say so."""
        client = self._client
        return (await client.whoami()).person_id if is_current(client) else None

    async def ids(self, kind: Kind, texts: Iterable[str]) -> tuple[str, ...]:
        """The ids of what is called so, each once, in their order. Raises as `id` does."""
        return tuple(dict.fromkeys([await self.id(kind, text) for text in texts]))

    async def id(self, kind: Kind, text: str) -> str:
        """The id of the one thing that a text means; see `jibble_async.cli.names.best_matches`.

        Args:
            kind: What it is.
            text: Its id, a person's e-mail address, its code, or its name or the beginnings of
                the words of it.

        Raises:
            ConfigurationError: Nothing is called so, or several things are.
            NotSupportedError: The API has nothing of the kind.
            JibbleError: A call failed for good.
        """
        if not text.strip():
            raise ConfigurationError(f"which {kind}? An empty text is no name")
        if self._is_id(text):
            return text
        if kind == "person" and "@" in text and kind not in self._known:
            # Most often written as it is kept: one request, where a list of all may take many.
            found = await self._list(kind, where=_P.email == text.strip())
            if found:
                return self._one(kind, text, found)
        if kind not in self._known:
            self._known[kind] = await self._list(kind)
        return self._one(kind, text, self._known[kind])

    def name(self, id: str) -> str | None:
        """What somebody or something is called that was found by its name; None for others."""
        return self._names.get(id)

    def _one(self, kind: Kind, text: str, among: list[Named]) -> str:
        what = _SETS[kind].replace("_", "-")
        is_all = self._include_gone or not is_current(self._client)
        gone = "" if is_all else "; what was removed or archived is found by its id"
        found = one_of(kind, text, among, otherwise=f"jibble list {what} shows them{gone}")
        self._names[found.id] = found.names[0] if found.names else found.id
        return found.id

    def _is_id(self, text: str) -> bool:
        return is_guid(text) if is_current(self._client) else _OLD_ID.fullmatch(text) is not None

    async def _list(self, kind: Kind, **options: Any) -> list[Named]:
        if kind == "person" and is_current(self._client):
            options["expand"] = [_P.group.select("name")]
        rows = listed(self._client, _SETS[kind], _NAMES, gone=self._include_gone, **options)
        return [_named(row) async for row in rows]


async def person_id(lookup: Lookup, text: str | None) -> str:
    """The id of a person, by default of the one that the credentials act for.

    Raises:
        ConfigurationError: The credentials don't say who acts; or as `Lookup.id` raises it.
    """
    found = await (lookup.own_id() if text is None else lookup.id("person", text))
    if found is None:
        raise ConfigurationError("the credentials don't say who you are: give --person")
    return found


def listed(
    client: JibbleClient | LegacyClient,
    what: str,
    names: Iterable[str],
    *,
    gone: bool = False,
    **options: Any,
) -> Pager[Any]:
    """The members of a set, with no more than some of their fields where the API can leave any out.

    Args:
        client: Whom to ask, of either API.
        what: The name of the set, as in `client.projects`.
        names: The fields that are wanted, of those that members have.
        gone: Whether people who were removed and things that were archived come along.
        **options: Passed on to `list()`.

    Raises:
        ConfigurationError: The old API is to tell of what was removed.
        NotSupportedError: The API has no such set.
    """
    resource: Any = getattr(client, what, None)
    if resource is None:
        raise NotSupportedError(f"the old API has no {what.replace('_', ' ')}")
    if is_current(client):
        known = resource.entity.__struct_fields__
        options["select"] = [name for name in names if name in known]
        if resource.archived is not None:
            options["include_removed" if resource.entity is Person else "include_archived"] = gone
    elif gone:
        raise ConfigurationError("the old API keeps nothing that was removed: ask without it")
    pager: Pager[Any] = resource.list(**options)
    return pager


def _named(row: Any) -> Named:
    def given(*fields: str) -> tuple[str, ...]:
        return tuple(filter(None, (getattr(row, field, None) for field in fields)))

    group: Group | None = getattr(row, "group", None)
    status: OpenEnum | None = getattr(row, "status", None)
    names = given("full_name", "name", "preferred_name")
    notes = (None if group is None else group.name, _GONE.get(status))
    return Named(row.id, names, given("email", "code"), tuple(filter(None, notes)))
