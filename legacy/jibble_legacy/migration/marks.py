"""What is known over there by a mark of ours, each made from the old row: it can be made again."""

from __future__ import annotations

import uuid

__all__ = [
    "OUR_VERSION",
    "PROBE",
    "entry_key",
    "namespace",
    "old_person",
    "person_code",
    "project_description",
]

OUR_VERSION = "jibble-async migration"
"""What entries of a migration have as `platform.clientVersion`."""
PROBE = "probe"
"""What the probe's entries have as `platform.deviceName`; other entries have the old id."""
_PERSON = "L-"


def namespace(base: str, team: str) -> uuid.UUID:
    """The namespace of an old account's marks.

    Args:
        base: The URL of the old API.
        team: The id of the team, or of all teams, joined by commas in their order.
    """
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{base}|{team}")


def entry_key(space: uuid.UUID, generation: int, legacy_id: str, revision: int = 0) -> str:
    """The id and nonce of the new entry that answers for an old one.

    Args:
        space: Of the old account; see `namespace`.
        generation: How many rollbacks there were: a server that keeps ids refuses those of the
            archived entries of earlier ones.
        legacy_id: The id of the old entry.
        revision: How many times it was archived and written anew since, as its moment changed.
    """
    again = f"/{revision}" if revision else ""
    return str(uuid.uuid5(space, f"{generation}/timeentries/{legacy_id}{again}"))


def person_code(old_id: str, generation: int) -> str:
    """The code of somebody who is created for an old person.

    Args:
        old_id: The old person's id.
        generation: How many rollbacks there were: who was removed by one keeps the code.
    """
    return f"{_PERSON}{old_id}" + (f".{generation}" if generation else "")


def old_person(code: str) -> tuple[str, int] | None:
    """The old id and the generation that a code was made of; None if it is none of ours."""
    old_id, _, generation = code.removeprefix(_PERSON).partition(".")
    if not code.startswith(_PERSON) or not (generation or "0").isdecimal():
        return None
    return old_id, int(generation or 0)


def project_description(old_id: str) -> str:
    """The description of a project that is created for an old client."""
    return f"legacy client {old_id}"
