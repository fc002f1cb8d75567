"""Files of settings and secrets: read only if nobody else had a hand in them, replaced whole."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Generator
from pathlib import Path

from jibble_async.checks import unseen
from jibble_async.cli.exit_codes import SetupBusyError, SetupError
from jibble_async.cli.folders import make_private_folder
from jibble_async.errors import ExportError, OutputError
from jibble_async.export.files.atomic import PartFile, reason_of, remove_dead_parts
from jibble_async.export.files.locks import lock
from jibble_async.extras import extra

__all__ = ["being_changed", "read_private", "replace_private"]

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


@unseen
def read_private(path: Path, *, secret: bool = False) -> str | None:
    """The text of a file; None if there is none.

    Args:
        path: The file. Neither it nor its folder may be writable by others, who could send
            secrets elsewhere by it; ssh has that rule, too.
        secret: Whether nobody else may read it either.

    Raises:
        SetupError: Others may write or read it, or it can't be read.
    """
    try:
        with path.open("rb") as file:
            _require_own(path, os.fstat(file.fileno()), secret)
            _require_own(path.parent, path.parent.stat(), secret=False)
            return file.read().decode()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SetupError(f"{path} can't be read: {reason_of(error)}") from None
    except UnicodeDecodeError:
        raise SetupError(f"{path} is no text in UTF-8: mend it, or remove it") from None


@unseen
def replace_private(path: Path, text: str) -> None:
    """Write a file anew, whole or not at all; new, nobody else may read it.

    Raises:
        SetupError: It can't be written.
    """
    # What a link leads to is replaced, not the link.
    path = Path(os.path.realpath(path))
    # A program that was killed may have left a secret in one.
    remove_dead_parts(path)
    try:
        with PartFile(path) as part:
            part.write(text.encode())
            part.publish()
    except (ExportError, OutputError) as error:
        cause = error.__cause__
        reason = reason_of(cause) if isinstance(cause, OSError) else "no file can be made there"
        raise SetupError(f"{path} can't be written: {reason}") from None


@contextlib.contextmanager
def being_changed(folder: Path) -> Generator[None]:
    """Keep other programs from changing the files of a folder, which is made if need be.

    Raises:
        SetupBusyError: One of them is at it.
        SetupError: The folder can't be used.
        MissingExtraError: What writes these files is not installed.
    """
    extra("tomli_w", "cli", "profiles")
    make_private_folder(folder)
    try:
        descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SetupError(f"{folder} can't be written: {reason_of(error)}") from None
    try:
        if lock(descriptor) is False:
            raise SetupBusyError(f"another program changes what is in {folder}: run this again")
        yield
    finally:
        os.close(descriptor)


def _require_own(path: Path, found: os.stat_result, secret: bool) -> None:
    if os.name != "posix":
        return
    if found.st_uid not in {os.geteuid(), 0}:
        raise SetupError(f"{path} is somebody else's, and not read: run this as them, or log in")
    mode = stat.S_IMODE(found.st_mode)
    if mode & _OTHERS_WRITE:
        raise SetupError(f"others may write {path} (mode {mode:o}): chmod go-w {path}")
    if secret and mode & _OTHERS_READ:
        raise SetupError(
            f"others may read {path} (mode {mode:o}), which holds secrets: chmod 600 {path}, and "
            "make another API key in Jibble's settings if somebody has"
        )
