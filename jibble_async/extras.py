"""Packages that only some formats take, which are installed as extras."""

from __future__ import annotations

import importlib
from typing import Any

from jibble_async.errors import MissingExtraError

__all__ = ["extra"]


def extra(module: str, name: str, purpose: str) -> Any:
    """A module of an extra.

    Args:
        module: The module.
        name: The extra, as pip takes it.
        purpose: What needs it.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise MissingExtraError(
            f'{purpose} need {package}: pip install "jibble-async[{name}]"'
        ) from None
