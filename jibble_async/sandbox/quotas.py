"""Rate limits as the current API tells of them, for each credential and service.

The headers are documented for one call: `X-Rate-Limit-Limit` is the window (`1s`), `-Remaining` a
number, `-Reset` an instant with 7 digits. The real numbers are unpublished; that a 429 is plain
text with `Retry-After` in seconds is inferred from the package that uses these names. Token
requests are not limited here.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from jibble_async.sandbox.exchange import Reply
from jibble_async.sandbox.scalars import format_instant

_EPOCH = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Quota:
    """How much a credential may ask of each service.

    Args:
        limit: Requests in a window.
        per: Length of the window in seconds.
        headers: Whether replies carry the `X-Rate-Limit-*` headers.
        retry_after: Whether a refusal carries `Retry-After`.
        kind: `fixed` windows that begin at multiples of their length, or a `sliding` one.
        empty_403: Whether a refusal is a 403 with an empty body instead of a 429.
        empty_body: That body; other forms of "empty" are `{}` and
            `{"meta":{"code":403},"response":{}}`.
        counts_refused: Whether a refused request counts like any other.
    """

    limit: int
    per: float
    headers: bool = True
    retry_after: bool = True
    kind: Literal["fixed", "sliding"] = "fixed"
    empty_403: bool = False
    empty_body: str = ""
    counts_refused: bool = False


class QuotaMeter:
    """Counts requests against a quota.

    Args:
        quota: The quota; None admits everything, silently.
    """

    def __init__(self, quota: Quota | None) -> None:
        self.quota = quota
        self._admitted: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)

    def take(
        self, credential: str, service: str, now: datetime
    ) -> tuple[Reply | None, dict[str, str]]:
        """The refusal, if the quota is used up, and the headers that any reply carries.

        Args:
            credential: Whose quota it is.
            service: The service that is asked.
            now: The instant by the sandbox's clock.
        """
        quota = self.quota
        if quota is None:
            return None, {}
        at = (now - _EPOCH).total_seconds()
        admitted = self._admitted[credential, service]
        opened = at // quota.per * quota.per if quota.kind == "fixed" else at - quota.per
        while admitted and (
            admitted[0] < opened if quota.kind == "fixed" else admitted[0] <= opened
        ):
            admitted.popleft()
        refused = len(admitted) >= quota.limit
        if not refused or quota.counts_refused:
            admitted.append(at)
        first = admitted[0] if admitted else at
        ends = (opened if quota.kind == "fixed" else first) + quota.per
        headers: dict[str, str] = {}
        if quota.headers:
            headers = {
                "X-Rate-Limit-Limit": _period(quota.per),
                "X-Rate-Limit-Remaining": str(max(0, quota.limit - len(admitted))),
                "X-Rate-Limit-Reset": format_instant(_EPOCH + timedelta(seconds=ends)),
            }
        return (self._refusal(quota, ends - at) if refused else None), headers

    @staticmethod
    def _refusal(quota: Quota, wait: float) -> Reply:
        if quota.empty_403:
            return Reply(403, quota.empty_body.encode())
        text = f"API calls quota exceeded! maximum admitted {quota.limit} per {_period(quota.per)}."
        reply = Reply(429, text.encode(), {"Content-Type": "text/plain"})
        if quota.retry_after:
            reply.headers["Retry-After"] = str(max(1, math.ceil(wait)))
        return reply


def _period(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:g}{unit}"
    return f"{seconds:g}s"
