"""Async Python client for Jibble: typed, paced, and safe to retry."""

from __future__ import annotations

import importlib
from typing import Any

from jibble_async.on_demand import load as _load

# Every public name, by the module that it comes from. What type checkers and editors read is
# `__init__.pyi`, which `make stubs` writes.
_HOMES: dict[str, list[str]] = {
    "api.base_client": ["Ping"],
    "api.listing": ["ListOptions"],
    "api.outcomes": ["ItemOutcome", "ItemState"],
    "api.tracker": ["TimeTracker"],
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
    "events": ["Hook"],
    "limits.adaptive.limiter": ["AdaptiveLimiter"],
    "limits.adaptive.redis": ["RedisAdaptive"],
    "limits.adaptive.sqlite": ["SharedAdaptive"],
    "limits.bucket": ["TokenBucket"],
    "limits.slots": ["Outcome", "Priority", "RateLimiter", "Slot", "Unlimited"],
    "limits.windows.local": ["RollingWindow"],
    "limits.windows.redis": ["RedisWindow"],
    "limits.windows.sqlite": ["SharedWindow"],
    "odata.render": ["grouped"],
    "pairing": ["Leftover", "LeftoverReason", "Stretch", "WorkSessions", "work_sessions"],
    "query.expressions": ["Expression", "raw_filter"],
    "query.vocabulary": ["fields"],
    "resources.punches": ["EntryPunch"],
    "response": ["ResponseMetadata"],
    "version": ["__version__"],
}
# Those that are themselves public.
_MODULES = ("entities", "errors", "events")


def _homes() -> dict[str, list[str]]:
    """The same with entities and errors, which say themselves what is public of them."""
    from jibble_async import entities, errors

    offered = [name for name in entities.__all__ if name not in {"Guid", "ValueObject"}]
    return {**_HOMES, "entities": offered, "errors": errors.__all__}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return sorted(name for names in _homes().values() for name in names)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    # All entities and errors are classes; modules are looked for in this way, too.
    return _load(__name__, name, _homes() if name[0].isupper() else _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *__getattr__("__all__")})
