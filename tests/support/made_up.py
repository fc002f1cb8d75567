"""What people of sandboxes punched, made up once for all sandboxes that are made alike."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from datetime import datetime
from typing import Any

import pytest

from jibble_async.sandbox import dataset
from jibble_async.sandbox.company.organisation import Organisation
from jibble_async.sandbox.company.working_week import work

Row = dict[str, Any]
# Neighbours are alike, so those of a few are enough; what is large costs more to keep than to make.
_MOST = 8
_MOST_ROWS = 6000
_kept: dict[Any, list[Row]] = {}


def _work(
    organisation: Organisation, leaves: list[tuple[Row, Row]], present: datetime | None = None
) -> list[Row]:
    who = organisation
    key = (who.people, who.since, who.until, who.seed, who.young, str(leaves), present)
    if key not in _kept:
        rows = work(organisation, leaves, present)
        if len(rows) > _MOST_ROWS:
            return rows
        while len(_kept) >= _MOST:
            del _kept[next(iter(_kept))]
        _kept[key] = rows
    return [{**row} for row in _kept[key]]


@contextlib.contextmanager
def made_up_once() -> Generator[None]:
    """Within it equal sandboxes get copies of the same time entries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "work", _work)
        yield


@contextlib.contextmanager
def made_up_anew() -> Generator[None]:
    """Within it each sandbox makes up its own, as anywhere outside of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset, "work", work)
        yield
