from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import (
    APIError,
    AuthenticationError,
    BadRequestError,
    DecodeError,
    FeatureRestrictedError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    ThrottledOrForbiddenError,
    TimeEntry,
)
from jibble_async.core.lenient import lenient_decoder
from jibble_async.core.pages import PageContent
from jibble_async.core.wire import Reply
from jibble_async.entities import ValueObject
from jibble_async.odata.envelope import read_error, read_page

KEY = "21102566-57bc-46d9-ae83-767deda79f57"
GOOD = {"id": KEY, "time": "2024-06-12T23:42:00Z"}
BAD = {"id": KEY, "time": "yesterday"}


def page(body: Any, item: Any = TimeEntry, **arguments: Any) -> PageContent[Any]:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return read_page(Reply(200, {}, data), item, **arguments)


def test_a_page() -> None:
    body = {"@odata.context": "x", "@odata.count": 12, "value": [GOOD, GOOD]}
    found = page(body)
    assert found.items == [TimeEntry(id=KEY, time=datetime(2024, 6, 12, 23, 42, tzinfo=UTC))] * 2
    assert (found.received, found.total, found.link) == (2, 12, None)
    assert found.raw == msgspec.json.encode(body)
    assert page({"value": [], "@odata.nextLink": "x"}).link == "x"


def test_rows_may_be_dicts() -> None:
    assert page({"value": [GOOD]}, dict[str, Any]).items == [GOOD]


@pytest.mark.parametrize("count", [None, "a dozen", "-1", "١٢", True, -1, 1.5, 2**70, [], {}])
def test_a_count_that_is_none_costs_no_page(count: Any) -> None:
    found = page({"value": [GOOD], "@odata.count": count})
    assert found.total is None
    assert found.received == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"value":null}', b'{"value":{}}', b'{"value":[', b"5"]
)
def test_what_is_no_page(body: bytes) -> None:
    with pytest.raises(DecodeError):
        page(body)


def test_a_page_that_was_cut_off_is_told_from_one_of_another_form() -> None:
    with pytest.raises(DecodeError) as caught:
        page(msgspec.json.encode({"value": [GOOD]})[:-3])
    assert caught.value.malformed
    with pytest.raises(DecodeError) as caught:
        page({"value": [BAD]})
    assert not caught.value.malformed


def test_the_error_names_the_row() -> None:
    with pytest.raises(DecodeError, match=r"row 1 of the page can't be read") as caught:
        page({"value": [GOOD, BAD, BAD]})
    assert caught.value.row == 1
    with pytest.raises(DecodeError, match="row 0"):
        page({"value": [None]})
    with pytest.raises(DecodeError, match="row 0"):
        page({"value": [{"id": None}]})


def test_on_bad_row_gets_the_row_and_the_others_are_delivered() -> None:
    caught: list[tuple[int | None, Any]] = []

    def keep(error: DecodeError, row: bytes) -> None:
        caught.append((error.row, msgspec.json.decode(row)))

    found = page({"@odata.count": 3, "value": [BAD, GOOD, 5]}, on_bad_row=keep)
    assert [item.id for item in found.items] == [KEY]
    assert (found.received, found.total) == (3, 3)
    assert caught == [(0, BAD), (2, 5)]


def test_what_on_bad_row_raises_is_raised() -> None:
    def give_up(error: DecodeError, row: bytes) -> None:
        raise LookupError(row.decode())

    with pytest.raises(LookupError, match="yesterday"):
        page({"value": [BAD]}, on_bad_row=give_up)


def test_odd_rows_are_put_right_without_touching_others() -> None:
    largest = "9999-12-31T23:59:59.9999999Z"
    row = {
        **GOOD,
        "note": largest,
        "address": "P2W",
        "autoClockOutTime": largest,
        "offset": "P1W",
        "person": {"id": KEY, "joinDate": "2024-01-25T07:38:57.703958299Z", "fullName": "PT1,5S"},
    }
    (found,) = page({"value": [row]}).items
    assert found.auto_clock_out_time == datetime.max.replace(tzinfo=UTC)
    assert found.note == largest
    assert found.address == "P2W"
    assert found.offset == timedelta(weeks=1)
    assert found.person is not None
    assert found.person.full_name == "PT1,5S"
    assert found.person.join_date == datetime(2024, 1, 25, 7, 38, 57, 703958, UTC)
    assert found.time == datetime(2024, 6, 12, 23, 42, tzinfo=UTC)


class Shift(ValueObject):
    starts: time | None = None
    breaks: list[timedelta] | None = None
    parts: list[Shift] | None = None


@pytest.mark.parametrize("length", [f"P{'9' * 5000}W", f"-P{'9' * 5000}W", "P999999999W", "P1.5W"])
def test_a_length_beyond_all_time_is_an_error_of_ours(length: str) -> None:
    row = msgspec.json.encode({"id": "a", "offset": length})
    reply = Reply(200, {}, b'{"value":[' + row + b"]}")
    with pytest.raises(DecodeError, match="row 0 of the page can't be read"):
        read_page(reply, TimeEntry)


def test_lists_and_times_of_day_are_put_right() -> None:
    row = b'{"starts":"23:59:59.9999999","breaks":["P1W","PT1,5S"],"parts":[{"breaks":["P2W"]}]}'
    assert lenient_decoder(Shift)(row) == Shift(
        starts=time.max,
        breaks=[timedelta(weeks=1), timedelta(seconds=1.5)],
        parts=[Shift(breaks=[timedelta(weeks=2)])],
    )


@pytest.mark.parametrize(
    "row", [b'{"starts":5}', b'{"breaks":"P1W"}', b'{"breaks":[{}]}', b'{"parts":[5]}', b"5"]
)
def test_what_cant_be_put_right_is_an_error(row: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        lenient_decoder(Shift)(row)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "id", "time", "@odata.count", "offset"]), inner)
    ),
    max_leaves=8,
)


