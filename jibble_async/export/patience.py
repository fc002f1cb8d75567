"""A client for work that nobody waits for."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from jibble_async.api.base_client import BaseClient, session_of
from jibble_async.core.call_options import Timeouts

__all__ = ["ATTEMPT", "GIVE_UP_AFTER", "patient"]

C = TypeVar("C", bound=BaseClient[Any])

GIVE_UP_AFTER = 900.0
"""Seconds that an outage may last."""

ATTEMPT = 120.0
"""Seconds that one request may take: nobody waits for one page."""

# No total, since an export may take hours.
_PATIENT = Timeouts(total=None, attempt=ATTEMPT)


def patient(client: C, give_up_after: float | None) -> C:
    """A client without a deadline for the whole, whose calls let interactive ones go first.

    Args:
        client: What it is made of.
        give_up_after: Seconds that an outage may last; None leaves it to the client's retry policy.
    """
    retry = session_of(client).options.retry
    if give_up_after is not None:
        retry = msgspec.structs.replace(retry, patience=give_up_after)
    return client.with_options(timeout=_PATIENT, priority="bulk", retry=retry)
