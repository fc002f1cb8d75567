"""One call is one request on the wire, whatever happens to it, and its failure has its class."""

from __future__ import annotations

from typing import Any

import pytest

from jibble_async import (
    AuthenticationError,
    ConnectFailedError,
    ConnectionLostError,
    DeadlineExceededError,
    JibbleError,
    ProtocolError,
    RetryPolicy,
    Timeouts,
    TransportError,
)
from jibble_async.sandbox import Fault, Sandbox
from jibble_async.sandbox.faults import KINDS
from tests.support.clients import client_at
from tests.support.raw_server import RawServer, head, json_reply, raw
from tests.wire.broken import FAULTS
from tests.wire.week import client_of

ONCE = RetryPolicy(attempts=1, throttled_attempts=1)
SHORT = Timeouts(total=None, attempt=6)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "POST"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_below_http_costs_one_request(
    server: RawServer, fault: str, method: str
) -> None:
    answer, expected = FAULTS[fault]
    server.answer = lambda _: answer
    timeouts = SHORT if expected is DeadlineExceededError else Timeouts()
    async with client_at(server.url, retry=ONCE, timeouts=timeouts) as jibble:
        with pytest.raises(JibbleError) as caught:
            await jibble.request(method, "workspace", "/v1/Things")
    assert type(caught.value) is expected
    assert caught.value.attempts == 1
    assert len(server.heard) == 1
    if isinstance(caught.value, TransportError):
        assert caught.value.sent
    await server.idle()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fault_of_the_sandbox_costs_one_request(box: Sandbox, kind: str) -> None:
    box.faults.add(Fault(kind, service="time-tracking", times=None))
    timeouts = SHORT if kind == "stall" else Timeouts()
    async with client_of(box, retry=ONCE, timeouts=timeouts) as jibble:
        await jibble.whoami()
        try:
            await jibble.request("GET", "time-tracking", "/v1/TimeEntries", params={"$top": 5})
        except JibbleError as error:
            refused = isinstance(error, AuthenticationError)
        else:
            refused = False
        box.faults.release()
    # Only a refused token is replaced, and the call repeated once with the new one.
    assert box.ledger.count("time-tracking") == (2 if refused else 1)
    assert refused == (kind == "unauthorized")


@pytest.mark.parametrize("how", ["reset", "fin"])
async def test_a_kept_connection_that_has_died_is_not_tried_again_behind_our_back(
    server: RawServer, how: str
) -> None:
    died = raw(b"", "reset" if how == "reset" else "fin")
    answers = [json_reply({}), died, json_reply({})]
    server.answer = lambda _: answers.pop(0)
    async with client_at(server.url, retry=ONCE) as jibble:
        await jibble.request("GET", "workspace", "/v1/Things")
        with pytest.raises(ConnectionLostError):
            await jibble.request("GET", "workspace", "/v1/Things")
        assert len(server.heard) == 2
        assert {each.connection for each in server.heard} == {1}
        await jibble.request("GET", "workspace", "/v1/Things")
    assert server.heard[-1].connection == 2


@pytest.mark.parametrize("how", ["reset", "fin"])
async def test_a_connection_that_dies_at_once(server: RawServer, how: str) -> None:
    server.refuse_with = "reset" if how == "reset" else "fin"
    async with client_at(server.url, retry=ONCE) as jibble:
        with pytest.raises(ConnectionLostError) as caught:
            await jibble.request("GET", "workspace", "/v1/Things")
    assert caught.value.sent
    assert server.connections == 1
    assert server.heard == []


async def test_a_refused_connection_was_not_sent() -> None:
    async with RawServer() as gone:
        url = gone.url
    async with client_at(url, retry=ONCE) as jibble:
        with pytest.raises(ConnectFailedError) as caught:
            await jibble.request("POST", "workspace", "/v1/Things", json={})
    assert not caught.value.sent
    assert not caught.value.permanent


async def test_tls_spoken_to_a_plain_port_was_not_sent(server: RawServer) -> None:
    server.refuse_with = "fin"
    url = server.url.replace("http://", "https://")
    async with client_at(url, retry=ONCE) as jibble:
        with pytest.raises(TransportError) as caught:
            await jibble.request("POST", "workspace", "/v1/Things", json={})
    assert isinstance(caught.value, ConnectFailedError)
    assert not caught.value.sent
    assert server.heard == []


async def test_what_follows_an_answer_does_not_become_the_next(server: RawServer) -> None:
    poisoned = raw(head(200, {"Content-Length": "2"}) + b"{}" + head(200) + b"[1]", "stall")
    answers = [poisoned, json_reply({"good": True})]
    server.answer = lambda _: answers.pop(0)
    async with client_at(server.url, retry=RetryPolicy(attempts=2), timeouts=SHORT) as jibble:
        seen: list[Any] = []
        for _ in range(2):
            try:
                seen.append(await jibble.request("GET", "workspace", "/v1/Things"))
            except ProtocolError:
                seen.append({})
            if not answers:
                break
    assert [1] not in seen
    assert {"good": True} in seen
