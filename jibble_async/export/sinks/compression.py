"""Files of a format that does not compress by itself, compressed while they are written.

What a file begins with is a member (gzip) or frame (zstd) of its own, so that files are joined
without being unpacked.
"""

from __future__ import annotations

import abc
import enum
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Protocol, cast

from jibble_async.core.pages import RawRow
from jibble_async.export.sinks.base import FormatSink, Sink, chunks_of
from jibble_async.extras import extra

__all__ = ["Compressed", "Compression"]

# gzip's usual level; the one of zstd at which JSON lines take the least time.
_GZIP_LEVEL, _ZSTD_LEVEL = 6, 1
# Zlib's word for a header and trailer of gzip.
_AS_GZIP = 16 + zlib.MAX_WBITS


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


class _Codec(abc.ABC):
    @abc.abstractmethod
    def compressor(self) -> _Compressor:
        """What makes one member."""

    @abc.abstractmethod
    def decompressor(self) -> _Decompressor:
        """What reads one member."""

    @abc.abstractmethod
    def reader(self, part: BinaryIO) -> BinaryIO:
        """What is in a file, whatever members it has."""


class _Gzip(_Codec):
    def compressor(self) -> _Compressor:
        return zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _AS_GZIP)

    def decompressor(self) -> _Decompressor:
        return zlib.decompressobj(_AS_GZIP)

    def reader(self, part: BinaryIO) -> BinaryIO:
        return cast("BinaryIO", gzip.GzipFile(fileobj=part, mode="rb"))


class _Zstd(_Codec):
    def __init__(self) -> None:
        self._zstd: Any = extra("zstandard", "zstd", "files that end in .zst")

    def compressor(self) -> _Compressor:
        made: _Compressor = self._zstd.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
        return made

    def decompressor(self) -> _Decompressor:
        made: _Decompressor = self._zstd.ZstdDecompressor().decompressobj()
        return made

    def reader(self, part: BinaryIO) -> BinaryIO:
        unpacker = self._zstd.ZstdDecompressor()
        return io.BufferedReader(unpacker.stream_reader(part, read_across_frames=True))


class Compression(enum.StrEnum):
    """How a file may be compressed: the ending of its name."""

    GZIP = ".gz"
    ZSTD = ".zst"

    def codec(self) -> _Codec:
        """What does it.

        Raises:
            ConfigurationError: It is not installed.
        """
        return _Gzip() if self is Compression.GZIP else _Zstd()


class Compressed(Sink):
    """Another sink's bytes, compressed.

    Args:
        sink: The other one.
        compression: How.
    """

    def __init__(self, sink: Sink, compression: Compression) -> None:
        self._codec = compression.codec()
        self._sink = sink
        self._compressor = self._codec.compressor()
        self.unknown_fields: Counter[str] = sink.unknown_fields

    def head(self) -> bytes:
        """What a file begins with, in a member of its own."""
        return _whole(self._codec, self._sink.head())

    def encode(self, rows: Sequence[RawRow]) -> bytes:
        """The bytes of these rows, as far as they are ready; that may be none.

        Raises:
            DecodeError: A row can't be read, and nobody gets it.
        """
        return self._compressor.compress(self._sink.encode(rows))

    def finish(self) -> bytes:
        """What a file ends with."""
        return self._compressor.compress(self._sink.finish()) + self._compressor.flush()


def without(
    compression: Compression, sink: type[FormatSink], part: BinaryIO, keep: Iterable[bool]
) -> Iterator[bytes]:
    """The same file without the rows whose flag is False; see `FormatSink.without`."""
    codec = compression.codec()
    unpacked = codec.reader(part)
    if head := sink.read_head(unpacked):
        yield _whole(codec, head)
    compressor = codec.compressor()
    for chunk in sink.kept(unpacked, keep):
        yield compressor.compress(chunk)
    yield compressor.flush()


def joined(
    compression: Compression, sink: type[FormatSink], parts: Iterable[BinaryIO]
) -> Iterator[bytes]:
    """One file out of several; see `FormatSink.joined`."""
    codec = compression.codec()
    for number, part in enumerate(parts):
        if number and sink.has_head:
            # The rest stays packed: to pack it again would cost more than to fetch the rows did.
            yield _behind_first(codec.decompressor(), part)
        yield from chunks_of(part)


def _whole(codec: _Codec, data: bytes) -> bytes:
    compressor = codec.compressor()
    return compressor.compress(data) + compressor.flush() if data else b""


def _behind_first(unpacker: _Decompressor, part: BinaryIO) -> bytes:
    """What was read of a file behind its first member."""
    for chunk in chunks_of(part):
        unpacker.decompress(chunk)
        if unpacker.eof:
            return unpacker.unused_data
    return b""
