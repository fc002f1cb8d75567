from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from jibble_async import (
    ClientConfig,
    ConfigurationError,
    DecodeError,
    JibbleClient,
    PaginationError,
    Unlimited,
)
from jibble_async.config import endpoints_from
from jibble_async.export import batches as module
from jibble_async.export.batches import BatchesReport, record_batches
from jibble_async.export.proof.verdicts import Outcome
from jibble_async.sandbox import Fault, Sandbox
from tests.support.clients import HeldTime
from tests.support.served import served

pa = pytest.importorskip("pyarrow", reason="the extra parquet is not installed")

Connect = Callable[[], Any]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with served(people=6, since=date(2026, 7, 6), until=date(2026, 7, 19), seed=3) as running:
        yield running


@pytest.fixture
def connect(box: Sandbox) -> Connect:
    @contextlib.asynccontextmanager
    async def client() -> AsyncIterator[JibbleClient]:
        environment = box.environment()
        config = ClientConfig(
            endpoints=endpoints_from(environment), page_size=40, clock=HeldTime().clock
        )
        async with JibbleClient.from_env(environment, config=config, limiter=Unlimited()) as jibble:
            yield jibble

    return client


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = module.begin
    monkeypatch.setattr(module, "begin", lambda client, extent: begin(client, extent, rows=100))


def readers() -> list[str]:
    """Threads that read; the sandbox has one of its own."""
    return [each.name for each in threading.enumerate() if each.name == "jibble-ahead"][1:]


@pytest.mark.parametrize("concurrency", [1, 4])
def test_rows_equal_the_ledger(box: Sandbox, connect: Connect, concurrency: int) -> None:
    reports: list[BatchesReport] = []
    reader = record_batches(
        connect,
        "time_entries",
        rows_per_batch=90,
        concurrency=concurrency,
        on_report=reports.append,
    )
    assert isinstance(reader, pa.RecordBatchReader)
    batches = list(reader)
    expected = {str(row["id"]): row for row in box.ledger.rows("TimeEntries")}
    rows = {row["id"]: row for batch in batches for row in batch.to_pylist()}
    assert rows.keys() == expected.keys()
    assert all(rows[key]["note"] == row["note"] for key, row in expected.items())
    sizes = [batch.num_rows for batch in batches]
    assert set(sizes[:-1]) == {90}
    assert sum(sizes) == len(expected)
    (report,) = reports
    assert report.verdict.outcome is Outcome.PROVED
    assert (report.rows, report.changed.num_rows, report.gone) == (len(expected), 0, [])
    assert report.changed.schema == reader.schema
    assert readers() == []


def test_columns_and_days(box: Sandbox, connect: Connect) -> None:
    day = date(2026, 7, 8)
    reader = record_batches(
        connect, "time_entries", since=day, until=day, columns=["belongsToDate", "id"]
    )
    table = reader.read_all()
    assert table.schema.names == ["belongsToDate", "id"]
    assert set(table.column(0).to_pylist()) == {day}
    ledger = box.ledger.rows("TimeEntries", since=day, until=day)
    assert sorted(table.column(1).to_pylist()) == sorted(str(row["id"]) for row in ledger)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"what": "people", "since": date(2026, 7, 1)}, ConfigurationError),
        ({"what": "nothing"}, ConfigurationError),
        ({"what": "people", "columns": ["fullNam"]}, ConfigurationError),
        ({"what": "people", "columns": ["pinCode"]}, ConfigurationError),
        ({"what": "people", "concurrency": 0}, ConfigurationError),
        ({"what": "people", "rows_per_batch": 0}, ConfigurationError),
        ({"what": "people", "rows_per_batch": 1.5}, ConfigurationError),
    ],
)
def test_what_can_not_be_asked_is_said_at_once(
    box: Sandbox, connect: Connect, arguments: dict[str, Any], error: type[Exception]
) -> None:
    what = arguments.pop("what")
    with pytest.raises(error):
        record_batches(connect, what, **arguments)
    assert box.ledger.requests == []
    assert readers() == []


def test_a_client_that_can_not_be_made_is_said_at_once() -> None:
    def connect() -> Any:
        return JibbleClient.from_env({})

    with pytest.raises(ConfigurationError):
        record_batches(connect, "people")


def test_a_reader_that_is_dropped_ends_its_thread(box: Sandbox, connect: Connect) -> None:
    reader = record_batches(connect, "time_entries", rows_per_batch=10)
    reader.read_next_batch()
    assert readers()
    del reader
    gc.collect()
    assert readers() == []


