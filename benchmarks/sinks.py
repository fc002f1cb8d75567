"""CPU for a million rows from pages to the bytes of files, and the memory that takes.

    python -m benchmarks.sinks [--quick] [--rows sandbox|thin|wide] [--steps | --memory]

Pages lie in memory. What an export does of a page once it is there is done: it is read, its rows
are looked at, told apart, written and hashed, and so are their ids. Others write the same rows to
a file as well, and do nothing else.

Rows are those of the sandbox, which has them as a live host does, as far as that is known: all
fields, most of them with a value, nested objects. `thin` rows are those of `benchmarks.server`,
without the people that no export asks for; `wide` ones are these with every field that there is,
most of them null. `--steps` has instead what each thing costs by itself that is done of a page.
`--memory` writes 100,000 and 1,000,000 rows to each format, each in a process of its own, and
compares the most that they ever took.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import itertools
import json
import random
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from operator import attrgetter, itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import msgspec
import pyarrow
import pyarrow.parquet
from pyarrow.json import ParseOptions, ReadOptions, read_json

from benchmarks.measuring import Spread, Variant, interleave, ratios, table
from benchmarks.server import row
from jibble_async import JibbleClient, StaticToken, TimeEntry
from jibble_async.api.raw import RawSet, raw_set_of
from jibble_async.core.raw_rows import RawRows
from jibble_async.core.wire import Reply
from jibble_async.entities.durations import duration_text
from jibble_async.export.journal.parts import PartWriter
from jibble_async.export.proof.anchored import AnchoredCourse
from jibble_async.export.proof.scope import Scope
from jibble_async.export.sinks import file_format
from jibble_async.odata.raw_pages import head_type
from jibble_async.sandbox import Sandbox
from jibble_async.tables.arrow_rows import ArrowRows
from jibble_async.tables.columns import Field, Holds, table_of
from jibble_async.tables.rows import ids_of, is_text, unrepeated
from jibble_async.tables.schema import schema_of

ROUNDS = 21
PAGE = 1000
PAGES = 20
FILES = ("x.jsonl", "x.jsonl.zst", "x.jsonl.gz", "x.csv", "x.csv.zst", "x.parquet")
SIZES = (100_000, 1_000_000)

_BASE = "decode and encode again"
_STRUCTS = "Parquet from structs"
_PYLIST = "Parquet, json and `from_pylist`, no times"
_JSON = "json, loads and dumps"


def _pages(shape: str) -> list[bytes]:
    rows = _SHAPES[shape]()
    pages: list[bytes] = []
    for first in range(0, PAGE * PAGES, PAGE):
        body = {"@odata.count": PAGE * PAGES, "value": rows[first : first + PAGE]}
        pages.append(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
    return pages


def _of_sandbox() -> list[dict[str, Any]]:
    rows = Sandbox(people=150, seed=7).ledger.rows("TimeEntries")
    return sorted(rows, key=itemgetter("id"))[: PAGE * PAGES]


def _thin() -> list[dict[str, Any]]:
    chance = random.Random(7)
    return [_plain(row(chance, number)) for number in range(PAGE * PAGES)]


def _wide() -> list[dict[str, Any]]:
    return list(map(_whole, _thin()))


def _plain(sent: dict[str, Any]) -> dict[str, Any]:
    """A row as an export gets it."""
    return {name: each for name, each in sent.items() if name != "person"}


def _whole(sent: dict[str, Any]) -> dict[str, Any]:
    """The same with every field that there is."""
    fields = table_of(TimeEntry).known
    absent = {each.name: False if each.holds is Holds.FLAG else None for each in fields}
    return {name: sent.get(name, other) for name, other in absent.items()}


_SHAPES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "sandbox": _of_sandbox,
    "thin": _thin,
    "wide": _wide,
}


class _Envelope(msgspec.Struct):
    value: list[TimeEntry]


class _Nothing(msgspec.Struct, gc=False):
    pass


class _Export:
    """Everything that an export does of a page once it is there."""

    def __init__(self, name: str, raw: RawSet) -> None:
        self._form, self._raw, self._name = file_format(Path(name)), raw, name

    def __call__(self, pages: Iterable[bytes]) -> None:
        scope = Scope(self._raw, date(2026, 1, 1), date(2026, 12, 31))
        with TemporaryDirectory() as folder:
            writer = PartWriter(Path(folder, self._name), self._form.sink(TimeEntry))
            for page in pages:
                content = self._raw.pages.read(Reply(200, {}, page), None)
                scope.require(content.heads)
                rows = unrepeated(content.items)
                # Pages do not overlap here, so each begins a walk.
                AnchoredCourse(PAGE).take(ids_of(rows))
                writer.append(rows)
            writer.finish()


def _decode_and_encode(pages: list[bytes]) -> None:
    decode = msgspec.json.Decoder(_Envelope).decode
    encode = msgspec.json.Encoder().encode_lines
    with TemporaryFile() as file:
        for page in pages:
            file.write(encode(decode(page).value))


def _loads_and_dumps(pages: list[bytes]) -> None:
    with TemporaryFile() as file:
        for page in pages:
            file.writelines(json.dumps(each).encode() + b"\n" for each in json.loads(page)["value"])


def _from_structs(pages: list[bytes]) -> None:
    decode = msgspec.json.Decoder(_Envelope).decode
    rows = [each for page in pages for each in decode(page).value]
    fields = table_of(TimeEntry).fields
    schema = schema_of(TimeEntry)
    wire = TimeEntry.__struct_encode_fields__
    names = dict(zip(wire, TimeEntry.__struct_fields__, strict=True))
    columns = [
        pyarrow.array(_values(rows, names[field.name], field), schema.field(field.name).type)
        for field in fields
    ]
    _write(pyarrow.Table.from_arrays(columns, schema=schema))


def _values(rows: list[TimeEntry], name: str, field: Field) -> list[Any]:
    values = list(map(attrgetter(name), rows))
    if field.holds is Holds.OBJECT:
        return [None if each is None else msgspec.to_builtins(each) for each in values]
    if field.holds is Holds.CLOCK:
        return [None if each is None else each.replace(tzinfo=None) for each in values]
    if name == "offset":
        return [None if each is None else duration_text(each) for each in values]
    return values


def _from_pylist(pages: list[bytes]) -> None:
    _write(
        pyarrow.Table.from_pylist([each for page in pages for each in json.loads(page)["value"]])
    )


def _write(made: Any) -> None:
    pyarrow.parquet.write_table(made, io.BytesIO(), compression="zstd")


def _steps(raw: RawSet) -> dict[str, Callable[[list[bytes]], object]]:
    """What is done of a page on its way to JSON lines, each thing by itself, and Arrow's share."""
    head = head_type("id", day="belongsToDate", status="status")
    mark = b'{"id":"'
    lines: dict[bytes, bytes] = {}
    ids: dict[bytes, list[str]] = {}
    arrow = ArrowRows(table_of(TimeEntry), {}, lambda *_: None, lambda *_: None)
    reading = ReadOptions(use_threads=False, block_size=1 << 30)
    nothing = ParseOptions(explicit_schema=pyarrow.schema([]), unexpected_field_behavior="ignore")

    def each(work: Callable[[bytes], object]) -> Callable[[list[bytes]], object]:
        def run(pages: list[bytes]) -> None:
            for page in pages:
                if page not in lines:
                    rows: Any = raw.pages.read(Reply(200, {}, page), None).items
                    lines[page], ids[page] = rows.lines, rows.ids
                work(page)

        return run

    def written(page: bytes) -> None:
        with TemporaryFile() as file:
            file.write(lines[page])

    scanned = msgspec.json.Decoder(_Nothing).decode_lines
    heads = msgspec.json.Decoder(head).decode_lines
    return {
        _BASE: _decode_and_encode,
        "SHA-256": each(lambda page: hashlib.sha256(lines[page])),
        "written to a file": each(written),
        "whether it is JSON": each(lambda page: scanned(lines[page])),
        "that, and id, day and status": each(lambda page: heads(lines[page])),
        "cut into lines": each(lambda page: (b"}\n" + mark).join(page.rsplit(b"}," + mark))),
        "whether it is UTF-8": each(lambda page: is_text(lines[page])),
        "Arrow's reader of JSON, asked for no column": each(
            lambda page: read_json(pyarrow.BufferReader(lines[page]), reading, nothing)
        ),
        "an Arrow table": each(lambda page: arrow.table(RawRows(ids[page], lines[page]))),
    }


