from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.sandbox.legacy.querystring import parse

BOTH = {"filter": {"where": {"date": {"between": ["a", "b"]}}}}


@pytest.mark.parametrize(
    "query",
    [
        "filter[where][date][between][0]=a&filter[where][date][between][1]=b",
        "filter[where][date][between]=a&filter[where][date][between]=b",
        "filter[where][date][between][]=a&filter[where][date][between][]=b",
        "filter[where][date][[between][0]]=a&filter[where][date][[between][1]]=b",
        "filter%5Bwhere%5D%5Bdate%5D%5Bbetween%5D%5B0%5D=a"
        "&filter%5Bwhere%5D%5Bdate%5D%5Bbetween%5D%5B1%5D=b",
        "filter[where][date][between][1]=b&filter[where][date][between][0]=a",
        "filter[where][date][between][3]=a&filter[where][date][between][7]=b",
    ],
)
def test_an_array_in_each_of_its_spellings(query: str) -> None:
    assert parse(query) == BOTH


# Each as qs 6.5.2 reads it.
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {}),
        ("a", {"a": ""}),
        ("a=b+c%20d%2Be", {"a": "b c d+e"}),
        ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("a[b]=1&a[c]=2", {"a": {"b": "1", "c": "2"}}),
        ("a[b]=1&a=c", {"a": {"b": "1", "c": True}}),
        ("a[b]=1&a=", {"a": {"b": "1"}}),
        ("a[0]=x&a[b]=y", {"a": {"0": "x", "b": "y"}}),
        ("a[0][b]=1&a[0][c]=2&a[1][b]=3", {"a": [{"b": "1", "c": "2"}, {"b": "3"}]}),
        ("a=1&a[]=2", {"a": ["1", "2"]}),
        ("a[20]=x", {"a": ["x"]}),
        ("a[21]=x", {"a": {"21": "x"}}),
        ("a[01]=x", {"a": {"01": "x"}}),
        ("a[b][c][d][e][f][g][h]=x", {"a": {"b": {"c": {"d": {"e": {"f": {"[g][h]": "x"}}}}}}}),
    ],
)
def test_what_is_odd_reads_as_it_does_there(query: str, found: Any) -> None:
    assert parse(query) == found


def test_an_or_of_ranges_is_too_deep() -> None:
    found = parse(
        "filter[where][or][0][date][between][0]=a&filter[where][or][0][date][between][1]=b"
    )
    assert found["filter"]["where"]["or"][0]["date"]["between"] == {"[0]": "a", "[1]": "b"}


def test_more_than_twenty_indexed_items_become_an_object() -> None:
    found = parse("&".join(f"a[{place}]={place}" for place in range(23)))
    assert found == {"a": {str(place): str(place) for place in range(23)}}


@given(st.text("abf[]=&0129%+.", max_size=60))
def test_nothing_is_too_odd_to_read(query: str) -> None:
    assert isinstance(parse(query), dict)
