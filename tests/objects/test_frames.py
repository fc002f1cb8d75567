"""Frames of rows beside the files of exports, and what can't be a frame."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from jibble_legacy.entities import LegacyTimeEntry

from jibble_async import (
    ClientConfig,
    ConfigurationError,
    Coordinates,
    Cursor,
    DecodeError,
    EntryType,
    FileData,
    JibbleClient,
    Page,
    Person,
    Stretch,
    TimeEntry,
    Unlimited,
    frames,
    work_sessions,
)
from jibble_async.api.set_names import SetName
from jibble_async.config import endpoints_from
from jibble_async.entities.rows import Rows
from jibble_async.export import Exporter
from jibble_async.frames import to_arrow, to_pandas, to_polars
from jibble_async.sandbox import Sandbox
from jibble_async.tables.schema import schema_of
from tests.objects.drawn import classes
from tests.support.clients import HeldTime
from tests.support.legacy import legacy_of

pa = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")
parquet = pytest.importorskip("pyarrow.parquet")

DAYS = {"since": date(2026, 7, 6), "until": date(2026, 7, 8)}
MICROSECOND = timedelta(microseconds=1)
ZONES = [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=9))]
ENTRIES = [
    TimeEntry(
        id=f"e{number}",
        type=EntryType("Teleport"),
        time=datetime(2026, 7, 1, 8, 0, 0, 5, UTC),
        local_time=datetime(2026, 7, 1, 8, 0, 0, 5, UTC).astimezone(zone),
        offset=zone.utcoffset(None),
        coordinates=Coordinates(latitude=1, longitude=2.5) if number else None,
        person=Person(id="p", full_name="Ann"),
    )
    for number, zone in enumerate(ZONES)
]


@pytest.fixture
async def box() -> AsyncIterator[Sandbox]:
    async with Sandbox(people=5, since=DAYS["since"], until=date(2026, 7, 12), seed=3) as running:
        yield running


@pytest.fixture
async def client(box: Sandbox) -> AsyncIterator[JibbleClient]:
    environment = box.environment()
    config = ClientConfig(endpoints=endpoints_from(environment), clock=HeldTime().clock)
    async with JibbleClient.from_env(environment, config=config, limiter=Unlimited()) as jibble:
        yield jibble


def leaves(value: Any) -> Any:
    """A value of Arrow's; lengths of time and times of day as such, however they are written."""
    if isinstance(value, str):
        for kind in (timedelta, time):
            with contextlib.suppress(msgspec.ValidationError):
                return msgspec.convert(value, kind)
    if isinstance(value, dict):
        return {key: leaves(each) for key, each in value.items()}
    return [*map(leaves, value)] if isinstance(value, list) else value


def same(mine: Any, theirs: Any) -> bool:
    """Whether values are equal; a seventh digit is rounded in entities, and cut off in exports."""
    if isinstance(mine, dict):
        return mine.keys() == theirs.keys() and all(same(mine[key], theirs[key]) for key in mine)
    if isinstance(mine, list):
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    if isinstance(mine, datetime | timedelta) and theirs is not None:
        return abs(mine - theirs) <= MICROSECOND
    return bool(mine == theirs)


def columns(table: Any) -> Iterator[tuple[str, list[Any]]]:
    keys = [name for name in ("id", "personId") if name in table.schema.names]
    table = table.sort_by([(keys[0], "ascending")])
    for name in table.schema.names:
        yield name, leaves(table.column(name).to_pylist())


async def compared(client: Any, name: SetName, folder: Path) -> int:
    is_sheet = name.startswith("timesheet")
    dated: Any = DAYS if is_sheet else {}
    sheet = {"period": "Custom", "date": DAYS["since"], "end_date": DAYS["until"]}
    out = folder / f"{name}.parquet"
    await Exporter(client, name, out=str(out), **dated).run()
    exported = parquet.read_table(out)
    rows = await getattr(client, name).list(**(sheet if is_sheet else {})).collect()
    found = to_arrow(rows)
    assert found.schema.equals(exported.schema), name
    for (column, held), (_, there) in zip(columns(found), columns(exported), strict=True):
        assert same(held, there), f"{name}.{column}"
    assert to_arrow(rows[:0], rows.entity).schema == found.schema
    return len(rows)


