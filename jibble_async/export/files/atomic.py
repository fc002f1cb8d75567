"""A file that appears under its name only when it is complete and on the disk.

What an output is written to is opened, named, synced and renamed here.
"""

from __future__ import annotations

import abc
import contextlib
import hashlib
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import IO, ClassVar, Self

from jibble_async.errors import ExportError, OutputError
from jibble_async.export.files.hashed import HashedFile
from jibble_async.export.files.locks import HAS_LOCKS, is_still, lock

__all__ = [
    "UNTOUCHED",
    "Part",
    "PartFile",
    "Spool",
    "hidden_name",
    "make_private",
    "reason_of",
    "remove_dead_parts",
    "sync_folder",
    "writing",
]

# Of a file's name, in bytes: what every file system in use has, those that encrypt names included.
_LONGEST_NAME = 143
_PRIVATE = 0o600
_EXCLUSIVE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


UNTOUCHED = "what had the name before is untouched"


@contextlib.contextmanager
def writing(path: Path, left: str = UNTOUCHED) -> Generator[None]:
    """Make what the system says of a failure within it an error of ours.

    Args:
        path: What is written.
        left: What became of it, for the error's text.

    Raises:
        ExportError: It could not be written.
    """
    try:
        yield
    except OSError as error:
        raise ExportError(f"{path} could not be written: {reason_of(error)}; {left}") from error


class Part(HashedFile, abc.ABC):
    """What is written of an output before it is whole; gone again unless it is published.

    Args:
        path: What it becomes.
        file: Where it is until then.

    Attributes:
        path: What it becomes.
    """

    _untouched: ClassVar[str] = UNTOUCHED

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        super().__init__(file)
        self.path = path
        self._abandoned = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Append `data`.

        Raises:
            ExportError: It could not be written.
        """
        with self._naming_path():
            super().write(data)

    def restart(self) -> None:
        """Begin again, with nothing.

        Raises:
            ExportError: That could not be done.
        """
        with self._naming_path():
            super().restart()

    def abandon(self) -> None:
        """Let it not be published any more, though another thread may be about to."""
        self._abandoned = True

    @abc.abstractmethod
    def publish(self) -> bool:
        """Make it the output; False if it was abandoned.

        Raises:
            ExportError: That could not be done.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Remove what was not published."""

    def _naming_path(self, left: str | None = None) -> contextlib.AbstractContextManager[None]:
        return writing(self.path, left or self._untouched)


class PartFile(Part):
    """A new file beside the one that it will replace.

    Nobody else may read it. In the end it gets the mode, and where that is allowed the owner and
    group, of what it replaces; a file that is new stays private. It is locked while its writer
    lives, which the kernel sees to.

    Args:
        path: The name that it takes when published.

    Raises:
        OutputError: No file can be made in that folder.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._part, descriptor = _create(path)
        except OSError as error:
            raise OutputError(
                f"can't write in {path.parent}: {reason_of(error)}; write to '-' instead, and "
                "redirect that"
            ) from None
        super().__init__(path, os.fdopen(descriptor, "w+b"))

    def publish(self) -> bool:
        """Give the file its name, once all of it is on the disk; False if it was abandoned.

        Raises:
            ExportError: That could not be done; a file that had the name before is still there.
        """
        with self._naming_path():
            _keep_access(self._file.fileno(), self.path)
            self.sync()
            if self._abandoned:
                return False
            # Windows renames no file that is open, and has no lock to lose.
            if not HAS_LOCKS:
                self._file.close()
            os.replace(self._part, self.path)
            self._file.close()
        sync_folder(self.path.parent)
        return True

    def close(self) -> None:
        """Remove the file, unless it has its name."""
        # Unlocked last, so that nobody else removes it meanwhile. Closing writes what is left, so
        # on a full disk it fails once more.
        if not HAS_LOCKS:
            with contextlib.suppress(OSError):
                self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._file.close()


