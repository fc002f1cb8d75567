"""What is to be sent: operations, their safety, and the requests made from them. No I/O."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

from yarl import URL

from jibble_async.errors import ConfigurationError, PaginationError

__all__ = ["Operation", "Params", "Request", "Safety", "build", "build_link"]

Params: TypeAlias = Iterable[tuple[str, str]]
"""Query options in the order they are sent; a name may come more than once."""

# Everything a query may hold as it is. "+" is not among them: servers read it as a space.
_QUERY_SAFE = "$()',:;/*!@"
_PATH_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Safety(enum.Enum):
    """What it means to send a request twice. A property of the operation, not of its verb."""

    READ = "read"
    """It changes nothing."""
    IDEMPOTENT = "idempotent"
    """Twice is the same as once."""
    UNSAFE = "unsafe"
    """Twice is not the same as once: never repeated unless it surely was not processed."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that a service offers.

    Attributes:
        service: Which service: `workspace`, `time-tracking` …
        method: The HTTP method.
        path: The path with its `/v1`; `{id}` stands for an id.
        safety: What it means to send it twice.
    """

    service: str
    method: str
    path: str
    safety: Safety


class Request:
    """One request, ready to be sent as often as its operation allows.

    Attributes:
        operation: What it is an instance of.
        url: Where it goes; already encoded, and sent as it is.
        body: The bytes of its body, if it has one.
        content_type: What the body is.
    """

    __slots__ = ("body", "content_type", "operation", "url")

    def __init__(
        self,
        operation: Operation,
        url: URL,
        body: bytes | None = None,
        content_type: str | None = None,
    ) -> None:
        self.operation: Operation = operation
        self.url: URL = url
        self.body: bytes | None = body
        self.content_type: str | None = content_type

    @property
    def line(self) -> str:
        """The request for people: method, service, path and the names of the options."""
        names = [part.partition("=")[0] for part in self.url.raw_query_string.split("&") if part]
        query = f"?{'&'.join(dict.fromkeys(names))}" if names else ""
        return f"{self.operation.method} {self.operation.service} {self.url.raw_path}{query}"

    def __repr__(self) -> str:
        return f"<Request {self.line}>"


def build(
    operation: Operation,
    base: str,
    *,
    path_id: str | None = None,
    params: Params = (),
    body: bytes | None = None,
    content_type: str | None = None,
) -> Request:
    """The request for an operation.

    Args:
        operation: What to do.
        base: The origin of its service, with a path prefix if there is one.
        path_id: What takes the place of `{id}` in the path.
        params: Query options in order; names and values are encoded here.
        body: The body, already encoded.
        content_type: What the body is.

    Raises:
        ConfigurationError: The id can't stand in a path.
    """
    path = operation.path
    if path_id is not None:
        if _PATH_ID.fullmatch(path_id) is None:
            raise ConfigurationError(f"{path_id!r} is not an id")
        path = path.replace("{id}", path_id)
    query = "&".join(
        f"{quote(name, safe=_QUERY_SAFE)}={quote(value, safe=_QUERY_SAFE)}"
        for name, value in params
    )
    text = f"{base}{path}?{query}" if query else base + path
    return Request(operation, URL(text, encoded=True), body, content_type)


def build_link(operation: Operation, base: str, link: str) -> Request:
    """The request for a link that the server gave, followed to the letter.

    Args:
        operation: What the link continues.
        base: The origin of its service, with a path prefix if there is one.
        link: The link; a relative one is taken to start at the operation's path.

    Raises:
        PaginationError: It leads to another origin, where no credential may go.
    """
    home = URL(base + operation.path, encoded=True)
    try:
        url = URL(link, encoded=True)
        if not url.absolute:
            url = home.join(url)
        foreign = url.origin() != home.origin() or url.user is not None
    except ValueError:
        raise PaginationError("the server's next link is not a URL") from None
    if foreign:
        raise PaginationError(
            f"the server's next link leads to {url.scheme}://{url.host}, "
            f"which is not {home.origin()}: it was not followed"
        )
    return Request(operation, url)
