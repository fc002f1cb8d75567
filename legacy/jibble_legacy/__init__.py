"""The adapter for Jibble's old API: the vocabulary of `jibble_async`, spoken to another server."""

from __future__ import annotations

from typing import Any

from jibble_async.on_demand import load as _load

# What type checkers and editors read is `__init__.pyi`, which `make stubs` writes.
_HOMES: dict[str, list[str]] = {
    "auth": ["PasswordGrant"],
    "client": ["LegacyClient"],
    "config": ["LegacyConfig"],
    "entities": ["LegacyTimeEntry", "PowerUp", "Team", "TeamClient", "TeamMember"],
    "query_fields": ["fields"],
}

__all__ = sorted(name for names in _HOMES.values() for name in names)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    return _load(__name__, name, _HOMES)
