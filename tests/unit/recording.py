"""A client that keeps its requests and is answered from a list, so that nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote

import msgspec

from jibble_async import JibbleClient, StaticToken
from jibble_async.api.base_client import session_of
from jibble_async.api.session import Session
from jibble_async.core.operation import Request
from jibble_async.core.wire import Reply

T = TypeVar("T")


class RecordingSession(Session):
    """Keeps requests, and answers from a list."""

    def __init__(self, client: JibbleClient, answers: list[bytes], requests: list[Request]) -> None:
        known = session_of(client)
        super().__init__(known.caller, known.base)
        self._answers = answers
        self._requests = requests

    async def call(
        self, request: Request, read: Callable[[Reply], T], walk_id: str | None = None
    ) -> T:
        self._requests.append(request)
        body = self._answers.pop(0) if self._answers else b'{"@odata.count":0,"value":[]}'
        return read(Reply(200, {}, body))


class RecordingClient(JibbleClient):
    """Answers each call with the next of `answers`, and with an empty page after the last."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(auth=StaticToken("never-sent"))
        self.answers = [
            answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
            for answer in answers
        ]
        self.requests: list[Request] = []
        self._equip(RecordingSession(self, self.answers, self.requests))

    @property
    def options(self) -> dict[str, str]:
        """The query options of the last request, decoded once."""
        query = self.requests[-1].url.raw_query_string
        pairs = [part.partition("=") for part in query.split("&") if part]
        decoded = {unquote(name): unquote(value) for name, _, value in pairs}
        assert len(decoded) == len(pairs)
        return decoded


def target(request: Request) -> str:
    """Path and query as they are sent, percent-decoded once."""
    query = request.url.raw_query_string
    return unquote(request.url.raw_path + (f"?{query}" if query else ""))
