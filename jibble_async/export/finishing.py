"""Parts made an output: without what was swept, as one file or as a folder with its manifest."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Callable, Collection, Generator, Iterable
from pathlib import Path
from typing import BinaryIO

import msgspec

from jibble_async.export.files import Part, make_private, writing
from jibble_async.export.held import HeldParts
from jibble_async.export.manifest import ManifestPart
from jibble_async.export.parts import PartWriter, kept
from jibble_async.export.sinks import FileFormat, Sink
from jibble_async.export.working_folder import WorkingFolder

__all__ = ["FinalPart", "final_parts", "write_joined"]

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
            parts.append(_rewritten(final, format, held.gone) if gone else final)
        rows = held.in_scope()
        if first := next(rows, None):
            what, run = folder.windows[0].partition.set, folder.header.run
            writer = PartWriter(folder.path / f"{what}-{run}-swept{format.suffix}", new_sink())
            rows = itertools.chain([first], rows)
            while batch := [*itertools.islice(rows, _BATCH)]:
                writer.append(batch)
            writer.finish()
            entry = ManifestPart(
                name=writer.path.name,
                rows=writer.rows,
                bytes=writer.size,
                sha256=writer.sha256,
                first=writer.first,
                last=writer.last,
            )
            parts.append(FinalPart(writer.path, entry))
    return parts


def _rewritten(part: FinalPart, format: FileFormat, gone: Collection[bytes]) -> FinalPart:
    """A part without the rows that went, under another name: the journal knows the old one."""
    path = part.path
    new = path.with_name(f"{path.name.removesuffix(format.suffix)}-swept{format.suffix}")
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as old, os.fdopen(make_private(new), "wb") as file:
        for chunk in format.without(old, kept(path, gone)):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    known = {"name": new.name, "bytes": size, "sha256": digest.hexdigest()}
    return FinalPart(new, msgspec.structs.replace(part.entry, **known))


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
    with writing(part.path), contextlib.closing(_opened(paths)) as files:
        chunks = format.joined(files)
        first = next(chunks, None)
        if first is None:
            sink = new_sink()
            chunks = iter([sink.head(), sink.finish()])
        else:
            chunks = itertools.chain([first], chunks)
        for chunk in chunks:
            part.write(chunk)


def _opened(paths: Iterable[Path]) -> Generator[BinaryIO]:
    """The files, each open until the next is asked for."""
    for path in paths:
        with path.open("rb") as file:
            yield file
