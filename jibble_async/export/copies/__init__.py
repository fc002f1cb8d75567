"""Copies of sets that are kept in step: a folder of Parquet files, or a DuckDB database."""

from __future__ import annotations

from pathlib import Path

from jibble_async.errors import ConfigurationError
from jibble_async.export.copies.base import Copy, Kept, Source, Update
from jibble_async.export.copies.database import DatabaseCopy
from jibble_async.export.copies.folder import FolderCopy

__all__ = ["Copy", "Kept", "Source", "Update", "copy_at"]

_DATABASES = (".duckdb", ".ddb")


def copy_at(path: Path) -> Copy:
    """The copy that a name stands for: a database if it ends so, a folder otherwise.

    Raises:
        ConfigurationError: There is something else of that name, or a package is not installed.
        ExportError: Another program has the database open.
    """
    if path.suffix.lower() in _DATABASES:
        return DatabaseCopy(path)
    if path.exists() and not path.is_dir():
        raise ConfigurationError(
            f"{path} is no folder: name one, or a database that ends in {_DATABASES[0]}"
        )
    return FolderCopy(path)
