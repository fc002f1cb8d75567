"""What the current API refuses, and what nobody knows of it, as switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(slots=True)
class Rules:
    """How the current API behaves; may be changed at any time.

    What is refused by default was seen to be refused by the service, or was never seen to work.

    Args:
        platform_required: Whether a punch without `platform` is refused.
        future_refused: Whether a punch of a moment that is still to come is refused.
        alternation: Whether an Out is refused when the person's entry before it is one.
        locked_until: The last day of the pay periods that are locked: entries that belong to it or
            to a day before are neither made nor changed. None for none.
        catalog_writable: Whether activities and groups can be created, which nobody ever saw.
        keeps_client_ids: Whether a new time entry keeps the id that was sent, which is unknown.
        half_days_open: Whether the overview shows time off of some hours without its `endDate`, as
            one program saw it. Counts when the rows are made.

    Example:
        >>> async with Sandbox(rules=Rules(future_refused=False)) as box: ...
    """

    platform_required: bool = True
    future_refused: bool = True
    alternation: bool = True
    locked_until: date | None = None
    catalog_writable: bool = False
    keeps_client_ids: bool = True
    half_days_open: bool = False