def test_a_reader_that_nobody_reads_asks_for_a_few_pages_only(
    box: Sandbox, connect: Connect
) -> None:
    reader = record_batches(connect, "time_entries", rows_per_batch=40, concurrency=1)
    for _ in range(3):
        reader.read_next_batch()
    asked = [each.target for each in box.ledger.select(path="TimeEntries")]
    pages = sum(target.endswith("top=40") for target in asked)
    # Three are read, two wait, one is on its way, and pages overlap: that makes no more than seven.
    assert pages <= 7
    del reader


def test_errors_come_out_as_they_are(box: Sandbox, connect: Connect) -> None:
    reader = record_batches(connect, "time_entries", rows_per_batch=40)
    reader.read_next_batch()
    box.faults.add(Fault("status", status=400, path="TimeEntries", times=1000))
    for _ in range(2):
        with pytest.raises(Exception, match="400") as caught:
            reader.read_all()
        assert type(caught.value).__name__ == "BadRequestError"
    assert readers() == []


def test_a_bad_row_is_named(box: Sandbox, connect: Connect) -> None:
    row = box.dataset.rows("People")[2]
    row["createdAt"] = {"never": True}
    with pytest.raises(DecodeError, match=str(row["id"])):
        record_batches(connect, "people").read_all()


def changed_on_page(box: Sandbox, nth: int, *changes: tuple[str, dict[str, Any]]) -> None:
    """Have rows change before a page of entries is answered."""

    def change(_: Any) -> None:
        for key, values in changes:
            stamp = {"updatedAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z"}
            box.dataset.update("TimeEntries", key, {**values, **stamp})

    box.faults.add(Fault("mutate", path="TimeEntries", change=change, nth=nth, times=1))


def test_what_changed_meanwhile_is_in_the_report(box: Sandbox, connect: Connect) -> None:
    ordered = sorted(box.ledger.rows("TimeEntries"), key=lambda row: str(row["belongsToDate"]))
    first, second, last = (str(ordered[place]["id"]) for place in (0, 1, -1))
    # Once the first window was read, and before the last one is.
    changed_on_page(
        box,
        18,
        (first, {"note": "another"}),
        (second, {"status": "Archived"}),
        (last, {"belongsToDate": "2026-07-06"}),
    )
    reports: list[BatchesReport] = []
    reader = record_batches(
        connect, "time_entries", concurrency=1, rows_per_batch=50, on_report=reports.append
    )
    given = reader.read_all().to_pylist()
    (report,) = reports
    changed = {row["id"]: row for row in report.changed.to_pylist()}
    assert report.verdict.outcome is Outcome.PROVED
    assert report.gone == [second]
    assert changed[first]["note"] == "another"
    # It moved to days that were read before, and so came last of all.
    assert [row["id"] for row in given].count(last) == 1
    assert (given[-1]["id"], last in changed) == (last, False)
    merged = {row["id"]: row for row in given if row["id"] not in report.gone} | changed
    ledger = {str(row["id"]): row for row in box.ledger.rows("TimeEntries")}
    assert merged.keys() == ledger.keys()
    for key, row in merged.items():
        assert (row["note"], str(row["belongsToDate"])) == (
            ledger[key]["note"],
            ledger[key]["belongsToDate"],
        )


def test_rows_that_can_not_be_proved_are_an_error_or_a_report(
    box: Sandbox, connect: Connect
) -> None:
    box.faults.add(Fault("wrong_count", path="TimeEntries", by=3, times=None))
    reports: list[BatchesReport] = []
    reader = record_batches(connect, "time_entries", on_report=reports.append)
    assert len(reader.read_all()) == len(box.ledger.rows("TimeEntries"))
    assert reports[0].verdict.outcome is Outcome.NOT_PROVED
    with pytest.raises(PaginationError, match="on_report="):
        record_batches(connect, "time_entries").read_all()


def test_a_set_that_says_nothing_of_changes_is_read_twice(box: Sandbox, connect: Connect) -> None:
    reports: list[BatchesReport] = []
    table = record_batches(connect, "time_off", on_report=reports.append).read_all()
    (report,) = reports
    assert (len(table), report.changed.num_rows, report.gone) == (report.rows, 0, [])
    assert report.verdict.outcome is Outcome.PROVED
