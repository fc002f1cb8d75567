"""Where a credential goes: to the origins that were configured, and nowhere else."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest

from jibble_async import (
    ConfigurationError,
    ConnectFailedError,
    Endpoints,
    JibbleClient,
    JibbleError,
    PaginationError,
    ProtocolError,
    RetryPolicy,
)
from jibble_async.sandbox import Fault, Sandbox
from tests.support.clients import client_at
from tests.support.paging import ids, what_it_raises
from tests.support.raw_server import RawServer, Script, page, reply
from tests.wire.week import client_of


def things(jibble: JibbleClient, **options: Any) -> Any:
    return jibble.paginate("workspace", "/v1/Things", **options)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed(
    server: RawServer, stranger: RawServer, method: str, status: int
) -> None:
    server.answer = Script(reply(status, b"", {"Location": f"{stranger.url}/v1/Things"}))
    async with client_at(server.url) as jibble:
        with pytest.raises(ProtocolError, match=f"redirect .{status}."):
            await jibble.request(method, "workspace", "/v1/Things")
    assert len(server.heard) == 1
    assert stranger.connections == 0


@pytest.mark.parametrize("location", ["/v1/Elsewhere", "", "file:///etc/passwd", "http://[bad"])
async def test_nor_one_within_the_origin_or_a_broken_one(server: RawServer, location: str) -> None:
    server.answer = Script(reply(302, b"", {"Location": location}))
    async with client_at(server.url) as jibble:
        with pytest.raises(ProtocolError):
            await jibble.request("GET", "workspace", "/v1/Things")
    assert len(server.heard) == 1


async def test_cookies_are_not_kept(server: RawServer) -> None:
    server.answer = Script(reply(200, b"{}", {"Set-Cookie": "session=1; Path=/"}))
    async with client_at(server.url) as jibble:
        for _ in range(2):
            await jibble.request("GET", "workspace", "/v1/Things")
    assert "cookie" not in server.heard[1].headers


FOREIGN = {
    "another host": "http://{stranger}/v1/Things?$skip=2",
    "another scheme": "https://{server}/v1/Things?$skip=2",
    "another port of the same host": "http://127.0.0.1:{stranger_port}/v1/Things",
    "userinfo before the same host": "http://user:word@{server}/v1/Things?$skip=2",
    "a password only": "http://:word@{server}/v1/Things?$skip=2",
    "the host as userinfo": "http://{server}@{stranger}/v1/Things?$skip=2",
    "no scheme": "//{stranger}/v1/Things?$skip=2",
    "backslashes": "\\\\{stranger}\\v1\\Things",
    "a file": "file:///etc/passwd",
    "a script": "javascript:alert(1)",
    "a port out of range": "http://127.0.0.1:99999/v1/Things",
    "a bracket": "http://[::1/v1/Things",
    "another path": "http://{server}/v1/Others?$skip=2",
    "another path in disguise": "/v1/Things/%2e%2e/Others",
    "a line break": "/v1/Things?$skip=2\r\nX-Evil: 1",
    "a NUL": "/v1/Things?$skip=\0",
}


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("kind", FOREIGN)
async def test_a_next_link_that_leads_elsewhere_gets_no_byte(
    server: RawServer, stranger: RawServer, kind: str, concurrency: int
) -> None:
    names = {
        "server": urlsplit(server.url).netloc,
        "stranger": urlsplit(stranger.url).netloc,
        "stranger_port": urlsplit(stranger.url).port,
    }
    server.answer = Script(page([1, 2], count=4, link=FOREIGN[kind].format(**names)))
    async with client_at(server.url, retry=RetryPolicy(attempts=1)) as jibble:
        pager = things(jibble, page_size=2, concurrency=concurrency)
        with pytest.raises(PaginationError) as caught:
            await pager.collect()
    assert len(server.heard) == 1
    assert stranger.connections == 0
    assert "word" not in str(caught.value)


async def test_the_rows_before_a_foreign_link_are_given(server: RawServer) -> None:
    server.answer = Script(page([1, 2], count=4, link="https://elsewhere.invalid/"))
    async with client_at(server.url) as jibble:
        rows, error = await what_it_raises(things(jibble, page_size=2))
        assert isinstance(error, PaginationError)
        assert ids(rows) == ["1", "2"]
        server.answer = Script(page([3, 4], count=4))
        rest = await things(jibble, page_size=2, resume_from=error.cursor).collect()
    assert ids(rest) == ["3", "4"]


async def test_a_foreign_link_of_the_sandbox(box: Sandbox) -> None:
    box.faults.add(Fault("foreign_link"))
    async with client_of(box) as jibble:
        with pytest.raises(PaginationError, match=r"elsewhere\.invalid"):
            await jibble.time_entries.list(page_size=20).collect()


TARGETS = [
    "/v1/Things?$skiptoken=a%27b%2Bc+d",
    "/v1/Things?$skiptoken=%e2%82%ac",
    "/v1/Things?$filter=name%20eq%20'x'&$skip=10",
    "/v1/Things?%24skip=10&%24top=5",
    "/v1/Things?a=1;b=2&&c",
    "/v1/Things?x=%2F..%2f%2e%2E/",
    "/v1/./Things/../Things?$skip=2",
    "/v1/Things?$skiptoken=" + "y" * 7000,
    "/v1/Things?",
]


@pytest.mark.parametrize("target", TARGETS)
async def test_a_next_link_is_sent_to_the_letter(server: RawServer, target: str) -> None:
    server.answer = Script(page([1, 2], link=server.url + target), page([3]))
    async with client_at(server.url) as jibble:
        rows = await things(jibble, server_paged=True).collect()
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    # A bare question mark says nothing, and does not get through aiohttp.
    assert server.heard[1].target == (target if target != "/v1/Things?" else "/v1/Things")
    assert server.heard[1].headers["authorization"] == "Bearer the-token"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("/v1/Things?$skip=2 HTTP/1.1", "/v1/Things?$skip=2%20HTTP/1.1"),
        ("/v1/Things?$filter=name eq 'Zoë'", "/v1/Things?$filter=name%20eq%20'Zo%C3%AB'"),
    ],
)
async def test_what_no_url_may_hold_is_encoded(server: RawServer, link: str, target: str) -> None:
    server.answer = Script(page([1], link=link), page([2]))
    async with client_at(server.url) as jibble:
        rows = await things(jibble, server_paged=True).collect()
    assert [row["id"] for row in rows] == ["1", "2"]
    assert server.heard[1].target == target


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("Things?$skiptoken=a%27b%2Bc", "/prefix/v1/Things?$skiptoken=a%27b%2Bc"),
        ("/prefix/v1/Things?$skip=2", "/prefix/v1/Things?$skip=2"),
        ("?$skip=2", "/prefix/v1/Things?$skip=2"),
        ("./Things?$skip=2", "/prefix/v1/Things?$skip=2"),
    ],
)
async def test_a_relative_link_starts_at_the_set(server: RawServer, link: str, target: str) -> None:
    server.answer = Script(page([1], link=link), page([2]))
    async with client_at(f"{server.url}/prefix") as jibble:
        rows = await things(jibble, server_paged=True).collect()
    assert [row["id"] for row in rows] == ["1", "2"]
    assert server.heard[1].target == target


@pytest.mark.parametrize(
    "path",
    ["/v1/../admin", "/v1//x", "/v1/a?b", "/v1/a#b", "/v1/%2e%2e/x", "//evil/v1/x", "http://evil/"],
)
async def test_a_path_that_leads_elsewhere_is_not_sent(server: RawServer, path: str) -> None:
    async with client_at(server.url) as jibble:
        with pytest.raises(ConfigurationError):
            await jibble.request("GET", "workspace", path)
    assert server.connections == 0


@pytest.mark.parametrize("identifier", ["../x", "%2e%2e", "a/b", "a?b#c", ")/Delete", "a\r\nb", ""])
async def test_what_is_no_id_is_not_sent(server: RawServer, identifier: str) -> None:
    async with client_at(server.url) as jibble:
        with pytest.raises(ConfigurationError):
            await jibble.people.get(identifier)
    assert server.connections == 0


@pytest.mark.parametrize("url", ["http://example.com", "http://10.0.0.1", "ftp://127.0.0.1"])
def test_a_token_is_not_sent_in_clear_to_another_machine(url: str) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        Endpoints(workspace=url)


async def test_a_proxy_that_is_away_is_named_without_its_password(server: RawServer) -> None:
    async with RawServer() as gone:
        host = urlsplit(gone.url).netloc
    proxy = f"http://user:proxy-word@{host}"
    async with client_at(server.url, proxy=proxy, retry=RetryPolicy(attempts=1)) as jibble:
        with pytest.raises(ConnectFailedError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    assert "proxy-word" not in repr(caught.value) + str(caught.value)
    assert server.connections == 0


async def test_the_bearer_goes_only_to_the_service_that_is_asked(
    server: RawServer, stranger: RawServer
) -> None:
    async with client_at(server.url, identity=stranger.url) as jibble:
        calls = (jibble.request("GET", "workspace", "/v1/Things") for _ in range(5))
        await asyncio.gather(*calls)
    assert stranger.connections == 0


async def test_a_link_is_refused_with_an_error_of_ours(server: RawServer) -> None:
    async with client_at(server.url) as jibble:
        for link in (5, "x" * 100_000, "http://", "http:///x", "http://\u202e/", "\ud800"):
            server.answer = Script(page([1], link=link))  # type: ignore[arg-type]
            with pytest.raises(JibbleError):
                await things(jibble, server_paged=True).collect()
