"""Names of a package that are loaded when somebody asks for them (PEP 562).

A command that shows its help, or a program that opens a sandbox, need not wait for a client.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["load"]


def load(package: str, name: str, homes: Mapping[str, Sequence[str]]) -> Any:
    """What a name of a package stands for, which the package has from then on.

    Args:
        package: The package's `__name__`.
        name: The name.
        homes: All such names, by the module that has them, as seen from the package.

    Raises:
        AttributeError: It is none of them.
    """
    for home, names in homes.items():
        if name in names:
            value = getattr(importlib.import_module(f".{home}", package), name)
            setattr(importlib.import_module(package), name, value)
            return value
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
