from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jibble_async import ConfigurationError, JibbleClient, PaginationError, ServerError
from jibble_async.export import export_since_last
from jibble_async.sandbox import Fault, Sandbox


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def change(box: Sandbox, place: int, **values: Any) -> str:
    row = box.dataset.table("TimeEntries").rows[place]
    stamp = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    box.dataset.table("TimeEntries").change(row, {**values, "updatedAt": stamp})
    return str(row["id"])


async def test_first_all_then_what_changed(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    change(box, 0, status="Archived")
    given: dict[str, Any] = {"out": tmp_path / "entries.jsonl", "state": tmp_path / "state"}
    report = await export_since_last(client, "time_entries", **given)
    everything = box.ledger.rows("TimeEntries", include_archived=True)
    assert (report.whole, report.rows) == (True, len(everything))
    noted, archived = change(box, 3, note="new"), change(box, 7, status="Archived")
    report = await export_since_last(client, "time_entries", **given)
    rows = {row["id"]: row for row in lines(given["out"])}
    assert (report.whole, report.rows) == (False, len(rows))
    assert rows[noted]["note"] == "new"
    assert rows[archived]["status"] == "Archived"
    # Besides, what had changed within minutes before.
    assert len(rows) <= 3


async def test_a_run_that_fails_is_made_good_for(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    given: dict[str, Any] = {
        "out": tmp_path / "entries.csv",
        "state": tmp_path / "state",
        "give_up_after": None,
    }
    await export_since_last(client, "time_entries", **given)
    kept = given["state"].read_bytes()
    noted = change(box, 3, note="new")
    box.faults.add(Fault("status", path="TimeEntries", nth=2, times=None))
    with pytest.raises(ServerError):
        await export_since_last(client, "time_entries", **given)
    assert given["state"].read_bytes() == kept
    box.faults.clear()
    await export_since_last(client, "time_entries", **given)
    assert noted in given["out"].read_text(encoding="utf-8-sig")


async def test_what_can_not_follow_is_refused(
    box: Sandbox, client: JibbleClient, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    given: dict[str, Any] = {"out": tmp_path / "out.jsonl", "state": state}
    with pytest.raises(ConfigurationError, match="name a file"):
        await export_since_last(client, "people", out="-", state=state)
    with pytest.raises(ConfigurationError, match="export them all"):
        await export_since_last(client, "time_off", **given)
    await export_since_last(client, "people", **given)
    with pytest.raises(ConfigurationError, match="another set"):
        await export_since_last(client, "projects", **given)
    state.write_text("{}")
    with pytest.raises(ConfigurationError, match="no last time"):
        await export_since_last(client, "people", **given)
    state.unlink()
    box.faults.add(Fault("wrong_count", path="People", by=3, times=None))
    with pytest.raises(PaginationError, match="may lack rows"):
        await export_since_last(client, "people", **given)
    assert not state.exists()
