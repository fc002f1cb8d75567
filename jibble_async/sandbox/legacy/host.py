"""The old API's resources: which request does what.

Lists are bare arrays, a deletion answers `{"status": "success"}`, PUT changes what it is given and
answers with the whole object (documented: old-calls). That every success is a 200 is the
framework's manner; that `POST /teammembers`, which the documentation refuses, is a 404 like any
method that the host does not have, is inferred.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, Any, cast

import msgspec

from jibble_async.sandbox.exchange import Call, Reply
from jibble_async.sandbox.legacy.bodies import checked, read_body
from jibble_async.sandbox.legacy.errors import crash, no_method, no_such
from jibble_async.sandbox.legacy.filters import read_filter, read_relations
from jibble_async.sandbox.legacy.models import MODELS, SPELLINGS, Model
from jibble_async.sandbox.legacy.records import TEAM_DEFAULTS
from jibble_async.sandbox.legacy.scalars import new_id
from jibble_async.sandbox.legacy.where import conditions, matcher
from jibble_async.sandbox.scalars import format_instant
from jibble_async.sandbox.search import Sorting, search

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from jibble_async.sandbox.entity_types import Row
    from jibble_async.sandbox.ledger import Ledger, Received
    from jibble_async.sandbox.legacy.rules import LegacyRules
    from jibble_async.sandbox.legacy.store import LegacyStore

_ALWAYS_TEXT = frozenset({"id", "date", "updated_at", "created_at"})
_ADDRESS = re.compile(r"/api/v1/(\w+?)(?:/([^/.]+))?(?:\.json)?/?")


class LegacyHost:
    """Answers the old API's host.

    Args:
        store: The rows.
        rules: What is unknown of it.
        ledger: Notes commits.
        clock: The present instant.
        seed: For the ids of new rows.
    """

    def __init__(
        self,
        store: LegacyStore,
        rules: LegacyRules,
        ledger: Ledger,
        clock: Callable[[], datetime],
        seed: int,
    ) -> None:
        self._store = store
        self._rules = rules
        self._ledger = ledger
        self._clock = clock
        self._random = Random(f"legacy {seed}")  # noqa: S311

    def answer(self, call: Call, received: Received, shift: int = 0) -> Reply:
        """The reply to a request.

        Raises:
            LegacyRefusal: The request is refused with an error body.
        """
        match = _ADDRESS.fullmatch(call.path)
        name = match and SPELLINGS.get(match[1])
        if match is None or name is None:
            raise no_method(call.method, call.path)
        model, key = MODELS[name], match[2]
        if key is None:
            if call.method == "GET":
                return Reply(200, self._list(call, name, shift))
            if call.method == "POST" and model.required is not None:
                return Reply(200, self._create(call, received, name))
            raise no_method(call.method, call.path)
        if call.method not in {"GET", "PUT", "DELETE"} or (
            call.method == "DELETE" and not model.deletable
        ):
            raise no_method(call.method, call.path)
        row = self._store.index(name).get(key)
        if row is None:
            raise no_such(model.name, key)
        if call.method == "PUT":
            return Reply(200, self._change(call, received, name, row))
        if call.method == "DELETE":
            self._store.remove(name, key)
            self._ledger.commit(received, name, key, "deleted")
            return Reply(200, {"status": "success"})
        asked = read_filter(call.query, self._rules)
        return Reply(200, self._shown(model, row, asked.include))

    def _list(self, call: Call, name: str, shift: int) -> list[Row]:
        asked = read_filter(call.query, self._rules)
        model = MODELS[name]
        test = matcher(model, asked.where, self._rules)
        known = conditions(model, asked.where)
        order = [Sorting(_by(key), descending, key) for key, descending in asked.order]
        by_id = Sorting(_by("id"), descending=False, name="id")
        question = msgspec.json.encode((asked.where, asked.order))
        found = self._store.result(
            name, question, lambda table: search(table, test, known, order or [by_id])
        )
        start = max(asked.skip - shift, 0)
        rows = found.page(start, start + asked.limit)
        page = [self._shown(model, row, asked.include) for row in rows]
        return page if asked.fields is None else [_projected(row, asked.fields) for row in page]

    def _shown(self, model: Model, row: Row, include: dict[str, Any]) -> Row:
        """A row as the wire has it, with the relations that were asked for in full.

        Raises:
            LegacyRefusal: 500, the model has no such relation.
        """
        shown = model.shown(row)
        for relation, inner in include.items():
            target = model.targets.get(relation)
            if target is None:
                raise crash(f'Relation "{relation}" is not defined for {model.name} model')
            other = self._store.index(target).get(row.get(relation) or "")
            if other is not None:
                shown[relation] = self._shown(MODELS[target], other, read_relations(inner))
        return shown

    def _create(self, call: Call, received: Received, name: str) -> Row:
        model = MODELS[name]
        sent = checked(self._store, model, read_body(call))
        now = format_instant(self._clock(), 3)
        row: Row = {**self._defaults(name, sent, now), **_given(sent)}
        row.update(id=new_id(self._random, model.id_length), updated_at=now, created_at=now)
        self._store.add(name, row)
        self._ledger.commit(received, name, row["id"], "created")
        return model.shown(row)

    def _defaults(self, name: str, sent: Row, now: str) -> Row:
        """What a new row has that was not sent."""
        if name == "activities":
            return {"description": ""}
        if name == "teams":
            first = self._store.rows("teams")[:1]
            shared = {key: team[key] for team in first for key in ("owner", "subscriptionPlan")}
            return {**TEAM_DEFAULTS, **shared}
        if name != "timeentries":
            return {}
        members = self._store.index("teammembers")
        person = sent.get("person") or next(
            (key for key, row in members.items() if row["role"] == "team_owner"), None
        )
        team = members[person]["team"] if person in members else None
        # The examples show either custom data or what made the entry.
        meta = None if sent.get("customData") else {"app": "public-api"}
        return {"person": person, "team": team, "meta": meta, "date": now}

    def _change(self, call: Call, received: Received, name: str, row: Row) -> Row:
        model = MODELS[name]
        sent = checked(self._store, model, read_body(call), row=row)
        now = format_instant(self._clock(), 3)
        self._store.update(name, row["id"], {**sent, "updated_at": now})
        self._ledger.commit(received, name, row["id"], "updated")
        return model.shown(row)


def _given(sent: Row) -> Row:
    return {name: value for name, value in sent.items() if value is not None}


def _by(name: str) -> Callable[[Row], Any]:
    """Sorts by a property; what has none comes first, as in MongoDB."""
    if name in _ALWAYS_TEXT:
        return lambda row: row.get(name) or ""
    outer, _, inner = name.partition(".")

    def key(row: Row) -> tuple[int, Any]:
        value = row.get(outer)
        if inner:
            value = cast("Row", value).get(inner) if isinstance(value, dict) else None
        if isinstance(value, str):
            return 2, value
        return (1, value) if isinstance(value, int | float) else (0, 0)

    return key


def _projected(row: Row, fields: dict[str, bool]) -> Row:
    wanted = {name for name, keep in fields.items() if keep}
    if wanted:
        return {name: value for name, value in row.items() if name in wanted}
    return {name: value for name, value in row.items() if name not in fields}
