"""A quota that programs share, by what a setting can say: a Redis, or a folder of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from jibble_async.checks import unseen
from jibble_async.errors import ConfigurationError
from jibble_async.limits.adaptive.redis import RedisAdaptive
from jibble_async.limits.adaptive.sqlite import SharedAdaptive
from jibble_async.limits.windows.redis import RedisWindow
from jibble_async.limits.windows.sqlite import SharedWindow

__all__ = ["SharedLimiter", "limiter_at"]

SharedLimiter: TypeAlias = RedisAdaptive | RedisWindow | SharedAdaptive | SharedWindow

_URLS = ("redis://", "rediss://", "unix://")


@unseen
def limiter_at(
    where: str,
    key: str,
    *,
    limit: int | None = None,
    per: float | None = None,
    workers: int = 1,
    linger: float = 60.0,
    lease: float = 60.0,
    trust_empty: bool = False,
) -> SharedLimiter:
    """A limiter for all programs that name the same place.

    Args:
        where: The url of a Redis, or a folder of this machine.
        key: What the quota belongs to.
        limit: Requests that the server accepts in `per` seconds; without both, that is found out.
        per: Seconds.
        workers: How many processes share it in Redis at most.
        linger: As for `RedisWindow`.
        lease: The same.
        trust_empty: The same.

    Raises:
        ConfigurationError: It is neither, or the numbers can't be used.
    """
    is_url = where.startswith(_URLS)
    if not is_url and (not where.strip() or "://" in where):
        raise ConfigurationError(
            "limiter= is the url of a Redis (redis://host:6379/0), or a folder of this machine"
        )
    if (limit is None) is not (per is None):
        raise ConfigurationError("limit= and per= go together: requests, and in how many seconds")
    if is_url:
        if limit is None or per is None:
            return RedisAdaptive(where, key=key)
        return RedisWindow(
            where,
            limit,
            per,
            linger,
            workers=workers,
            lease=lease,
            key=key,
            trust_empty=trust_empty,
        )
    path = Path(where).expanduser() / f"{key}.db"
    if limit is None or per is None:
        return SharedAdaptive(path)
    return SharedWindow(path, limit, per, linger, lease=lease)
