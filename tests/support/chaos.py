"""Tests that draw their cases: some of them always, and many more in `make chaos`."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from hypothesis import settings

Test = TypeVar("Test", bound=Callable[..., Any])

TIMES = int(os.environ.get("CHAOS", "1"))
"""How many times as many cases as usual."""


def examples(number: int) -> settings:
    """So many examples, for hypothesis, of a test that needs other than its usual number."""
    return settings(max_examples=number * TIMES)


def seeds(number: int, *, few: int | None = None) -> Callable[[Test], Test]:
    """The test gets a `seed`, so many times.

    Args:
        number: Times `TIMES`.
        few: How many there are in `make test`, where that many would take too long.
    """
    often = number * TIMES if few is None or TIMES > 1 else few
    drawn = pytest.mark.parametrize("seed", range(often))
    return lambda test: drawn(pytest.mark.chaos(test))
