"""New accounts whose answers are not what they should be, from the first step to the last."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from jibble_legacy.migration import Exit, Migration

from jibble_async.core.call import Call
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from jibble_async.errors import ConnectionLostError, MigrationError
from jibble_async.sandbox import Rules
from tests.migration import world
from tests.migration.invariants import assert_whole
from tests.migration.program import move
from tests.support.memory_wire import MemoryWire

Lie = Callable[[Request, Any], Any]

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NONE = Rules(keeps_client_ids=False, keeps_platform=False)


def lying(patch: pytest.MonkeyPatch, lie: Lie, *, losing: int = 0) -> None:
    """Let every life's wire change what the new account answers.

    Args:
        patch: Puts the wire in place.
        lie: Called with a request and what its answer holds; gives what it is to hold.
        losing: Each so-manieth answer to a new entry is lost; 0 for none.
    """
    made = 0

    class Liar(MemoryWire):
        async def send(
            self, request: Request, headers: Mapping[str, str], call: Call[Any]
        ) -> Reply:
            nonlocal made
            reply = await super().send(request, headers, call)
            if "/v1/" not in request.url.path or "/api/" in request.url.path or not reply.body:
                return reply
            if request.operation.method == "POST":
                made += 1
                if losing and made % losing == 0:
                    raise ConnectionLostError("the connection was lost")
            body = msgspec.json.encode(lie(request, msgspec.json.decode(reply.body)))
            return Reply(reply.status, {**reply.headers, "Content-Length": f"{len(body)}"}, body)

    patch.setattr(world, "MemoryWire", Liar)


def louder(value: Any) -> Any:
    """The same with all ids in capitals."""
    if isinstance(value, dict):
        return {name: louder(each) for name, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [louder(each) for each in cast("list[Any]", value)]
    return value.upper() if isinstance(value, str) and _GUID.fullmatch(value) else value


@pytest.mark.parametrize("rules", [Rules(), NONE])
@pytest.mark.parametrize("losing", [0, 4])
async def test_ids_that_are_spelt_otherwise_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rules: Rules, losing: int
) -> None:
    accounts = world.World(tmp_path, monkeypatch, people=5, entries=60, rules=rules)
    lying(
        monkeypatch,
        lambda request, value: louder(value) if request.operation.method == "GET" else value,
        losing=losing,
    )
    report = await accounts.live(move)
    assert report is not None
    assert report.exit is Exit.CLEAN, report.headline
    assert_whole(accounts)


async def test_a_list_that_leaves_entries_out_is_not_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = world.World(tmp_path, monkeypatch, people=3, entries=30)
    await accounts.live(move)

    def half(request: Request, value: Any) -> Any:
        if request.url.path == "/v1/TimeEntries" and "value" in value:
            rows = value["value"][::2]
            return {"value": rows, "@odata.count": len(rows)}
        return value

    lying(monkeypatch, half)

    async def life(migration: Migration) -> None:
        with pytest.raises(MigrationError, match=r"leaves out .* verify again"):
            await migration.verify()

    await accounts.live(life)


async def test_an_answer_with_an_id_that_is_none_is_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = world.World(tmp_path, monkeypatch, people=3, entries=30)

    def junk(request: Request, value: Any) -> Any:
        return {**value, "id": "0"} if _makes_entry(request) else value

    lying(monkeypatch, junk)
    report = await accounts.live(move)
    assert report is not None
    assert report.exit is Exit.CLEAN, report.headline
    assert_whole(accounts)


def _makes_entry(request: Request) -> bool:
    return request.operation.method == "POST" and request.url.path == "/v1/TimeEntries"
