"""Locks on files that end with whoever holds them: the kernel frees those of a dead process."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, which lets nobody remove a file that is open
    fcntl = None  # type: ignore[assignment]

__all__ = ["HAS_LOCKS", "is_still", "lock"]

HAS_LOCKS = fcntl is not None


def lock(descriptor: int) -> bool | None:
    """Whether the lock of an open file was got, without waiting; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_still(path: Path, descriptor: int) -> bool:
    """Whether a name is still that of the open file: somebody may have removed it meanwhile."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
