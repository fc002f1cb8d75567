"""How names and addresses are compared, and what is over there to be compared with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

__all__ = ["There", "TherePerson", "ThereThing", "address", "is_guid", "same_name"]

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class TherePerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in the new account.

    Attributes:
        removed: Whether the person was removed.
        zone: The time zone that the new account has for the person.
    """

    id: str
    name: str = ""
    email: str = ""
    code: str = ""
    removed: bool = False
    zone: str = ""

    def __str__(self) -> str:
        told = " ".join(part for part in (self.name, self.email and f"<{self.email}>") if part)
        return f"{told} ({self.id}{', removed' if self.removed else ''})".strip()


class ThereThing(msgspec.Struct, frozen=True, kw_only=True):
    """An activity or a project in the new account.

    Attributes:
        active: Whether time can be booked on it.
    """

    id: str
    name: str = ""
    description: str = ""
    active: bool = True


class There(msgspec.Struct, frozen=True, kw_only=True):
    """What the new account holds that old rows are matched with.

    Attributes:
        person: The id of the person as whom the credentials act, if they are somebody's.
    """

    person: str | None = None
    people: tuple[TherePerson, ...] = ()
    activities: tuple[ThereThing, ...] = ()
    projects: tuple[ThereThing, ...] = ()

    def with_address(self, wanted: Iterable[str]) -> list[TherePerson]:
        """Who has one of these addresses, removed people included."""
        folded = {address(email) for email in wanted} - {""}
        return [person for person in self.people if address(person.email) in folded]

    def with_id(self, guid: str) -> TherePerson | None:
        """Who has this id."""
        return next((each for each in self.people if each.id.lower() == guid.lower()), None)


def address(email: str | None) -> str:
    """An e-mail address as it is compared: without blanks around it, capitals don't matter."""
    return (email or "").strip().casefold()


def same_name(name: str | None) -> str:
    """A name as it is compared: white space and capitals don't matter."""
    return " ".join((name or "").split()).casefold()


def is_guid(text: str) -> bool:
    """Whether a text is an id of the new account."""
    return _GUID.fullmatch(text) is not None


def by_name(things: Iterable[ThereThing]) -> Mapping[str, list[ThereThing]]:
    """The active ones by their names, as they are compared."""
    found: dict[str, list[ThereThing]] = {}
    for thing in things:
        if thing.active:
            found.setdefault(same_name(thing.name), []).append(thing)
    return found
