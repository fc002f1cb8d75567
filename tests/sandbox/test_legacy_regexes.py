"""The automaton finds what Python's engine finds, and takes no longer for an evil pattern."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.sandbox.legacy.errors import LegacyRefusal
from jibble_async.sandbox.legacy.regexes import Expression
from tests.support.chaos import examples

letters = st.sampled_from(
    ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\b", "^", "$", r"\.", "1"]
)
counts = st.sampled_from(["", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?"])


def quantified(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(inner, counts).map(
        lambda parts: parts[0] if parts[0] in {"^", "$", r"\b"} else "".join(parts)
    )


patterns = st.recursive(
    st.lists(quantified(letters), min_size=1, max_size=4).map("".join),
    lambda inner: st.one_of(
        quantified(inner.map(lambda text: f"({text})")),
        quantified(inner.map(lambda text: f"(?:{text})")),
        st.tuples(inner, inner).map("|".join),
        st.tuples(inner, inner).map("".join),
    ),
    max_leaves=4,
)


@examples(400)
@given(patterns, st.text("ab1.\n", max_size=8), st.sampled_from(["", "i", "m"]))
def test_the_automaton_finds_what_the_engine_finds(pattern: str, text: str, flags: str) -> None:
    expression = Expression(f"(?:(?:{pattern})|\x00)", flags)
    # A repeated group, even if it comes once, leads through the automaton.
    forced = Expression(f"(?:{pattern}){{1}}(?:)*", flags)
    modes = (re.IGNORECASE if "i" in flags else re.ASCII) | (re.MULTILINE if "m" in flags else 0)
    engine = re.compile(pattern if "m" in flags else pattern.replace("$", r"\Z"), modes)
    wanted = engine.search(text) is not None
    assert forced.search(text) is wanted
    assert expression.search(text) is wanted


@pytest.mark.parametrize(
    "pattern",
    [
        *("^(a+)+$", "^(a|a)+$", "(a*)*c", "^(a?){50}a{50}$c", "(a|aa)+$c", "a*a*a*a*a*c"),
        *("^((a+)+)+$", "(.*)*x", "a?" * 30 + "a" * 30 + "c", "(x+x+)+y", "(a|a)" * 30 + "c"),
    ],
)
def test_an_evil_pattern_is_searched_to_its_end(pattern: str) -> None:
    assert not Expression(pattern, "").search("a" * 3_000 + "!")


@pytest.mark.parametrize(
    "pattern", [r"(a)(\1)+b*", "(?=a+)a*b*", "(?<!x)a*b*", "(a{900}){900}", "(" * 60 + ")*" * 60]
)
def test_what_it_does_not_know_is_refused(pattern: str) -> None:
    with pytest.raises(LegacyRefusal) as caught:
        Expression(pattern, "")
    assert caught.value.status == 400


@pytest.mark.parametrize("pattern", ["(", "[b-a]", "*a", "a**"])
def test_what_is_no_expression_is_a_crash_as_there(pattern: str) -> None:
    with pytest.raises(LegacyRefusal) as caught:
        Expression(pattern, "")
    assert caught.value.status == 500
