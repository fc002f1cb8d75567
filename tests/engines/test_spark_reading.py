"""What tasks are planned and read, without a cluster: as a worker of Spark would."""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from jibble_async import ConfigurationError, MissingExtraError, PaginationError
from jibble_async.errors import BadRequestError
from jibble_async.export import record_batches
from jibble_async.limits.adaptive.redis import RedisAdaptive
from jibble_async.limits.adaptive.sqlite import SharedAdaptive
from jibble_async.limits.windows.redis import RedisWindow
from jibble_async.limits.windows.sqlite import SharedWindow
from jibble_async.sandbox import Fault, Sandbox
from tests.limits.redis_server import RedisServer
from tests.support.canaries import found, local_variables, shown
from tests.support.patience import PATIENCE
from tests.support.programs import engine, program
from tests.support.served import served

engine("pyspark.sql.datasource", "spark")

import pyarrow as pa  # noqa: E402
from pyspark.sql.datasource import (  # noqa: E402
    EqualTo,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    InputPartition,
    IsNotNull,
    LessThan,
    LessThanOrEqual,
    Not,
)
from pyspark.sql.pandas.types import to_arrow_schema  # noqa: E402
from pyspark.sql.streaming.datasource import ReadAllAvailable  # noqa: E402
from pyspark.sql.types import (  # noqa: E402
    LongType,
    StringType,
    StructField,
    StructType,
)

from jibble_async import JibbleClient  # noqa: E402
from jibble_async.integrations.spark import pacing  # noqa: E402
from jibble_async.integrations.spark import tasks as tasks_module  # noqa: E402
from jibble_async.integrations.spark.credentials import environment_of, quota_name  # noqa: E402
from jibble_async.integrations.spark.options import Asked, asked_for  # noqa: E402
from jibble_async.integrations.spark.planning import groups  # noqa: E402
from jibble_async.integrations.spark.process import this_process  # noqa: E402
from tests.engines.spark_reading import (  # noqa: E402
    credentials,
    handed,
    loaded,
    planned,
    source,
)

ENTRIES = {"set": "time_entries"}


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with served(people=6, since=date(2026, 7, 6), until=date(2026, 7, 19), seed=3) as running:
        yield running


