"""What an export says where the server's count says too little, too much, or nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jibble_async import PaginationError
from jibble_async.export import Exporter, ExportReport, Outcome
from tests.support.clients import client_at
from tests.support.raw_server import Answer, Heard, RawServer, json_reply

ROWS = [{"id": f"{number:08}-0000-4000-8000-000000000000"} for number in range(25)]


@pytest.fixture
async def server() -> AsyncIterator[RawServer]:
    async with RawServer() as running:
        yield running


def served(cap: int | None, count: Any, *, links: bool = False, deaf: bool = False) -> Any:
    """A server of 25 rows; `count` is what it counts, or a function of the number of a request."""
    asked = 0

    def answer(heard: Heard) -> Answer:
        nonlocal asked
        asked += 1
        options = dict(each.split("=", 1) for each in heard.target.partition("?")[2].split("&"))
        skip, top = (0, 10) if deaf else (int(options["$skip"]), int(options["$top"]))
        rows = ROWS[skip : skip + min(top, cap or top)]
        body: dict[str, Any] = {"value": rows}
        counted = count(asked) if callable(count) else count
        if counted is not None:
            body["@odata.count"] = counted
        if links and skip + len(rows) < len(ROWS):
            body["@odata.nextLink"] = f"/v1/Groups?$skip={skip + len(rows)}"
        return json_reply(body)

    return answer


async def exported(
    server: RawServer, out: Path, concurrency: int, page_size: int = 1000
) -> ExportReport:
    async with client_at(server.url, page_size=page_size) as jibble:
        return await Exporter(jibble, "groups", out=out, concurrency=concurrency).run()


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("links", [False, True])
@pytest.mark.parametrize("cap", [2, 5, 7, None])
@pytest.mark.parametrize("count", ["10", 24])
async def test_a_count_that_is_capped_leaves_no_row_out_and_is_no_proof(
    server: RawServer, tmp_path: Path, count: Any, cap: int | None, links: bool, concurrency: int
) -> None:
    server.answer = served(cap, count, links=links)
    report = await exported(server, tmp_path / "all.jsonl", concurrency)
    assert lines(tmp_path / "all.jsonl") == ROWS
    assert (report.rows, report.outcome) == (25, Outcome.NOT_PROVED)
    assert f"counts {count} rows, and 25 are held" in report.reason


@pytest.mark.parametrize("count", [None, "many", -1, 1.5])
@pytest.mark.parametrize("cap", [5, 7, None])
async def test_without_a_count_the_end_is_an_empty_page(
    server: RawServer, tmp_path: Path, count: Any, cap: int | None
) -> None:
    server.answer = served(cap, count)
    report = await exported(server, tmp_path / "all.jsonl", 4)
    assert lines(tmp_path / "all.jsonl") == ROWS
    assert (report.rows, report.counted, report.outcome) == (25, None, Outcome.COMPLETE)


@pytest.mark.parametrize("count", [25, "25"])
@pytest.mark.parametrize("page_size", [5, 8, 25, 1000])
async def test_a_count_that_holds_is_proof(
    server: RawServer, tmp_path: Path, count: Any, page_size: int
) -> None:
    server.answer = served(None, count)
    report = await exported(server, tmp_path / "all.jsonl", 4, page_size)
    assert lines(tmp_path / "all.jsonl") == ROWS
    assert (report.rows, report.counted, report.outcome) == (25, 25, Outcome.PROVED)


@pytest.mark.parametrize("count", [40, "40"])
async def test_a_count_that_is_too_high_is_told(
    server: RawServer, tmp_path: Path, count: Any
) -> None:
    server.answer = served(7, count)
    report = await exported(server, tmp_path / "all.jsonl", 4)
    assert lines(tmp_path / "all.jsonl") == ROWS
    assert (report.counted, report.outcome) == (40, Outcome.NOT_PROVED)


@pytest.mark.parametrize("count", [None, 10, 25, 40])
async def test_a_set_that_ignores_where_to_begin_is_an_error(
    server: RawServer, tmp_path: Path, count: int | None
) -> None:
    server.answer = served(None, count, deaf=True)
    with pytest.raises(PaginationError):
        await exported(server, tmp_path / "all.jsonl", 4, 10)
    assert not (tmp_path / "all.jsonl").exists()


async def test_rows_that_come_twice_on_a_page_are_no_proof(
    server: RawServer, tmp_path: Path
) -> None:
    twice = [ROWS[0], *ROWS[:3], ROWS[2]]

    def answer(heard: Heard) -> Answer:
        skip = int(heard.target.partition("$skip=")[2].partition("&")[0])
        rows = [] if "updatedAt" in heard.target else twice
        return json_reply({"value": rows[skip:], "@odata.count": len(rows)})

    server.answer = answer
    report = await exported(server, tmp_path / "all.jsonl", 1)
    assert lines(tmp_path / "all.jsonl") == ROWS[:3]
    assert (report.rows, report.counted, report.outcome) == (3, 5, Outcome.NOT_PROVED)


async def test_a_count_that_is_another_once_is_asked_for_again(
    server: RawServer, tmp_path: Path
) -> None:
    server.answer = served(None, lambda asked: 24 if asked == 4 else 25)
    report = await exported(server, tmp_path / "all.jsonl", 1)
    assert (report.counted, report.outcome) == (25, Outcome.PROVED)
    assert lines(tmp_path / "all.jsonl") == ROWS
