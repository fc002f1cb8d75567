"""Rows that come twice in neighbouring pages."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.core.repeats import Repeats, Sample

Row = tuple[str | None, int]


def _key(row: Row) -> str | None:
    return row[0]


@st.composite
def walks(draw: st.DrawFn) -> list[list[Row]]:
    """Pages of rows, all different objects: in the order of their keys, or in none."""
    keys = st.integers(0, 40).map(lambda number: f"{number:02}")
    either: st.SearchStrategy[str | None] = st.one_of(keys, st.none())
    pages = draw(st.lists(st.lists(either, max_size=5), max_size=8))
    if draw(st.booleans()):
        ascending: list[str | None] = [*sorted({key for page in pages for key in page if key})]
        pages = [ascending[start : start + 4] for start in range(0, len(ascending), 4)]
        pages.append(draw(st.lists(either, max_size=5)))
    return [[(key, number) for number, key in enumerate(page)] for page in pages]


@given(pages=walks(), remembered=st.integers(1, 3))
def test_a_row_of_a_page_remembered_is_left_out_and_no_other(
    pages: list[list[Row]], remembered: int
) -> None:
    repeats = Repeats(_key, remembered)
    for number, page in enumerate(pages):
        fresh = repeats.unseen(page)
        near = {row[0] for each in pages[max(0, number - remembered) : number] for row in each}
        far = {row[0] for each in pages[:number] for row in each}
        here: set[str | None] = set()
        for row in page:
            if row[0] is None:
                assert row in fresh
            elif row[0] in near or row[0] in here:
                assert row not in fresh
            elif row[0] not in far:
                assert row in fresh
            here.add(row[0])
        assert [row for row in page if row in fresh] == fresh


def test_a_repetition_is_seen_when_keys_stop_ascending() -> None:
    repeats = Repeats(_key, 1)
    assert repeats.unseen([("a", 0), ("b", 0)]) == [("a", 0), ("b", 0)]
    assert repeats.unseen([("b", 1), ("c", 1)]) == [("c", 1)]
    assert repeats.unseen([("c", 2), ("a", 2), ("d", 2)]) == [("d", 2)]


def test_equal_keys_on_one_page_are_one_row() -> None:
    assert Repeats(_key, 1).unseen([("a", 0), ("a", 1)]) == [("a", 0)]


def test_guids_in_the_order_of_sql_server_ascend_too(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [str(uuid.uuid5(uuid.NAMESPACE_URL, str(number))) for number in range(40)]
    rows: list[Row] = [(name, 0) for name in sorted(names, key=lambda name: name[24:])]
    repeats = Repeats(_key, 1)
    with monkeypatch.context() as without:
        # No hash is needed.
        without.delattr(Sample, "brings_new")
        for start in range(0, 40, 10):
            assert repeats.unseen(rows[start : start + 10]) == rows[start : start + 10]
            assert not repeats.stale
    # What breaks the order is found out even so.
    assert repeats.unseen([rows[35], (names[0] + "x", 0), rows[36]]) == [(names[0] + "x", 0)]
    repeats.unseen(rows[:10])
    assert repeats.stale


@pytest.mark.parametrize("most", [2, 1 << 16])
def test_neighbours_are_compared_however_little_of_the_walk_is_sampled(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(Sample.__init__, "__defaults__", (most,))
    for pages in (1, 3):
        repeats = Repeats(_key, pages)
        for number in range(90, 10, -2):
            page: list[Row] = [(f"{number}", 0), (f"{number - 1}", 0), (f"{number + 2 * pages}", 1)]
            assert repeats.unseen(page) == (page[:2] if number + 2 * pages <= 90 else page)


def test_pages_long_gone_are_forgotten() -> None:
    repeats = Repeats(_key, 1)
    for key in "cba":
        assert repeats.unseen([(key, 0)]) == [(key, 0)]
    assert repeats.unseen([("c", 1)]) == [("c", 1)]


def test_a_sample_knows_every_key_at_first() -> None:
    sample = Sample(100)
    assert sample.brings_new(set(range(60)))
    assert sample.brings_new({59, 60})
    assert not sample.brings_new({0, 60})
    assert sample.brings_new({0, 61})


def test_a_sample_stays_small_and_finds_a_circle_even_so() -> None:
    sample = Sample(64)
    pages = [set(range(start, start + 10)) for start in range(0, 5000, 10)]
    assert all(sample.brings_new(page) for page in pages)
    assert len(sample.met) <= 64
    # A second lap: as soon as eight of the sample came again, and before it is over.
    assert not all(sample.brings_new(page) for page in pages)


def test_a_page_that_was_there_before_is_stale() -> None:
    ascending = Repeats(_key, 1)
    shuffled = Repeats(_key, 1)
    for name in "abcdef":
        for repeats, keys in ((ascending, f"{name}1 {name}2"), (shuffled, f"{name}2 {name}1")):
            repeats.unseen([(key, 0) for key in keys.split()])
            assert not repeats.stale
    ascending.unseen([("b1", 1), ("b2", 1)])
    shuffled.unseen([("b2", 1), ("b1", 1)])
    assert (ascending.stale, shuffled.stale) == (True, True)
    shuffled.unseen([("b2", 1), ("new", 1)])
    assert not shuffled.stale
    shuffled.unseen([("b2", 1), (None, 1)])
    assert not shuffled.stale
