from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from jibble_async import ConfigurationError, ExportError, TimeEntry
from jibble_async import extras as extras_module
from jibble_async.core.pages import RawRow
from jibble_async.export.sinks import Compression, FileFormat, Format, file_format

NOTES = ("", "a", 'b "c", d', "two\r\nlines", 'odd " quote\n\n', "=1;=2", "ü☕")


def rows(count: int, seed: int = 1) -> list[RawRow]:
    chance = random.Random(seed)
    found = ({"id": f"{seed}-{n}", "note": chance.choice(NOTES)} for n in range(count))
    return [(each["id"], msgspec.Raw(msgspec.json.encode(each))) for each in found]


def formats() -> list[FileFormat]:
    packed = [FileFormat(each, how) for each in (Format.JSONL, Format.CSV) for how in Compression]
    return [*map(FileFormat, Format), *packed]


def written(form: FileFormat, some: list[RawRow], page: int = 7) -> bytes:
    sink = form.sink(TimeEntry, columns=["id", "note"])
    pages = [sink.encode(some[n : n + page]) for n in range(0, len(some), page)]
    return b"".join([sink.head(), *pages, sink.finish()])


def ids(form: FileFormat, data: bytes) -> list[str]:
    """What is in a file, as another program reads it."""
    if form.format is Format.PARQUET:
        parquet = pytest.importorskip("pyarrow.parquet")
        return parquet.read_table(io.BytesIO(data)).column("id").to_pylist()
    if form.compression is Compression.GZIP:
        data = gzip.decompress(data)
    elif form.compression is Compression.ZSTD:
        zstandard = pytest.importorskip("zstandard")
        reader = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True)
        data = reader.read()
    if form.format is Format.CSV:
        text = io.StringIO(data.decode("utf-8-sig"), newline="")
        return [each["id"] for each in csv.DictReader(text, strict=True)]
    return [msgspec.json.decode(each)["id"] for each in data.splitlines()]


@pytest.fixture(params=formats(), ids=lambda form: form.suffix)
def form(request: pytest.FixtureRequest) -> FileFormat:
    found: FileFormat = request.param
    if found.compression is Compression.ZSTD:
        pytest.importorskip("zstandard")
    if found.format is Format.PARQUET:
        pytest.importorskip("pyarrow")
    return found


def test_a_part_has_its_rows(form: FileFormat) -> None:
    some = rows(50)
    assert ids(form, written(form, some)) == [key for key, _ in some]
    assert ids(form, written(form, [])) == []


@pytest.mark.parametrize("keeps", [lambda n: True, lambda n: n % 3 > 0, lambda n: False])
def test_a_part_without_some_rows(form: FileFormat, keeps: Callable[[int], bool]) -> None:
    some = rows(50)
    keep = [keeps(n) for n in range(50)]
    kept = [row for row, flag in zip(some, keep, strict=True) if flag]
    again = b"".join(form.without(io.BytesIO(written(form, some)), iter(keep)))
    assert ids(form, again) == [key for key, _ in kept]
    if form.compression is None:
        assert again == written(form, kept)


@pytest.mark.parametrize("flags", [0, 49, 51])
def test_a_part_with_other_rows_than_flags(form: FileFormat, flags: int) -> None:
    part = io.BytesIO(written(form, rows(50)))
    with pytest.raises(ExportError, match="other rows than its ids"):
        b"".join(form.without(part, [True] * flags))


@pytest.mark.parametrize("sizes", [(), (3,), (5, 0, 11), (0, 0), (40, 1, 2, 80)])
def test_parts_become_one_file(form: FileFormat, sizes: tuple[int, ...]) -> None:
    some = [rows(size, seed) for seed, size in enumerate(sizes, 1)]
    parts = [io.BytesIO(written(form, each)) for each in some]
    # What was left of a part whose rows were taken away is joined like any other.
    if parts:
        parts[0] = io.BytesIO(b"".join(form.without(parts[0], [True] * sizes[0])))
    joined = b"".join(form.joined(parts))
    if sizes:
        assert ids(form, joined) == [key for each in some for key, _ in each]
    if form.compression is None and sizes:
        assert joined == written(form, [row for each in some for row in each])


def test_a_part_may_be_closed_when_the_next_is_asked_for(form: FileFormat) -> None:
    before: list[io.BytesIO] = []

    def opened() -> Iterator[io.BytesIO]:
        for seed in (1, 2, 3):
            if before:
                before[-1].close()
            before.append(io.BytesIO(written(form, rows(3, seed))))
            yield before[-1]

    assert len(ids(form, b"".join(form.joined(opened())))) == 9


@pytest.mark.parametrize(
    ("name", "wanted", "expected"),
    [
        ("x.jsonl", None, ".jsonl"),
        ("x.NDJSON.GZ", None, ".jsonl.gz"),
        ("x.csv.zst", None, ".csv.zst"),
        ("x.csv.zst", "jsonl", ".jsonl.zst"),
        ("x", "csv.gz", ".csv.gz"),
        ("-", Format.CSV, ".csv"),
        ("x.jsonl", FileFormat(Format.CSV), ".csv"),
        ("x.parquet", None, ".parquet"),
    ],
)
def test_a_name_says_how_a_file_is_compressed(
    name: str, wanted: str | FileFormat | None, expected: str
) -> None:
    assert file_format(Path(name), wanted).suffix == expected


def test_parquet_is_not_compressed_once_more() -> None:
    with pytest.raises(ConfigurationError, match="parquet compresses by itself"):
        file_format(Path("x.parquet.gz"))


def test_what_is_not_installed_is_said_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras_module.importlib, "import_module", missing)
    with pytest.raises(ConfigurationError, match=r'pip install "jibble-async\[zstd\]"'):
        FileFormat(Format.JSONL, Compression.ZSTD).sink(TimeEntry)
    with pytest.raises(ConfigurationError, match=r'pip install "jibble-async\[parquet\]"'):
        FileFormat(Format.PARQUET).sink(TimeEntry)
