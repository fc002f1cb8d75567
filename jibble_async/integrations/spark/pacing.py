"""The quota that tasks share: in Redis, or in files where all of them are on one machine."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

from jibble_async.checks import unseen
from jibble_async.errors import ConfigurationError
from jibble_async.integrations.pacing import SharedLimiter, limiter_at
from jibble_async.integrations.spark.credentials import REDIS_URL, quota_name
from jibble_async.integrations.spark.options import FROM_ENVIRONMENT, Asked
from jibble_async.limits.redis_link import RedisLink, StoreAwayError

__all__ = ["folder_mark", "require_same_folder", "require_store", "shared_limiter"]

# Seconds; an exchange takes a few milliseconds.
_REACHED_WITHIN = 5.0

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@unseen
def shared_limiter(
    asked: Asked, environment: Mapping[str, str], service: str
) -> SharedLimiter | None:
    """What paces the tasks of an account; None if one task alone reads, which paces itself.

    Args:
        asked: The options.
        environment: The account's variables.
        service: Whose quota it is.

    Raises:
        ConfigurationError: It can't be made.
    """
    if asked.limiter is None:
        return None
    return limiter_at(
        _redis_url(asked, environment) or asked.limiter,
        asked.limiter_key or quota_name(environment, service),
        limit=asked.limit,
        per=asked.per,
        workers=asked.workers or 1,
        linger=asked.linger,
        lease=asked.lease,
        trust_empty=asked.trust_empty,
    )


async def require_store(asked: Asked, environment: Mapping[str, str]) -> None:
    """Refuse a Redis that can't be reached from here.

    A limiter that never heard of it would go on as if it were alone, on each executor.

    Args:
        asked: The options.
        environment: The account's variables.

    Raises:
        ConfigurationError: It can't be reached, or says no.
    """
    url = _redis_url(asked, environment)
    if url is None:
        return
    link = RedisLink("limiter", url, "return 1", _REACHED_WITHIN)
    link.open()
    try:
        await link.run([], [])
    except StoreAwayError as error:
        raise ConfigurationError(
            f"the Redis where tasks share the quota can't be reached from {socket.gethostname()}: "
            f"{error}; check option limiter, and that the driver and every executor reach it"
        ) from None
    finally:
        await link.close()


def folder_mark(asked: Asked) -> str | None:
    """What tells the folder of a limiter from those of other machines; None if it has none.

    It is made if need be.

    Raises:
        ConfigurationError: It can't be made.
    """
    folder = _folder(asked)
    if folder is None:
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
        boot = _BOOT.read_text().strip() if _BOOT.exists() else socket.gethostname()
    except OSError as error:
        raise ConfigurationError(
            f"limiter={asked.limiter} can't be used as a folder here: {error.strerror}"
        ) from None
    return f"{boot} {found.st_dev} {found.st_ino}"


def require_same_folder(asked: Asked, mark: str | None) -> None:
    """Refuse to read on another machine than that which planned, where tasks share a folder.

    Args:
        asked: The options.
        mark: What `folder_mark` gave to the driver.

    Raises:
        ConfigurationError: It is another one.
    """
    if mark is not None and folder_mark(asked) != mark:
        raise ConfigurationError(
            f"limiter={asked.limiter} is another folder on this executor ({socket.gethostname()}) "
            "than on the driver, so each machine would take the whole quota for its own: share it "
            "in Redis (limiter=redis://host:6379/0)"
        )


def _redis_url(asked: Asked, environment: Mapping[str, str]) -> str | None:
    """Where the Redis is; None if tasks share no quota, or do so in a folder."""
    if asked.limiter != FROM_ENVIRONMENT:
        return asked.limiter if asked.limiter is not None and "://" in asked.limiter else None
    url = environment.get(REDIS_URL, "").strip()
    if not url:
        raise ConfigurationError(
            f"limiter=redis needs {REDIS_URL}: set it in the environment of the driver and of the "
            "executors, or in the file of credentials"
        )
    return url


def _folder(asked: Asked) -> Path | None:
    limiter = asked.limiter
    if limiter is None or limiter == FROM_ENVIRONMENT or "://" in limiter:
        return None
    return Path(limiter).expanduser()
