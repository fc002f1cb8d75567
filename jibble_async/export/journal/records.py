"""The journal of an export: what of it is on the disk, line by line, and what follows from that.

A line is written when what it tells of is on the disk. So what a crash cut off is the end of the
last line, or a part that no line tells of; both are forgotten, and read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from jibble_async.errors import ConfigurationError, ExportError
from jibble_async.export.proof.plan import Partition

__all__ = [
    "FORMAT_VERSION",
    "Header",
    "History",
    "PageRead",
    "Record",
    "Window",
    "WindowRestarted",
    "Written",
    "line_of",
    "read_lines",
]

FORMAT_VERSION = 1

_UNFIT = "its lines don't fit together"


class Header(msgspec.Struct, frozen=True, tag="export", kw_only=True):
    """What is exported, and how; the first line.

    Attributes:
        version: Of the journal's own form.
        library: The version of this package.
        run: Stands in the names of the parts, so that no two exports share one.
        request: What was asked for; an export that goes on must ask for the same.
        account: What tells the organization from others, if that is known.
        mark: The server's time before the first page, from which on changes are looked for.
        partitions: The windows, as they were planned in the beginning.
    """

    version: int = FORMAT_VERSION
    library: str
    run: str
    request: dict[str, Any]
    account: str | None
    mark: str | None
    partitions: list[Partition]

    def require_same(self, folder: Path, library: str, request: Mapping[str, Any]) -> None:
        """Refuse to go on with what was begun otherwise.

        Args:
            folder: Where the journal is.
            library: The version of this package.
            request: What is asked for now.

        Raises:
            ConfigurationError: It was; the error says what differs, and the way out.
        """
        before = {**self.request, "version": self.library}
        now = {**request, "version": library}
        names = sorted(name for name in before.keys() | now.keys() if _of(before, name, now))
        if names:
            told = ", ".join(
                f"{name} was {before.get(name)!r} and is {now.get(name)!r}" for name in names
            )
            raise ConfigurationError(
                f"what was begun in {folder} is another export: {told}; "
                "go on with the same, or begin again without resume"
            )


def _of(before: Mapping[str, Any], name: str, now: Mapping[str, Any]) -> bool:
    return before.get(name) != now.get(name)


class Written(msgspec.Struct, frozen=True, tag="part", kw_only=True):
    """A part is on the disk, with the ids of its rows beside it.

    Attributes:
        partition: The index of its window.
        name: Of its file; None if it has no rows.
        rows: Rows in it.
        bytes: Its size.
        sha256: Its hash, in hexadecimal digits.
        ids_sha256: That of the ids beside it.
        first: The id of its first row.
        last: That of its last one.
        pages: Pages that its rows came on.
        seams: How often a page began where the one before had ended, and so fitted.
        place: Where the window goes on; None at its end.
        unknown_fields: Fields that the format has no place for, and in how many rows they came.
        duplicates: Rows that came twice meanwhile.
        moved: How often rows moved meanwhile, and reading went on by their order.
    """

    partition: int
    name: str | None = None
    rows: int = 0
    bytes: int = 0
    sha256: str | None = None
    ids_sha256: str | None = None
    first: str | None = None
    last: str | None = None
    pages: int = 0
    seams: int = 0
    place: str | None = None
    unknown_fields: dict[str, int] = {}
    duplicates: int = 0
    moved: int = 0


class PageRead(msgspec.Struct, frozen=True, tag="page"):
    """A page of a window came; its rows are on the disk when a part tells of them."""

    partition: int


class WindowRestarted(msgspec.Struct, frozen=True, tag="again"):
    """A window is read from its beginning: what was written of it counts no more."""

    partition: int


Record: TypeAlias = Header | Written | PageRead | WindowRestarted
_DECODER = msgspec.json.Decoder(Record)
_ENCODER = msgspec.json.Encoder()


def line_of(record: Record) -> bytes:
    """A record as a line."""
    return _ENCODER.encode(record) + b"\n"


class Window:
    """How far one window is.

    Attributes:
        partition: What it holds.
        parts: What is on the disk of it.
        place: Where it goes on; None at the beginning, and at the end.
        done: Whether all of it is on the disk.
        lost: Pages that were read, and whose rows were not on the disk when a run ended.
    """

    def __init__(self, partition: Partition) -> None:
        self.partition = partition
        self.parts: list[Written] = []
        self.place: str | None = None
        self.done: bool = False
        self.lost: int = 0
        self._pages = 0

    def take(self, record: Written | PageRead | WindowRestarted) -> None:
        """What a line changes."""
        match record:
            case PageRead():
                self._pages += 1
            case Written():
                self.parts.append(record)
                self.place, self.done = record.place, record.place is None
                self._pages = 0
            case WindowRestarted():
                self._pages += sum(part.pages for part in self.parts)
                self.parts, self.place, self.done = [], None, False
                self.forget_pages()

    def forget_pages(self) -> None:
        """Pages that no part tells of are lost: the run that read them has ended."""
        self.lost += self._pages
        self._pages = 0


class History(msgspec.Struct, frozen=True):
    """What a journal tells.

    Attributes:
        header: Its first line.
        windows: How far each window is, in the order of the plan.
    """

    header: Header
    windows: list[Window]

    @classmethod
    def of(cls, records: Iterable[Record], folder: Path) -> History | None:
        """What these lines tell; None if there are none.

        Args:
            records: The lines, in their order.
            folder: Where they stand.

        Raises:
            ExportError: They don't fit together.
        """
        lines = iter(records)
        header = next(lines, None)
        if header is None:
            return None
        if not isinstance(header, Header):
            raise _foreign(folder, "it does not begin with what is exported")
        windows = [Window(partition) for partition in header.partitions]
        for record in lines:
            if isinstance(record, Header) or not 0 <= record.partition < len(windows):
                raise _foreign(folder, _UNFIT)
            windows[record.partition].take(record)
        for window in windows:
            window.forget_pages()
        names = [part.name for each in windows for part in each.parts if part.name is not None]
        # A journal may be anybody's word: it names files of its own folder, each once.
        if len(set(names)) < len(names) or not all(map(_is_plain, names)):
            raise _foreign(folder, _UNFIT)
        return cls(header, windows)


def _is_plain(name: str) -> bool:
    return name not in {"", ".."} and Path(name).name == name


def read_lines(data: bytes, folder: Path) -> tuple[list[Record], int]:
    """The records of a journal, and the bytes that their lines take.

    What follows the last whole line was cut off by a crash, and is left out.

    Args:
        data: The whole file.
        folder: Where it is.

    Raises:
        ExportError: It is no journal of this version, or was changed.
    """
    whole = data.rfind(b"\n") + 1
    records: list[Record] = []
    for number, line in enumerate(data[:whole].splitlines(), 1):
        try:
            record = _DECODER.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            _require_version(line, folder)
            raise _foreign(folder, f"its line {number} can't be read") from None
        if isinstance(record, Header):
            _require_version(line, folder)
        records.append(record)
    return records, whole


class _Versioned(msgspec.Struct):
    version: int = FORMAT_VERSION


def _require_version(line: bytes, folder: Path) -> None:
    try:
        version = msgspec.json.decode(line, type=_Versioned).version
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    if version != FORMAT_VERSION:
        raise ExportError(
            f"the journal in {folder} has version {version}, which this release can't go on with: "
            "go on with the release that began it, or begin again without resume"
        )


def _foreign(folder: Path, reason: str) -> ExportError:
    return ExportError(
        f"the journal in {folder} is none of this program, or was changed: {reason}; "
        "begin again without resume"
    )
