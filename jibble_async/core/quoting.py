"""What of an answer may be quoted: the one list of its headers, and the server's id for it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from urllib.parse import unquote_plus

import msgspec

from jibble_async.checks import pattern
from jibble_async.core.operation import JSON, Request
from jibble_async.core.wire import Reply
from jibble_async.limits.headers import read_retry_after
from jibble_async.response import ResponseMetadata

__all__ = ["QUOTABLE", "REQUEST_IDS", "metadata_of"]

REQUEST_IDS = (
    "X-Request-Id", "Request-Id", "X-Correlation-Id", "X-Ms-Request-Id", "X-Amzn-RequestId",
    "X-Amzn-Trace-Id", "X-Amz-Cf-Id", "CF-Ray", "X-Trace-Id",
)  # fmt: skip
"""The headers in which servers and gateways name a request, the server's own before gateways'.

No answer of Jibble's with any of them was published; what was is `traceId` in an error's body
(documented: errors).
"""
QUOTABLE = (
    *REQUEST_IDS,
    "Content-Type", "Date", "OData-Version", "Retry-After", "Server",
    "X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset",
    "X-RateLimit-Remaining", "X-RateLimit-Reset",
)  # fmt: skip
"""The headers of answers that may be shown; no other is, in errors, pages, logs and spans."""

_ID = r"[\w.:/+=|;@-]{1,128}"
_VALUE = r"[\x20-\x7e]{1,200}"
_NUMBER = r"\d{1,15}(\.\d{1,9})?"
_DATE = r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT"
_FORMS = {
    "Content-Type": r"application/json(; ?[a-z.]+=[a-z0-9.-]{1,10})*|text/(html|plain)",
    "Date": _DATE,
    "OData-Version": r"\d\.\d{1,2}",
    "Retry-After": rf"{_NUMBER}|{_DATE}",
    "X-Rate-Limit-Limit": rf"{_NUMBER}[smhd]",
    "X-Rate-Limit-Remaining": _NUMBER,
    "X-Rate-Limit-Reset": r"[\d:T.+-]{10,36}Z?",
    "X-RateLimit-Remaining": _NUMBER,
    "X-RateLimit-Reset": _NUMBER,
}
"""Values that say nothing of the request, whatever was asked."""
_PART = 6
_LONGEST = 100_000
_TRACE_ID = b'"traceId"'


class _Problem(msgspec.Struct, rename="camel"):
    trace_id: str | None = None


def metadata_of(reply: Reply, wait: float | None = None) -> ResponseMetadata:
    """What may be told of an answer.

    Args:
        reply: The answer.
        wait: Seconds the server asked to wait, where that was read already.
    """
    headers = dict(_quotable(reply))
    if wait is None and "Retry-After" in headers:
        wait = read_retry_after(reply.headers)
    ids = (headers[name] for name in REQUEST_IDS if name in headers)
    request_id = next((each for each in ids if pattern(_ID).fullmatch(each)), None)
    if request_id is None and reply.status >= 400:
        request_id = _trace_id(reply)
    return ResponseMetadata(reply.status, headers, request_id, wait)


def _quotable(reply: Reply) -> Iterator[tuple[str, str]]:
    for name in QUOTABLE:
        value = reply.headers.get(name)
        if value is not None and _is_fit(reply, name, value):
            yield name, value


def _is_fit(reply: Reply, name: str, value: str) -> bool:
    # A year that was filtered by is in every date.
    if _is_formed(name, value):
        return True
    return pattern(_VALUE).fullmatch(value) is not None and not _tells(reply, value)


# Nearly all answers have the same ones, and those of a second the same date.
@functools.lru_cache(256)
def _is_formed(name: str, value: str) -> bool:
    form = _FORMS.get(name)
    return form is not None and pattern(form).fullmatch(value) is not None


def _trace_id(reply: Reply) -> str | None:
    """What problem details call the request."""
    if _TRACE_ID not in reply.body:
        return None
    try:
        found = msgspec.json.decode(reply.body, type=_Problem).trace_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    fit = found is not None and pattern(_ID).fullmatch(found) and not _tells(reply, found)
    return found if fit else None


def _tells(reply: Reply, value: str) -> bool:
    """Whether a value repeats anything of what was sent: a token, a filter's value, a body's."""
    request, text = reply.request, value.lower()
    parts = [reply.sent.get("Authorization", "")]
    if request is not None:
        parts += [request.url.query_string, _text_of(request)]
    sent = "\n".join(parts).lower()
    # Every part of eight characters has one of these in it; fewer may be repeated by chance.
    return any(text[at : at + _PART] in sent for at in range(0, max(1, len(text) - _PART + 1), 3))


def _text_of(request: Request) -> str:
    body = (request.body or b"")[:_LONGEST].decode(errors="replace")
    return body if request.content_type == JSON else unquote_plus(body)
