"""Which formats of files there are, and which of them a name stands for."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

import msgspec

from jibble_async.errors import ConfigurationError
from jibble_async.export.sinks import compression as packing
from jibble_async.export.sinks.base import FormatSink, Sink
from jibble_async.export.sinks.compression import Compressed, Compression
from jibble_async.export.sinks.csv_records import CsvSink
from jibble_async.export.sinks.json_lines import JsonLinesSink
from jibble_async.export.sinks.parquet import ParquetSink

__all__ = ["FileFormat", "Format", "file_format"]


class Format(enum.StrEnum):
    """What a file may hold. Another format is an entry here, and its sink.

    Attributes:
        suffixes: The endings of a file's name that say it.
        sink: What writes it.
    """

    suffixes: tuple[str, ...]
    sink: type[FormatSink]

    def __new__(cls, name: str, suffixes: tuple[str, ...], sink: type[FormatSink]) -> Self:
        """A format that is called so."""
        member = str.__new__(cls, name)
        member._value_, member.suffixes, member.sink = name, suffixes, sink
        return member

    JSONL = "jsonl", (".jsonl", ".ndjson"), JsonLinesSink
    CSV = "csv", (".csv",), CsvSink
    PARQUET = "parquet", (".parquet",), ParquetSink


class FileFormat(msgspec.Struct, frozen=True):
    """What a file holds, and how it is compressed.

    Attributes:
        format: What it holds.
        compression: How it is compressed; None if not, or if the format does that by itself.
    """

    format: Format
    compression: Compression | None = None

    @property
    def suffix(self) -> str:
        """The ending of the name of such a file, such as `.jsonl.gz`."""
        return self.format.suffixes[0] + (self.compression or "")

    def sink(self, shape: type[msgspec.Struct], **options: Any) -> Sink:
        """What writes such a file.

        Args:
            shape: The class whose fields are the columns of a table of the rows.
            **options: Those of `FormatSink`.

        Raises:
            ConfigurationError: An option can't be used, or a package is not installed.
        """
        sink = self.format.sink(shape, **options)
        return sink if self.compression is None else Compressed(sink, self.compression)

    def without(self, part: BinaryIO, keep: Iterable[bool]) -> Iterator[bytes]:
        """The same file without the rows whose flag is False, a piece at a time.

        Args:
            part: The file, from its beginning on.
            keep: A flag for each row, in their order.

        Raises:
            ExportError: There are more rows than flags, or fewer.
        """
        if self.compression is None:
            return self.format.sink.without(part, keep)
        return packing.without(self.compression, self.format.sink, part, keep)

    def joined(self, parts: Iterable[BinaryIO]) -> Iterator[bytes]:
        """One file out of several that were written with the same options, a piece at a time.

        Args:
            parts: The files, each from its beginning on; each is read before the next is asked for.
        """
        if self.compression is None:
            return self.format.sink.joined(parts)
        return packing.joined(self.compression, self.format.sink, parts)


def file_format(path: Path, wanted: FileFormat | Format | str | None = None) -> FileFormat:
    """The format of a file: the one that is wanted, or the one that its name says.

    Args:
        path: The file. `.gz` or `.zst` at its end compresses it, whatever the format.
        wanted: A format or its name, such as `csv`, or with compression `csv.gz`.

    Raises:
        ConfigurationError: There is no such format, or the name does not say.
    """
    if isinstance(wanted, FileFormat):
        return wanted
    name, compression = _packed(path.name.lower())
    suffix, named = Path(name).suffix, ""
    if wanted is not None:
        named, asked = _packed(str(wanted).lower())
        compression = asked or compression
    for each in Format:
        if suffix in each.suffixes if wanted is None else named == each.value:
            if compression is not None and each.sink.is_packed:
                raise ConfigurationError(f"{each} compresses by itself: leave out {compression!r}")
            return FileFormat(each, compression)
    if wanted is not None:
        raise ConfigurationError(f"no format {str(wanted)!r}: there are {', '.join(Format)}")
    endings = " or ".join(suffix for each in Format for suffix in each.suffixes)
    raise ConfigurationError(
        f"{path.name!r} does not say which format: end it in {endings}, or name the format"
    )


def _packed(name: str) -> tuple[str, Compression | None]:
    for each in Compression:
        if name.endswith(each):
            return name.removesuffix(each), each
    return name, None
