"""Where an output goes: what a name stands for, and what can't be replaced, known before a call."""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from jibble_async.errors import OutputError
from jibble_async.export.files.atomic import reason_of

__all__ = ["Destination", "destination_of", "is_trusted", "mount_points"]

# The kernel gives up after as many.
_MOST_LINKS = 40
_STANDARD = {"/dev/stdout": 1, "/dev/stderr": 2}
_DESCRIPTOR = re.compile(r"(?:/dev|/proc/(self|thread-self|\d+)(?:/task/\d+)?)/fd/(\d+)")
_MOUNTS = Path("/proc/self/mountinfo")
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Destination:
    """Where an output goes.

    Attributes:
        path: The file, links followed; or what was given, if that names an open descriptor.
        descriptor: The open file of this process that is written to, such as standard output;
            None if a file is made, and takes its name when it is whole.
        is_folder: Whether it is a folder of files.
    """

    path: Path
    descriptor: int | None = None
    is_folder: bool = False


def destination_of(out: str | os.PathLike[str], *, folders: bool = False) -> Destination:
    """What a name stands for.

    `-` is standard output. What names an open file of this process, such as `/dev/stdout` or the
    `/dev/fd/63` of a shell's `>(gzip)`, is written to as it is open: appended, behind `>>`. A
    folder is what is one, or ends in a slash.

    Args:
        out: The file, or a name such as `-`.
        folders: Whether it may be a folder.

    Raises:
        OutputError: It can't be written in the end: it is a device, or a mount of its own,
            has no folder, is somebody else's in a folder for everybody, or a link there that
            somebody else made; or it is a folder, and may not be.
    """
    if str(out) == "":
        # As a path it is the folder that the program runs in, which nobody meant.
        raise OutputError("an empty name is no file: '.' is the folder itself")
    try:
        destination = _follow(Path(out), str(out))
        is_meant = str(out).endswith(("/", os.sep)) or destination.path.is_dir()
        if destination.descriptor is None and folders and is_meant:
            destination = Destination(destination.path, is_folder=True)
            objection = _objection_to_folder(destination.path)
        elif destination.descriptor is None:
            objection = _objection(destination.path)
        else:
            objection = _not_open(destination.descriptor)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise OutputError(f"{str(out)!r} can't be a file: {reason_of(error)}") from None
    if objection is not None:
        raise OutputError(objection)
    return destination


def is_trusted(link: os.stat_result, folder: os.stat_result, user: int) -> bool:
    """Whether a link may be followed, by the rule of Linux's `protected_symlinks`.

    In a folder where everybody may leave something, as in `/tmp`, somebody may have left a link
    in wait for whoever writes there.

    Args:
        link: The link itself.
        folder: The folder that it lies in.
        user: The id of whoever wants to follow it.
    """
    for_everybody = stat.S_ISVTX | stat.S_IWOTH
    if folder.st_mode & for_everybody != for_everybody:
        return True
    return link.st_uid in {user, folder.st_uid}


def mount_points(table: str) -> set[str]:
    """The places of a table of mounts, as Linux's `/proc/self/mountinfo` has it."""
    places = (line.split(" ")[4] for line in table.splitlines() if line.count(" ") > 4)
    return {_OCTAL.sub(lambda code: chr(int(code[1], 8)), place) for place in places}


def _follow(out: Path, given: str) -> Destination:
    if given == "-":
        return Destination(out, 1)
    path = Path.cwd() / out
    place, ahead = Path(path.anchor), list(reversed(path.parts[1:]))
    links = 0
    while ahead:
        name = ahead.pop()
        step = place.parent if name == ".." else place / name
        descriptor = _descriptor(step)
        if descriptor is not None and not ahead:
            return Destination(out, descriptor)
        if name == ".." or not step.is_symlink():
            place = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        _require_trusted(step)
        target = step.readlink()
        if target.is_absolute():
            place = Path(target.anchor)
            ahead.extend(reversed(target.parts[1:]))
        else:
            ahead.extend(reversed(target.parts))
    return Destination(place)


def _descriptor(path: Path) -> int | None:
    if os.name != "posix":
        return None
    found = _DESCRIPTOR.fullmatch(str(path))
    if found is None:
        return _STANDARD.get(str(path))
    is_ours = found[1] in {None, "self", "thread-self", str(os.getpid())}
    return int(found[2]) if is_ours else None


def _require_trusted(link: Path) -> None:
    if os.name != "posix" or is_trusted(link.lstat(), link.parent.stat(), os.geteuid()):
        return
    raise OutputError(
        f"{link} is a link that somebody else made in a folder for everybody: name the file itself"
    )


def _not_open(descriptor: int) -> str | None:
    try:
        # Nothing is written; what is not open, or only for reading, refuses even that.
        os.write(descriptor, b"")
    except OSError:
        return f"descriptor {descriptor} can't be written: redirect it to a file or a program"
    return None


def _objection_to_folder(path: Path) -> str | None:
    if path.is_dir():
        return None
    if path.exists():
        return f"{path} is no folder: leave out the slash, or name another"
    return None if path.parent.is_dir() else f"there is no folder {path.parent}: make it first"


def _objection(path: Path) -> str | None:
    try:
        # A name that is too long for the file system is told here, too.
        found = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        if path.parent.is_dir():
            return None
        return f"there is no folder {path.parent}: make it first"
    if stat.S_ISDIR(found.st_mode):
        return f"{path} is a folder: name a file in it"
    if not stat.S_ISREG(found.st_mode):
        return f"{path} is not a regular file"
    if _is_mount(path):
        return (
            f"{path} is a mount of its own, which can't be replaced: mount its folder, or write "
            "to '-' and redirect that"
        )
    if os.name == "posix" and not _is_replaceable(found, path.parent.stat(), os.geteuid()):
        return f"{path} is somebody else's, in a folder where only they can replace it"
    return None


def _is_replaceable(file: os.stat_result, folder: os.stat_result, user: int) -> bool:
    sticky = folder.st_mode & stat.S_ISVTX
    return not sticky or user in {0, file.st_uid, folder.st_uid}


def _is_mount(path: Path) -> bool:
    # Within one device only the table tells.
    try:
        table = _MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return path.is_mount()
    return str(path) in mount_points(table)
