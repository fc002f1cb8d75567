"""CPU that a small call costs above a plain aiohttp GET, step by step."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

from benchmarks.measuring import Spread, Variant, differences, interleave, quick, ratios, table
from benchmarks.server import serving
from jibble_async import (
    AdaptiveLimiter,
    ClientConfig,
    Endpoints,
    JibbleClient,
    Outcome,
    Person,
    RateLimiter,
    StaticToken,
    Timeouts,
    Unlimited,
)
from jibble_async.api.base_client import session_of
from jibble_async.core import logs
from jibble_async.core.call import Call
from jibble_async.core.lenient import decoder
from jibble_async.core.operation import Request, build
from jibble_async.core.transport import Network, Transport
from jibble_async.core.wire import Reply, reader
from jibble_async.events import Hook
from jibble_async.integrations.opentelemetry import OpenTelemetryHook

CALLS = 25
ROUNDS = 600
TOKEN = "eyJ" + "x" * 900  # as long as those of the token host

_IDS = itertools.cycle([str(uuid.UUID(int=number, version=4)) for number in range(1, 5000)])
_PLAIN = "`ClientSession.get` and `read`"
_DECODED = "for comparison: the first, and its answer decoded"
_GET = "`people.get`"
_ENDLESS = Timeouts(total=None, attempt=None)


def _whole(reply: Reply) -> Reply:
    return reply


def _slice(call: Callable[[str], Awaitable[Any]]) -> Variant:
    async def calls() -> None:
        for identity in itertools.islice(_IDS, CALLS):
            await call(identity)

    return calls


def _client(
    base: str, limiter: RateLimiter, timeouts: Timeouts, hooks: tuple[Hook, ...] = ()
) -> JibbleClient:
    config = ClientConfig(endpoints=Endpoints(workspace=base), timeouts=timeouts, hooks=hooks)
    return JibbleClient(auth=StaticToken(TOKEN), config=config, limiter=limiter)


async def _over_the_wire(base: str, rounds: int) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    decode = decoder(Person).decode
    kept = {"Accept": "application/json", "User-Agent": "jibble-async", **headers}
    transport = Transport(Network(), connect_timeout=10.0, max_body_bytes=2**26)
    untimed = _client(base, Unlimited(), _ENDLESS)
    unlimited = _client(base, Unlimited(), Timeouts())
    limited = _client(base, AdaptiveLimiter(initial=1e6), Timeouts())

    def request(identity: str, client: JibbleClient = limited) -> Request:
        return build(client.people.routes.member, base, path_id=identity)

    options = session_of(untimed).options
    async with aiohttp.ClientSession() as session, untimed, unlimited, limited:

        async def plain(identity: str) -> bytes:
            async with session.get(f"{base}/v1/People({identity})", headers=headers) as response:
                return await response.read()

        async def attempt(identity: str) -> Reply:
            sent = request(identity)
            return await transport.send(sent, kept, Call(sent, _whole, options, None))

        def through(client: JibbleClient) -> Callable[[str], Awaitable[Reply]]:
            return lambda identity: session_of(client).call(request(identity), _whole)

        async def plain_decoded(identity: str) -> Any:
            return decode(await plain(identity))

        steps: dict[str, Callable[[str], Awaitable[Any]]] = {
            _PLAIN: plain,
            "one attempt of the transport, URL built": attempt,
            "the call around it: token, retry shell, events": through(untimed),
            "its deadline": through(unlimited),
            "its limiter, adaptive": through(limited),
            "`people.get`: id checked, answer decoded": limited.people.get,
            _DECODED: plain_decoded,
        }
        taken = await interleave({name: _slice(call) for name, call in steps.items()}, rounds)
    await transport.aclose()

    plain_taken = taken[_PLAIN]
    rows: list[list[str]] = []
    before = plain_taken
    for name, seconds in taken.items():
        added = [""] * 2
        if name not in (_PLAIN, _DECODED):
            added = differences(seconds, before).text(1, 1e6 / CALLS)
        rows.append(
            [
                name,
                Spread.of(seconds).text(1, 1e6 / CALLS)[0],
                *added,
                *differences(seconds, plain_taken).text(1, 1e6 / CALLS),
                ratios(seconds, plain_taken).text(3)[0],
            ]
        )
        before = seconds
    head = ["each line adds", "µs a call", "added", "95%", "above the first", "95%", "ratio"]
    table(f"Over the wire: {rounds} rounds of {CALLS} calls.", head, rows)


class _AnswersAtOnce(Transport):
    """A transport without a network, which leaves what the client itself does."""

    def __init__(self) -> None:
        self._reply = Reply(200, {}, b'{"id":"7b1b3e0e-52a2-4d4b-9a53-6f1f1c9e6f10"}')

    async def send(self, request: Request, headers: Any, call: Any) -> Reply:
        return self._reply

    async def aclose(self) -> None:
        pass


async def _without_a_wire(base: str, rounds: int) -> None:
    limited = _client(base, AdaptiveLimiter(initial=1e9), Timeouts())
    transport = _AnswersAtOnce()
    caller = session_of(limited).caller
    caller.open()
    await caller._transport.aclose()
    caller._transport = transport
    tokens, deadlines = caller.tokens, caller._deadlines
    bearer = await tokens.get()
    operation = limited.people.routes.member
    request = build(operation, base, path_id="7b1b3e0e-52a2-4d4b-9a53-6f1f1c9e6f10")
    reply = await transport.send(request, {}, None)
    options = session_of(limited).options
    untimed = msgspec.structs.replace(options, timeouts=_ENDLESS)
    adaptive = AdaptiveLimiter(initial=1e9)
    read = reader(Person)

    def deadline() -> None:
        one = deadlines.start()
        one.sooner(60.0)
        one.sooner(30.0)
        one.stop()

    async def limiter() -> None:
        slot = await adaptive.acquire(priority="interactive", max_wait=60.0)
        slot.release(Outcome.ANSWERED, None)

    steps: dict[str, Callable[[], Any]] = {
        "URL built": lambda: build(operation, base, path_id=next(_IDS)),
        "token looked up": tokens.current,
        "headers": lambda: caller._headers.of(request, bearer),
        "answer decoded": lambda: read(reply),
        "deadline set and met": deadline,
    }
    awaited: dict[str, Callable[[], Awaitable[Any]]] = {
        "limiter, adaptive": limiter,
        "call without a deadline": lambda: caller.call(request, _whole, untimed),
        "call": lambda: caller.call(request, _whole, options),
        _GET: lambda: limited.people.get(next(_IDS)),
    }

    def repeat(step: Callable[[], Any]) -> Variant:
        async def loop() -> None:
            for _ in range(1000):
                step()

        return loop

    def repeat_awaited(step: Callable[[], Awaitable[Any]]) -> Variant:
        async def loop() -> None:
            for _ in range(1000):
                await step()

        return loop

    async def listened(hook: Hook) -> JibbleClient:
        client = _client(base, AdaptiveLimiter(initial=1e9), Timeouts(), (hook,))
        theirs = session_of(client).caller
        theirs.open()
        await theirs._transport.aclose()
        theirs._transport = transport
        await theirs.tokens.get()
        return client

    def at_level(level: int) -> Variant:
        loop = repeat_awaited(lambda: limited.people.get(next(_IDS)))

        async def logged() -> None:
            handler = logging.FileHandler(os.devnull)
            logs.attach(handler, level)
            await loop()
            logs.detach(handler)
            handler.close()

        return logged

    hooked = await listened(lambda _: None)
    spans = await listened(_traced())
    observed = {
        f"{_GET}, logged at INFO": at_level(logging.INFO),
        f"{_GET}, logged at DEBUG": at_level(logging.DEBUG),
        f"{_GET}, a hook that does nothing": repeat_awaited(lambda: hooked.people.get(next(_IDS))),
        f"{_GET}, OpenTelemetry: two spans, two measurements": repeat_awaited(
            lambda: spans.people.get(next(_IDS))
        ),
    }
    variants = {name: repeat(step) for name, step in steps.items()}
    variants |= {name: repeat_awaited(step) for name, step in awaited.items()}
    taken = await interleave(variants | observed, rounds)
    rows = [[name, *Spread.of(taken[name]).text(2, 1e3)] for name in variants]
    table("Each step alone, without a network.", ["step", "µs", "95%"], rows)
    plain = taken[_GET]
    rows = [[name, *differences(taken[name], plain).text(2, 1e3)] for name in observed]
    table("What watching a call adds.", ["watched by", "µs", "95%"], rows)
    for client in (limited, hooked, spans):
        await client.aclose()


def _traced() -> Hook:
    """A hook whose spans and measurements are made in full, and kept by nobody."""
    traces = TracerProvider(shutdown_on_exit=False)
    metrics = MeterProvider([InMemoryMetricReader()], shutdown_on_exit=False)
    return OpenTelemetryHook(traces, metrics)


async def _run(rounds: int) -> None:
    with serving() as origin:
        started = time.monotonic()
        await _over_the_wire(f"{origin}/0", rounds)
        await _without_a_wire(f"{origin}/0", 9 if rounds < ROUNDS else 25)
        print(f"\n{time.monotonic() - started:.0f} s in all.")


if __name__ == "__main__":
    asyncio.run(_run(150 if quick("What a small call costs.") else ROUNDS))