@given(_json | st.fixed_dictionaries({"value": st.lists(_json, max_size=3)}))
def test_any_document_is_a_page_or_an_error_of_ours(document: Any) -> None:
    body = msgspec.json.encode(_encodable(document))
    try:
        found = page(body)
    except DecodeError:
        return
    assert all(isinstance(item, TimeEntry) for item in found.items)
    bad: list[int | None] = []

    def keep(error: DecodeError, _: bytes) -> None:
        bad.append(error.row)

    lenient = page(body, on_bad_row=keep)
    assert lenient.received == found.received
    assert bad == []


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(value)
    inner: Any = value
    if isinstance(value, list):
        return [_encodable(item) for item in inner]
    return {k: _encodable(v) for k, v in inner.items()} if isinstance(value, dict) else value


def error(status: int, body: bytes, *, throttling: bool = False, wait: float | None = None) -> Any:
    return read_error(Reply(status, {}, body), throttling=throttling, wait=wait)


ODATA = (
    b'{"error":{"code":"feature_restricted_subscription","message":"Upgrade, please",'
    b'"innererror":{"stacktrace":"at Canary.Secret()"}}}'
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "text"),
    [
        (
            400,
            b'{"error":{"code":"","message":"Bad $filter"}}',
            BadRequestError,
            "400: Bad $filter",
        ),
        (401, b"", AuthenticationError, "401: the token was refused"),
        (402, ODATA, FeatureRestrictedError, "402: Upgrade, please (feature_restricted_sub"),
        (402, b"", FeatureRestrictedError, "402: the plan does not include this"),
        (403, b'{"error":{"message":"No right"}}', PermissionDeniedError, "403: No right"),
        (404, b"<html>", NotFoundError, "404: there is no such thing"),
        (429, b"API calls quota exceeded", RateLimitedError, "429: API calls quota exceeded"),
        (429, b"", RateLimitedError, "429: too many requests"),
        (500, b"", ServerError, "500: no reason given"),
        (500, b'{"message":"boom\\u001b[31m\\n"}', ServerError, "500: boom [31m"),
        (500, b'{"title":"An error"}', ServerError, "500: An error"),
        (502, b"<html>" * 1000, ServerError, "502: no reason given"),
        (500, b'{"error":5}', ServerError, "500: no reason given"),
        (400, b'{"error":"invalid_client"}', AuthenticationError, "the credentials were refused"),
        (401, b'{"error":"invalid_grant","error_description":"x"}', AuthenticationError, "): x; "),
        (400, b'{"error":"invalid_scope"}', BadRequestError, "no reason given (invalid_scope)"),
        (418, b"", BadRequestError, "418: no reason given"),
    ],
)
def test_errors(status: int, body: bytes, kind: type[APIError], text: str) -> None:
    found = error(status, body)
    assert type(found) is kind
    assert text in str(found)
    assert "Canary" not in str(found)
    assert found.status == status


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'""', b" \r\n", b" {}\n"])
def test_a_403_without_a_reason(body: bytes) -> None:
    bare = error(403, body)
    assert type(bare) is ThrottledOrForbiddenError
    assert isinstance(bare, PermissionDeniedError)
    throttled = error(403, body, throttling=True, wait=5.0)
    assert type(throttled) is RateLimitedError
    assert throttled.retry_after == 5.0
    assert type(error(403, b'{"error":{"message":"x"}}', throttling=True)) is PermissionDeniedError


