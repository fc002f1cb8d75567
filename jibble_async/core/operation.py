"""What is to be sent: operations, their safety, and the requests made from them. No I/O."""

from __future__ import annotations

import enum
import functools
import itertools
import posixpath
import re
from collections.abc import Iterable
from typing import TypeAlias
from urllib.parse import quote

import msgspec
from yarl import URL

from jibble_async.checks import pattern
from jibble_async.core.opaque import Opaque
from jibble_async.errors import ConfigurationError, PaginationError

__all__ = ["JSON", "Operation", "Params", "Request", "Safety", "build", "build_link"]

Params: TypeAlias = Iterable[tuple[str, str]]
"""Query options in the order they are sent; a name may come more than once."""

JSON = "application/json"
# Everything a query may hold as it is. "+" is not among them: servers read it as a space.
_QUERY_SAFE = "$()',:;/*!@"
# What a link may hold as it is: it is sent to the letter, or as near to it as can be sent.
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_NOT_IN_LINK = r"[\x00-\x1f\x7f\\]"
_PATH_ID = r"[A-Za-z0-9_-]{1,64}"
# Servers and gateways take lines of 8192 bytes (nginx, Kestrel and aiohttp by default), with the
# method, the version and, by a proxy, the origin in them.
_LONGEST_TARGET = 8000


class Safety(enum.Enum):
    """What it means to send a request twice. A property of the operation, not of its verb."""

    READ = "read"
    """It changes nothing."""
    IDEMPOTENT = "idempotent"
    """Twice is the same as once."""
    UNSAFE = "unsafe"
    """Twice is not the same as once: never repeated unless it surely was not processed."""
    FINDABLE = "findable"
    """As unsafe, but what became of it can be found out by a mark that the caller keeps: so it goes
    on a kept connection, and whether a lost one is sent again is the caller's to decide."""
    ONCE = "once"
    """Reaches the server at most once, whatever it answers: repeated only if it was not sent."""


class Operation(msgspec.Struct, frozen=True):
    """Something that a service offers.

    Attributes:
        service: Which of the API's services.
        method: The HTTP method.
        path: The path, below what the base of the service has; `{id}` stands for an id.
        safety: What it means to send it twice.
        accept: The media type to ask for.
        name: What it is told and counted as: a resource and its method, as `people.get`.
        shown: The path to be told instead, where `path` holds an id already.
    """

    service: str
    method: str
    path: str
    safety: Safety
    accept: str = JSON
    name: str = "request"
    shown: str | None = None

    @property
    def template(self) -> str:
        """The path without ids, fit for logs and metrics."""
        return self.path if self.shown is None else self.shown

    def called(self, method: str) -> Operation:
        """The same under the name of another method of its resource."""
        resource = self.name.partition(".")[0]
        return msgspec.structs.replace(self, name=f"{resource}.{method}")

    def of_one(self, path_id: str) -> Operation:
        """The same for one id, which stands in its path from now on.

        Args:
            path_id: What takes the place of `{id}`.
        """
        path = self.path.replace("{id}", path_id)
        return msgspec.structs.replace(self, path=path, shown=self.template)


class Request(Opaque):
    """One request, ready to be sent as often as its operation allows.

    Attributes:
        operation: What it is an instance of.
        url: Where it goes; already encoded, and sent as it is.
        body: The bytes of its body, if it has one.
        content_type: What the body is.
    """

    operation: Operation
    url: URL
    body: bytes | None = None
    content_type: str | None = None

    @property
    def line(self) -> str:
        """The request for people: method, service, path and the names of the options."""
        options = self.url.raw_query_string.split("&")
        names = "&".join(dict.fromkeys(each.partition("=")[0] for each in options if each))
        query = f"?{names.replace('%5B', '[').replace('%5D', ']')}" if names else ""
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
        ConfigurationError: The id can't stand in a path, a text in no query, or it is too long.
    """
    path = operation.path
    if path_id is not None:
        if pattern(_PATH_ID).fullmatch(path_id) is None:
            raise ConfigurationError(f"{path_id!r} is not an id")
        path = path.replace("{id}", path_id)
    scheme, authority, prefix = _parts(base)
    query = "&".join(itertools.starmap(_option, params))
    length = len(prefix) + len(path) + len("?") + len(query)
    if length > _LONGEST_TARGET:
        raise ConfigurationError(
            f"the request for {path} would be {length} characters long, and servers take "
            f"{_LONGEST_TARGET}: ask in {length // _LONGEST_TARGET + 1} parts or more, each with "
            "some of the values of is_in() or of a list such as person_ids=; without order_by= a "
            "list of ids that all rows meet is split where that gives the same rows"
        )
    url = URL.build(
        scheme=scheme, authority=authority, path=prefix + path, query_string=query, encoded=True
    )
    return Request(operation, url, body, content_type)


@functools.cache
def _parts(base: str) -> tuple[str, str, str]:
    # Once for all requests of a client: parsing a URL anew costs more than putting it together.
    url = URL(base, encoded=True)
    return url.scheme, url.raw_authority, url.raw_path.rstrip("/")


@functools.lru_cache(256)
def _quoted(name: str) -> str:
    return quote(name, safe=_QUERY_SAFE)


@functools.lru_cache(256)
def _option(name: str, value: str) -> str:
    try:
        # Offsets, of which there is a new one for each page, need no quoting.
        plain = value.isascii() and value.isdigit()
        return f"{_quoted(name)}={value if plain else quote(value, safe=_QUERY_SAFE)}"
    except UnicodeEncodeError:
        raise ConfigurationError(f"{name!r} or its value is not valid Unicode text") from None


def build_link(operation: Operation, base: str, link: str) -> Request:
    """The request for a link that the server gave, followed to the letter.

    Args:
        operation: What the link continues.
        base: The origin of its service, with a path prefix if there is one.
        link: The link; a relative one is taken to start at the operation's path.

    Raises:
        PaginationError: It leads to another origin, where no credential may go, or to another
            path, where it would ask for something else.
    """
    home = URL(base + operation.path, encoded=True)
    if re.search(_NOT_IN_LINK, link) is not None:
        raise PaginationError("the server's next link holds characters that no URL has")
    try:
        url = URL(quote(link, safe=_ASCII), encoded=True)
        if not url.absolute:
            url = home.join(url)
        foreign = _origin(url) != _origin(home) or "@" in url.raw_authority
        host = url.raw_host
    except ValueError:
        raise PaginationError("the server's next link is not a URL") from None
    if foreign:
        raise PaginationError(
            f"the server's next link leads to {url.scheme}://{host}, "
            f"which is not {home.origin()}: it was not followed"
        )
    if posixpath.normpath(url.raw_path) != posixpath.normpath(home.raw_path):
        raise PaginationError(
            f"the server's next link leads to another path than {home.raw_path}: "
            "it was not followed"
        )
    return Request(operation, url)


def _origin(url: URL) -> tuple[str, str, int | None]:
    # Not yarl's, to which a port that is named differs from the same one by default.
    return url.scheme, (url.raw_host or "").lower(), url.port
