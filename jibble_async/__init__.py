"""Async Python client for Jibble: typed, paced, and safe to retry."""

from __future__ import annotations

import importlib
import os
from typing import Any

from jibble_async import entities, errors
from jibble_async.core import logs

# Every public name, by the module that it comes from. What type checkers and editors read is
# `__init__.pyi`, which `make stubs` writes.
_HOMES: dict[str, list[str]] = {
    "api.base_client": ["Ping"],
    "api.listing": ["ListOptions"],
    "api.outcomes": ["ItemOutcome", "ItemState"],
    "client": ["Identity", "JibbleClient"],
    "config": ["ClientConfig", "Endpoints", "Service"],
    "core.credentials": ["Auth", "ClientCredentials", "StaticToken"],
    "core.cursor": ["Cursor"],
    "core.operation": ["Safety"],
    "core.call_options": ["Timeouts"],
    "core.pager": ["Pager"],
    "core.pages": ["Page"],
    "core.retry": ["RetryPolicy"],
    "core.stats": ["Stats"],
    "entities": [name for name in entities.__all__ if name not in {"Guid", "ValueObject"}],
    "errors": errors.__all__,
    "events": ["Hook"],
    "limits.adaptive.limiter": ["AdaptiveLimiter"],
    "limits.bucket": ["TokenBucket"],
    "limits.slots": ["Outcome", "Priority", "RateLimiter", "Slot", "Unlimited"],
    "limits.windows.local": ["RollingWindow"],
    "odata.render": ["grouped"],
    "pairing": ["Leftover", "LeftoverReason", "Stretch", "WorkSessions", "work_sessions"],
    "query.expressions": ["Expression", "raw_filter"],
    "query.vocabulary": ["fields"],
    "resources.punches": ["EntryPunch"],
    "response": ["ResponseMetadata"],
    "version": ["__version__"],
}
# Imported when asked for: they take time to load, and few programs use them.
_LAZY: dict[str, list[str]] = {
    "api.tracker": ["TimeTracker"],
    "limits.adaptive.redis": ["RedisAdaptive"],
    "limits.adaptive.sqlite": ["SharedAdaptive"],
    "limits.windows.redis": ["RedisWindow"],
    "limits.windows.sqlite": ["SharedWindow"],
}


def _load(home: str, names: list[str]) -> None:
    module = importlib.import_module(f"{__name__}.{home}")
    globals().update((name, getattr(module, name)) for name in names)


for _home, _names in _HOMES.items():
    _load(_home, _names)

logs.from_env(os.environ)

__all__ = sorted(name for names in (*_HOMES.values(), *_LAZY.values()) for name in names)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    for home, names in _LAZY.items():
        if name in names:
            _load(home, names)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
