"""How long a lost punch is looked for, and what is made of what came until then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jibble_async import (
    AmbiguousWriteError,
    ClientConfig,
    ConflictError,
    JibbleClient,
    RetryPolicy,
    StaticToken,
    TimeEntry,
    Timeouts,
    Unlimited,
)
from jibble_async.api.writing import looking
from jibble_async.core.call import Call
from jibble_async.core.call_options import CallOptions
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply
from jibble_async.errors import ConnectionLostError
from tests.support.memory_wire import SEAM, clock_from
from tests.support.virtual_time import run

PERSON = "7b1b3e0e-52a2-4d4b-9a53-6f1f1c9e6f10"


class SlowHost:
    """A time-tracking host that loses the answer of a punch, and gives few rows at a time.

    Args:
        at_work: Seconds that it takes for each answer but to the punch.
        page: Rows of a page, whatever is asked for.
        shows: Makes the row of this place out of the punch; others are somebody else's.
        conflict: Whether it answers the punch with a 409.
    """

    def __init__(
        self,
        *,
        at_work: float,
        page: int = 5,
        shows: Callable[[int, dict[str, Any]], dict[str, Any] | None] = lambda *_: None,
        by_id: Callable[[dict[str, Any]], dict[str, Any] | None] = lambda _: None,
        conflict: bool = False,
    ) -> None:
        self.asked: list[str] = []
        self._at_work = at_work
        self._page = page
        self._shows = shows
        self._by_id = by_id
        self._conflict = conflict
        self.punch: dict[str, Any] = {}

    async def send(self, request: Request, headers: Mapping[str, str], call: Call[Any]) -> Reply:
        call.leaves(on_kept=False)
        self.asked.append(request.operation.method)
        if request.body is not None:
            self.punch = json.loads(request.body)
            if self._conflict:
                return Reply(409, {}, b"{}")
            raise ConnectionLostError("the connection was lost")
        await asyncio.sleep(self._at_work)
        if not request.url.raw_path.endswith("/TimeEntries"):
            row = self._by_id(self.punch)
            return Reply(404, {}, b"") if row is None else Reply(200, {}, json.dumps(row).encode())
        query = parse_qs(urlsplit(str(request.url)).query)
        begin = int(query["$skip"][0])
        places = range(begin, min(begin + min(self._page, int(query["$top"][0])), 60))
        rows = [self._shows(place, self.punch) or {"id": f"row-{place}"} for place in places]
        return Reply(200, {}, json.dumps({"@odata.count": 60, "value": rows}).encode())

    async def aclose(self) -> None:
        pass


def punching(
    patch: pytest.MonkeyPatch, host: SlowHost, **options: Any
) -> tuple[TimeEntry | Exception, float]:
    """What a punch comes to, and the virtual second in which it does."""

    async def scene() -> tuple[TimeEntry | Exception, float]:
        loop = asyncio.get_running_loop()
        patch.setattr(SEAM, lambda *_, **__: host)
        clock = Clock(monotonic=loop.time, now=clock_from(), random=lambda: 0.5)
        config = ClientConfig(clock=clock)
        async with JibbleClient(
            auth=StaticToken("x"), config=config, limiter=Unlimited()
        ) as jibble:
            entries = jibble.with_options(**options).time_entries
            try:
                return await entries.clock_in(PERSON), loop.time()
            except (AmbiguousWriteError, ConflictError) as error:
                return error, loop.time()

    return run(scene())


def carrying(place: int, punch: dict[str, Any]) -> dict[str, Any] | None:
    """The punch itself, as the third row."""
    return {**punch, "id": "the-one"} if place == 2 else None


@pytest.mark.parametrize("at_work", [1.0, 0.3, 1.9, 60.0])
@pytest.mark.parametrize("page", [1, 5, 50])
def test_a_lookup_takes_as_long_as_a_call_may_and_no_longer(
    monkeypatch: pytest.MonkeyPatch, at_work: float, page: int
) -> None:
    host = SlowHost(at_work=at_work, page=page)
    error, ended = punching(monkeypatch, host, timeout=2)
    assert isinstance(error, AmbiguousWriteError)
    assert ended <= 2.001
    assert host.asked.count("POST") == 1
    assert len(host.asked) <= 2 + 2 / at_work


def test_what_came_before_the_time_was_up_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    host = SlowHost(at_work=0.8, shows=carrying)
    entry, ended = punching(monkeypatch, host, timeout=2)
    assert isinstance(entry, TimeEntry)
    assert entry.id == "the-one"
    assert ended == pytest.approx(2, abs=0.001)


def test_the_error_says_that_the_time_was_up(monkeypatch: pytest.MonkeyPatch) -> None:
    error, _ = punching(monkeypatch, SlowHost(at_work=0.8), timeout=2)
    assert "not done within 2 s" in str(error)


def test_without_a_limit_it_is_looked_for_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    host = SlowHost(at_work=25, shows=lambda place, punch: carrying(place - 47, punch))
    entry, _ = punching(monkeypatch, host, timeout=None)
    assert isinstance(entry, TimeEntry)
    assert len(host.asked) == 12


KINDS = {
    "with the nonce": lambda punch: punch,
    "without any nonce": lambda punch: {"id": punch["id"]},
    "in capitals": lambda punch: {"id": punch["id"].upper()},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_conflict_with_itself_is_done(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The id is made for this punch, so what has it is this punch, sent twice on its way."""
    host = SlowHost(at_work=0.1, by_id=KINDS[kind], conflict=True)
    entry, _ = punching(monkeypatch, host)
    assert isinstance(entry, TimeEntry)
    assert host.asked == ["POST", "GET"]


def test_an_entry_of_its_id_is_enough_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    host = SlowHost(at_work=0.1, by_id=lambda punch: punch)
    entry, _ = punching(monkeypatch, host)
    assert isinstance(entry, TimeEntry)
    assert host.asked == ["POST", "GET"]
    # What was not said stays away: there is nothing that null could clear.
    assert None not in host.punch.values()


@pytest.mark.parametrize("by_id", [lambda punch: {**punch, "platform": {"eventId": "x"}}, None])
def test_a_conflict_with_another_is_told(monkeypatch: pytest.MonkeyPatch, by_id: Any) -> None:
    host = SlowHost(at_work=0.1, by_id=by_id or (lambda _: None), conflict=True)
    error, _ = punching(monkeypatch, host)
    assert isinstance(error, ConflictError)


def test_a_conflict_that_there_is_no_time_to_look_at_is_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    error, ended = punching(monkeypatch, SlowHost(at_work=5, conflict=True), timeout=2)
    assert isinstance(error, AmbiguousWriteError)
    assert ended <= 2.001


@pytest.mark.parametrize(
    ("raised", "trouble"),
    [(None, "not done within 2 s"), (ConnectionLostError("lost"), "lost"), (ZeroDivisionError, "")],
    ids=repr,
)
def test_trouble_of_looking_is_noted_and_what_is_no_trouble_raised(
    raised: Any, trouble: str
) -> None:
    options = CallOptions(Timeouts(total=2), RetryPolicy())
    session: Any = SimpleNamespace(options=options)

    async def scene() -> str:
        async with looking(session) as looked:
            await asyncio.sleep(1)
            if raised is not None:
                raise raised
            await asyncio.sleep(2)
        return looked.trouble

    if trouble:
        assert run(scene()) == trouble
    else:
        with pytest.raises(ZeroDivisionError):
            run(scene())
