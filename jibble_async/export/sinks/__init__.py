"""Rows to the bytes of files, a page at a time; which formats there are stands in `formats`."""

from __future__ import annotations

from jibble_async.export.sinks.base import FormatSink, Names, Sink
from jibble_async.export.sinks.compression import Compression
from jibble_async.export.sinks.formats import FileFormat, Format, file_format

__all__ = ["Compression", "FileFormat", "Format", "FormatSink", "Names", "Sink", "file_format"]
