"""What faults answer instead of the service, and what they do to a page."""

from __future__ import annotations

from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any, cast

from jibble_async.sandbox.errors import Refusal
from jibble_async.sandbox.exchange import Call, Reply
from jibble_async.sandbox.identity import unauthorized
from jibble_async.sandbox.legacy.errors import LegacyRefusal
from jibble_async.sandbox.legacy.identity import authorization_required
from jibble_async.sandbox.scalars import format_instant

if TYPE_CHECKING:
    from datetime import datetime

    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.faults import Fault
    from jibble_async.sandbox.ledger import Service

_BAD_GATEWAY = (
    b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>"
)


def instead(fault: Fault, service: Service, now: datetime) -> Reply | None:
    """The reply that a fault gives in place of the service's; None when it gives none.

    Args:
        fault: What the request met.
        service: Who would have answered; refusals are in its words.
        now: The present instant, for `Retry-After` as a date.
    """
    params = fault.params
    match fault.kind:
        case "html_502":
            return Reply(502, _BAD_GATEWAY, {"Content-Type": "text/html"})
        case "status":
            return Reply(params["status"], _body(params["body"]), dict(params["headers"]))
        case "too_many":
            return _too_many(params, now)
        case "empty_403":
            return Reply(403, _body(params["body"]))
        case "denied_403":
            return Reply(403, _denial(service).body())
        case "unauthorized":
            return authorization_required() if service == "legacy" else unauthorized()
        case "redirect":
            return Reply(params["status"], headers={"Location": params["location"]})
        case _:
            return None


def bend(fault: Fault, call: Call, page: Any) -> None:
    """Changes a page as a fault says; what is no page stays as it is.

    Args:
        fault: What the request met.
        call: The request, for links to itself.
        page: The envelope, or the legacy host's bare array, changed in place.
    """
    if isinstance(page, list):
        _bend_array(fault, cast("list[Row]", page))
    elif isinstance(page, dict) and "value" in page:
        _bend_envelope(fault, call, cast("Row", page))


def _bend_array(fault: Fault, rows: list[Row]) -> None:
    params = fault.params
    if fault.kind == "empty_page":
        rows.clear()
    elif fault.kind == "bad_row" and params["row"] < len(rows):
        rows[params["row"]][params["field"]] = params["value"]


def _bend_envelope(fault: Fault, call: Call, page: Row) -> None:
    params = fault.params
    rows: list[Row] = page["value"]
    itself = f"{call.base}{call.path}?{call.query}"
    match fault.kind:
        case "empty_page":
            page["value"] = []
            page["@odata.nextLink"] = itself
        case "repeat_link":
            page["@odata.nextLink"] = itself
        case "foreign_link":
            page["@odata.nextLink"] = params["link"]
        case "wrong_count":
            count = params["count"]
            page["@odata.count"] = (
                page.get("@odata.count", len(rows)) + params["by"] if count is None else count
            )
        case "no_count":
            page.pop("@odata.count", None)
        case "bad_row" if params["row"] < len(rows):
            rows[params["row"]][params["field"]] = params["value"]
        case _:
            pass


def _denial(service: Service) -> Refusal:
    if service == "legacy":
        return LegacyRefusal(403, "Access Denied", "ACCESS_DENIED")
    return Refusal(403, "forbidden", "You are not allowed to access this resource.")


def _body(body: Any) -> Any:
    return body.encode() if isinstance(body, str) else body


def _too_many(params: dict[str, Any], now: datetime) -> Reply:
    reply = Reply(429, b"API calls quota exceeded!", {"Content-Type": "text/plain"})
    wait = params["retry_after"]
    if wait is not None:
        until = now + timedelta(seconds=wait)
        date = format_datetime(until.astimezone(UTC), usegmt=True)
        reply.headers["Retry-After"] = date if params["as_date"] else str(wait)
    if params["headers"]:
        reply.headers["X-Rate-Limit-Limit"] = "1s"
        reply.headers["X-Rate-Limit-Remaining"] = "0"
        reply.headers["X-Rate-Limit-Reset"] = format_instant(now + timedelta(seconds=wait or 1))
    return reply
