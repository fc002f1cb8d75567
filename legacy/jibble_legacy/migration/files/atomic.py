"""Text files that take the place of those that are there, whole or not at all."""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import Generator
from pathlib import Path

from jibble_async.errors import ConfigurationError, ExportError
from jibble_async.export.files.atomic import PartFile

__all__ = ["Text", "replacing"]


class Text:
    """What takes texts for a file.

    Args:
        part: The file's bytes.
        encoding: In which texts become such.
    """

    def __init__(self, part: PartFile, encoding: str) -> None:
        self._part = part
        self._encode = codecs.getincrementalencoder(encoding)().encode

    def write(self, text: str) -> None:
        """Append a text."""
        self._part.write(self._encode(text))


@contextlib.contextmanager
def replacing(path: Path, encoding: str = "utf-8") -> Generator[Text]:
    """What to write a file's text to; the file is there once the block has ended well.

    It tells of people, so a new one is for its owner only; one that replaces another is for whom
    that was for.

    Args:
        path: The file.
        encoding: Of its text.

    Raises:
        ConfigurationError: The file can't be written, as while Excel has it open.
    """
    try:
        part = PartFile(path)
    except ConfigurationError as error:
        raise ConfigurationError(f"nothing can be written in {path.parent}") from error
    with part:
        yield Text(part, encoding)
        try:
            part.publish()
        except ExportError as error:
            raise ConfigurationError(f"{error}: close it if a program has it open") from error
