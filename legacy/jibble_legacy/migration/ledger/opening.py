"""How the file of a ledger is opened: by whom, whether it is one, and what is in doubt since."""

from __future__ import annotations

import contextlib
import os
import socket
import sqlite3
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

from jibble_async.errors import ConfigurationError, MigrationError
from jibble_async.export.files.locks import lock
from jibble_legacy.migration.ledger import schema
from jibble_legacy.migration.states import State

__all__ = [
    "connect",
    "connect_to_read",
    "damaged",
    "doubt",
    "make_folder",
    "prepare",
    "require_ours",
    "take_lock",
    "telling",
]

_DOUBTS = (
    "UPDATE write SET state = ?, since = ? WHERE state = ?",
    "UPDATE thing SET state = ?, since = ? WHERE state = ?",
    "UPDATE thing SET removal = ?, since = ? WHERE removal = ?",
)
_OF_THE_DISK = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


def make_folder(folder: Path) -> None:
    """Make the folder of a migration, for its owner alone, unless it is there.

    Args:
        folder: Where.

    Raises:
        ConfigurationError: It can't be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{folder} can't be made a folder ({error.strerror}): name another one"
        ) from error


def take_lock(file: Path, step: str) -> int:
    """The descriptor of a ledger's lock, which says in its file who has it.

    Args:
        file: The ledger.
        step: What is done with it.

    Raises:
        ConfigurationError: There can be no such file.
        MigrationError: Another process has it.
    """
    path = file.with_name(f"{file.name}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be opened: {error.strerror}") from error
    if lock(descriptor) is False:
        holder = os.pread(descriptor, 500, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise MigrationError(
            f"{file} is in use by {holder or 'another process'}: wait until it ends, or end it"
        )
    os.ftruncate(descriptor, 0)
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    holder = f"`{step}`, process {os.getpid()} on {socket.gethostname()}, since {since}"
    os.write(descriptor, holder.encode())
    return descriptor


def connect(file: Path) -> sqlite3.Connection:
    """A connection that may write; the file is made, private, if it is not there."""
    with contextlib.suppress(FileExistsError):
        # SQLite makes the files beside it as private as it is.
        os.close(os.open(file, os.O_CREAT | os.O_EXCL, 0o600))
    with telling(file):
        return sqlite3.connect(file, isolation_level=None, check_same_thread=False)


def connect_to_read(file: Path) -> sqlite3.Connection:
    """A connection that can only read."""
    with telling(file):
        return sqlite3.connect(
            f"{file.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None
        )


def prepare(connection: sqlite3.Connection, file: Path, synchronous: str) -> None:
    """Make a ledger of an empty file, and see to it that any other one is a ledger.

    Args:
        connection: One that may write.
        file: The ledger.
        synchronous: How SQLite syncs it with the disk.

    Raises:
        ConfigurationError: It is none, or one of another version.
        MigrationError: It is damaged, or the disk does not take it.
    """
    with telling(file):
        is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        if is_empty:
            connection.execute("PRAGMA page_size = 8192")
        else:
            require_ours(connection, file)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        if is_empty:
            connection.execute("BEGIN IMMEDIATE")
            schema.create(connection)
            connection.execute("COMMIT")


def require_ours(connection: sqlite3.Connection, file: Path) -> None:
    """See to it that a file is a ledger of this version; raises as `prepare`."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != schema.APPLICATION_ID:
        raise ConfigurationError(f"{file} is a database of another program: name another file")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != schema.VERSION:
        raise ConfigurationError(
            f"{file} is a ledger of version {version}, and this program reads {schema.VERSION}: "
            "use the version of jibble-async that began it"
        )


def doubt(connection: sqlite3.Connection, now: int) -> None:
    """Put in doubt what was left as sent, within the transaction that is under way.

    Args:
        connection: One that may write.
        now: In ms.
    """
    for statement in _DOUBTS:
        connection.execute(statement, (State.DOUBTFUL, now, State.SENT))


@contextlib.contextmanager
def telling(file: Path) -> Generator[None]:
    """Raise what SQLite says of a file or its disk as an error of ours that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        # The lowest byte is the kind; what has none of these is a mistake of the program.
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_NOTADB:
                raise ConfigurationError(f"{file} is no ledger: name another file") from None
            case sqlite3.SQLITE_CORRUPT:
                raise MigrationError(damaged(file, str(error))) from error
            case kind if kind in _OF_THE_DISK:
                raise MigrationError(
                    f"{file} can't be read or written ({error}): see to it that the disk has room "
                    "and that you may write there, and run it again; what it holds is whole"
                ) from error
            case _:
                raise


def damaged(file: Path, reason: str) -> str:
    """What is said of a ledger that is damaged."""
    return (
        f"{file} is damaged ({reason}): take a copy of it that is whole, or begin another one and "
        "recover what was written from its marks"
    )
