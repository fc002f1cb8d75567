"""Settings of another kind than they should be are errors of ours, and so are lists misused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from jibble_legacy import LegacyClient
from jibble_legacy.config import LegacyConfig

from jibble_async import (
    AdaptiveLimiter,
    ClientConfig,
    ConfigurationError,
    Cursor,
    JibbleClient,
    RedisWindow,
    RetryPolicy,
    RollingWindow,
    SharedWindow,
    StaticToken,
    TimeEntry,
    Timeouts,
    TokenBucket,
    fields,
)
from jibble_async.core.operation import Operation, Safety, build

NAN = float("nan")
JIBBLE: Any = JibbleClient(auth=StaticToken("never-sent"))
UNTYPED: Any = ClientConfig
WINDOW: Any = RollingWindow
T: Any = fields(TimeEntry)
KEY = "3cf11f61-76ad-418a-8783-103b66b22fde"
THINGS = Operation("workspace", "GET", "/v1/Things", Safety.READ)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: JIBBLE.with_options(timeout="5"), "total='5' is no number but str"),
        (lambda: JIBBLE.with_options(max_wait="5"), "max_wait='5' is no number but str"),
        (lambda: Timeouts(total=True), "total=True is no number but bool"),
        (lambda: Timeouts(connect=None), "connect=None is no number"),  # type: ignore[arg-type]
        (lambda: RetryPolicy(attempts=None), "attempts=None"),  # type: ignore[arg-type]
        (lambda: RetryPolicy(base_delay=NAN), "base_delay=nan is no number"),
        (lambda: UNTYPED(page_size="100"), "ClientConfig: page_size='100' is no whole number"),
        (lambda: UNTYPED(page_size=None), "page_size=None is no whole number"),
        (lambda: UNTYPED(max_body_bytes=1e6), "max_body_bytes=1000000.0 is no whole number"),
        (lambda: UNTYPED(timeouts=5), "timeouts= takes Timeouts, not int"),
        (lambda: UNTYPED(retry=None), "retry= takes RetryPolicy, not NoneType"),
        (lambda: UNTYPED(hooks=print), "hooks= takes Iterable, not builtin"),
        (lambda: UNTYPED(user_agent=None), "user_agent= takes str, not NoneType"),
        (lambda: JIBBLE.people.list(limit="5"), "a list: limit='5' is no whole number but str"),
        (lambda: JIBBLE.people.list(page_size=2.5), "page_size=2.5 is no whole number"),
        (lambda: JIBBLE.people.list(concurrency=None), "concurrency=None"),
        (lambda: JibbleClient("a", "b", config={}), "takes ClientConfig, not dict"),  # type: ignore[arg-type]
        (lambda: JibbleClient("a", "b", config=LegacyConfig()), "not LegacyConfig"),  # type: ignore[arg-type]
        (lambda: LegacyClient("a", config=ClientConfig()), "takes LegacyConfig"),  # type: ignore[arg-type]
        (lambda: JibbleClient("a", "b", limiter=5), "limiter= takes RateLimiter, not int"),  # type: ignore[arg-type]
        (lambda: WINDOW("5", 1), "limit='5' is no whole number but str"),
        (lambda: WINDOW(5, NAN), "per=nan is no number"),
        (lambda: WINDOW(5, 1, reserve="1"), "reserve='1' is no number"),
        (lambda: SharedWindow("x", limit=0, per=1), "can't send anything"),
        (lambda: RedisWindow("redis://x", 0, 1, workers=1), "can't send anything"),
        (lambda: RedisWindow("redis://x", 5, 1, workers="2"), "workers='2'"),  # type: ignore[arg-type]
        (lambda: TokenBucket(limit="5"), "limit='5' is no number"),  # type: ignore[arg-type]
        (lambda: AdaptiveLimiter("4"), "initial='4' is no number"),  # type: ignore[arg-type]
    ],
)
def test_settings_of_another_kind(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()


@pytest.mark.parametrize("cursor", [b"eyJmIjoxfQ", 5, "\ud800", "ä", ["x"]])
def test_what_is_no_cursor(cursor: Any) -> None:
    with pytest.raises(ConfigurationError, match="not a cursor"):
        Cursor.parse(cursor)
    with pytest.raises(ConfigurationError, match="not a cursor"):
        JIBBLE.people.list(resume_from=cursor)


def test_a_list_is_neither_iterated_nor_awaited_without_async() -> None:
    people = JIBBLE.people.list()
    with pytest.raises(ConfigurationError, match="use `async for`"):
        for _ in people:
            pass
    with pytest.raises(ConfigurationError, match="use `async for`"):
        list(people)
    with pytest.raises(ConfigurationError, match="use `async for`"):
        _ = "Ann" in people


async def test_a_list_is_not_awaited() -> None:
    with pytest.raises(ConfigurationError, match=r"`await pager.collect\(\)`"):
        await JIBBLE.people.list()


@pytest.mark.parametrize("params", [[("a\ud800", "x")], [("a", "\udfff")]])
def test_half_a_character_is_in_no_request(params: list[tuple[str, str]]) -> None:
    with pytest.raises(ConfigurationError, match="not valid Unicode"):
        build(THINGS, "https://x.example", params=params)


async def test_what_makes_a_request_too_long_is_named_with_the_way_out() -> None:
    keys = [f"{KEY[:-4]}{number:04}" for number in range(250)]
    with pytest.raises(ConfigurationError, match=r"be 1\d{4} characters .* in 2 parts.*is_in"):
        await JIBBLE.time_entries.list(where=T.person_id.is_in(keys), order_by="time").first()
    with pytest.raises(ConfigurationError, match=r"servers take 8000: .* such as person_ids="):
        await JIBBLE.timesheets.list(
            date(2026, 7, 1), person_ids=keys, order_by="total_tracked"
        ).first()
    # Neither is a row about one of them.
    with pytest.raises(ConfigurationError, match="servers take 8000"):
        await JIBBLE.time_entries.list(where=~T.person_id.is_in(keys)).first()
    day = date(2026, 7, 1)
    with pytest.raises(ConfigurationError, match="servers take 8000"):
        await JIBBLE.reports.tracked_time(day, day, group_by="Project", person_ids=keys).first()


def test_the_longest_request() -> None:
    def made(length: int) -> Any:
        return build(THINGS, "https://x.example/base", params=[("a", "x" * length)])

    room = 8000 - len("/base/v1/Things?a=")
    assert len(made(room).url.raw_path_qs) == 8000
    with pytest.raises(ConfigurationError, match="would be 8001 characters"):
        made(room + 1)
