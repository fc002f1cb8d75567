from __future__ import annotations

import datetime
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from jibble_async import ConfigurationError, JibbleClient, extras
from jibble_async.api.set_names import SetName
from jibble_async.entities.durations import duration_text
from jibble_async.export import Exporter
from jibble_async.sandbox import Sandbox
from jibble_async.tables.columns import Field, Holds, table_of

MICROSECOND = datetime.timedelta(microseconds=1)


def expected(value: Any, field: Field, holds: Holds | None = None) -> Any:
    """What a table has of a value that a client read."""
    holds = field.holds if holds is None else holds
    if value is None:
        return None
    if holds is Holds.LIST:
        return [expected(each, field, field.items) for each in value]
    if holds is Holds.OBJECT:
        names = dict(zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True))
        return {
            each.name: expected(getattr(value, names[each.name]), each) for each in field.fields
        }
    if holds is Holds.CLOCK:
        return value.replace(tzinfo=None)
    if isinstance(value, datetime.timedelta):
        return duration_text(value)
    return value.isoformat() if isinstance(value, datetime.time) else value


# Of schedules and timesheets most is lengths and times of day, which are text as the server wrote
# it; and nobody in the sandbox has written hours down.
OTHERS = {"schedules", "timesheets", "timesheet_summaries", "hour_entries"}


@pytest.mark.parametrize("what", sorted({*get_args(SetName)} - OTHERS))
async def test_parquet_has_what_the_clients_read(
    client: JibbleClient, tmp_path: Path, what: SetName
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="without pyarrow there is no Parquet")
    out = tmp_path / "rows.parquet"
    report = await Exporter(client, what, out=out).run()
    entities = [each async for each in getattr(client, what).list()]
    found = parquet.read_table(out).to_pylist()
    assert len(found) == report.rows == len(entities) > 0
    whole = Field("row", Holds.OBJECT, table_of(type(entities[0])).fields)
    by_id = {each["id"]: each for each in found}
    for entity in entities:
        values, row = expected(entity, whole), by_id[entity.id]
        # What may be anything has no column.
        for name, found_value in row.items():
            value = values[name]
            # Digits beyond microseconds are cut here, and rounded by the clients.
            if isinstance(value, datetime.datetime) and value - found_value == MICROSECOND:
                found_value = value
            assert found_value == value, name


@pytest.mark.parametrize("ending", ["csv.gz", "jsonl.zst"])
async def test_a_compressed_file_has_the_same_rows(
    client: JibbleClient, tmp_path: Path, ending: str
) -> None:
    if ending.endswith(".zst"):
        zstandard = pytest.importorskip("zstandard")
        unpack = zstandard.ZstdDecompressor().stream_reader
    else:
        import gzip

        unpack = gzip.open
    plain, packed = tmp_path / f"x.{ending.partition('.')[0]}", tmp_path / f"x.{ending}"
    await Exporter(client, "time_entries", out=plain).run()
    report = await Exporter(client, "time_entries", out=packed).run()
    with packed.open("rb") as file:
        options = {"read_across_frames": True} if ending.endswith(".zst") else {}
        assert unpack(file, **options).read() == plain.read_bytes()
    assert report.bytes == packed.stat().st_size < plain.stat().st_size


async def test_what_is_not_installed_is_told_before_anything_is_sent(
    box: Sandbox, client: JibbleClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(ConfigurationError, match=r'need pyarrow: pip install "jibble-async\[parq'):
        Exporter(client, "people", out=tmp_path / "people.parquet")
    assert not box.ledger.requests
    assert not os.listdir(tmp_path)


def test_what_only_some_formats_take_is_imported_by_them_alone() -> None:
    code = "import sys, jibble_async.export as _; print({'pyarrow', 'zstandard'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