class Spool(Part):
    """A file without a name, copied to an open one when it is whole: a pipe gets all or nothing.

    Args:
        path: What to call the open file in errors.
        descriptor: The open file.

    Raises:
        OutputError: There is no room for temporary files.
    """

    _untouched: ClassVar[str] = "nothing of it was passed on"

    def __init__(self, path: Path, descriptor: int) -> None:
        try:
            file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise OutputError(f"no temporary file: {reason_of(error)}") from None
        super().__init__(path, file)
        self._descriptor = descriptor

    def publish(self) -> bool:
        """Copy it; False if it was abandoned.

        Raises:
            ExportError: That could not be done, wholly or in part.
        """
        with self._naming_path("a part of it may be"):
            self._file.seek(0)
            with os.fdopen(os.dup(self._descriptor), "wb") as target:
                if not self._abandoned:
                    shutil.copyfileobj(self._file, target)
        return not self._abandoned

    def close(self) -> None:
        """Let the system forget it."""
        with contextlib.suppress(OSError):
            self._file.close()


def remove_dead_parts(path: Path) -> list[Path]:
    """Remove what killed writers left of a file, and tell what that was.

    Args:
        path: The name that the parts would have taken.
    """
    is_part = re.compile(re.escape(_prefix(path)) + "[0-9a-f]{8}").fullmatch
    try:
        parts = sorted(entry for entry in path.parent.iterdir() if is_part(entry.name))
    except OSError:
        return []
    return [part for part in parts if _remove_if_dead(part)]


def reason_of(error: Exception) -> str:
    """What the system says about a failure, without the file's name."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def hidden_name(path: Path, ending: str, room: int = 0) -> str:
    """The name beside a file for what belongs to it, such as `.july.csv.export`.

    Args:
        path: The file.
        ending: What the name ends in.
        room: Characters that are still to follow.
    """
    name = f".{path.name}{ending}"
    if len(os.fsencode(name)) + room > _LONGEST_NAME:
        name = f".{hashlib.sha256(os.fsencode(path.name)).hexdigest()[:32]}{ending}"
    return name


def make_private(path: Path) -> int:
    """A new file that nobody else may read, open to be written and read.

    Raises:
        OSError: It can't be made, or there is one already.
    """
    return os.open(path, _EXCLUSIVE, _PRIVATE)


def _prefix(path: Path) -> str:
    """What the names of a file's parts begin with."""
    return hidden_name(path, ".part-", room=8)


def _create(path: Path) -> tuple[Path, int]:
    while True:
        part = path.with_name(f"{_prefix(path)}{secrets.token_hex(4)}")
        descriptor = make_private(part)
        # Whoever removes dead parts may have come between: then it is gone.
        if lock(descriptor) is not False and is_still(part, descriptor):
            return part, descriptor
        os.close(descriptor)


def _remove_if_dead(part: Path) -> bool:
    try:
        if not HAS_LOCKS:
            part.unlink()
            return True
        descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        found = os.fstat(descriptor)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not is_ours or lock(descriptor) is not True or not is_still(part, descriptor):
            return False
        part.unlink()
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def _keep_access(descriptor: int, path: Path) -> None:
    """Give a file the mode of the one that it replaces, if there is one, and its owner and group.

    Who was no owner or member before should not read it afterwards: without the right to give the
    file to its old group, the group gets nothing.
    """
    try:
        before = path.stat()
    except FileNotFoundError:
        return
    if not hasattr(os, "fchown"):
        return
    mode = stat.S_IMODE(before.st_mode) & 0o777
    now = os.fstat(descriptor)
    if (before.st_uid, before.st_gid) != (now.st_uid, now.st_gid):
        try:
            os.fchown(descriptor, before.st_uid, before.st_gid)
        except OSError:
            try:
                os.fchown(descriptor, -1, before.st_gid)
            except OSError:
                mode &= ~0o070
    os.fchmod(descriptor, mode)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
    # Where it can't, files are whole either way.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
