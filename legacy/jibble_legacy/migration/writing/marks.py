"""The mark that an entry carries over there: made from the old row, so it can be made again."""

from __future__ import annotations

import uuid

__all__ = ["entry_key", "namespace"]


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
