"""Queries of Polars: what they ask the server for, and that they see the rows of the ledger."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from jibble_async import ConfigurationError, JibbleClient, MissingExtraError, Unlimited
from jibble_async.integrations import polars as module
from jibble_async.integrations.polars import scan
from jibble_async.sandbox import Fault, Sandbox
from tests.support.served import served

pl = pytest.importorskip("polars", reason="polars is not installed")

MONDAY, SUNDAY = date(2026, 7, 6), date(2026, 7, 19)
DAY = "belongsToDate"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with served(people=5, since=MONDAY, until=SUNDAY, seed=3) as running:
        yield running


@pytest.fixture
def connect(box: Sandbox) -> Callable[[], JibbleClient]:
    return functools.partial(JibbleClient.from_env, box.environment(), limiter=Unlimited())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was asked of `record_batches`, reading by reading."""
    seen: list[dict[str, Any]] = []
    real = module.record_batches

    def note(connect: Any, what: Any, **options: Any) -> Any:
        seen.append(options)
        return real(connect, what, **options)

    monkeypatch.setattr(module, "record_batches", note)
    return seen


def days(condition: Any, since: date | None = None, until: date | None = None) -> Any:
    return module._narrowed(condition, DAY, since, until)


column = pl.col(DAY)
D = date(2026, 7, 10)
BEFORE, AFTER = D - timedelta(1), D + timedelta(1)


@pytest.mark.parametrize(
    ("condition", "span"),
    [
        (column >= D, (D, None)),
        (column > D, (AFTER, None)),
        (column <= D, (None, D)),
        (column < D, (None, BEFORE)),
        (column == D, (D, D)),
        (pl.lit(D) < column, (AFTER, None)),
        (column.is_between(BEFORE, D), (BEFORE, D)),
        # The ends are the query's, and Polars leaves them out.
        (column.is_between(BEFORE, D, closed="none"), (BEFORE, D)),
        ((column >= BEFORE) & (pl.col("type") == "In") & (column < AFTER), (BEFORE, D)),
        ((column >= BEFORE) & (column >= D), (D, None)),
        # What is not one of these narrows nothing.
        (column != D, (None, None)),
        (~(column >= D), (None, None)),
        ((column >= D) | (pl.col("type") == "In"), (None, None)),
        (pl.col("updatedAt") >= D, (None, None)),
        (column >= datetime(2026, 7, 10, 12, tzinfo=UTC), (None, None)),
        (column.dt.month() == 7, (None, None)),
        (column.is_null(), (None, None)),
        (column >= pl.lit(None, dtype=pl.Date), (None, None)),
        (pl.col("note") == f'[(col("{DAY}")) >= (2030-01-01)]', (None, None)),
        (column > date.max, (None, None)),
    ],
    ids=str,
)
def test_what_a_condition_says_of_days(condition: Any, span: Any) -> None:
    # Rows are of the days told of, or do not meet the condition.
    assert days(condition) == span


def test_days_are_narrowed_within_those_of_the_frame() -> None:
    assert days(column >= BEFORE, D, AFTER) == (D, AFTER)
    assert days(column <= D, BEFORE, AFTER) == (BEFORE, D)
    assert days(column == AFTER, None, D) == (AFTER, D)


def test_a_condition_that_polars_tells_otherwise_narrows_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for told in ("[1]", "null", "{", '{"BinaryExpr": {"left": 1, "op": {}, "right": []}}'):
        monkeypatch.setattr(type((column >= D).meta), "serialize", lambda *_, told=told, **__: told)
        assert days(column >= D, BEFORE) == (BEFORE, None)


@pytest.mark.real_time
def test_a_query_reads_the_days_and_columns_it_needs(
    box: Sandbox, connect: Any, asked: list[dict[str, Any]]
) -> None:
    entries = scan(connect, "time_entries")
    query = entries.filter(column >= D, pl.col("type") == "In").select("id", "note")
    frame = query.collect()
    expected = [row for row in box.ledger.rows("TimeEntries", since=D) if row["type"] == "In"]
    assert dict(frame.iter_rows()) == {row["id"]: row["note"] for row in expected}
    (options,) = asked
    assert (options["since"], options["until"]) == (D, None)
    assert set(options["columns"]) == {"id", "note", DAY, "type"}
    lists = [each for each in box.ledger.requests if "/TimeEntries" in str(each.target)]
    assert all("2026-07-10" in str(each.target) for each in lists[:2])


@pytest.mark.real_time
def test_a_frame_that_a_query_has_twice_is_read_twice(
    box: Sandbox, connect: Any, asked: list[dict[str, Any]]
) -> None:
    people = scan(connect, "people", include_archived=True)
    assert people.select(pl.len()).collect().item() == len(box.ledger.rows("People"))
    frame = people.head(3).collect()
    assert (frame.height, frame.schema) == (3, people.collect_schema())
    assert len(asked) == 2
    both = people.select("id", "groupId").join(people.select("id", "fullName"), on="id")
    assert both.collect().height == len(box.ledger.rows("People"))
    assert len(asked) == 4


@pytest.mark.real_time
def test_what_can_be_on_no_day_asks_for_nothing(connect: Any, asked: list[dict[str, Any]]) -> None:
    entries = scan(connect, "time_entries", until=SUNDAY)
    frame = entries.filter(column > SUNDAY).collect()
    assert (frame.height, frame.schema, asked) == (0, entries.collect_schema(), [])


@pytest.mark.real_time
def test_errors_are_ours(box: Sandbox, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="nothing called 'persons'"):
        scan(connect, "persons")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="since= and until= are for"):
        scan(connect, "people", since=MONDAY)
    people = scan(connect, "people")
    box.faults.add(Fault("denied_403", path="People", times=None))
    with pytest.raises(Exception, match="403"):
        people.collect()
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(MissingExtraError, match="pip install polars"):
        scan(connect, "people")
