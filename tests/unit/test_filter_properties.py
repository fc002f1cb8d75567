"""Any condition means in `$filter` what it means in Python.

Both are asked of the same rows: the function of `conditions.py` in Python; the expression rendered,
sent through a query string, parsed by odata-query and evaluated there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, unquote_plus

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from odata_query import ast
from odata_query.grammar import ODataLexer, ODataParser

from jibble_async import EntryType, TimeEntry, fields
from jibble_async.core.operation import Operation, Safety, build
from jibble_async.odata.render import render_filter
from jibble_async.query.fields import Field
from tests.support.chaos import examples
from tests.unit.conditions import (
    TEXTS,
    Condition,
    conditions,
    days,
    ids,
    kept_by_the_server,
    kept_in_python,
    lengths,
    moments,
    numbers,
    texts,
)

T = fields(TimeEntry)
_LIST = Operation("time-tracking", "GET", "/v1/TimeEntries", Safety.READ)


def sent_and_decoded(text: str) -> str:
    """The option as a server has it after decoding the query string once."""
    request = build(_LIST, "https://x.example", params=[("$filter", text), ("$top", "5")])
    first, second = request.url.raw_query_string.split("&")
    name, _, value = first.partition("=")
    assert (name, second) == ("$filter", "$top=5")
    assert value.isascii()
    assert not set(value) & set(' +#&"<>')
    assert unquote_plus(value) == unquote(value)
    return unquote(value)


@examples(400)
@given(conditions)
def test_a_filter_keeps_the_rows_that_python_keeps(condition: Condition) -> None:
    text = render_filter(condition.expression)
    assert sent_and_decoded(text) == text
    assert kept_by_the_server(text) == kept_in_python(condition.test)


def test_the_conditions_are_no_trivial_ones() -> None:
    """The rows and the odd values in them do tell conditions apart."""
    seen = {tuple(kept_by_the_server(render_filter(each.expression))) for each in _some()}
    assert len(seen) > 8


def _some() -> Iterator[Condition]:
    for text in TEXTS:
        yield Condition(T.note == text, functools.partial(_has_note, text))


def _has_note(text: str, entity: TimeEntry) -> bool:
    return entity.note == text


def _parsed(text: str) -> Any:
    lexer: Any = ODataLexer()
    parser: Any = ODataParser()
    return parser.parse(lexer.tokenize(text))


LITERALS: list[tuple[Field[Any], st.SearchStrategy[Any], Callable[[Any], Any]]] = [
    (T.note, texts, ast.String),
    # A name that this release does not know is given as the enumeration's own.
    (T.type, texts.map(EntryType), ast.String),
    (T.id, ids, ast.GUID),
    (T.belongs_to_date, days, lambda day: ast.Date(day.isoformat())),
    (T.is_manual, st.booleans(), lambda flag: ast.Boolean("true" if flag else "false")),
]


@pytest.mark.parametrize(
    ("field", "values", "expected"), LITERALS, ids=[str(field) for field, *_ in LITERALS]
)
@given(data=st.data())
def test_a_literal_is_read_as_the_value_it_was(
    field: Field[Any],
    values: st.SearchStrategy[Any],
    expected: Callable[[Any], Any],
    data: st.DataObject,
) -> None:
    value = data.draw(values)
    assert _parsed(render_filter(field == value)).right == expected(value)


@given(moments)
def test_a_moment_is_read_as_the_moment_it_was(moment: datetime) -> None:
    found = _parsed(render_filter(T.time == moment)).right
    assert isinstance(found, ast.DateTime)
    assert datetime.fromisoformat(found.val) == moment


@given(lengths)
def test_a_duration_is_read_as_the_length_it_was(length: timedelta) -> None:
    found = _parsed(render_filter(T.offset == length)).right
    assert isinstance(found, ast.Duration)
    assert msgspec.convert(found.val, timedelta) == length


@given(numbers)
def test_a_number_is_read_as_the_number_it_was(number: float) -> None:
    found = _parsed(render_filter(T.face_similarity == number)).right
    assert isinstance(found, ast.Float | ast.Integer)
    assert (int if isinstance(number, int) else float)(found.val) == number


_any_text = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.lists(st.tuples(_any_text, _any_text), min_size=1, max_size=4))
def test_any_query_option_decodes_once_to_what_it_was(options: list[tuple[str, str]]) -> None:
    request = build(_LIST, "https://x.example", params=options)
    raw = request.url.raw_query_string
    pairs = [part.partition("=") for part in raw.split("&")] if raw else []
    decoded = [(unquote(name), unquote(value)) for name, _, value in pairs]
    assert decoded == options
    assert [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs] == options
    assert request.url.raw_fragment == ""
