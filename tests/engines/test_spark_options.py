"""What a load may ask for: looked at before anything is sent."""

from __future__ import annotations

from datetime import date

import pytest

from jibble_async import ConfigurationError, NotSupportedError
from tests.support.programs import engine

engine("pyspark.sql.datasource", "spark")

from jibble_async.integrations.spark.options import Asked, asked_for  # noqa: E402

ENTRIES = {"set": "time_entries"}
CHANGES = {"mode": "changes", "mark": "2026-07-01T00:00:00Z"}
REDIS = {**ENTRIES, "limiter": "redis://cache:6379/0"}


def test_case_and_underscores_do_not_matter() -> None:
    given = {"SET": "time_entries", "sinCE": "2026-07-01", "includeArchived": "TRUE"}
    asked = asked_for(
        {**given, "rowsperwindow": "50", "rows_per_batch": "7", "columns": "id, note"}
    )
    assert asked == Asked(
        set="time_entries",
        since=date(2026, 7, 1),
        include_archived=True,
        rows_per_window=50,
        rows_per_batch=7,
        columns=("id", "note"),
    )


BAD = [
    ({}, "'set' is missing: one of activities"),
    ({"set": "time_entry"}, "did you mean time_entries"),
    ({"set": "people", "since": "2026-07-01"}, "people have no date"),
    ({**ENTRIES, "sinse": "2026-07-01"}, "no option 'sinse': did you mean since"),
    ({**ENTRIES, "since": "01/07/2026"}, "since='01/07/2026' can't be used: a day such as"),
    ({**ENTRIES, "since": "2026-07-02", "until": "2026-07-01"}, "is after until"),
    ({**ENTRIES, "path": "/data"}, "load() takes no path"),
    ({**ENTRIES, "mode": "all"}, "'rows', 'changes' or 'mark' is wanted"),
    ({**ENTRIES, "narrow": "maybe"}, "narrow='maybe' can't be used: 'true' or 'false'"),
    ({**ENTRIES, "concurrency": "0"}, "concurrency=0: at least 1"),
    ({**ENTRIES, "page_size": "0"}, "page_size=0: at least 1"),
    ({**ENTRIES, "concurrency": "few"}, "concurrency='few' can't be used: a whole number"),
    ({**ENTRIES, "rows_per_batch": "1.5"}, "a whole number is wanted"),
    ({**ENTRIES, "giveUpAfter": "-1"}, "give_up_after=-1.0: seconds are wanted"),
    ({**ENTRIES, "giveUpAfter": "nan"}, "give_up_after=nan: seconds are wanted"),
    ({**ENTRIES, "mark": "2026-07-01T00:00:00Z"}, "mark is for mode=changes"),
    ({**ENTRIES, "mode": "changes", "mark": "yesterday"}, "is no mark"),
    ({**ENTRIES, "mode": "changes", "mark": "2026-07-01T00:00:00"}, "is no mark"),
    (
        {**ENTRIES, **CHANGES, "columns": "note"},
        "lacks 'id'",
    ),
    ({"set": "hour_entries", **CHANGES}, "nothing tells which hour_entries changed"),
    ({**ENTRIES, "accounts": "acme"}, "accounts needs credentials: a folder"),
    ({**ENTRIES, "credentials": "/c", "accounts": "../acme"}, "account '../acme'"),
    ({**ENTRIES, "credentials": "/c", "accounts": "acme,,b"}, "account ''"),
    ({**ENTRIES, "credentials": "/c", "accounts": "a,b,a"}, "named twice"),
    (
        {**ENTRIES, "credentials": "/c", "accounts": "a", "limiter": "/l", "limiterKey": "k"},
        "each has a quota of its own",
    ),
    (
        {**REDIS, "credentials": "/c", "accounts": "a", "partitions": "windows"},
        "partitions=windows is for one account",
    ),
    ({**ENTRIES, "partitions": "windows"}, "every task would take the whole quota for its own"),
    ({**ENTRIES, "limit": "10"}, "limit needs option limiter"),
    ({**ENTRIES, "limiter": "cache:6379"}, "the url of a Redis"),
    ({**REDIS, "limit": "10"}, "limit and per go together"),
    ({**REDIS, "limit": "10", "per": "1"}, "workers is missing: how many processes"),
    ({**REDIS, "workers": "3"}, "workers is for a quota that is known"),
    ({**ENTRIES, "limiter": "redis://[cache"}, "limiter is no url"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[words for _, words in BAD])
def test_what_can_not_be_used_is_one_clear_error(options: dict[str, str], words: str) -> None:
    with pytest.raises((ConfigurationError, NotSupportedError)) as caught:
        asked_for(options, "read")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["secret", "client_secret", "clientSecret", "TOKEN", "bearer_token", "Password", "apiKey"],
)
def test_secrets_are_refused_and_not_shown(name: str) -> None:
    with pytest.raises(ConfigurationError, match="is refused") as caught:
        asked_for({**ENTRIES, name: "canary"})
    assert "canary" not in str(caught.value)
    assert "'credentials'" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:canary@cache:6379/0",
        "rediss://user:canary@cache",
        "redis://cache?password=canary",
        "redis://cache?PassWord=canary",
        "redis://canary:6379x",
        "redis://canary",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_shown(url: str) -> None:
    if "@" in url or "?" in url:
        with pytest.raises(ConfigurationError, match="JIBBLE_REDIS_URL") as caught:
            asked_for({**ENTRIES, "limiter": url})
        assert "canary" not in str(caught.value)
    else:
        assert asked_for({**ENTRIES, "limiter": url}).is_shared


def test_a_stream_is_of_changes() -> None:
    with pytest.raises(ConfigurationError, match="a stream needs mode=changes"):
        asked_for(ENTRIES, "stream")
    changes = {**ENTRIES, "mode": "changes"}
    with pytest.raises(ConfigurationError, match="a stream reads one account"):
        asked_for({**changes, "credentials": "/c", "accounts": "a"}, "stream")
    assert asked_for(changes, "stream").are_rows
    assert asked_for(changes).are_rows
    with pytest.raises(ConfigurationError, match="needs option mark"):
        asked_for(changes, "read")
    assert not asked_for({**changes, "mark": "2026-07-01T00:00:00Z"}, "read").are_rows


def test_several_tasks_read_where_they_share_a_quota() -> None:
    assert not asked_for(ENTRIES).is_shared
    assert asked_for(REDIS).is_shared
    assert not asked_for({**REDIS, "partitions": "one"}).is_shared
    assert asked_for({**REDIS, "partitions": "windows"}).is_shared
    assert not asked_for({**REDIS, "credentials": "/c", "accounts": "a,b"}).is_shared
