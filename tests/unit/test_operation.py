from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import ConfigurationError, PaginationError, Safety
from jibble_async.api.custom import custom_operation, custom_params, custom_parts
from jibble_async.core.operation import Operation, build, build_link

GET = Operation("workspace", "GET", "/v1/People({id})", Safety.READ)
LIST = Operation("workspace", "GET", "/v1/People", Safety.READ)
BASE = "https://workspace.example"
KEY = "3cf11f61-76ad-418a-8783-103b66b22fde"


def test_an_id_takes_its_place_in_the_path() -> None:
    assert str(build(GET, BASE, path_id=KEY).url) == f"{BASE}/v1/People({KEY})"
    assert str(build(GET, f"{BASE}/prefix", path_id="a_1").url) == f"{BASE}/prefix/v1/People(a_1)"


@pytest.mark.parametrize(
    "path_id", ["", "..", "a/b", "a)b", "a b", "a%2Fb", "ä", "a?b", "a#b", "a\n", "x" * 65, "{id}"]
)
def test_an_id_that_could_change_the_path_is_refused(path_id: str) -> None:
    with pytest.raises(ConfigurationError, match="is not an id"):
        build(GET, BASE, path_id=path_id)


@given(st.text(max_size=80))
def test_no_id_leaves_its_place(path_id: str) -> None:
    try:
        path = build(GET, BASE, path_id=path_id).url.raw_path
    except ConfigurationError:
        return
    assert path == f"/v1/People({path_id})"
    assert set(path_id) <= set(string.ascii_letters + string.digits + "_-")


def test_a_request_for_people_shows_no_values() -> None:
    request = build(LIST, BASE, params=[("$filter", "email eq 'x'"), ("a", "1"), ("a", "2")])
    assert request.line == "GET workspace /v1/People?$filter&a"
    assert repr(request) == "<Request GET workspace /v1/People?$filter&a>"
    assert build(LIST, BASE).line == "GET workspace /v1/People"


def test_spaces_and_plus_are_encoded_and_odata_punctuation_is_not() -> None:
    params = [("$filter", "a eq '+' and (b ne 1)"), ("$expand", "x($select=a,b;$top=1)")]
    assert build(LIST, BASE, params=params).url.raw_query_string == (
        "$filter=a%20eq%20'%2B'%20and%20(b%20ne%201)&$expand=x($select%3Da,b;$top%3D1)"
    )


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (f"{BASE}/v1/People?$skip=5", f"{BASE}/v1/People?$skip=5"),
        (f"{BASE}:443/v1/People?$skip=5", f"{BASE}/v1/People?$skip=5"),
        ("HTTPS://WORKSPACE.EXAMPLE/v1/People", "https://WORKSPACE.EXAMPLE/v1/People"),
        ("/v1/People?$skiptoken=a%2Bb+c", f"{BASE}/v1/People?$skiptoken=a%2Bb+c"),
        ("People?$skip=5", f"{BASE}/v1/People?$skip=5"),
        ("?$skip=5", f"{BASE}/v1/People?$skip=5"),
        ("?$filter=a eq 'ä'", f"{BASE}/v1/People?$filter=a%20eq%20'%C3%A4'"),
    ],
)
def test_a_link_is_followed_to_the_letter(link: str, expected: str) -> None:
    assert str(build_link(LIST, BASE, link).url) == expected


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/v1/People",
        "http://workspace.example/v1/People",
        f"{BASE}:8443/v1/People",
        "//elsewhere.example/v1/People",
        "https://workspace.example@elsewhere.example/",
        "https://user@workspace.example/v1/People",
        "https://workspace.example.evil.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "?$skip=1\r\nHost: elsewhere",
        "https:\\\\elsewhere.example/",
        "https://[::1",
        f"{BASE}:99999999/",
        f"{BASE}/v1/Organizations",
        "/v1/People/../Organizations?$skip=5",
        "/v1/People/%2e%2e/Organizations?$skip=5",
        "/v1/People('1')?$skip=5",
        "/v2/People?$skip=5",
        "Organizations",
        "/v1/%50eople?$skip=5",
        "/v1/x/..%2fPeople",
    ],
)
def test_a_link_elsewhere_is_refused(link: str) -> None:
    with pytest.raises(PaginationError):
        build_link(LIST, BASE, link)


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda end: BASE + end))
def test_any_link_stays_at_home_or_is_refused(link: str) -> None:
    try:
        url = build_link(LIST, BASE, link).url
    except PaginationError:
        return
    assert (url.scheme, url.port, url.user) == ("https", 443, None)
    assert url.raw_host is not None
    assert url.raw_host.lower() == "workspace.example"
    assert str(url).isascii()
    assert str(url).isprintable()
    assert " " not in str(url)


@pytest.mark.parametrize(
    ("method", "path", "safety"),
    [
        ("GET", "/v1/Schedules", Safety.READ),
        ("get", "/v1/PersonHolidays(personId=1)", Safety.READ),
        ("POST", "/v1/Projects", Safety.UNSAFE),
        ("PUT", "/v1/Projects(1)", Safety.UNSAFE),
        ("PATCH", "/v1/Projects(1)", Safety.UNSAFE),
        ("DELETE", "/v1/Projects(1)", Safety.UNSAFE),
        ("GET", "/v1/TimeAttendanceReportStartExport", Safety.ONCE),
        ("POST", "/v1/TIMEATTENDANCEREPORTSTARTEXPORT()", Safety.ONCE),
    ],
)
def test_the_safety_of_ones_own_requests(method: str, path: str, safety: Safety) -> None:
    assert custom_operation(method, "workspace", path, None).safety is safety
    assert custom_operation(method, "workspace", path, Safety.IDEMPOTENT).safety is (
        Safety.IDEMPOTENT
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("BREW", "/v1/Coffee"),
        ("HEAD", "/v1/People"),
        ("GET", "People"),
        ("GET", "/People"),
        ("GET", "/v1/People?$top=1"),
        ("GET", "/v1/../admin"),
        ("GET", "/v1//evil.example/"),
        ("GET", "/v1/a b"),
        ("GET", "/v1/a%2e"),
        ("GET", "/v1/ä"),
        ("GET", "https://evil.example/v1/x"),
        ("GET", "/v1/x\r\nHost: evil"),
    ],
)
def test_requests_of_ones_own_that_cant_be_sent(method: str, path: str) -> None:
    with pytest.raises(ConfigurationError):
        custom_operation(method, "workspace", path, None)


def test_params_are_texts_and_lists_repeat_the_name() -> None:
    params: Any = {"a": [1, 2.5], "b": True, "c": "x", "d": []}
    assert custom_params(params) == (("a", "1"), ("a", "2.5"), ("b", "true"), ("c", "x"))
    assert custom_params([("a", "1"), ("a", False)]) == (("a", "1"), ("a", "false"))
    for wrong in ({"a": None}, {"a": [None]}, {"a": b"x"}):
        with pytest.raises(ConfigurationError, match="params: a is"):
            custom_params(wrong)


def test_a_body_is_json_or_an_error() -> None:
    operation = custom_operation("POST", "workspace", "/v1/Projects", None)
    request = build(operation, BASE, **custom_parts((), {"name": "ä"}))
    assert request.body == '{"name":"ä"}'.encode()
    assert request.content_type == "application/json"
    with pytest.raises(ConfigurationError, match="json= can't be sent: JSON has no object"):
        custom_parts((), object())
