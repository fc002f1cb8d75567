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

# A law that fails mostly fails at once: `make test` looks for what fails at once.
_SHARE = 3 if TIMES == 1 else 1


def examples(number: int) -> settings:
    """So many examples, for hypothesis, times `TIMES`; a third of them in `make test`."""
    return settings(max_examples=number * TIMES // _SHARE)


def seeds(number: int, *, few: int | None = None) -> Callable[[Test], Test]:
    """The test gets a `seed`, so many times.

    Args:
        number: Times `TIMES`.
        few: How many there are in `make test`: a third, if that takes no longer than others do.
    """
    often = number * TIMES if _SHARE == 1 else few or -(-number // _SHARE)
    drawn = pytest.mark.parametrize("seed", range(often))
    return lambda test: drawn(pytest.mark.chaos(test))
