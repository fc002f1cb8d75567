"""The ping at the end of a command."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from jibble_async.cli import main, notify
from jibble_async.cli.notify import ping, ping_url

SECRET = "canary-5b0c"


class Host:
    """A host that waits for pings.

    Attributes:
        heard: The path and query of each.
        answers: The statuses to answer with, and 200 behind them.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.headers: list[str] = []
        self.answers: list[int] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.heard.append(f"{request.method} {request.path_qs}")
        self.headers.append(repr(sorted(request.headers)))
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(status=status, headers={"Location": "/elsewhere"})


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("https://hc.example/abc", 0, "https://hc.example/abc"),
        ("https://hc.example/abc", 75, "https://hc.example/abc/75"),
        ("https://hc.example/abc/", 1, "https://hc.example/abc/1"),
        ("https://hc.example/a%2Fb?k=%20v", 1, "https://hc.example/a%2Fb/1?k=%20v"),
        ("http://127.0.0.1:8000/x", 1, "http://127.0.0.1:8000/x/1"),
    ],
)
def test_where_a_ping_goes(text: str, code: int, expected: str) -> None:
    assert str(ping_url(text, code)) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"http://hc.example/{SECRET}",
        f"https://me:{SECRET}@hc.example/",
        f"ftp://127.0.0.1/{SECRET}",
        f"https://hc.example/#{SECRET}",
        f"https:///{SECRET}",
        f"https://x:port/{SECRET}",
        # No names to the DNS.
        f"https://hc..example/{SECRET}",
        f"https://{'x' * 64}.example/{SECRET}",
        f"https://xn--/{SECRET}",
        SECRET,
        "",
    ],
)
def test_what_is_no_address_of_a_ping(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["whoami", "--sandbox", "--notify", text]) == 2
    err = capsys.readouterr().err
    assert "--notify" in err
    assert SECRET not in err


async def test_a_ping_tells_the_exit_code_and_nothing_else() -> None:
    host = Host()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", host.handle)
    async with TestServer(application) as server:
        url = str(server.make_url("/abc"))
        await ping(url, 0)
        await ping(url, 75)
    assert host.heard == ["GET /abc", "GET /abc/75"]
    assert set(host.headers) == {repr(["Accept", "Accept-Encoding", "Host", "User-Agent"])}


async def test_a_ping_that_fails_is_tried_again_and_then_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    host = Host()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", host.handle)
    async with TestServer(application) as server:
        url = str(server.make_url(f"/{SECRET}"))
        host.answers = [503]
        await ping(url, 0, sleep)
        assert (len(host.heard), capsys.readouterr().err) == (2, "")
        # Whoever redirects is told nothing more.
        host.answers = [302, 404, 500]
        await ping(url, 0, sleep)
    assert host.heard == [f"GET /{SECRET}"] * 5
    assert waited == [1.0, 1.0, 3.0]
    await ping(url, 0, sleep)
    err = capsys.readouterr().err
    assert "the ping to 127.0.0.1 failed: it answered 500\n" in err
    assert "the ping to 127.0.0.1 failed: ClientConnectorError\n" in err
    assert SECRET not in err


@pytest.mark.usefixtures("small")
def test_every_command_pings_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pinged: list[tuple[str, int]] = []

    async def listen(url: str, exit_code: int) -> None:
        pinged.append((url, exit_code))
        raise KeyboardInterrupt

    monkeypatch.setattr(notify, "ping", listen)
    url = "https://hc.example/abc"
    assert main(["people", "--sandbox", "--notify", url]) == 0
    assert main(["clock", "out", "--sandbox", "--person", "x@y", "--notify", url]) == 2
    assert main(["export", "people", "--sandbox", "--out", "no/x.csv", "--notify", url]) == 73
    assert main(["migrate", "plan", "--notify", url]) == 2
    monkeypatch.setenv("JIBBLE_NOTIFY", url)
    assert main(["whoami"]) == 78
    assert pinged == [(url, 0), (url, 2), (url, 73), (url, 2), (url, 78)]


@pytest.mark.usefixtures("small")
def test_without_it_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "ping", None)
    # A variable that is empty is as one that is not set.
    monkeypatch.setenv("JIBBLE_NOTIFY", " ")
    assert main(["people", "--sandbox"]) == 0
