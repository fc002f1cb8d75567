"""The manifest of a folder: which of its files are the output, and what is known of them.

It is written last, in one step. Files that it does not name are none of the output, whatever a
program finds in the folder that was killed, or has just begun.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from jibble_async.errors import ConfigurationError, OutputError
from jibble_async.export.files.atomic import PartFile, reason_of, sync_folder, writing

__all__ = ["MANIFEST", "Manifest", "ManifestPart", "make_output_folder", "publish", "read_manifest"]

MANIFEST = "manifest.json"
_VERSION = 1


class ManifestPart(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the output."""

    name: str
    """Of the file, in the folder of the manifest."""
    rows: int
    """Rows in it."""
    bytes: int
    """Its size."""
    sha256: str
    """Its hash, in hexadecimal digits."""
    since: date | None = None
    """The first working day of its window; None where that is open."""
    until: date | None = None
    """The last one."""
    first: str | None = None
    """The id of the first row that was read for it."""
    last: str | None = None
    """That of the last one."""
    seams: int = 0
    """How often a page began where the one before had ended."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a folder holds."""

    version: int = _VERSION
    """Of the manifest's own form."""
    library: str
    """The version of the package that wrote it."""
    run: str
    """Of the export, which stands in the files' names."""
    request: dict[str, Any]
    """What was asked for."""
    outcome: str
    """What is known of the whole, such as `proved`."""
    reason: str
    """Why it is no more; empty where it is proved."""
    mark: str
    """The server's time from which on changes are not in it."""
    account: str | None = None
    """What tells the organization from others, if that is known."""
    reconciled: str | None = None
    """When all ids were looked through last, if the folder is kept in step."""
    rows: int
    """Rows of all parts."""
    parts: list[ManifestPart]
    """The files."""


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder; None if it has none.

    Raises:
        ConfigurationError: What is called so is none of an export's.
    """
    path = folder / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {reason_of(error)}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ConfigurationError(
            f"{path} is no manifest of an export: export into another folder"
        ) from None


def make_output_folder(folder: Path) -> None:
    """Make a folder for an output, unless it is there.

    Raises:
        OutputError: It can't be made.
    """
    try:
        folder.mkdir(0o700, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} can't be made: {reason_of(error)}") from None


def publish(part: PartFile, manifest: Manifest, files: Iterable[Path]) -> bool:
    """Make files the output of a folder, in place of those that its manifest names.

    Args:
        part: What becomes the manifest.
        manifest: What it says.
        files: The files it names, which are on the disk and are moved into its folder.

    Returns:
        False if that was abandoned.

    Raises:
        ConfigurationError: What has the manifest's name is none of an export's.
        ExportError: That could not be done; the manifest that was there still holds.
    """
    folder = part.path.parent
    before = read_manifest(folder)
    with writing(part.path):
        for file in files:
            os.replace(file, folder / file.name)
        sync_folder(folder)
    part.write(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    if not part.publish():
        return False
    names = {each.name for each in manifest.parts}
    for each in [] if before is None else before.parts:
        # A manifest may be anybody's word: it names files of its own folder.
        if each.name not in names and Path(each.name).name == each.name:
            with contextlib.suppress(OSError):
                (folder / each.name).unlink()
    return True
