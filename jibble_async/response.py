"""What may be told of an answer: what one quotes to whoever runs the server."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["ResponseMetadata"]


class ResponseMetadata(msgspec.Struct, frozen=True):
    """What may be told of an answer, on errors (`error.response`) and pages (`page.response`).

    It can be pickled, and holds no secret: of the headers those of an allow-list, whose values are
    left out where they repeat anything of the request.
    """

    status: int
    """The HTTP status."""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    """Those of `jibble_async.core.quoting.QUOTABLE` that came, spelt as there."""
    request_id: str | None = None
    """What the server calls this request, if it said so in a way that is known."""
    retry_after: float | None = None
    """Seconds the server asked to wait, if it did."""