def _sliced(work: Callable[[list[bytes]], object], pages: list[bytes]) -> Variant:
    async def run() -> None:
        work(pages)

    return run


async def _compare(rounds: int, pages: list[bytes], shape: str, *, steps: bool) -> None:
    async with JibbleClient(auth=StaticToken("t")) as client:
        raw = raw_set_of(client, "time_entries")
        works = _steps(raw) if steps else _files(raw)
        taken = await interleave(
            {name: _sliced(work, pages) for name, work in works.items()}, rounds
        )
    bases = [_BASE] if steps else [_BASE, _STRUCTS]
    rows = [
        [
            name,
            *Spread.of(seconds).text(1, 1e6 / (PAGE * PAGES)),
            *(cell for base in bases for cell in ratios(seconds, taken[base]).text(2)),
        ]
        for name, seconds in taken.items()
    ]
    size = sum(map(len, pages)) // (PAGE * PAGES)
    title = f"{PAGES} pages of {PAGE} {shape} rows of {size} bytes, {rounds} rounds."
    head = ["", "CPU s per million rows", "95%"]
    table(title, [*head, *(cell for base in bases for cell in (f"to {base}", "95%"))], rows)


def _files(raw: RawSet) -> dict[str, Callable[[list[bytes]], object]]:
    return {
        _BASE: _decode_and_encode,
        **{file_format(Path(name)).suffix: _Export(name, raw) for name in FILES},
        _STRUCTS: _from_structs,
        _PYLIST: _from_pylist,
        _JSON: _loads_and_dumps,
    }


