"""CPU for a million rows from pages to the bytes of files, and the memory that takes.

    python -m benchmarks.sinks [--quick] [--wide] [--memory]

Pages lie in memory; what is read from them, the ids of rows included, is written to a file that
has no name, and hashed, as an export does it. Rows are those of `benchmarks.server`, without the
people that no export asks for; with `--wide` they have every field that there is, most of them
null. `--memory` instead writes 100,000 and 1,000,000 rows to each format, each in a process of its
own, and compares the most that they ever took.
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
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import msgspec
import pyarrow
import pyarrow.parquet

from benchmarks.measuring import Spread, Variant, interleave, ratios, table
from benchmarks.server import row
from jibble_async import JibbleClient, StaticToken, TimeEntry
from jibble_async.api.raw import raw_set_of
from jibble_async.core.wire import Reply
from jibble_async.export.sinks import Sink, file_format
from jibble_async.export.tables.columns import Field, Holds, table_of
from jibble_async.export.tables.schema import schema_of
from jibble_async.query.values import duration_text

ROUNDS = 21
PAGE = 1000
PAGES = 20
FILES = ("x.jsonl", "x.jsonl.zst", "x.jsonl.gz", "x.csv", "x.csv.zst", "x.parquet")
SIZES = (100_000, 1_000_000)

_BASE = "decode and encode again"
_STRUCTS = "Parquet from structs"
_PYLIST = "Parquet, json and `from_pylist`, no times"
_JSON = "json, loads and dumps"


def _pages(shaped: Callable[[dict[str, Any]], dict[str, Any]]) -> list[bytes]:
    chance = random.Random(7)
    pages: list[bytes] = []
    for first in range(0, PAGE * PAGES, PAGE):
        rows = [row(chance, number) for number in range(first, first + PAGE)]
        body = {"@odata.count": PAGE * PAGES, "value": list(map(shaped, rows))}
        pages.append(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
    return pages


def _plain(sent: dict[str, Any]) -> dict[str, Any]:
    """A row as an export gets it."""
    return {name: each for name, each in sent.items() if name != "person"}


def _whole(sent: dict[str, Any]) -> dict[str, Any]:
    """The same with every field that there is."""
    fields = table_of(TimeEntry).known
    absent = {each.name: False if each.holds is Holds.FLAG else None for each in fields}
    return {name: sent.get(name, other) for name, other in absent.items()}


class _Envelope(msgspec.Struct):
    value: list[TimeEntry]


class _Export:
    """Everything that an export does of a page once it is there."""

    def __init__(self, name: str, read: Callable[[Reply, None], Any]) -> None:
        self._form, self._read = file_format(Path(name)), read

    def __call__(self, pages: Iterable[bytes]) -> Sink:
        digest = hashlib.sha256()
        sink = self._form.sink(TimeEntry)
        with TemporaryFile() as file:

            def write(data: bytes) -> None:
                digest.update(data)
                file.write(data)

            write(sink.head())
            for page in pages:
                write(sink.encode(self._read(Reply(200, {}, page), None).items))
            write(sink.finish())
        return sink


def _decode_and_encode(pages: list[bytes]) -> None:
    decode = msgspec.json.Decoder(_Envelope).decode
    for page in pages:
        msgspec.json.encode(decode(page).value)


def _loads_and_dumps(pages: list[bytes]) -> None:
    for page in pages:
        for each in json.loads(page)["value"]:
            json.dumps(each).encode()


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


def _sliced(work: Callable[[list[bytes]], object], pages: list[bytes]) -> Variant:
    async def run() -> None:
        work(pages)

    return run


async def _compare(rounds: int, pages: list[bytes]) -> None:
    async with JibbleClient(auth=StaticToken("t")) as client:
        read = raw_set_of(client, "time_entries").pages.read
        works: dict[str, Callable[[list[bytes]], object]] = {
            _BASE: _decode_and_encode,
            **{file_format(Path(name)).suffix: _Export(name, read) for name in FILES},
            _STRUCTS: _from_structs,
            _PYLIST: _from_pylist,
            _JSON: _loads_and_dumps,
        }
        taken = await interleave(
            {name: _sliced(work, pages) for name, work in works.items()}, rounds
        )
    rows = [
        [
            name,
            *Spread.of(seconds).text(1, 1e6 / (PAGE * PAGES)),
            *ratios(seconds, taken[_BASE]).text(2),
            *ratios(seconds, taken[_STRUCTS]).text(2),
        ]
        for name, seconds in taken.items()
    ]
    size = sum(map(len, pages)) // (PAGE * PAGES)
    title = f"{PAGES} pages of {PAGE} rows of {size} bytes, {rounds} rounds."
    head = ["", "CPU s per million rows", "95%", f"to {_BASE}", "95%", f"to {_STRUCTS}", "95%"]
    table(title, head, rows)


async def _peak(name: str, rows: int) -> None:
    """Write so many rows, and print the most memory that this process ever took, in KiB."""
    pages = _pages(_plain)
    endless: Iterator[bytes] = itertools.islice(itertools.cycle(pages), rows // PAGE)
    async with JibbleClient(auth=StaticToken("t")) as client:
        _Export(name, raw_set_of(client, "time_entries").pages.read)(endless)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _memory(sizes: tuple[int, ...]) -> None:
    rows: list[list[str]] = []
    for name in FILES:
        peaks: list[int] = []
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.sinks", "--peak", name, str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            peaks.append(int(done.stdout))
        mib = [f"{peak / 1024:.0f}" for peak in peaks]
        rows.append([file_format(Path(name)).suffix, *mib, f"{peaks[-1] / peaks[0]:.2f}"])
    head = ["", *(f"MiB at {size:,} rows" for size in sizes), "times"]
    table("The most memory that a process took.", head, rows)


def _main() -> None:
    parser = argparse.ArgumentParser(description="What rows cost on their way to a file.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, wider intervals")
    parser.add_argument("--wide", action="store_true", help="rows of every field, mostly null")
    parser.add_argument("--memory", action="store_true", help="memory instead of time")
    parser.add_argument("--peak", nargs=2, metavar=("NAME", "ROWS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peak:
        asyncio.run(_peak(arguments.peak[0], int(arguments.peak[1])))
    elif arguments.memory:
        _memory(SIZES)
    else:
        pages = _pages(_whole if arguments.wide else _plain)
        asyncio.run(_compare(5 if arguments.quick else ROUNDS, pages))


if __name__ == "__main__":
    _main()