def test_the_wait_is_handed_on() -> None:
    assert error(503, b"", wait=7.0).retry_after == 7.0
    assert error(429, b"", wait=0.0).retry_after == 0.0


@given(st.integers(300, 599), st.binary(max_size=30), st.booleans())
def test_any_reply_is_an_error_of_ours(status: int, body: bytes, throttling: bool) -> None:
    found = error(status, body, throttling=throttling)
    assert isinstance(found, APIError)
    assert str(found).isprintable()


def test_half_a_character_in_a_note_costs_no_page() -> None:
    """Nor what is put right in the same row."""
    odd = {**GOOD, "time": "2024-06-12T23:42:00.12345678Z", "note": "NOTE"}
    body = msgspec.json.encode({"value": [odd, GOOD]}).replace(b"NOTE", rb"late \ud83d")
    found = page(body)
    assert found.raw == body
    first, second = found.items
    assert (first.note, first.time.second, second.id) == ("late \ufffd", 0, KEY)


@pytest.mark.parametrize(
    ("more", "link"),
    [
        ({"@odata.nextLink": ""}, None),
        ({"@odata.nextLink": None}, None),
        ({"odata.nextLink": "/next"}, "/next"),
        ({"items@odata.nextLink": "/next"}, "/next"),
        ({"value@odata.nextLink": "/next"}, "/next"),
        ({"@nextLink": "/next"}, "/next"),
        ({"nextLink": "/next"}, "/next"),
        ({"@odata.nextlink": "/next"}, "/next"),
        ({"@odata.nextLink": "", "nextLink": None}, None),
        ({"note": 'nextLink":'}, None),
    ],
)
@pytest.mark.parametrize("first", [False, True])
def test_a_next_link_by_any_of_its_names(more: dict[str, Any], link: str, first: bool) -> None:
    rows = {"value": [GOOD] * 40}
    assert page({**more, **rows} if first else {**rows, **more}).link == link


@pytest.mark.parametrize(
    ("name", "length"),
    [("@odata.nextLink", 50_000), ("odata.nextLink", 50_000), ("@nextLink", 15_000)],
)
@pytest.mark.parametrize("first", [False, True])
def test_a_next_link_may_be_as_long_as_its_filter(name: str, length: int, first: bool) -> None:
    # A page whose link is overlooked would be taken for the last.
    more, rows = {"@odata.context": "#Things", name: "/" + "x" * length}, {"value": [GOOD] * 600}
    assert page({**more, **rows} if first else {**rows, **more}).link == more[name]


def test_a_next_link_that_is_no_text_is_an_error() -> None:
    for name in ("@odata.nextLink", "odata.nextLink", "nextLink"):
        with pytest.raises(DecodeError):
            page({"value": [], name: 5})


@pytest.mark.parametrize(
    "counted", [{"@odata.count": 10}, {"@odata.count": "10"}, {"odata.count": "10"}]
)
def test_a_count_may_be_a_text(counted: dict[str, Any]) -> None:
    assert page({"value": [], **counted}).total == 10
