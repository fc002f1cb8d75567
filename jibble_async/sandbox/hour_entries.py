"""Hour entries: a day's hours written down without a clock.

Their properties and that they can be made, changed and deleted were observed. What timesheets make
of them is unknown, so they don't count there.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from jibble_async.sandbox.bodies import check_links, checked, require
from jibble_async.sandbox.punches import shown_platform
from jibble_async.sandbox.scalars import format_instant, new_guid
from jibble_async.sandbox.schema import TYPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jibble_async.sandbox.dataset import Dataset
    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.exchange import Call
    from jibble_async.sandbox.ledger import Ledger, Received

_HOURS = TYPES["HourEntries"]
_CHANGES = frozenset({"date", "duration", "projectId", "activityId", "note", "status"})
_FIELDS = _CHANGES | {"personId", "clientType", "platform"}
_LINKS = {"personId": "People", "activityId": "Activities", "projectId": "Projects"}


class HourEntries:
    """Writes the hour entries of a dataset.

    Args:
        dataset: The rows.
        ledger: Notes commits.
        clock: The present instant.
        seed: For the ids of new rows.
    """

    def __init__(
        self, dataset: Dataset, ledger: Ledger, clock: Callable[[], datetime], seed: int
    ) -> None:
        self._dataset = dataset
        self._ledger = ledger
        self._clock = clock
        self._random = Random(f"hour entries {seed}")  # noqa: S311

    def create(self, call: Call, received: Received) -> Row:
        """The entry that a body makes.

        Raises:
            Refusal: The body is refused.
        """
        sent = checked(call.json(), _HOURS, _FIELDS)
        require(sent, "personId", "date", "duration")
        check_links(self._dataset, sent, _LINKS)
        row = {**_HOURS.blank(), "clientType": "Web", "status": "Active", **sent}
        row.update(
            id=new_guid(self._random),
            platform=shown_platform(sent.get("platform")),
            createdAt=format_instant(self._clock()),
        )
        self._dataset.add("HourEntries", row)
        self._ledger.commit(received, "HourEntries", row["id"], "created")
        return row

    def change(self, call: Call, received: Received, row: Row) -> None:
        """Changes an entry as a body says.

        Raises:
            Refusal: The body is refused.
        """
        changes = checked(call.json(), _HOURS, _CHANGES)
        require({**row, **changes}, "date", "duration")
        check_links(self._dataset, changes, _LINKS)
        self._dataset.update("HourEntries", row["id"], changes)
        self._ledger.commit(received, "HourEntries", row["id"], "updated")

    def delete(self, received: Received, row: Row) -> None:
        """Deletes an entry for good."""
        self._dataset.remove("HourEntries", row["id"])
        self._ledger.commit(received, "HourEntries", row["id"], "deleted")