async def _peak(name: str, rows: int, shape: str) -> None:
    """Write so many rows, and print the most memory that this process ever took, in KiB."""
    pages = _pages(shape)
    endless: Iterator[bytes] = itertools.islice(itertools.cycle(pages), rows // PAGE)
    async with JibbleClient(auth=StaticToken("t")) as client:
        _Export(name, raw_set_of(client, "time_entries"))(endless)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _memory(sizes: tuple[int, ...], shape: str) -> None:
    rows: list[list[str]] = []
    for name in FILES:
        peaks: list[int] = []
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.sinks", "--rows", shape]
            command += ["--peak", name, str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            peaks.append(int(done.stdout))
        mib = [f"{peak / 1024:.0f}" for peak in peaks]
        rows.append([file_format(Path(name)).suffix, *mib, f"{peaks[-1] / peaks[0]:.2f}"])
    head = ["", *(f"MiB at {size:,} rows" for size in sizes), "times"]
    table("The most memory that a process took.", head, rows)


def _main() -> None:
    parser = argparse.ArgumentParser(description="What rows cost on their way to a file.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, wider intervals")
    parser.add_argument("--rows", choices=_SHAPES, default="sandbox", help="what rows are like")
    parser.add_argument("--steps", action="store_true", help="each step alone")
    parser.add_argument("--memory", action="store_true", help="memory instead of time")
    parser.add_argument("--peak", nargs=2, metavar=("NAME", "ROWS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        asyncio.run(_peak(arguments.peak[0], int(arguments.peak[1]), arguments.rows))
    elif arguments.memory:
        _memory(SIZES, arguments.rows)
    else:
        rounds = 5 if arguments.quick else ROUNDS
        pages = _pages(arguments.rows)
        asyncio.run(_compare(rounds, pages, arguments.rows, steps=arguments.steps))


if __name__ == "__main__":
    _main()
