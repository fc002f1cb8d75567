"""The headers of requests, which are nearly always those of the request before."""

from __future__ import annotations

from jibble_async.core.opaque import Headers
from jibble_async.core.operation import JSON, Request
from jibble_async.core.tokens import Bearer

__all__ = ["KeptHeaders"]


class KeptHeaders:
    """The headers of a client's requests, kept because making them costs more than the rest.

    Args:
        user_agent: What the client calls itself.
    """

    def __init__(self, user_agent: str) -> None:
        # In aiohttp's own type, which it takes as it is.
        self._plain = Headers({"Accept": JSON, "User-Agent": user_agent})
        self._authorised = (0, self._plain)

    def of(self, request: Request, bearer: Bearer | None, more: Headers | None = None) -> Headers:
        """The headers of a request; not to be changed.

        Args:
            request: What is sent.
            bearer: The token, if there is to be one.
            more: What else is sent, such as ids that a caller gave.
        """
        headers = self._plain
        if bearer is not None:
            generation, headers = self._authorised
            if generation != bearer.generation:
                headers = Headers(self._plain)
                headers["Authorization"] = bearer.authorization
                self._authorised = (bearer.generation, headers)
        operation = request.operation
        if request.content_type is None and operation.accept == JSON and not more:
            return headers
        headers = Headers(headers)
        if more:
            headers.update(more)
        headers["Accept"] = operation.accept
        if request.content_type is not None:
            headers["Content-Type"] = request.content_type
        return headers
