"""Secrets are planted in every place that takes one, and looked for in every place that shows."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import io
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from jibble_legacy import LegacyClient, LegacyConfig, PasswordGrant
from rich.console import Console
from rich.traceback import Traceback

from jibble_async import (
    ClientConfig,
    ClientCredentials,
    ConfigurationError,
    Endpoints,
    JibbleClient,
    JibbleError,
    Person,
    RedisWindow,
    RetryPolicy,
    StaticToken,
    Timeouts,
    fields,
)
from jibble_async.cli import main
from jibble_async.core.opaque import Headers
from jibble_async.core.tokens import Bearer, Token
from jibble_async.core.wire import Reply
from tests.support.canaries import found, local_variables, shown
from tests.support.clients import client_at
from tests.support.legacy import legacy_at
from tests.support.raw_server import Answer, RawServer, Script, head, raw, reply, token_reply
from tests.support.telemetry import Telemetry

SECRET, PASSWORD, REFRESH = "canary-secret", "canary-password", "canary-refresh"
TOKEN, VALUE, TRACE = "canary-token", "canary-value", "canary-trace"
CREDENTIALS = (SECRET, PASSWORD, REFRESH, TOKEN)
CANARIES = (*CREDENTIALS, VALUE, TRACE)
KEY_ID = "21102566-57bc-46d9-ae83-767deda79f57"
P = fields(Person)
KEY = ClientCredentials("the-id", SECRET)
ONCE = RetryPolicy(attempts=1, throttled_attempts=1)
QUOTED = b'{"error": {"message": "no canary-value", "innererror": {"stacktrace": "canary-trace"}}}'

TROUBLES: dict[str, Answer] = {
    "reset": raw(b"", "reset"),
    "headers that break off": raw(b"HTTP/1.1 200 OK\r\nX: canary-value\r\n"),
    "truncated": raw(head(200, {"Content-Length": "99"}) + b"["),
    "garbage": raw(b"garbage canary-value\r\n\r\n"),
    "no JSON": reply(200, b"<html>"),
    "a quotation": reply(400, QUOTED),
    "a quotation by a gateway": reply(502, b"<title>canary-value</title>"),
    "401": reply(401, QUOTED),
    "403": reply(403, QUOTED),
    "500": reply(500, QUOTED),
}
ASKS: dict[str, Callable[[JibbleClient], Any]] = {
    "a filter": lambda jibble: jibble.people.by_email(VALUE),
    "a body": lambda jibble: jibble.people.update(KEY_ID, full_name=VALUE),
    "a parameter": lambda jibble: jibble.request("GET", "workspace", "/v1/X", params={"x": VALUE}),
    "a page": lambda jibble: jibble.people.list(where=P.full_name == VALUE).collect(),
}


def in_rich(error: BaseException) -> str:
    """What rich prints of it, with the variables of every frame but those of the caller."""
    console = Console(record=True, width=200, file=io.StringIO())
    console.print(
        Traceback.from_exception(
            type(error), error, error.__traceback__, show_locals=True, suppress=[__file__]
        )
    )
    return console.export_text()


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("ask", ASKS)
async def test_nothing_is_seen_of_a_call_that_fails(
    server: RawServer, ask: str, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    events: list[Any] = []
    telemetry = Telemetry()
    hooks = (events.append, telemetry.hook)
    server.answer, server.token_answer = Script(TROUBLES[trouble]), Script(token_reply(TOKEN))
    async with client_at(server.url, auth=KEY, retry=ONCE, hooks=hooks) as jibble:
        with pytest.raises(JibbleError) as caught:
            await ASKS[ask](jibble)
    records = [repr(vars(each)) for each in caplog.records]
    told = (repr(events), telemetry.everything(), caplog.text, *records)
    assert events
    assert caplog.records
    assert found((*CANARIES, KEY_ID), *told) == []
    assert found(CANARIES, shown(caught.value)) == []
    assert found(CREDENTIALS, local_variables(caught.value)) == []


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_nothing_is_seen_of_a_password(
    server: RawServer, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = f"{server.url}/connect/token"
    grant = PasswordGrant("the-id", SECRET, "ann", PASSWORD, token_url=url)
    server.token_answer = Script(token_reply(TOKEN, refresh_token=REFRESH), TROUBLES[trouble])
    server.answer = Script(reply(401), TROUBLES[trouble])
    async with legacy_at(server.url, auth=grant, retry=ONCE) as legacy:
        for _ in range(2):
            with pytest.raises(JibbleError) as caught:
                await legacy.organizations.list(limit=1).collect()
            assert found((*CREDENTIALS, TRACE), shown(caught.value), caplog.text) == []
            assert found(CREDENTIALS, local_variables(caught.value)) == []
        assert found(CANARIES, repr(legacy), repr(vars(legacy)), repr(grant)) == []


@pytest.mark.parametrize("when", ["before the answer", "in its headers", "in its body"])
async def test_nothing_is_seen_of_a_call_that_is_cut_off(server: RawServer, when: str) -> None:
    begun = {
        "before the answer": b"",
        "in its headers": b"HTTP/1.1 200 OK\r\nX",
        "in its body": head(200, {"Content-Length": "9"}) + b"[",
    }
    server.answer = Script(raw(begun[when], "stall"))
    async with client_at(
        server.url, auth=StaticToken(TOKEN), timeouts=Timeouts(total=None, attempt=None)
    ) as jibble:
        call = asyncio.ensure_future(ASKS["a parameter"](jibble))
        await server.until_heard(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await call
        assert found(CREDENTIALS, local_variables(cancelled.value)) == []
        slow = jibble.with_options(timeout=1)
        with pytest.raises(JibbleError) as late:
            await ASKS["a parameter"](slow)
        assert found(CREDENTIALS, local_variables(late.value), in_rich(late.value)) == []


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1:1", "https://canary.invalid", "http://127.0.0.1:1"]
)
async def test_a_connection_that_fails_names_the_host_alone(url: str) -> None:
    config = ClientConfig(endpoints=Endpoints(url, url, url, url), retry=ONCE)
    async with JibbleClient(auth=StaticToken(TOKEN), config=config) as jibble:
        with pytest.raises(JibbleError, match="no connection to") as caught:
            await ASKS["a filter"](jibble)
    assert found(CANARIES, shown(caught.value)) == []
    assert found(CREDENTIALS, local_variables(caught.value)) == []


async def test_a_handshake_that_stalls_names_the_host_alone(server: RawServer) -> None:
    """Its client speaks first, so that this server waits for a request for good."""
    url = server.url.replace("http:", "https:")
    times = Timeouts(total=None, attempt=None, connect=10)
    config = ClientConfig(endpoints=Endpoints(url, url, url, url), retry=ONCE, timeouts=times)
    async with JibbleClient(auth=StaticToken(TOKEN), config=config) as jibble:
        with pytest.raises(JibbleError, match=r"no connection to 127\.0\.0\.1") as caught:
            await ASKS["a filter"](jibble)
    assert found(CANARIES, shown(caught.value)) == []
    assert found(CREDENTIALS, in_rich(caught.value)) == []


MISTAKES: dict[str, Callable[[], Any]] = {
    "a Redis's address beside a bad reserve": lambda: RedisWindow(
        f"redis://:{SECRET}@cache/0", 150, 3600, workers=4, reserve=1.5
    ),
    "a Redis's address without a scheme": lambda: RedisWindow(
        f":{SECRET}@cache/0", 150, 3600, workers=4
    ),
    "a Redis's address with a bad port": lambda: RedisWindow(
        f"redis://:{SECRET}/x@cache/0", 150, 3600, workers=4
    ),
    "a Redis's address with a bad option": lambda: RedisWindow(
        f"redis://cache/0?socket_timeout={SECRET}", 150, 3600, workers=4
    ),
    "an address with a password": lambda: Endpoints(workspace=f"https://me:{SECRET}@x.example"),
    "half an address": lambda: Endpoints(workspace=f"https://me:{SECRET}@"),
    "an address with a bad port": lambda: Endpoints(workspace=f"https://me:{SECRET}@x:port"),
    "an old API's address with a password": lambda: LegacyConfig(
        url=f"http://me:{SECRET}@x.example"
    ),
    "a proxy's address with a bad port": lambda: JibbleClient(
        auth=KEY, proxy=f"http://me:{SECRET}@x:port"
    ),
    "a proxy's address of another kind": lambda: LegacyClient(
        "a-token", proxy=f"socks5://me:{SECRET}@x.example"
    ),
    "a token beside credentials": lambda: JibbleClient("the-id", SECRET, auth=StaticToken(TOKEN)),
    "a secret without an id": lambda: JibbleClient(client_secret=SECRET),
    "a secret that is no text": lambda: ClientCredentials("the-id", SECRET.encode()),
    "a misspelt argument": lambda: JibbleClient("the-id", SECRET, limitr=None),  # type: ignore[call-arg]
    "a misspelt argument of the old API's": lambda: LegacyClient(TOKEN, limitr=None),  # type: ignore[call-arg]
    "a misspelt argument of a window's": lambda: RedisWindow(
        f"redis://:{SECRET}@cache/0",
        150,
        3600,
        4,
        rserve=0,  # type: ignore[call-arg]
    ),
    "a misspelt argument beside an environment": lambda: JibbleClient.from_env(
        {"JIBBLE_CLIENT_ID": "x", "JIBBLE_CLIENT_SECRET": SECRET}, limitr=None
    ),
    "a token with a line break": lambda: StaticToken(f"{TOKEN}\n{TOKEN}"),
    "a secret beyond ASCII": lambda: ClientCredentials("the-id", f"{SECRET}é"),
    "a password grant without a user": lambda: PasswordGrant(
        "the-id", SECRET, "", PASSWORD, token_url="https://x.example/token"
    ),
    "a token host's address with a password": lambda: PasswordGrant(
        "the-id", SECRET, "ann", PASSWORD, token_url=f"https://me:{SECRET}@x.example/token"
    ),
    "an API key for the old API": lambda: LegacyClient(auth=KEY),
}


ENVIRONMENTS: dict[str, dict[str, str]] = {
    "half a pair": {"JIBBLE_CLIENT_ID": SECRET},
    "both": {"JIBBLE_CLIENT_ID": "x", "JIBBLE_CLIENT_SECRET": SECRET, "JIBBLE_TOKEN": TOKEN},
    "a bad token": {"JIBBLE_TOKEN": f"{TOKEN}\0"},
    "none, beside a secret of another's": {"DATABASE_URL": f"postgres://me:{PASSWORD}@db"},
    "a bad endpoint": {"JIBBLE_TOKEN": TOKEN, "JIBBLE_WORKSPACE_URL": f"https://me:{SECRET}@x:y"},
    "a bad old endpoint": {
        "JIBBLE_LEGACY_TOKEN": TOKEN,
        "JIBBLE_LEGACY_URL": f"http://a:{SECRET}@",
    },
}


@pytest.mark.parametrize("kind", [JibbleClient, LegacyClient])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_nothing_is_seen_of_an_environment_that_is_refused(kind: Any, environment: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        kind.from_env(ENVIRONMENTS[environment])
    assert found(CANARIES, shown(caught.value), local_variables(caught.value)) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_settings_that_are_refused_are_not_quoted(mistake: str) -> None:
    with pytest.raises((ConfigurationError, TypeError)) as caught:
        MISTAKES[mistake]()
    assert found(CANARIES, shown(caught.value)) == []
    assert found(CANARIES, local_variables(caught.value)) == []


async def test_a_function_that_gives_a_bad_token_is_told_so_without_it(server: RawServer) -> None:
    async def auth() -> str:
        return f"{TOKEN}\n{TOKEN}"

    async with client_at(server.url, auth=auth) as jibble:
        with pytest.raises(ConfigurationError) as caught:
            await jibble.people.get(KEY_ID)
    assert found(CANARIES, shown(caught.value), local_variables(caught.value)) == []


def test_what_holds_a_secret_has_no_telling_repr() -> None:
    token = Token(TOKEN)
    held = (
        KEY,
        StaticToken(TOKEN),
        token,
        Bearer(token, 1, f"Bearer {TOKEN}", 0.0, 0.0),
        Headers({"Authorization": f"Bearer {TOKEN}"}),
        Headers({"Authorization": f"Bearer {TOKEN}"}).copy(),
        Reply(200, {"X": VALUE}, VALUE.encode()),
        JibbleClient(auth=KEY, proxy=f"http://me:{SECRET}@127.0.0.1:3128"),
        LegacyClient(auth=StaticToken(TOKEN)),
    )
    console = Console(record=True, width=200, file=io.StringIO())
    for each in held:
        console.print(each)
        assert found(CANARIES, repr(each), str(each), f"{each}", repr([each])) == []
        assert found(CREDENTIALS, repr(getattr(each, "__dict__", None))) == []
    assert found(CANARIES, console.export_text()) == []


def contents(folder: Path) -> list[str]:
    """What all files below a folder hold."""
    return [each.read_bytes().decode("latin-1") for each in folder.rglob("*") if each.is_file()]


async def jibble_says(*arguments: str, **environment: str) -> tuple[int, str]:
    """The exit code of the command line, and all that it prints."""
    said = io.StringIO()
    with (
        mock.patch.dict(os.environ, {"PATH": os.environ["PATH"], **environment}, clear=True),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        code = await asyncio.to_thread(main, arguments)
    return code, said.getvalue()


@pytest.mark.real_time
@pytest.mark.parametrize("trouble", ["a quotation", "500", "no JSON"])
async def test_nothing_is_seen_on_the_command_line_nor_left_in_files(
    server: RawServer, trouble: str, tmp_path: Path
) -> None:
    server.answer, server.token_answer = Script(TROUBLES[trouble]), Script(token_reply(TOKEN))
    names = ("IDENTITY", "WORKSPACE", "TIME_TRACKING", "TIME_ATTENDANCE")
    code, said = await jibble_says(
        "people",
        "clocked-in",
        JIBBLE_CLIENT_ID="the-id",
        JIBBLE_CLIENT_SECRET=SECRET,
        HOME=str(tmp_path),
        XDG_STATE_HOME=str(tmp_path / "state"),
        **{f"JIBBLE_{name}_URL": server.url for name in names},
    )
    assert code not in (None, 0)
    assert said.startswith("jibble: ")
    assert found((*CREDENTIALS, TRACE), said) == []
    assert found((*CREDENTIALS, TRACE), *contents(tmp_path)) == []
    code, said = await jibble_says("people", "clocked-in", JIBBLE_TOKEN=f"{TOKEN}\nX")
    assert code not in (None, 0)
    assert found(CREDENTIALS, said) == []


def test_the_canaries_would_be_found() -> None:
    """Where they are: a search that finds nothing must be able to find something."""
    with pytest.raises(LookupError) as caught:
        codecs.lookup(SECRET)
    assert found((SECRET,), shown(caught.value))
    # Of the standard library, one of whose variables is the text.
    with pytest.raises(json.JSONDecodeError) as planted:
        json.loads(TOKEN)
    assert found((TOKEN,), local_variables(planted.value))
