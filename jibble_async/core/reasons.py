"""What an answer says went wrong, in the shapes that servers, frameworks and gateways use.

OData's and LoopBack's envelopes, OAuth's pair, problem details with ASP.NET's map of fields
(documented: errors), lists of errors as in JSON:API, a line of text, the title of a page. Not read:
`innererror`, `stack` and the like, which hold a stack trace of the server.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from typing import Any

from jibble_async.core.lenient import decoder
from jibble_async.core.wire import Reply, decode_json, plain_error, printable
from jibble_async.errors import APIError, AuthenticationError, DecodeError, RateLimitedError

__all__ = ["reason_of", "told_error"]

_CODES = ("code", "errorcode", "name")
_ENVELOPES = ("error", "odata.error", "fault")
_SEVERAL = ("errors", "modelstate")
_TEXTS = (
    "error_description", "message", "detail", "faultstring", "details", "title", "description",
    "reason", "msg", "value",
)  # fmt: skip
_MOST = 5
_DEEPEST = 5
_LONGEST_LINE = 300
# Looked for in the first part of a page or an XML document only.
_MARKUP = 4096
_TITLE = r"(?is)<(?:\w{1,20}:)?(?:title|message)\b[^<>]{0,200}>([^<]{1,300})"
_TOO_FAST = r"(?i)rate.?limit|too.many.requests|throttl"


def reason_of(reply: Reply) -> tuple[str | None, str | None]:
    """The code and the text with which an answer says what went wrong, fit to be shown.

    Args:
        reply: What the server answered.
    """
    try:
        code, text = _told(decode_json(reply, decoder(Any).decode), _DEEPEST)
    except DecodeError:
        code, text = None, _line(reply.body)
    return _shown(code), _shown(text)


def told_error(
    reply: Reply, refusals: Container[str | None], subject: str, advice: str, wait: float | None
) -> APIError:
    """The error that an answer with a reason stands for.

    A 403 that names a time to wait, or speaks of a limit, is throttling.

    Args:
        reply: What the server answered.
        refusals: The codes with which the API refuses credentials.
        subject: What it refuses then.
        advice: What to do about it, if anything.
        wait: Seconds the server asked to wait, if it did.
    """
    code, text = reason_of(reply)
    status = reply.status
    if code in refusals:
        message = f"{subject} refused ({code}){f': {text}' if text else ''}{advice}"
        return AuthenticationError(message, status=status, code=code)
    if status == 403 and (wait is not None or re.search(_TOO_FAST, f"{code} {text}")):
        message = f"403: {text or 'the server refuses for speed'}"
        return RateLimitedError(message, status=status, code=code, retry_after=wait)
    return plain_error(status, code, text, wait)


def _told(value: Any, depth: int) -> tuple[str | None, str | None]:
    """The code and the text in a JSON value; in a list or a map of several those of all."""
    if isinstance(value, str):
        return None, value
    inner = value
    if not isinstance(value, list | dict) or depth == 0:
        return None, None
    if isinstance(value, list):
        parts = [_told(each, depth - 1) for each in inner[:_MOST]]
        texts = [text for _, text in parts if text]
        return next((code for code, _ in parts if code), None), "; ".join(texts) or None
    names: dict[str, Any] = {name.lower(): each for name, each in inner.items()}
    code = next((each for name in _CODES if isinstance(each := names.get(name), str)), None)
    for name in _SEVERAL:
        text = _of_fields(names.get(name), depth - 1)
        if text:
            return code, text
    for name in _ENVELOPES:
        own, text = _told(names.get(name), depth - 1)
        if isinstance(names.get(name), str):
            # OAuth's is a code beside a text, others' a text.
            about = _first_text(names, depth)
            return (text, about) if text and " " not in text else (code, about or text)
        if own or text:
            return own or code, text or _first_text(names, depth)
    return code, _first_text(names, depth)


def _first_text(names: Mapping[str, Any], depth: int) -> str | None:
    texts = (_told(names.get(name), depth - 1)[1] for name in _TEXTS)
    return next((text for text in texts if text and text.strip()), None)


def _of_fields(value: Any, depth: int) -> str | None:
    """What a map says of each field, such as `Platform: The Platform field is required.`."""
    fields = value
    if not isinstance(value, dict):
        return _told(value, depth)[1]
    told = {name: _told(each, depth)[1] for name, each in [*fields.items()][:_MOST]}
    return "; ".join(f"{name}: {text}" if name else text for name, text in told.items() if text)


def _line(body: bytes) -> str | None:
    """A body that is a line of text, or the title of one that is a page or XML."""
    start = body[:_MARKUP].decode("utf-8", "ignore").strip()
    if start.startswith("<"):
        # Imported when it is needed, as it is slow to.
        import html

        found = re.search(_TITLE, start)
        return html.unescape(found[1]) if found else None
    # More lines may be a stack trace.
    fit = len(body) <= _LONGEST_LINE and start.isprintable() and start[:1] not in ("{", "[", '"')
    return start if fit else None


def _shown(text: str | None) -> str | None:
    return (printable(text) or None) if text else None
