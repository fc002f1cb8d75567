"""A file that appears under its name only when it is complete and on the disk."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Self

from jibble_async.errors import ConfigurationError, ExportError

__all__ = ["PartFile", "output_path"]


def output_path(out: str | os.PathLike[str]) -> Path:
    """The file that is meant, links followed.

    Raises:
        ConfigurationError: It can't be a file: it is a folder or a device, or has no folder.
    """
    try:
        path = Path(out).resolve()
        objection = _objection(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigurationError(f"{str(out)!r} can't be a file: {_reason(error)}") from None
    if objection is not None:
        raise ConfigurationError(objection)
    return path


def _objection(path: Path) -> str | None:
    if path.is_dir():
        return f"{path} is a folder: name a file in it"
    if path.exists() and not path.is_file():
        return f"{path} is not a regular file"
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}: make it first"
    return None


class PartFile:
    """A new file beside the one that it will replace, and gone again unless it is published.

    Args:
        path: The name that it takes when published.

    Attributes:
        size: Bytes written.

    Raises:
        ConfigurationError: No file can be made in that folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size: int = 0
        self._hash = hashlib.sha256()
        self._part = path.with_name(f".{path.name}.part-{secrets.token_hex(4)}")
        try:
            self._file = self._part.open("xb")
        except OSError as error:
            raise ConfigurationError(f"can't write in {path.parent}: {_reason(error)}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Closing writes what is left, so on a full disk it fails once more.
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """The hash of what was written, in hexadecimal digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append `data`.

        Raises:
            ExportError: It could not be written.
        """
        with self._naming_path():
            self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def publish(self) -> None:
        """Give the file its name, once all of it is on the disk.

        Raises:
            ExportError: That could not be done; a file that had the name before is still there.
        """
        with self._naming_path():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._part, self.path)
        _sync_folder(self.path.parent)

    @contextlib.contextmanager
    def _naming_path(self) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise ExportError(
                f"{self.path} could not be written: {_reason(error)}; nothing was left of it"
            ) from error


def _sync_folder(folder: Path) -> None:
    # Not every system can do this for a folder, and the file is whole either way.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