async def test_a_frame_is_what_an_export_writes(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    owner = box.dataset.owner_id
    await client.hour_entries.create(owner, DAYS["since"], timedelta(hours=2))
    counts = {name: await compared(client, name, tmp_path) for name in get_args(SetName)}
    assert [name for name, count in counts.items() if not count] == []


async def test_a_frame_is_what_an_export_of_the_old_api_writes(
    box: Sandbox, tmp_path: Path
) -> None:
    zones = {
        box.legacy_id("People", row["id"]): str(box.dataset.zone(row["id"]))
        for row in box.dataset.rows("People")
    }
    async with legacy_of(box, timezone=zones) as legacy:
        sets = [
            name
            for name in get_args(SetName)
            if getattr(getattr(legacy, name, None), "exportable", False)
        ]
        for name in sets:
            assert await compared(legacy, name, tmp_path) > 0, name


def test_clocks_of_several_offsets_and_objects_within() -> None:
    rows = to_arrow(ENTRIES).to_pylist()
    assert {row["time"] for row in rows} == {datetime(2026, 7, 1, 8, 0, 0, 5, UTC)}
    assert [row["localTime"] for row in rows] == [
        datetime(2026, 7, 1, 8, 0, 0, 5),  # noqa: DTZ001 - what a clock on the wall says
        datetime(2026, 7, 1, 13, 45, 0, 5),  # noqa: DTZ001
        datetime(2026, 6, 30, 23, 0, 0, 5),  # noqa: DTZ001
    ]
    assert [row["offset"] for row in rows] == ["PT0S", "PT5H45M", "-PT9H"]
    assert [row["coordinates"] for row in rows] == [
        None,
        {"latitude": 1.0, "longitude": 2.5},
        {"latitude": 1.0, "longitude": 2.5},
    ]
    assert {row["type"] for row in rows} == {"Teleport"}
    # What is expanded has no column.
    assert "person" not in rows[0]


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_no_rows_have_all_columns(kind: type[Any]) -> None:
    schema = schema_of(kind)
    assert to_arrow([], kind).schema == schema
    assert to_arrow(Rows(entity=kind)).schema == schema
    assert to_arrow([], kind).num_rows == 0


async def test_what_is_fetched_knows_its_class(client: JibbleClient) -> None:
    nobody = await client.people.list(where=None, limit=0).collect()
    assert to_arrow(nobody).schema == schema_of(Person)
    async for page in client.time_entries.list(**DAYS).pages():
        assert to_arrow(page).num_rows == len(page.items)
    selected = await client.people.list(select=["full_name"]).collect()
    assert to_arrow(selected).schema == schema_of(Person)


def test_long_lists_and_iterators_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_AT_ONCE", 2)
    rows = [Person(id=f"{number}", full_name="x" * number) for number in range(5)]
    table = to_arrow(iter(rows))
    assert table.column("id").to_pylist() == ["0", "1", "2", "3", "4"]
    assert table.column("id").num_chunks >= 3
    assert to_arrow(each for each in rows[:4]).num_rows == 4


def test_what_opens_a_kiosk_is_a_column_only_if_it_is_asked_for() -> None:
    people = [Person(id="a", pin_code="canary")]
    assert "canary" not in str(to_arrow(people).to_pylist())
    assert to_arrow(people, secrets=True).column("pinCode").to_pylist() == ["canary"]
    assert to_pandas(people, secrets=True)["pinCode"].tolist() == ["canary"]
    assert to_polars(people, secrets=True)["pinCode"].to_list() == ["canary"]


def test_a_subclass_is_one_of_its_base() -> None:
    old = [LegacyTimeEntry(id="a", client_id="c", custom_data={"x": 1})]
    assert "clientId" in to_arrow(old).schema.names
    assert "customData" not in to_arrow(old).schema.names
    assert to_arrow(old, TimeEntry).schema == schema_of(TimeEntry)
    assert to_arrow([*ENTRIES, *old]).num_rows == 4


def test_pandas_has_types_that_do_not_depend_on_what_is_missing() -> None:
    empty, full = to_pandas([], TimeEntry), to_pandas(ENTRIES)
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    kinds = {name: str(kind) for name, kind in full.dtypes.items()}
    assert kinds["time"] == "datetime64[us, UTC]"
    assert kinds["localTime"] == "datetime64[us]"
    assert kinds["belongsToDate"].startswith("datetime64[")
    assert (kinds["isOffline"], kinds["faceSimilarity"]) == ("boolean", "Float64")
    assert kinds["note"] == "string"
    assert full["coordinates"][1] == {"latitude": 1.0, "longitude": 2.5}


def test_polars_has_the_types_of_arrow() -> None:
    polars = pytest.importorskip("polars", reason="Polars is not installed")
    empty, full = to_polars([], TimeEntry), to_polars(ENTRIES)
    assert empty.schema == full.schema
    assert full.schema["time"] == polars.Datetime("us", "UTC")
    assert full.schema["belongsToDate"] == polars.Date
    assert full["coordinates"].to_list()[1] == {"latitude": 1.0, "longitude": 2.5}


def test_stretches_of_work_are_rows_too() -> None:
    entries = [
        TimeEntry(
            id=f"e{hour}",
            type=kind,
            time=datetime(2026, 7, 1, hour, tzinfo=UTC),
            person_id="p",
            belongs_to_date=date(2026, 7, 1),
        )
        for hour, kind in ((8, EntryType.IN), (12, EntryType.OUT))
    ]
    (row,) = to_arrow(work_sessions(entries).work).to_pylist()
    assert (row["personId"], row["day"]) == ("p", date(2026, 7, 1))
    assert row["end"] - row["start"] == timedelta(hours=4)
    assert to_arrow(work_sessions([]).work).schema == schema_of(Stretch)


@pytest.mark.parametrize("make", [to_arrow, to_pandas, to_polars])
@pytest.mark.parametrize(
    ("rows", "entity", "said"),
    [
        ([], None, "name their class"),
        (5, None, "not of int"),
        ([{"id": "a"}], None, "not of <class 'dict'>"),
        ([Person(id="a"), TimeEntry(id="b")], None, "Person, and not TimeEntry"),
        ([Person(id="a")], TimeEntry, "TimeEntry, and not Person"),
        ([Person(id="a")], "people", "not of 'people'"),
        (work_sessions([]), None, "not of WorkSessions: give its `work` or `breaks`"),
    ],
)
def test_what_is_no_frame_is_an_error(make: Any, rows: Any, entity: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        make(rows, entity)


async def test_a_list_is_fetched_first(client: JibbleClient) -> None:
    with pytest.raises(ConfigurationError, match=r"await pager.collect\(\)"):
        to_arrow(client.people.list())  # type: ignore[arg-type]


def test_a_page_without_rows_has_no_class() -> None:
    page: Page[Person] = Page([], Cursor(fingerprint="x"), None, b"")
    with pytest.raises(ConfigurationError, match="name their class"):
        to_arrow(page)
    assert to_arrow(page, Person).schema == schema_of(Person)


@pytest.mark.parametrize(("make", "name"), [(to_polars, "polars"), (to_pandas, "pandas")])
def test_what_is_not_installed_is_named(
    make: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, name, None)
    with pytest.raises(ConfigurationError, match=f"pip install {name}"):
        make([], Person)


@pytest.mark.parametrize(
    "odd", [{"note": 5}, {"note": "\ud83d"}, {"offset": 5}, {"picture": FileData(size=2**70)}]
)
def test_a_value_that_does_not_fit_names_its_row(odd: Any) -> None:
    with pytest.raises(DecodeError, match="the row 'b' does not fit its columns"):
        to_arrow([TimeEntry(id="a"), TimeEntry(id="b", **odd)])


def test_the_ends_of_the_calendar_and_what_is_no_number() -> None:
    last = datetime.max.replace(tzinfo=UTC)
    first = datetime.min.replace(tzinfo=ZONES[1])
    nowhere = Coordinates(latitude=float("nan"), longitude=1)
    odd = TimeEntry(id="a", time=last, local_time=first, coordinates=nowhere)
    (row,) = to_arrow([odd]).to_pylist()
    assert (row["time"], row["localTime"]) == (last, datetime.min)  # noqa: DTZ901 - a clock's
    assert row["coordinates"] == {"latitude": None, "longitude": 1}
    assert len(to_pandas([odd])) == len(to_polars([odd])) == 1
