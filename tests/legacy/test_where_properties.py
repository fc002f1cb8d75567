"""Whatever condition is rendered means in `filter[where]` what it means in Python.

Both are asked of the same rows: the expression in Python; what is rendered, sent through a query
string and read as the sandbox reads it.
"""

from __future__ import annotations

import functools
import random
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st
from jibble_legacy.entities import LegacyTimeEntry
from jibble_legacy.literals import containing, ending, starting
from jibble_legacy.query_fields import fields
from jibble_legacy.render import render_where

from jibble_async import EntryType, NotSupportedError, grouped
from jibble_async.core.operation import Operation, Safety, build
from jibble_async.query.expressions import Expression, all_of
from jibble_async.sandbox.legacy.filters import read_filter
from jibble_async.sandbox.legacy.models import MODELS
from jibble_async.sandbox.legacy.rules import LegacyRules
from jibble_async.sandbox.legacy.where import matcher
from tests.support.chaos import examples
from tests.support.evaluating import holds
from tests.unit.conditions import TEXTS

E = fields(LegacyTimeEntry)
LIST = Operation("legacy", "GET", "/api/v1/timeentries", Safety.READ)
ODD = [*TEXTS, "[a]", "^a$", "a.b", "a|b", r"\d", "%_", "a]=b", "\n", "a\n", "x" * 30, "*bad("]
START = datetime(2018, 5, 18, 12, 0, tzinfo=UTC)
PEOPLE = ["907MKj9OKo", "907MKj9OKO", "1fDfeKfPrx"]
VERSIONS = ["1", "2", "10", "1.37.0", ""]


@functools.cache
def world() -> tuple[list[dict[str, Any]], list[LegacyTimeEntry]]:
    """Rows as the sandbox keeps them, with odd and absent values, and the same as entities."""
    chance = random.Random(7)
    rows: list[dict[str, Any]] = []
    for number in range(90):
        moment = START + timedelta(milliseconds=chance.choice([0, 0, 1, 2, 1000, 3_600_000]))
        row = {
            "id": f"entry{number:011}",
            "person": chance.choice([*PEOPLE, None]),
            "action": chance.choice([1, 2]),
            "activity": chance.choice(["1hHkD0gDd2", None]),
            "client": chance.choice(["1yb1sF8DpDesonys", None]),
            "notes": chance.choice([*ODD, None]),
            "meta": chance.choice([{"appVer": chance.choice(VERSIONS)}, {"app": "x"}, None]),
            "date": stamp(moment),
            "updated_at": chance.choice([stamp(moment), None]),
        }
        rows.append({name: value for name, value in row.items() if value is not None})
    return rows, [entity(row) for row in rows]


def stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def entity(row: dict[str, Any]) -> LegacyTimeEntry:
    updated = row.get("updated_at")
    return LegacyTimeEntry(
        id=row["id"],
        type=EntryType.IN if row["action"] == 1 else EntryType.OUT,
        time=datetime.fromisoformat(row["date"]),
        note=row.get("notes"),
        person_id=row.get("person"),
        activity_id=row.get("activity"),
        client_id=row.get("client"),
        meta=row.get("meta"),
        updated_at=None if updated is None else datetime.fromisoformat(updated),
    )


def kept_by_the_server(expression: Expression) -> list[str]:
    params = [*render_where(LegacyTimeEntry, expression), ("filter[limit]", "100")]
    query = build(LIST, "http://x", params=params).url.raw_query_string
    rules = LegacyRules()
    asked = read_filter(query, rules)
    assert asked.limit == 100
    test = matcher(MODELS["timeentries"], asked.where, rules)
    return [row["id"] for row in world()[0] if test(row)]


def kept_in_python(expression: Expression) -> list[str]:
    return [each.id for each in world()[1] if holds(expression, each)]


texts = st.sampled_from(ODD) | st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=8
)
moments = st.builds(
    lambda micros, hours: (START + timedelta(microseconds=micros)).astimezone(
        timezone(timedelta(hours=hours))
    ),
    st.sampled_from([0, 1000, 2000, 10**6, 36 * 10**8]) | st.integers(-2000, 4000),
    st.integers(-12, 14),
)
ids = st.sampled_from([*PEOPLE, "nobody", "1hHkD0gDd2", "1yb1sF8DpDesonys"])


