"""What may be told of an answer, and what may not."""

from __future__ import annotations

import pickle

import pytest
from multidict import CIMultiDict

from jibble_async.core.opaque import Headers
from jibble_async.core.operation import Operation, Request, Safety, build
from jibble_async.core.quoting import QUOTABLE, REQUEST_IDS, metadata_of
from jibble_async.core.wire import Reply

LIST = Operation("workspace", "GET", "/v1/People", Safety.READ)
TOKEN = "eyJhbGciOiJSUzI1NiJ9.canary.token"
DATE = "Fri, 27 Nov 2026 09:00:00 GMT"


def answer(
    headers: dict[str, str], status: int = 200, body: bytes = b"{}", request: Request | None = None
) -> Reply:
    sent = Headers(Authorization=f"Bearer {TOKEN}")
    return Reply(status, CIMultiDict(headers), body, request, sent)


def filtered(text: str) -> Request:
    return build(LIST, "https://x.example", params=[("$filter", text)])


def test_headers_off_the_list_are_not_told() -> None:
    sent = {"date": DATE, "Set-Cookie": "a=b", "X-Request-ID": "r-1", "WWW-Authenticate": "x"}
    told = metadata_of(answer(sent, 404))
    assert told.status == 404
    assert told.headers == {"X-Request-Id": "r-1", "Date": DATE}
    assert pickle.loads(pickle.dumps(told)) == told


@pytest.mark.parametrize("name", REQUEST_IDS)
def test_the_servers_id_is_found_by_each_name_it_is_known_by(name: str) -> None:
    assert metadata_of(answer({name.lower(): "4bf92f-3577/IAD"})).request_id == "4bf92f-3577/IAD"
    assert name in QUOTABLE


def test_the_servers_own_id_goes_before_a_gateways() -> None:
    told = metadata_of(answer({"CF-Ray": "8c1-IAD", "Request-Id": "own"}))
    assert told.request_id == "own"
    assert told.headers == {"Request-Id": "own", "CF-Ray": "8c1-IAD"}


@pytest.mark.parametrize("value", ["a b", "x" * 129, "a\x00b", "<b>", ""])
def test_what_is_no_id_is_not_taken_for_one(value: str) -> None:
    assert metadata_of(answer({"X-Request-Id": value})).request_id is None


def test_the_id_of_problem_details_is_found() -> None:
    body = b'{"title": "One or more validation errors occurred.", "traceId": "00-4bf9-01-00"}'
    assert metadata_of(answer({}, 400, body)).request_id == "00-4bf9-01-00"
    assert metadata_of(answer({"CF-Ray": "8c1"}, 400, body)).request_id == "8c1"
    # A row may have a field that is called so.
    assert metadata_of(answer({}, 200, body)).request_id is None
    for odd in (b'{"traceId": 5}', b'{"traceId": "a b"}', b'{"traceId": "x', b'["traceId"]'):
        assert metadata_of(answer({}, 500, odd)).request_id is None


def test_what_repeats_the_token_is_not_told() -> None:
    for value in (TOKEN, TOKEN[3:20], f"x-{TOKEN.upper()}"):
        told = metadata_of(answer({"X-Request-Id": value, "Server": value}))
        assert told == metadata_of(answer({}))
    body = b'{"traceId": "%s"}' % TOKEN.encode()
    assert metadata_of(answer({}, 500, body)).request_id is None


def test_no_part_of_the_token_that_is_long_enough_is_told_wherever_it_stands() -> None:
    for begin in range(len(TOKEN) - 7):
        for before in range(4):
            value = f"{'~' * before}{TOKEN[begin : begin + 8]}~"
            assert metadata_of(answer({"X-Request-Id": value})).headers == {}


def test_what_repeats_what_was_asked_is_not_told() -> None:
    request = filtered("email eq 'ann@example.com' and year(date) eq 2026")
    headers = {"X-Request-Id": "ann@example.com", "Server": "for ann@example.com", "Date": DATE}
    told = metadata_of(answer(headers, request=request))
    # The year that was asked for is in every date.
    assert told.headers == {"Date": DATE}
    assert told.request_id is None


def test_what_repeats_a_form_is_not_told() -> None:
    exchange = Operation("identity", "POST", "/connect/token", Safety.READ)
    body = b"client_id=the-id&client_secret=s3cr3t%2Bwords"
    request = build(exchange, "https://x.example", body=body)
    told = metadata_of(answer({"Server": "s3cr3t+words", "CF-Ray": "8c1"}, 400, b"", request))
    assert told.headers == {"CF-Ray": "8c1"}


def test_a_header_that_has_another_form_than_its_own_is_looked_at_like_any_other() -> None:
    request = filtered("code eq 'secret-code'")
    told = metadata_of(answer({"Content-Type": "secret-code", "Date": "now"}, request=request))
    assert told.headers == {"Date": "now"}


def test_the_time_to_wait_is_told() -> None:
    assert metadata_of(answer({"Retry-After": "7"}, 429)).retry_after == 7
    assert metadata_of(answer({"Retry-After": "7"}, 429), 9.0).retry_after == 9
    assert metadata_of(answer({})).retry_after is None
