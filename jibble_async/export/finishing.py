"""Parts made an output: without what was swept, as one file or as a folder with its manifest."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import msgspec

from jibble_async.export.files import Part, make_private, writing
from jibble_async.export.held import HeldParts
from jibble_async.export.manifest import ManifestPart
from jibble_async.export.parts import PartWriter, kept
from jibble_async.export.sinks import Sink
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
    suffix: str,
    new_sink: Callable[[], Sink],
    out: Path,
) -> list[FinalPart]:
    """The parts of the output, on the disk: those from which rows went are written anew.

    Args:
        folder: Where the parts are.
        held: Which rows count.
        suffix: What the names of parts end in.
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
            parts.append(FinalPart(path, entry) if not gone else _rewritten(path, entry, held.gone))
        rows = held.in_scope()
        if first := next(rows, None):
            what, run = folder.windows[0].partition.set, folder.header.run
            writer = PartWriter(folder.path / f"{what}-{run}-swept{suffix}", new_sink())
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


def _rewritten(path: Path, entry: ManifestPart, gone: Collection[bytes]) -> FinalPart:
    """A part without the rows that went, under another name: the journal knows the old one."""
    new = path.with_name(f"{path.name.partition('.')[0]}-swept{''.join(path.suffixes)}")
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as old, os.fdopen(make_private(new), "wb") as file:
        for chunk in without(old, kept(path, gone)):
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    known = {"name": new.name, "bytes": size, "sha256": digest.hexdigest()}
    return FinalPart(new, msgspec.structs.replace(entry, **known))


def write_joined(part: Part, paths: Iterable[Path], new_sink: Callable[[], Sink]) -> None:
    """Write parts as one file; what a file without rows has, if there are none.

    Raises:
        ExportError: It could not be written.
    """
    with contextlib.ExitStack() as stack:
        with writing(part.path):
            files = (stack.enter_context(path.open("rb")) for path in paths)
            chunks = joined(files)
            first = next(chunks, None)
        if first is None:
            sink = new_sink()
            chunks = iter([sink.head(), sink.finish()])
        else:
            chunks = itertools.chain([first], chunks)
        for chunk in chunks:
            part.write(chunk)


# Interim.
def without(file, keep) -> Iterator[bytes]:  # type: ignore
    for line, flag in zip(file, keep, strict=True):
        if flag:
            yield line


def joined(files) -> Iterator[bytes]:  # type: ignore
    head = None
    for file in files:
        if head is None:
            line = file.readline()
            head = line if line.startswith((b"\xef\xbb\xbfid", b"id,")) else b""
            yield line
        elif head:
            file.readline()
        while chunk := file.read(1 << 20):
            yield chunk
