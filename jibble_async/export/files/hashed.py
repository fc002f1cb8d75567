"""A file that is written from its beginning to its end, and what it is known by then."""

from __future__ import annotations

import hashlib
import os
from typing import IO

__all__ = ["HashedFile"]


class HashedFile:
    """Bytes on their way to a file.

    Args:
        file: The file, open and empty.

    Attributes:
        size: Bytes written.

    Raises:
        OSError: It can't be written; so by all that is done here.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size: int = 0

    @property
    def sha256(self) -> str:
        """The hash of what was written, in hexadecimal digits."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append `data`."""
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)

    def restart(self) -> None:
        """Begin again, with nothing."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()
        self.size = 0

    def sync(self) -> None:
        """Have what was written on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
