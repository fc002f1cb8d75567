"""What the hosts do with a request, free of sockets: which is meant, who asks, faults, quotas.

A request is taken in two steps, so that whoever carries it can break off in between: it *arrives*,
which the ledger notes, and it is *answered*, which commits what it changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from heapq import heappop, heappush
from typing import TYPE_CHECKING
from urllib.parse import unquote

from jibble_async.sandbox.errors import Refusal
from jibble_async.sandbox.exchange import Answering, Call, Reply
from jibble_async.sandbox.identity import Identity, unauthorized
from jibble_async.sandbox.ledger import SERVICES, Ledger, Received, Service
from jibble_async.sandbox.metadata import PATH, metadata
from jibble_async.sandbox.replies import bend, instead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jibble_async.sandbox.faults import Fault, Faults
    from jibble_async.sandbox.legacy.identity import LegacyIdentity
    from jibble_async.sandbox.legacy.store import LegacyStore
    from jibble_async.sandbox.quotas import QuotaMeter

LOOPBACK = "127.0.0.1"
_JSON = "application/json; odata.metadata=minimal; odata.streaming=true"
_LEGACY_JSON = "application/json; charset=utf-8"
_PLAYED: dict[str, Service] = {
    **{f"{name}.prod.jibble.io": name for name in SERVICES[:4]},
    "connect.jibble.io": "legacy",
    "connect.herokuapp.com": "legacy-identity",
}
_OWN = frozenset({LOOPBACK, "localhost"})
_READ = ("authorization", "content-type", "prefer")
_LEFT, _RIGHT = r"(?:\$|%24|filter(?:\[|%5B))", r"(?:\]|%5D)?="
_OFFSET = re.compile(rf"{_LEFT}(?:skip|top|limit){_RIGHT}\d*&?", re.IGNORECASE)
_SKIP = re.compile(rf"{_LEFT}skip{_RIGHT}(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that has arrived.

    Args:
        call: The request.
        received: Its entry in the ledger.
        fault: The trouble that it meets.
        reply: Answers it, once, and commits what it changes.
    """

    call: Call
    received: Received
    fault: Fault | None
    reply: Callable[[], Reply]


