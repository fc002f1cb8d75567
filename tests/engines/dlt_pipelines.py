"""Pipelines of dlt that load a sandbox into DuckDB, and what is in the tables then."""

from __future__ import annotations

import contextlib
import json
import random
import uuid
from collections.abc import Generator, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jibble_async import ClientConfig, JibbleClient, Unlimited
from jibble_async.config import endpoints_from
from jibble_async.core.clock import Clock
from jibble_async.sandbox import Sandbox
from tests.support.programs import engine
from tests.support.served import served

dlt: Any = engine("dlt", "dlt")
duckdb: Any = engine("duckdb", "duckdb")
PipelineStepFailed: Any = engine("dlt.pipeline.exceptions", "dlt").PipelineStepFailed

Row = dict[str, Any]
NAMING = dlt.Schema("any").naming

WIRE = {
    "activities": "Activities",
    "calendar_days": "CalendarDays",
    "calendars": "Calendars",
    "clients": "Clients",
    "employment_types": "EmploymentTypes",
    "groups": "Groups",
    "hour_entries": "HourEntries",
    "locations": "Locations",
    "organizations": "Organizations",
    "pay_period_definitions": "PayPeriodDefinitions",
    "people": "People",
    "positions": "Positions",
    "projects": "Projects",
    "schedules": "Schedules",
    "time_entries": "TimeEntries",
    "time_off": "TimeOffOverview",
    "time_off_policies": "TimeOffPolicies",
}


class Company:
    """A company that changes by day, and a warehouse that is loaded by night.

    Attributes:
        box: The company.
        folder: Where pipelines work, and the warehouse is.
        now: The time there; a night later after each load.
    """

    def __init__(self, box: Sandbox, folder: Path, seed: int) -> None:
        self.box = box
        self.folder = folder
        self.now = datetime(2026, 7, 20, 22, tzinfo=UTC)
        self.chance = random.Random(seed)
        self.page_size = 50

    @classmethod
    @contextlib.contextmanager
    def founded(cls, folder: Path, seed: int = 3, **options: Any) -> Generator[Company]:
        """A small one, served over a socket."""
        found: list[Company] = []

        def clock() -> datetime:
            return found[0].now if found else datetime(2026, 7, 20, 22, tzinfo=UTC)

        given = {"people": 6, "since": date(2026, 7, 6), "until": date(2026, 7, 8), **options}
        with served(clock=clock, seed=seed, **given) as box:
            found.append(cls(box, folder, seed))
            yield found[0]

    def connect(self) -> JibbleClient:
        environment = self.box.environment()
        config = ClientConfig(
            endpoints=endpoints_from(environment),
            page_size=self.page_size,
            clock=Clock(now=lambda: self.now),
        )
        return JibbleClient.from_env(environment, config=config, limiter=Unlimited())

    def pipeline(self, name: str = "nightly", **options: Any) -> Any:
        given = {
            "pipelines_dir": str(self.folder / "pipelines"),
            "destination": dlt.destinations.duckdb(str(self.folder / "warehouse.duckdb")),
            "dataset_name": "jibble",
            **options,
        }
        return dlt.pipeline(name, **given)

    def load(self, *sets: str, pipeline: Any = None, run: Any = None, **options: Any) -> Any:
        """Load some sets, or all of them, and let a night pass."""
        from jibble_async.integrations.dlt import jibble_source

        source = jibble_source(**{"connect": self.connect, **options})
        if sets:
            source = source.with_resources(*sets, "jibble_loads")
        self.box.ledger.requests.clear()
        pipeline = pipeline or self.pipeline()
        # What changed just before comes once more the next time.
        self.now += timedelta(hours=1)
        info = pipeline.run(source, **(run or {}))
        info.raise_on_failed_jobs()
        self.now += timedelta(hours=22, minutes=58)
        return pipeline

    @contextlib.contextmanager
    def warehouse(self, dataset: str = "jibble", **options: Any) -> Generator[Any]:
        """The warehouse itself."""
        with duckdb.connect(str(self.folder / "warehouse.duckdb"), **options) as database:
            database.execute(f"SET TimeZone = 'UTC'; SET schema = '{dataset}'")
            yield database

    def query(self, text: str, dataset: str = "jibble") -> list[Row]:
        """What the warehouse answers."""
        with self.warehouse(dataset, read_only=True) as database:
            found: list[Row] = database.sql(text).to_arrow_table().to_pylist()
            return found

    def loads(self) -> dict[str, Row]:
        """What is known of the last load of each set."""
        return {row["set"]: row for row in self.query("FROM jibble_loads ORDER BY _dlt_load_id")}

    def require_equal(self, *sets: str, include_archived: bool = True) -> None:
        """Refuse a table that is not the set, in every column."""
        types = self.query(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE schema_name = 'jibble' AND column_name <> '_jibble_deleted'"
        )
        for what in sets:
            kinds = {
                row["column_name"]: row["data_type"] for row in types if row["table_name"] == what
            }
            rows = self.query(f"FROM {what} ORDER BY id")
            ledger = self.box.ledger.rows(WIRE[what], include_archived=include_archived)
            meant = [
                {name: _as(kind, row.get(name)) for name, kind in kinds.items()}
                for row in sorted(map(flat, ledger), key=lambda row: str(row["id"]))
            ]
            had = [{name: _as(kind, row[name]) for name, kind in kinds.items()} for row in rows]
            assert had == meant, what

    def day(self) -> None:
        """What people do by day."""
        for _ in range(self.chance.randrange(3, 9)):
            self.change()
        people = self.box.dataset.rows("People")
        self.box.dataset.update(
            "People",
            str(self.chance.choice(people)["id"]),
            {"phoneNumber": str(self.chance.random()), "updatedAt": self.stamp()},
        )

    def change(self, _: Any = None) -> None:
        # Past the dataset's own bookkeeping of who clocked in when, which sees no deletions.
        entries = self.box.dataset.table("TimeEntries")
        row = self.chance.choice(entries.rows)
        values: Row = {}
        match self.chance.randrange(6):
            case 0:
                values = {"note": f"note {self.chance.random()}"}
            case 1:
                values = {"belongsToDate": f"2026-07-{self.chance.randrange(6, 9):02}"}
            case 2:
                values = {"status": "Archived"}
            case 3:
                values = {"status": "Active"}
            case 4:
                entries.remove(row)
                return
            case _:
                key = str(uuid.UUID(int=self.chance.getrandbits(128), version=4))
                entries.add({**row, "id": key, "updatedAt": self.stamp()})
                return
        entries.change(row, {**values, "updatedAt": self.stamp()})

    def edit(self, place: int, **values: Any) -> str:
        """Change an entry, as somebody would in the app."""
        # Past what follows for other rows, of which no stamp tells.
        entries = self.box.dataset.table("TimeEntries")
        row = entries.rows[place]
        entries.change(row, {**values, "updatedAt": self.stamp()})
        return str(row["id"])

    def stamp(self) -> str:
        return f"{self.now:%Y-%m-%dT%H:%M:%S.%f}7Z"