@pytest.fixture
def login(box: Sandbox, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The options that say where the sandbox is."""
    yield {"credentials": credentials(tmp_path / "jibble.env", box.environment())}
    this_process().close()


@pytest.fixture
def windows(login: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Those of a load by several tasks."""
    pace = {"limiter": str(tmp_path / "pace"), "rows_per_window": "100", "page_size": "40"}
    return {**login, **pace, "concurrency": "2"}


def test_rows_equal_the_source_in_every_column(
    box: Sandbox, login: dict[str, str], windows: dict[str, str]
) -> None:
    reader = record_batches(lambda: JibbleClient.from_env(box.environment()), "time_entries")
    expected = reader.read_all().sort_by("id")
    for options in (login, windows):
        table = loaded(**ENTRIES, **options).sort_by("id")
        assert table.to_pylist() == expected.to_pylist()
        assert table.schema.names == expected.schema.names
    assert expected.num_rows == len(box.ledger.rows("TimeEntries"))


def test_every_batch_is_of_the_schema_that_spark_takes(windows: dict[str, str]) -> None:
    reader, partitions = planned(**ENTRIES, **windows, rows_per_batch=30)
    wanted = to_arrow_schema(source(**ENTRIES).schema(), timezone="UTC")
    batches = [batch for each in partitions for batch in reader.read(each)]
    assert {batch.schema.equals(wanted) for batch in batches} == {True}
    assert max(batch.num_rows for batch in batches) == 30


@pytest.mark.parametrize("name", ["people", "projects", "timesheets", "hour_entries", "calendars"])
def test_every_set_has_a_schema_that_spark_takes(name: str) -> None:
    days = {"since": "2026-07-01", "until": "2026-07-02"} if name == "timesheets" else {}
    schema = source(set=name, **days).schema()
    assert len(schema.fields) > 3
    from jibble_async.integrations.spark.columns import arrow_schema

    asked = asked_for({"set": name, **days})
    assert arrow_schema(asked).equals(to_arrow_schema(schema, timezone="UTC"))


def test_equal_counts_give_equal_tasks(windows: dict[str, str]) -> None:
    (_, first), (_, second) = planned(**ENTRIES, **windows), planned(**ENTRIES, **windows)
    assert [each.value for each in first] == [each.value for each in second]
    assert len(first) > 1


def test_without_a_shared_quota_one_task_reads_all_and_the_driver_asks_nothing(
    box: Sandbox, login: dict[str, str]
) -> None:
    _, partitions = planned(**ENTRIES, **login, rows_per_window=100)
    assert len(partitions) == 1
    assert box.ledger.requests == []


def test_a_client_is_kept_from_task_to_task(box: Sandbox, windows: dict[str, str]) -> None:
    loaded(**ENTRIES, **windows)
    loaded(**ENTRIES, **windows)
    assert len(box.ledger.select(service="identity")) == 1
    # Another one is closed when it is not wanted any more, as when a key is changed.
    credentials(Path(windows["credentials"]), box.environment(), CHANGED="1")
    loaded(**ENTRIES, **windows)
    assert len(box.ledger.select(service="identity")) == 2
    assert len(this_process()._kept) == 1


def test_columns_and_batches(login: dict[str, str]) -> None:
    table = loaded(**ENTRIES, **login, columns="belongsToDate, coordinates.latitude,id")
    assert table.schema.names == ["belongsToDate", "coordinates", "id"]
    assert table.schema.field("coordinates").type.num_fields == 1


def test_what_opens_a_kiosk_is_not_given() -> None:
    assert not {"pinCode", "nfcToken"} & set(source(set="people").schema().names)
    with pytest.raises(ConfigurationError, match="'pinCode' opens a kiosk, and is not given"):
        source(set="people", columns="id,pinCode").schema()


def test_without_spark_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in sys.modules if name.startswith("jibble_async.integrations.spark")
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyspark.sql.datasource", None)
    with pytest.raises(MissingExtraError, match=r'pip install "jibble-async\[spark\]"'):
        importlib.import_module("jibble_async.integrations.spark")


def test_a_schema_of_ones_own(login: dict[str, str]) -> None:
    asked = source(**ENTRIES, **login)
    schema = StructType([StructField("note", StringType()), StructField("id", StringType())])
    reader = asked.reader(schema)
    batches = list(reader.read(reader.partitions()[0]))
    assert {batch.schema.names == ["note", "id"] for batch in batches} == {True}
    assert reader.partitions()
    bad: list[tuple[StructField, str]] = [
        (StructField("notes", StringType()), "no column 'notes': did you mean note"),
        (StructField("note", LongType()), "'note' is string, not bigint"),
        (StructField("note", StringType(), nullable=False), "leave out NOT NULL"),
    ]
    for field, words in bad:
        with pytest.raises(ConfigurationError, match=words):
            asked.reader(StructType([field]))
    with pytest.raises(ConfigurationError, match="a column twice"):
        asked.reader(StructType([bad[0][0], bad[0][0]]))


def test_a_schema_of_no_column_counts_rows(box: Sandbox, login: dict[str, str]) -> None:
    reader = source(**ENTRIES, **login).reader(StructType([]))
    batches = list(reader.read(reader.partitions()[0]))
    assert {batch.num_columns for batch in batches} == {0}
    assert sum(batch.num_rows for batch in batches) == len(box.ledger.rows("TimeEntries"))


def test_an_empty_company(tmp_path: Path) -> None:
    with served(people=1, since=date(2026, 7, 6), until=date(2026, 7, 6)) as box:
        for row in list(box.dataset.rows("TimeEntries")):
            box.dataset.remove("TimeEntries", row["id"])
        login = {"credentials": credentials(tmp_path / "jibble.env", box.environment())}
        try:
            table = loaded(**ENTRIES, **login)
            shared = loaded(**ENTRIES, **login, limiter=tmp_path / "pace")
        finally:
            this_process().close()
    assert table.num_rows == shared.num_rows == 0


def test_nothing_to_read_is_no_task_of_none() -> None:
    task = tasks_module.Task(asked=Asked(set="people"), pieces=())
    reader = source(set="people").reader(source(set="people").schema())
    assert list(reader.read(InputPartition(tasks_module.text_of(task)))) == []


def test_another_version_of_this_package_is_refused() -> None:
    task = tasks_module.Task(asked=Asked(set="people"), pieces=(), library="0.0.1")
    text = tasks_module.text_of(task).replace('"pieces"', '"parts"')
    with pytest.raises(ConfigurationError, match=r"the driver has jibble-async 0\.0\.1"):
        tasks_module.task_of(text)


def test_what_is_not_whole_fails(
    box: Sandbox, login: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    box.faults.add(Fault("wrong_count", path="TimeEntries", by=1, times=None))
    with pytest.raises(PaginationError, match="rows may be missing"):
        loaded(**ENTRIES, **login)


def test_errors_come_out_as_they_are(box: Sandbox, windows: dict[str, str]) -> None:
    reader, partitions = planned(**ENTRIES, **windows)
    box.faults.add(Fault("status", status=400, path="TimeEntries", times=1000))
    with pytest.raises(BadRequestError):
        list(reader.read(partitions[0]))


def test_who_reads_no_more_ends_the_reading(box: Sandbox, login: dict[str, str]) -> None:
    reader, partitions = planned(**ENTRIES, **login, page_size=40, rows_per_batch=10)
    reading = reader.read(partitions[0])
    next(reading)
    reading.close()
    asked = len(box.ledger.requests)
    tasks = this_process().loop.start(_tasks).result(PATIENCE)
    assert tasks == 0
    assert len(box.ledger.requests) == asked
    # The client is there for the next task.
    assert len(loaded(**ENTRIES, **login)) == len(box.ledger.rows("TimeEntries"))
    assert len(box.ledger.select(service="identity")) == 1


async def _tasks() -> int:
    return sum("_read" in repr(each.get_coro()) for each in asyncio.all_tasks())


def test_several_accounts(tmp_path: Path, box: Sandbox) -> None:
    folder = tmp_path / "accounts"
    folder.mkdir()
    with served(people=4, since=date(2026, 7, 6), until=date(2026, 7, 12), seed=4) as other:
        credentials(folder / "acme.env", box.environment())
        credentials(folder / "globex.env", other.environment())
        options = {**ENTRIES, "credentials": folder, "accounts": "*"}
        try:
            table = loaded(**options)
            _, partitions = planned(**options, concurrency=1)
            marks = loaded(**options, mode="mark").to_pylist()
        finally:
            this_process().close()
        expected = {"acme": box, "globex": other}
        for account, each in expected.items():
            ids = table.filter(pa.compute.equal(table["account"], account))["id"].to_pylist()
            assert sorted(ids) == sorted(str(row["id"]) for row in each.ledger.rows("TimeEntries"))
    assert len(partitions) == 2
    assert {each["account"] for each in marks} == {"acme", "globex"}
    with pytest.raises(ConfigurationError, match=r"holds no file NAME\.env"):
        planned(**{**options, "credentials": tmp_path})


def test_changes_since_a_mark(box: Sandbox, login: dict[str, str]) -> None:
    (mark,) = loaded(**ENTRIES, **login, mode="mark")["mark"].to_pylist()
    changes = {**ENTRIES, **login, "mode": "changes", "mark": mark}
    assert loaded(**changes).num_rows == 0
    changed, archived = box.ledger.rows("TimeEntries")[:2]
    _change(box, str(changed["id"]), note="new")
    _change(box, str(archived["id"]), status="Archived")
    rows = {row["id"]: row for row in loaded(**changes).to_pylist()}
    assert {key: (row["note"], row["inScope"]) for key, row in rows.items()} == {
        str(changed["id"]): ("new", True),
        str(archived["id"]): (archived["note"], False),
    }


def _change(box: Sandbox, key: str, **fields: Any) -> None:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    box.dataset.update("TimeEntries", key, {**fields, "updatedAt": now})


@pytest.mark.parametrize(
    ("filters", "since", "until"),
    [
        ([], None, None),
        ([GreaterThanOrEqual(("belongsToDate",), date(2026, 7, 8))], date(2026, 7, 8), None),
        ([GreaterThan(("belongsToDate",), date(2026, 7, 8))], date(2026, 7, 9), None),
        ([LessThanOrEqual(("belongsToDate",), date(2026, 7, 8))], None, date(2026, 7, 8)),
        ([LessThan(("belongsToDate",), date(2026, 7, 8))], None, date(2026, 7, 7)),
        ([LessThan(("belongsToDate",), date.min)], None, None),
        ([GreaterThan(("belongsToDate",), date.max)], None, None),
        ([EqualTo(("belongsToDate",), date(2026, 7, 8))], date(2026, 7, 8), date(2026, 7, 8)),
        (
            [In(("belongsToDate",), (date(2026, 7, 9), date(2026, 7, 8)))],
            date(2026, 7, 8),
            date(2026, 7, 9),
        ),
        ([In(("belongsToDate",), (date(2026, 7, 9), None))], None, None),
        ([In(("belongsToDate",), ())], None, None),
        ([IsNotNull(("belongsToDate",))], None, None),
        ([Not(EqualTo(("belongsToDate",), date(2026, 7, 8)))], None, None),
        ([EqualTo(("personId",), "a")], None, None),
    ],
)
def test_conditions_on_the_day_are_bounds(
    filters: list[Any], since: date | None, until: date | None
) -> None:
    asked = source(**ENTRIES, narrow=True)
    reader = asked.reader(asked.schema())
    assert reader.pushFilters(filters) is filters
    (partition,) = handed(reader).partitions()
    narrowed = tasks_module.task_of(partition.value).asked
    assert (narrowed.since, narrowed.until) == (since, until)


def test_conditions_narrow_what_was_asked_for_and_may_leave_nothing() -> None:
    asked = source(**ENTRIES, narrow=True, since="2026-07-05", until="2026-07-10")
    reader: Any = asked.reader(asked.schema())
    reader.pushFilters([GreaterThanOrEqual(("belongsToDate",), date(2026, 7, 1))])
    (partition,) = reader.partitions()
    narrowed = tasks_module.task_of(partition.value).asked
    assert (narrowed.since, narrowed.until) == (date(2026, 7, 5), date(2026, 7, 10))
    reader.pushFilters([GreaterThanOrEqual(("belongsToDate",), date(2026, 8, 1))])
    (partition,) = reader.partitions()
    assert list(reader.read(partition)) == []
    # Spark refuses a source that could push where it is not to.
    plain = source(**ENTRIES)
    assert type(plain.reader(plain.schema())).__mro__[1].__name__ == "DataSourceReader"


def test_sets_without_days_are_not_narrowed() -> None:
    asked = source(set="people", narrow=True)
    reader: Any = asked.reader(asked.schema())
    reader.pushFilters([EqualTo(("belongsToDate",), date(2026, 7, 1))])
    (partition,) = reader.partitions()
    assert tasks_module.task_of(partition.value).asked.since is None


def test_groups_are_few_and_even() -> None:
    assert groups([], 4) == []
    assert groups([1, 2, 3, 4, 5], 4) == [[1, 2], [3, 4, 5]]
    for count in range(1, 40):
        made = groups(range(count), 4)
        assert [each for some in made for each in some] == list(range(count))
        assert len(made) == -(-count // 4)
        assert max(map(len, made)) - min(map(len, made)) <= 1


def test_a_limiter_by_the_options(tmp_path: Path) -> None:
    environment = {"JIBBLE_CLIENT_ID": "id", "JIBBLE_CLIENT_SECRET": "canary"}

    def made(**options: str) -> Any:
        return pacing.shared_limiter(
            asked_for({**ENTRIES, **options}), environment, "time-tracking"
        )

    known = {"limit": "10", "per": "2", "workers": "3"}
    url = "redis://cache:6379/0"
    assert made() is None
    assert isinstance(made(limiter=url), RedisAdaptive)
    window = made(limiter=url, **known)
    assert isinstance(window, RedisWindow)
    assert (window.limit, window.per, window.workers) == (10, 2.0, 3)
    folder = made(limiter=str(tmp_path))
    assert isinstance(folder, SharedAdaptive)
    # One for each account and service.
    assert folder.path == tmp_path / f"{quota_name(environment, 'time-tracking')}.db"
    assert quota_name(environment, "workspace") != quota_name(environment, "time-tracking")
    assert isinstance(made(limiter=str(tmp_path), limit="10", per="2"), SharedWindow)
    with pytest.raises(ConfigurationError, match="needs JIBBLE_REDIS_URL"):
        made(limiter="redis")
    environment["JIBBLE_REDIS_URL"] = "redis://:canary@cache:6379/0"
    assert "canary" not in repr(made(limiter="redis"))
    assert "canary" not in quota_name({"JIBBLE_TOKEN": "canary"}, "workspace")


@pytest.mark.real_time
def test_a_redis_has_to_be_reached_from_everywhere(login: dict[str, str], tmp_path: Path) -> None:
    shared = {**ENTRIES, **login, "limiter": f"unix://{tmp_path}/redis.sock"}
    with pytest.raises(ConfigurationError, match="can't be reached from") as caught:
        planned(**shared)
    seen = (shown(caught.value), local_variables(caught.value))
    assert found(("sandbox-client-secret",), *seen) == []
    server = RedisServer(program("redis-server"), tmp_path)
    server.start()
    try:
        reader, partitions = planned(**shared, rows_per_window=100)
        assert len(partitions) > 1
        rows = sum(batch.num_rows for each in partitions for batch in reader.read(each))
        this_process().close()
    finally:
        server.kill()
    # An executor that does not reach it, of a driver that does.
    with pytest.raises(ConfigurationError, match="can't be reached from"):
        list(reader.read(partitions[0]))
    assert rows == loaded(**ENTRIES, **login).num_rows


def test_a_folder_is_of_one_machine(
    windows: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reader, partitions = planned(**ENTRIES, **windows)
    other = tmp_path / "boot_id"
    other.write_text("another machine\n")
    monkeypatch.setattr(pacing, "_BOOT", other)
    with pytest.raises(ConfigurationError, match="share it in Redis"):
        list(reader.read(partitions[0]))
    monkeypatch.undo()
    Path(windows["limiter"]).rename(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="another folder on this executor"):
        list(reader.read(partitions[0]))
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigurationError, match="can't be used as a folder"):
        planned(**{**ENTRIES, **windows, "limiter": file})


def test_a_file_of_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIBBLE_TOKEN", "of the process")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    path = tmp_path / "jibble.env"
    asked = Asked(set="people", credentials=str(path))
    credentials(path, {"# a comment": "", "JIBBLE_CLIENT_ID": '"key"', "export A": " b "})
    found = environment_of(asked, None)
    assert (found["JIBBLE_CLIENT_ID"], found["A"], found["HTTPS_PROXY"]) == (
        "key",
        "b",
        "http://proxy",
    )
    assert "JIBBLE_TOKEN" not in found
    assert environment_of(Asked(set="people"), None)["JIBBLE_TOKEN"] == "of the process"
    path.write_text("JIBBLE_CLIENT_ID=key\ncanary\n")
    with pytest.raises(ConfigurationError, match="line 2: NAME=value") as caught:
        environment_of(asked, None)
    assert "canary" not in str(caught.value)
    path.write_bytes(b"A=\xff")
    with pytest.raises(ConfigurationError, match="no text in UTF-8"):
        environment_of(asked, None)
    for mode in (0o640, 0o604, 0o620, 0o601):
        path.chmod(mode)
        with pytest.raises(ConfigurationError, match=f"mode {mode:o}.*chmod 600"):
            environment_of(asked, None)
    path.unlink()
    with pytest.raises(ConfigurationError, match="on every executor's"):
        environment_of(asked, None)
    with pytest.raises(ConfigurationError, match=r"b\.env can't be read"):
        environment_of(Asked(set="people", credentials=str(tmp_path), accounts=("b",)), "b")


def test_a_stream_gives_the_rows_and_then_what_changes(box: Sandbox, login: dict[str, str]) -> None:
    asked = source(**ENTRIES, **login, mode="changes", poll_every=0)

    def new_reader() -> Any:
        return handed(asked.streamReader(asked.schema()))

    reader, limit = new_reader(), ReadAllAvailable()
    start = reader.initialOffset()
    end = reader.latestOffset(start, limit)
    assert _rows(reader, start, end) == {
        str(row["id"]): True for row in box.ledger.rows("TimeEntries")
    }
    # Nothing changed: the offset stands still, and a batch of it is empty.
    assert reader.latestOffset(end, limit) == end
    assert reader.partitions(end, end) == []
    key = str(box.ledger.rows("TimeEntries")[0]["id"])
    _change(box, key, note="new")
    later = reader.latestOffset(end, limit)
    assert later != end
    # After a restart the same comes again.
    assert _rows(new_reader(), end, later) == {key: True}
    assert new_reader().latestOffset(later, limit) == later
    # It is seen that the same row changes once more.
    _change(box, key, status="Archived")
    last = new_reader().latestOffset(later, limit)
    assert _rows(reader, later, last) == {key: False}


def _rows(reader: Any, start: dict[str, Any], end: dict[str, Any]) -> dict[str, bool]:
    batches = [batch for each in reader.partitions(start, end) for batch in reader.read(each)]
    return {row["id"]: row["inScope"] for batch in batches for row in batch.to_pylist()}


def test_a_stream_looks_now_and_then_only(box: Sandbox, login: dict[str, str]) -> None:
    asked = source(**ENTRIES, **login, mode="changes", mark="2026-07-01T00:00:00Z")
    reader, limit = asked.streamReader(asked.schema()), ReadAllAvailable()
    start = reader.initialOffset()
    assert start == {"mark": "2026-07-01T00:00:00Z", "seen": ""}
    end = reader.latestOffset(start, limit)
    assert end != start
    asked_for_it = len(box.ledger.requests)
    assert reader.latestOffset(end, limit) == end
    assert len(box.ledger.requests) == asked_for_it


def test_a_stream_of_what_is_there_now_ends(box: Sandbox, login: dict[str, str]) -> None:
    asked = source(**ENTRIES, **login, mode="changes", poll_every=0)
    reader: Any = asked.streamReader(asked.schema())
    reader.prepareForTriggerAvailableNow()
    end = reader.latestOffset(reader.initialOffset(), ReadAllAvailable())
    _change(box, str(box.ledger.rows("TimeEntries")[0]["id"]), note="new")
    assert reader.latestOffset(end, ReadAllAvailable()) == end


def test_a_forked_process_has_a_loop_of_its_own(
    login: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(set="people", **login)
    before = this_process()
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: -1)
        with pytest.raises(ConfigurationError, match="of another process"):
            before.loop.start(_tasks)
        assert this_process() is not before
        this_process().close()
    before.close()
    before.close()
