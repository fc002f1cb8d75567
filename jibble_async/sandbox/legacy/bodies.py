"""Bodies of writes checked against the models, as JSON or as a form.

What is documented for a request may be sent, and nothing else: whether the host ignores or refuses
the rest is unknown, and a client must not come to rely on either. A null takes a value away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from jibble_async.sandbox.legacy.errors import LegacyRefusal, invalid
from jibble_async.sandbox.legacy.querystring import parse
from jibble_async.sandbox.legacy.scalars import parse_date, parse_number

if TYPE_CHECKING:
    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.exchange import Call
    from jibble_async.sandbox.legacy.models import Model
    from jibble_async.sandbox.legacy.store import LegacyStore

_ACTIONS = (1, 2)
_POWER_UPS = ("slack", "billing")


def read_body(call: Call) -> Row:
    """The body's properties; none when its type is neither JSON nor a form.

    Raises:
        LegacyRefusal: 400, it is not a JSON object.
    """
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return parse(call.body.decode("utf-8", "replace"))
    if kind != "application/json" or not call.body:
        return {}
    try:
        return msgspec.json.decode(call.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise LegacyRefusal(400, f"Not a JSON object: {error}", name="SyntaxError") from None


def checked(store: LegacyStore, model: Model, body: Row, *, row: Row | None = None) -> Row:
    """The body's properties as they are stored.

    Args:
        store: Where references lead.
        model: What is written.
        body: What was sent.
        row: The row that is changed; None for a new one.

    Raises:
        LegacyRefusal: 422, naming every property that is missing, not writable or not valid.
    """
    required = (model.required or ()) if row is None else ()
    allowed = model.changes if row is not None else (*required, *model.optional)
    found: Row = {}
    problems: dict[str, tuple[str, str]] = {}
    for name, value in body.items():
        if name not in allowed:
            problems[name] = ("unknown-property", "is not a property that can be written")
            continue
        found[name] = value if value is None else _value(store, model, name, value)
        if value is not None and found[name] is None:
            shown = msgspec.json.encode(value).decode()
            problems[name] = ("invalid", f"is not valid (value: {shown})")
    must = required or [name for name in (model.required or ()) if name in found]
    for name in must:
        if found.get(name) in {None, ""} and name not in problems:
            problems[name] = ("presence", "can't be blank")
    team = found.get("team") or (row or {}).get("team")
    if "color" in found and "color" not in problems:
        others = (
            each
            for each in store.table("activities").equal("color", found["color"])
            if each is not row
        )
        if any(each["team"] == team for each in others):
            problems["color"] = ("uniqueness", "is not unique")
    if problems:
        raise invalid(model.name, problems)
    return found


def _value(store: LegacyStore, model: Model, name: str, value: Any) -> Any:
    """A value as it is stored; None when it is not valid."""
    match model.properties[name]:
        case "ref":
            known = isinstance(value, str) and value in store.index(model.targets[name])
            return value if known else None
        case "number":
            number = parse_number(value) if isinstance(value, str) else value
            if isinstance(number, bool) or not isinstance(number, int | float):
                return None
            return number if name != "action" or number in _ACTIONS else None
        case "bool":
            value = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
            return value if isinstance(value, bool) else None
        case "date":
            return parse_date(value) if isinstance(value, str) else None
        case "object":
            return cast("Row", value) if isinstance(value, dict) else None
        case "text":
            known = name != "powerUpId" or value in _POWER_UPS
            return value if isinstance(value, str) and known else None
