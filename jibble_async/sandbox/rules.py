"""What the current API refuses, and what nobody knows of it, as switches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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
        refused_before: The first day on which a punch may lie, in UTC; None for no bound. Nobody
            knows of one.
        removed_punch: Whether entries of removed people are taken, which is unknown.
        unique_emails: Whether the address of a person, removed ones included, is refused for
            another one, which is unknown.
        seats: How many people the plan has room for, removed ones not counted; None for any.
            Invitations stop when seats are used up (documented: people); that creating is refused
            so, too, is inferred.
        catalog_writable: Whether activities and groups can be created, which nobody ever saw.
        keeps_client_ids: Whether a new time entry keeps the id that was sent, which is unknown.
        keeps_platform: Whether a new time entry keeps the `platform` that was sent, unknown too.
        keeps_time: What it keeps of the `time` that was sent: all, whole seconds, or nothing, so
            that it is the server's now.
        keeps_days: Whether it keeps the `belongsToDate` and `offset` that were sent.
        half_days_open: Whether the overview shows time off of some hours without its `endDate`, as
            one program saw it. Counts when the rows are made.

    Example:
        >>> async with Sandbox(rules=Rules(future_refused=False)) as box: ...
    """

    platform_required: bool = True
    future_refused: bool = True
    alternation: bool = True
    locked_until: date | None = None
    refused_before: date | None = None
    removed_punch: bool = True
    unique_emails: bool = False
    seats: int | None = None
    catalog_writable: bool = False
    keeps_client_ids: bool = True
    keeps_platform: bool = True
    keeps_time: Literal["all", "seconds", "nothing"] = "all"
    keeps_days: bool = True
    half_days_open: bool = False
