"""The folders of this user that the command line keeps things in, where the platform has them."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from pathlib import Path

import platformdirs

from jibble_async.cli.exit_codes import SetupError

__all__ = ["config_folder", "counting_file", "make_private_folder", "state_folder"]

_NAME = "jibble"


def state_folder() -> Path:
    """Where what a run learns is kept for the next one, such as `~/.local/state/jibble` on Linux.

    Raises:
        SetupError: There is no home folder.
    """
    return _usable(platformdirs.user_state_path, "XDG_STATE_HOME")


def config_folder() -> Path:
    """Where profiles are kept, such as `~/.config/jibble` on Linux.

    Raises:
        SetupError: There is no home folder.
    """
    return _usable(platformdirs.user_config_path, "XDG_CONFIG_HOME")


def counting_file(kind: str, *owner: str, suffix: str = ".db") -> Path:
    """The file in which the requests of somebody are counted, or what they teach is kept.

    Args:
        kind: What its name begins with.
        *owner: Whose requests, such as a URL and the id of an app or a token; kept as a hash.
        suffix: What its name ends in.

    Raises:
        SetupError: There is no home folder.
    """
    name = hashlib.sha256(" ".join(owner).encode()).hexdigest()[:16]
    return state_folder() / f"{kind}-{name}{suffix}"


def make_private_folder(folder: Path) -> None:
    """Make a folder that nobody else may look into, with all that is missing above it.

    What is there stays as it is. What goes wrong is left to whoever writes into it.
    """
    # As the XDG Base Directory Specification says.
    with contextlib.suppress(OSError):
        for each in reversed((folder, *folder.parents)):
            if not each.exists():
                each.mkdir(mode=0o700)


def _usable(find: Callable[..., Path], variable: str) -> Path:
    # Versions of platformdirs differ in what they make of no home.
    with contextlib.suppress(RuntimeError):
        folder = find(_NAME, appauthor=False)
        if folder.is_absolute():
            return folder
    raise SetupError(f"there is no home folder to keep anything in: set {variable}")