class Hosts:
    """The four hosts of the current API and the two of the old one.

    Args:
        identity: Issues and knows tokens.
        legacy_identity: Issues and knows those of the old API.
        services: What answers for each host but the token hosts.
        ledger: Notes every request.
        legacy: The old API's rows.
        faults: Trouble to make.
        quotas: Limits to keep.
        legacy_quotas: Those of the old API.
        clock: The present instant.

    Attributes:
        port: Where they listen, if they do.
        before_write: Called with a request that may change rows, before it does.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        legacy_identity: LegacyIdentity,
        services: Mapping[Service, Answering],
        ledger: Ledger,
        legacy: LegacyStore,
        faults: Faults,
        quotas: QuotaMeter,
        legacy_quotas: QuotaMeter,
        clock: Callable[[], datetime],
    ) -> None:
        self._identity = identity
        self._legacy_identity = legacy_identity
        self._services = services
        self._ledger = ledger
        self._legacy = legacy
        self._faults = faults
        self._quotas = quotas
        self._legacy_quotas = legacy_quotas
        self._clock = clock
        # When what is under way commits; in the order of arrival where that is equal.
        self._later: list[tuple[datetime, int, Callable[[], Reply]]] = []
        self.port: int | None = None
        self.before_write: Callable[[Call, Received], None] | None = None

    def arrive(
        self,
        method: str,
        origin: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Visit | Reply:
        """Takes a request in; what is for none of the hosts has its answer at once.

        Args:
            method: The HTTP method.
            origin: Scheme, host and port that the request was sent to.
            target: The raw path and query.
            headers: Its headers, found without regard to case.
            body: The bytes of the body.
        """
        self.catch_up()
        host = origin.partition("://")[2]
        if not self._known(host):
            return Reply(421, b"This sandbox is not called so.", {"Content-Type": "text/plain"})
        service, prefix = self._meant(host, target)
        if service is None:
            return Reply(404)
        target = target.removeprefix(prefix)
        raw_path, _, query = target.partition("?")
        received = Received(
            number=len(self._ledger.requests) + 1,
            at=self._clock(),
            service=service,
            method=method,
            target=target,
            path=unquote(raw_path),
        )
        self._ledger.requests.append(received)
        read = {name: headers[name] for name in _READ if name in headers}
        call = Call(method, received.path, query, body, read, origin + prefix)
        fault = self._faults.take(received)

        def reply() -> Reply:
            answer = self._reply(call, received, fault)
            if fault is not None and fault.kind == "invalid_json":
                answer.payload = answer.encoded()[:-1]
            kind = _LEGACY_JSON if service.startswith("legacy") else _JSON
            if answer.payload not in (None, b""):
                answer.headers.setdefault("Content-Type", kind)
            date = format_datetime(self._clock().astimezone(UTC), usegmt=True)
            answer.headers.setdefault("Date", date)
            return answer

        if fault is not None and fault.kind == "commit_later":
            due = received.at + timedelta(seconds=fault.params["after"])
            heappush(self._later, (due, received.number, reply))
        return Visit(call, received, fault, reply)

    def catch_up(self, *, whole: bool = False) -> None:
        """Commits what was to be committed later and is due; `arrive` begins with it.

        Args:
            whole: Whatever is under way, due or not.
        """
        while self._later and (whole or self._later[0][0] <= self._clock()):
            _, _, reply = heappop(self._later)
            reply()

    def _known(self, host: str) -> bool:
        """Whether a request was sent to a name of ours; a page that a foreign name serves isn't."""
        name, _, port = host.lower().partition(":")
        if name in _PLAYED:
            return port in {"", "443", str(self.port)}
        return name in _OWN and port == str(self.port)

    def _meant(self, host: str, target: str) -> tuple[Service | None, str]:
        """The service that is meant, and what its targets begin with."""
        name = host.lower().partition(":")[0]
        if name in _PLAYED:
            return _PLAYED[name], ""
        for service in SERVICES:
            if target.startswith(f"/{service}/"):
                return service, f"/{service}"
        return None, ""

    def _reply(self, call: Call, received: Received, fault: Fault | None) -> Reply:
        other = instead(fault, received.service, self._clock()) if fault is not None else None
        if other is not None and not (fault and fault.params.get("committed")):
            return other
        reply = self._answer(call, received, fault)
        return reply if other is None else other

    def _answer(self, call: Call, received: Received, fault: Fault | None) -> Reply:
        if received.service == "identity":
            return self._identity.answer(call)
        if received.service == "legacy-identity":
            return self._legacy_identity.answer(call)
        legacy = received.service == "legacy"
        authorization = call.headers.get("authorization")
        credential = (
            self._legacy_identity.credential(authorization)
            if legacy
            else self._identity.credential(authorization) or unauthorized()
        )
        if isinstance(credential, Reply):
            return credential
        received.authorized = True
        if self.before_write is not None and call.method != "GET":
            self.before_write(call, received)
        quotas = self._legacy_quotas if legacy else self._quotas
        refusal, headers = quotas.take(credential, received.service, received.at)
        reply = refusal or self._serve(call, received, fault)
        reply.headers.update(headers)
        return reply

    def _serve(self, call: Call, received: Received, fault: Fault | None) -> Reply:
        rows = self._legacy if received.service == "legacy" else self._ledger.dataset
        if fault is not None and fault.kind == "mutate":
            fault.params["change"](rows)
            rows.touch()
        rows.notice()
        skip = _SKIP.search(call.query)
        walk = f"{call.path}?{_OFFSET.sub('', call.query).rstrip('&')}"
        shift = self._faults.shift(fault, walk, int(skip[1]) if skip else 0)
        try:
            if call.path == PATH and call.method == "GET" and received.service != "legacy":
                reply = metadata(received.service)
            else:
                reply = self._services[received.service].answer(call, received, shift)
        except Refusal as refusal:
            return Reply(refusal.status, refusal.body(), refusal.headers)
        if fault is not None:
            bend(fault, call, reply.payload)
        return reply
