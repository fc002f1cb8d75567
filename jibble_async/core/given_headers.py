"""Headers that a caller adds to the requests of the API, such as an id to find them again by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jibble_async.checks import pattern, require_kind
from jibble_async.core.opaque import Headers
from jibble_async.errors import ConfigurationError

__all__ = ["given_headers"]

# What is added says whose request it is, and changes nothing that the request means.
_ALLOWED = r"(?ai)x-[a-z0-9-]{1,60}|[a-z0-9-]{1,60}-id|traceparent|tracestate|baggage|b3"
# Credentials, and what proxies and servers take for another address, host or method.
_REFUSED = (
    r"(?i)^(content|accept|if)-|auth|bearer|cookie|credential|forwarded|host|jwt|key|method"
    r"|original|override|password|proxy|real|remote|rewrite|secret|token|-ip(-|$)"
)
_NAME = r"(?ai)[a-z0-9-]{1,80}"
_VALUE = r"[\x21-\x7e]([\x20-\x7e]{0,1022}[\x21-\x7e])?"
_MOST = 16


def given_headers(given: Mapping[str, str]) -> Headers:
    """The headers, if they may be sent; their values are in no repr, log or error.

    Args:
        given: By their names: `X-…`, `…-Id`, `traceparent`, `tracestate`, `baggage`, `b3`. Refused
            are names that speak of credentials, hosts, addresses or methods.

    Raises:
        ConfigurationError: A name or a value that can't be sent, or too many.
    """
    headers = Headers()
    require_kind("headers=", given, Mapping)
    if len(given) > _MOST:
        raise ConfigurationError(f"headers= holds {len(given)} headers, and {_MOST} are the most")
    untyped: Mapping[Any, Any] = given
    for name, value in untyped.items():
        if not isinstance(name, str) or not pattern(_NAME).fullmatch(name):
            # It may be a credential, where name and value were mixed up.
            raise ConfigurationError(
                "headers= holds what is no name of a header: 1 to 80 letters, digits and hyphens"
            )
        if name in headers:
            raise ConfigurationError(f"headers= holds {name!r}, which is there twice")
        if not pattern(_ALLOWED).fullmatch(name) or pattern(_REFUSED).search(name):
            raise ConfigurationError(
                f"headers= can't set {name!r}: it is for ids to find requests by, such as "
                "X-Request-Id, X-Correlation-Id or traceparent; credentials are given to the client"
            )
        if not isinstance(value, str) or not pattern(_VALUE).fullmatch(value):
            raise ConfigurationError(
                f"headers= has a value for {name!r} that can't be sent: 1 to 1024 printable ASCII "
                "characters without a space at an end"
            )
        headers[name] = value
    return headers
