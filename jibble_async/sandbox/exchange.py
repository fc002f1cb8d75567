"""A request as the services see it, and their reply, both free of HTTP's machinery."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from jibble_async.sandbox.errors import bad_request

if TYPE_CHECKING:
    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.ledger import Received


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Args:
        method: The HTTP method.
        path: The decoded path behind the service's prefix, from `/v1` on.
        query: The raw query string.
        body: The bytes of the body.
        headers: The headers that services read, by lower-case name.
        base: Origin and prefix, for links and contexts.
    """

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]
    base: str

    def json(self) -> Row:
        """The body as an object.

        Raises:
            Refusal: 400, it is not one.
        """
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise bad_request(f"The body is not a JSON object: {error}") from error


@dataclass(slots=True)
class Reply:
    """One answer; `payload` is encoded as JSON unless it is bytes or None."""

    status: int
    payload: Any = None
    headers: dict[str, str] = field(default_factory=dict[str, str])

    def encoded(self) -> bytes:
        """The body's bytes."""
        if self.payload is None:
            return b""
        if isinstance(self.payload, bytes):
            return self.payload
        return msgspec.json.encode(self.payload)


class Answering(Protocol):
    """A service behind the identity check."""

    def answer(self, call: Call, received: Received, shift: int = 0) -> Reply:
        """The reply to a request.

        Args:
            call: The request.
            received: Its entry in the ledger, for commits.
            shift: Rows that were pushed in before this page since the walk began.

        Raises:
            Refusal: The request is refused with an error body.
        """
        ...
