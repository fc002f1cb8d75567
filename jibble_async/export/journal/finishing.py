"""Parts made an output: without what was swept, as one file or as a folder with its manifest."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

from jibble_async.export.files.atomic import Part, writing
from jibble_async.export.journal.held import HeldParts
from jibble_async.export.journal.manifest import ManifestPart
from jibble_async.export.journal.parts import PartWriter, kept, new_file
from jibble_async.export.journal.working_folder import WorkingFolder
from jibble_async.export.sinks import FileFormat, Sink

__all__ = [
    "FinalPart",
    "final_parts",
    "opened",
    "rewritten",
    "swept_parts",
    "write_joined",
    "written",
]

_BATCH = 1000


class FinalPart(msgspec.Struct, frozen=True):
    """A part of the output.

    Attributes:
        path: Where it is by now.
        entry: What the manifest says of it.
    """

    path: Path
    entry: ManifestPart


def final_parts(
    folder: WorkingFolder,
    held: HeldParts,
    format: FileFormat,
    new_sink: Callable[[], Sink],
    out: Path,
) -> list[FinalPart]:
    """The parts of the output, on the disk: those from which rows went are written anew.

    Args:
        folder: Where the parts are.
        held: Which rows count.
        format: What is in them.
        new_sink: Makes what turns rows into the bytes of a part.
        out: What is exported to, for errors.

    Raises:
        DecodeError: A row can't be read.
        ExportError: They could not be written.
    """
    parts: list[FinalPart] = []
    with writing(out):
        for window, part, path in folder.parts():
            gone = held.gone_of(path)
            if gone == part.rows:
                continue
            entry = ManifestPart(
                name=path.name,
                rows=part.rows - gone,
                bytes=part.bytes,
                sha256=part.sha256 or "",
                since=window.partition.since,
                until=window.partition.until,
                first=part.first,
                last=part.last,
                seams=part.seams,
            )
            final = FinalPart(path, entry)
            if gone:
                # Under another name: the journal knows the old one.
                name = f"{path.name.removesuffix(format.suffix)}-swept{format.suffix}"
                final = rewritten(final, path.with_name(name), format, kept(path, held.gone))
            parts.append(final)
        what, run = folder.windows[0].partition.set, folder.header.run
        path = folder.path / f"{what}-{run}-swept{format.suffix}"
        parts.extend(swept_parts(path, held, new_sink))
    return parts


def swept_parts(path: Path, held: HeldParts, new_sink: Callable[[], Sink]) -> Generator[FinalPart]:
    """A part of the rows that were swept, if there are any.

    Args:
        path: The part.
        held: Which rows count.
        new_sink: Makes what turns rows into the bytes of a part.

    Raises:
        DecodeError: A row can't be read.
        OSError: It could not be written.
    """
    rows = held.in_scope()
    first = next(rows, None)
    if first is None:
        return
    writer = PartWriter(path, new_sink())
    rows = itertools.chain([first], rows)
    while batch := [*itertools.islice(rows, _BATCH)]:
        writer.append(batch)
    writer.finish()
    entry = ManifestPart(
        name=path.name,
        rows=writer.rows,
        bytes=writer.file.size,
        sha256=writer.file.sha256,
        first=writer.first,
        last=writer.last,
    )
    yield FinalPart(path, entry)


def rewritten(part: FinalPart, new: Path, format: FileFormat, keep: Iterable[bool]) -> FinalPart:
    """A part without the rows that go, as a new file.

    Args:
        part: The part; its entry has the number of rows that stay.
        new: The file.
        format: What is in it.
        keep: For each row, in their order, whether it stays.

    Raises:
        OSError: It could not be written.
    """
    with part.path.open("rb") as old:
        return written(new, format.without(old, keep), part.entry)


def written(new: Path, chunks: Iterable[bytes], entry: ManifestPart) -> FinalPart:
    """A part of these bytes, on the disk.

    Args:
        new: The file.
        chunks: What is in it.
        entry: What is known of it but its name, size and hash.

    Raises:
        OSError: It could not be written.
    """
    file = new_file(new)
    with contextlib.closing(file):
        for chunk in chunks:
            file.write(chunk)
        file.sync()
    known = {"name": new.name, "bytes": file.size, "sha256": file.sha256}
    return FinalPart(new, msgspec.structs.replace(entry, **known))


def write_joined(
    part: Part, paths: Iterable[Path], format: FileFormat, new_sink: Callable[[], Sink]
) -> None:
    """Write parts as one file; what a file without rows has, if there are none.

    Args:
        part: The file.
        paths: The parts.
        format: What is in them.
        new_sink: Makes what writes a file of that format.

    Raises:
        ExportError: It could not be written.
    """
    with writing(part.path), contextlib.closing(opened(paths)) as files:
        chunks = format.joined(files)
        first = next(chunks, None)
        if first is None:
            sink = new_sink()
            chunks = iter([sink.head(), sink.finish()])
        else:
            chunks = itertools.chain([first], chunks)
        for chunk in chunks:
            part.write(chunk)


def opened(paths: Iterable[Path]) -> Generator[BinaryIO]:
    """The files, each open until the next is asked for."""
    for path in paths:
        with path.open("rb") as file:
            yield file
