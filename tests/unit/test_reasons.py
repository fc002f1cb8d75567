"""What an answer says went wrong is found in every shape that servers and gateways use."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import (
    APIError,
    PermissionDeniedError,
    RateLimitedError,
    ThrottledOrForbiddenError,
)
from jibble_async.core.answers import Answers
from jibble_async.core.clock import Clock
from jibble_async.core.operation import Operation, Safety, build
from jibble_async.core.reasons import reason_of
from jibble_async.core.wire import Reply
from jibble_async.odata.envelope import read_error

SHAPES: dict[str, tuple[bytes, str | None, str | None]] = {
    "OData": (b'{"error":{"code":"c","message":"m"}}', "c", "m"),
    "OData 3": (b'{"odata.error":{"code":"c","message":{"lang":"en","value":"m"}}}', "c", "m"),
    "OData with details alone": (
        b'{"error":{"code":"c","message":"","details":[{"message":"a"},{"message":"b"}]}}',
        "c",
        "a; b",
    ),
    "OAuth": (b'{"error":"invalid_scope","error_description":"m"}', "invalid_scope", "m"),
    "OAuth in short": (b'{"error":"invalid_scope"}', "invalid_scope", None),
    "LoopBack": (b'{"error":{"statusCode":404,"name":"Error","message":"m"}}', "Error", "m"),
    "problem details": (b'{"type":"t","title":"Bad","status":400,"detail":"m"}', None, "m"),
    "problem details, the title alone": (b'{"title":"m","status":400}', None, "m"),
    "validation": (
        b'{"title":"One or more validation errors occurred.","status":400,'
        b'"errors":{"Platform":["The Platform field is required."]}}',
        None,
        "Platform: The Platform field is required.",
    ),
    "validation of several": (b'{"errors":{"A":["x","y"],"":["z"]}}', None, "A: x; y; z"),
    "validation in Web API 2": (
        b'{"Message":"The request is invalid.","ModelState":{"entry.Time":["x"]}}',
        None,
        "entry.Time: x",
    ),
    "Web API 2": (b'{"Message":"m","ExceptionMessage":"no","StackTrace":"at no"}', None, "m"),
    "JSON:API": (b'{"errors":[{"code":"c","title":"t","detail":"m"}]}', None, "m"),
    "GraphQL": (b'{"errors":[{"message":"m"},{"message":"n"}]}', None, "m; n"),
    "errors that are texts": (b'{"errors":["m","n"]}', None, "m; n"),
    "Spring": (b'{"status":400,"error":"Bad Request","message":"m","path":"/v1"}', None, "m"),
    "an API gateway": (b'{"message":"m"}', None, "m"),
    "API Management": (b'{"statusCode":401,"message":"m"}', None, "m"),
    "Apigee": (
        b'{"fault":{"faultstring":"m","detail":{"errorcode":"c"}}}',
        None,
        "m",
    ),
    "Google": (b'{"error":{"code":400,"message":"m","status":"INVALID"}}', None, "m"),
    "FastAPI": (b'{"detail":[{"loc":["body","x"],"msg":"m"}]}', None, "m"),
    "Django": (b'{"detail":"m"}', None, "m"),
    "a JSON text": (b'"m"', None, "m"),
    "a text": (b"upstream connect error", None, "upstream connect error"),
    "a page": (b"<html><head><title>Sign in &amp; go</title>", None, "Sign in & go"),
    "a page of a proxy": (b"<html>\r\n<TITLE>\n413 Too Large\n</TITLE>", None, "413 Too Large"),
    "XML": (b"<?xml?><m:error><m:code/><m:message>m</m:message></m:error>", None, "m"),
    "a mark in front": (b'\xef\xbb\xbf{"message":"m"}', None, "m"),
    "UTF-16": ('\ufeff{"message":"m"}'.encode("utf-16-le"), None, "m"),
    "half a character": (rb'{"message":"m \ud83d"}', None, "m \ufffd"),
    "nothing": (b"", None, None),
    "an empty object": (b"{}", None, None),
    "a number": (b"5", None, None),
    "a stack trace": (b"System.Exception: no\n   at Canary()", None, None),
    "half an object": (b'{"message":"m', None, None),
    "a page without a title": (b"<html>" * 999, None, None),
    "bytes": (b"\x00\x01", None, None),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_reason_is_found_in_every_shape(shape: str) -> None:
    body, code, text = SHAPES[shape]
    assert reason_of(Reply(400, {}, body)) == (code, text)


@pytest.mark.parametrize("name", ["innererror", "stack", "stackTrace", "trace", "exception"])
def test_a_stack_trace_is_no_reason(name: str) -> None:
    body = msgspec.json.encode(
        {"error": {name: {"message": "Canary"}, "message": "m"}, name: "Canary"}
    )
    assert reason_of(Reply(500, {}, body)) == (None, "m")


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=9)
        | st.dictionaries(
            st.sampled_from(["error", "errors", "message", "details", "detail", "code", "Title"]),
            inner,
        )
    ),
)


@given(_json)
def test_any_document_gives_a_printable_reason_or_none(document: object) -> None:
    for part in reason_of(Reply(400, {}, msgspec.json.encode(document))):
        assert part is None or (0 < len(part) <= 300)


def test_a_reason_is_looked_for_as_deep_as_people_nest() -> None:
    body = b'{"error":' * 500 + b'"m"' + b"}" * 500
    assert reason_of(Reply(400, {}, body)) == (None, None)


def read(status: int, body: bytes, wait: float | None = None) -> APIError:
    return read_error(Reply(status, {}, body), throttling=wait is not None, wait=wait)


@pytest.mark.parametrize(
    ("body", "wait"),
    [
        (b'{"message":"You have exceeded a secondary limit"}', 30.0),
        (b'{"message":"API rate limit exceeded for you"}', None),
        (b'{"error":{"code":"RateLimitExceeded","message":"x"}}', None),
        (b"<html><title>Too many requests</title>", None),
    ],
)
def test_a_403_that_speaks_of_speed_is_throttling(body: bytes, wait: float | None) -> None:
    found = read(403, body, wait)
    assert type(found) is RateLimitedError
    assert found.retry_after == wait
    assert str(found).startswith("403: ")


def test_a_403_with_another_reason_is_a_missing_right() -> None:
    assert type(read(403, b'{"message":"Only owners may do this"}')) is PermissionDeniedError
    assert type(read(403, b"")) is ThrottledOrForbiddenError


WORKSPACE = Operation("workspace", "GET", "/v1/People", Safety.READ)
FILTER = "email eq 'ann@example.com' and note eq 'it''s Ann' and latitude gt 52.5"


def error_of(answer: bytes, *, authorised: bool = True, **options: object) -> APIError:
    request = build(WORKSPACE, "https://x.example", **options)  # type: ignore[arg-type]
    answers = Answers(read_error)
    error = answers.error(Reply(400, {}, answer), request, Clock(), authorised=authorised)
    assert isinstance(error, APIError)
    return error


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            f"Syntax error at position 9 in '{FILTER}'.",
            "Syntax error at position 9 in 'email eq '…' and note eq '…' and latitude gt …'.",
        ),
        ("no such text: ann@example.com", "no such text: …"),
        ("no such text: ANN@EXAMPLE.COM", "no such text: …"),
        ("near 'ann@exam'", "near '…'"),
        ("email%20eq%20%27ann%40example.com%27", "email%20eq%20%27…%27"),
        ("it's Ann is not 52.5", "… is not …"),
        ("no property 'foo' on Person", "no property 'foo' on Person"),
        ("no more than 1000", "no more than 1000"),
    ],
)
def test_what_was_asked_is_blanked_out_of_what_the_server_says(said: str, shown: str) -> None:
    body = msgspec.json.encode({"error": {"message": said}})
    error = error_of(body, params=(("$filter", FILTER), ("$top", "1000")))
    assert (error.message, error.args) == (f"400: {shown}", (f"400: {shown}",))


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        ((("filter[where][name]", "Ann Lee"),), b"{}"),
        ((("searchTerm", "Ann Lee"),), b"{}"),
        ((), b'{"person": [{"name": "Ann Lee"}]}'),
        ((("$search", "'Ann Lee'"),), b"not JSON"),
    ],
)
def test_values_are_blanked_wherever_they_were_sent(
    params: tuple[tuple[str, str], ...], sent: bytes
) -> None:
    body = b'{"error":{"code":"Ann Lee","message":"The value Ann Lee is not valid for Name."}}'
    error = error_of(body, params=params, body=sent)
    assert (error.message, error.code) == ("400: The value … is not valid for Name. (…)", "…")


@pytest.mark.parametrize(
    "body", [b'{"error":"%s"}', b'{"message":"%s"}', b"%s", b"<title>%s</title>"]
)
def test_of_a_token_hosts_answer_nothing_is_repeated(body: bytes) -> None:
    error = error_of(body % b"canary", authorised=False)
    assert "canary" not in f"{error} {error.code}"
    assert "it may be secret" in str(error)
    known = error_of(b'{"error": "invalid_scope", "error_description": "canary"}', authorised=False)
    assert (known.code, known.message) == ("invalid_scope", "400: no reason given (invalid_scope)")
