"""What is found of a punch whose answer was lost, and what is never claimed to be it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from jibble_async import (
    AmbiguousWriteError,
    ConnectionLostError,
    EntryType,
    NotFoundError,
    Platform,
    RetryPolicy,
    ServerError,
    TimeEntry,
    Timeouts,
)
from jibble_async.api.punches import NEAR, found
from jibble_async.core.call_options import CallOptions
from jibble_async.resources.punches import EntryPunch

NOW = datetime(2026, 7, 6, 9, 0, tzinfo=UTC)
SOMEBODY = "7b1b3e0e-52a2-4d4b-9a53-6f1f1c9e6f10"
SESSION: Any = SimpleNamespace(options=CallOptions(Timeouts(), RetryPolicy()))
LOST = ConnectionLostError("no answer")


def punch(at: datetime | None = None) -> EntryPunch:
    return EntryPunch.make(EntryType.IN, SOMEBODY, NOW, {}, at=at)


def entry(id: str, nonce: str | None = None, **fields: Any) -> TimeEntry:
    fields.setdefault("type", EntryType.IN)
    fields.setdefault("time", NOW)
    return TimeEntry(id=id, platform=nonce and Platform(event_id=nonce), **fields)  # type: ignore[arg-type]


async def among(*rows: TimeEntry) -> AsyncGenerator[TimeEntry]:
    for row in rows:
        yield row


async def test_the_entry_with_the_nonce_is_the_one() -> None:
    sent = punch()
    mine = entry("b", sent.nonce.upper())
    assert await found(SESSION, sent, LOST, among(entry("a", "another"), mine, entry("c"))) is mine


async def test_a_nonce_that_came_twice_is_nobodys_to_choose() -> None:
    sent = punch()
    both = entry("a", sent.nonce), entry("b", sent.nonce)
    with pytest.raises(AmbiguousWriteError, match="more than once") as caught:
        await found(SESSION, sent, LOST, among(*both))
    assert caught.value.candidates == both
    assert (caught.value.nonce, caught.value.sent_id) == (sent.nonce, sent.id)
    assert caught.value.__cause__ is LOST


@pytest.mark.parametrize("at", [None, NOW - timedelta(days=3)])
async def test_what_is_near_and_of_its_kind_is_shown(at: datetime | None) -> None:
    sent, moment = punch(at), at or NOW
    edge = timedelta(seconds=NEAR)
    near = [entry("a", time=moment - edge), entry("b", time=moment + edge)]
    far = [
        entry("c", time=moment + edge + timedelta(seconds=1)),
        entry("d", time=moment - edge - timedelta(seconds=1)),
        entry("e", time=moment, type=EntryType.OUT),
        entry("f", time=None),
    ]
    with pytest.raises(AmbiguousWriteError, match="nothing carries the id or the nonce") as caught:
        await found(SESSION, sent, LOST, among(*near, *far))
    assert list(caught.value.candidates) == near


async def test_a_lookup_that_fails_says_so_and_shows_what_was_seen() -> None:
    sent = punch()
    of_its_id = entry(sent.id, "another")

    async def get(id: str) -> TimeEntry:
        return of_its_id

    async def latest() -> AsyncGenerator[TimeEntry]:
        yield entry("a")
        raise ServerError("500", status=500)

    with pytest.raises(AmbiguousWriteError, match="looking it up failed") as caught:
        await found(SESSION, sent, LOST, latest(), get)
    assert caught.value.candidates[0] is of_its_id


async def test_an_entry_of_its_id_and_another_nonce_is_shown_and_not_taken() -> None:
    sent = punch()
    of_its_id = entry(sent.id, "another", time=NOW - timedelta(days=1))
    similar = entry("b")

    async def get(id: str) -> TimeEntry:
        return of_its_id

    with pytest.raises(AmbiguousWriteError, match="id or the nonce") as caught:
        await found(SESSION, sent, LOST, among(similar), get)
    assert caught.value.candidates == (of_its_id, similar)


async def test_an_entry_of_its_id_that_names_no_nonce_is_taken_if_the_id_is_ours() -> None:
    sent = punch()

    async def get(id: str) -> TimeEntry:
        return entry(id.upper())

    assert (await found(SESSION, sent, LOST, among(), get)).id == sent.id.upper()
    chosen = EntryPunch.make(EntryType.IN, SOMEBODY, NOW, {"id": SOMEBODY})
    with pytest.raises(AmbiguousWriteError):
        await found(SESSION, chosen, LOST, among(), get)


async def test_without_its_id_it_is_looked_for_by_its_nonce() -> None:
    sent = punch()
    mine = entry("b", sent.nonce)

    async def get(id: str) -> TimeEntry:
        raise NotFoundError("404", status=404)

    assert await found(SESSION, sent, LOST, among(mine), get) is mine