def flat(row: Row) -> Row:
    """A row as dlt would flatten it, with the names that it would give."""

    def parts(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict):
            for name, part in value.items():
                yield from parts(f"{prefix}__{name}" if prefix else name, part)
        else:
            yield NAMING.normalize_path(prefix), value

    return dict(parts("", row))


def _as(kind: str, value: Any) -> Any:
    """A value of the wire or of the warehouse, as it is compared."""
    if value is None:
        return None
    if kind == "JSON":
        return _known(json.loads(value) if isinstance(value, str) else value)
    if not isinstance(value, str):
        return value
    if kind == "DATE":
        return date.fromisoformat(value[:10])
    if kind == "TIMESTAMP WITH TIME ZONE":
        return datetime.fromisoformat(value)
    if kind == "TIMESTAMP":
        return datetime.fromisoformat(value).replace(tzinfo=None)
    return value


def _known(value: Any) -> Any:
    """JSON without what is null."""
    if isinstance(value, dict):
        return {name: _known(part) for name, part in value.items() if part is not None}
    return [_known(each) for each in value] if isinstance(value, list) else value


@pytest.fixture
def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """A company, and dlt without a word to anybody."""
    quiet(monkeypatch, tmp_path)
    with Company.founded(tmp_path) as found:
        yield found


def quiet(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have dlt tell nobody, and keep nothing outside a folder."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("DLT_DATA_DIR", str(folder / "data"))
    monkeypatch.chdir(folder)