@st.composite
def leaves(draw: st.DrawFn) -> Expression:
    """One comparison of one field."""
    kind = draw(st.sampled_from(["id", "type", "text", "part", "moment", "version", "between"]))
    match kind:
        case "id":
            field: Any = draw(st.sampled_from([E.person_id, E.activity_id, E.client_id, E.id]))
            return equality(draw, field, ids)
        case "type":
            return equality(draw, E.type, st.sampled_from(["In", "Out", EntryType.IN]))
        case "text":
            return ordered(draw, E.note, texts)
        case "part":
            part = draw(texts)
            start = draw(st.integers(0, max(0, len(part) - 1)))
            part = part[start : start + draw(st.integers(0, 3))]
            name = draw(st.sampled_from(["contains", "startswith", "endswith"]))
            found: Expression = getattr(E.note, name)(part)
            return found
        case "moment":
            field = draw(st.sampled_from([E.time, E.updated_at]))
            return ordered(draw, field, moments)
        case "version":
            return ordered(draw, E.meta.key("appVer"), st.sampled_from(VERSIONS))
        case _:
            if draw(st.booleans()):
                return E.time.between(draw(moments), draw(moments))
            return E.note.between(draw(texts), draw(texts))


def equality(draw: st.DrawFn, field: Any, values: st.SearchStrategy[Any]) -> Expression:
    match draw(st.sampled_from(["==", "!=", "in"])):
        case "==":
            found: Expression = field == draw(values)
        case "!=":
            found = field != draw(values)
        case _:
            found = field.is_in(draw(st.lists(values, min_size=1, max_size=2)))
    return found


def ordered(draw: st.DrawFn, field: Any, values: st.SearchStrategy[Any]) -> Expression:
    name = draw(st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"]))
    found: Expression = getattr(field, f"__{name}__")(draw(values))
    return found


conditions = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(all_of),
        st.builds(lambda one, other: one | other, inner, inner),
        inner.map(lambda one: ~one),
        inner.map(lambda one: grouped(one, 1)),
    ),
    max_leaves=4,
)
bounds = st.lists(
    st.builds(
        lambda name, moment: getattr(E.time, f"__{name}__")(moment),
        st.sampled_from(["lt", "le", "gt", "ge"]),
        moments,
    ),
    min_size=1,
    max_size=4,
).map(all_of)


def agrees(expression: Expression) -> None:
    try:
        server = kept_by_the_server(expression)
    except NotSupportedError:
        assume(False)
        return
    assert server == kept_in_python(expression)


@examples(500)
@given(conditions)
def test_what_is_rendered_means_what_it_means_in_python(expression: Expression) -> None:
    agrees(expression)


@examples(200)
@given(bounds)
def test_any_bounds_on_a_moment_can_be_said(expression: Expression) -> None:
    assert kept_by_the_server(expression) == kept_in_python(expression)


@examples(200)
@given(st.sampled_from(["contains", "startswith", "endswith"]), texts)
def test_any_part_of_a_text_can_be_said(name: str, part: str) -> None:
    expression = getattr(E.note, name)(part)
    assert kept_by_the_server(expression) == kept_in_python(expression)


@examples(300)
@given(texts, texts, texts)
def test_a_pattern_finds_its_text_and_nothing_else(before: str, part: str, after: str) -> None:
    for text in (part, before + part, part + after, before + part + after, before + after):
        assert bool(re.search(containing(part), text)) == (part in text)
        assert bool(re.search(starting(part), text)) == text.startswith(part)
        assert bool(re.search(ending(part), text)) == text.endswith(part)


def test_the_conditions_are_no_trivial_ones() -> None:
    kept = {tuple(kept_in_python(E.note.contains(text))) for text in ODD}
    assert len(kept) > 15
    assert len({tuple(kept_in_python(E.note != text)) for text in ODD}) == len(ODD)
