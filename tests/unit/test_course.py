"""The course of a walk, without a loop: pages go in, decisions come out."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from jibble_async import ConnectionLostError, Cursor, PaginationError, Stats
from jibble_async.core.course import Course, Place
from jibble_async.core.operation import Operation, Request, Safety, build
from jibble_async.core.pages import Page, PageContent, PageSource
from jibble_async.core.paging import BadRowHandler, Paging
from jibble_async.core.wire import Reply

_LIST = Operation("workspace", "GET", "/v1/Things", Safety.READ)


@dataclass
class Letters(PageSource[str]):
    """A page source whose rows are their keys.

    Attributes:
        short_is_last: Whether a page with fewer rows than were asked for is the last.
        ordered: Whether rows can be found by their order.
    """

    short_is_last: bool = False
    ordered: bool = False
    fingerprint: str = "letters"
    counts: bool = True
    key: Callable[[str], str | None] = str
    first: int = 0
    mark: str | None = None
    found_from: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    def request(self, offset: int, count: int | None) -> Request:
        return build(
            _LIST, "http://127.0.0.1", params=(("$skip", str(offset)), ("$top", str(count)))
        )

    def follow(self, link: str) -> Request:
        return build(_LIST, "http://127.0.0.1", params=(("link", link),))

    def read(self, reply: Reply, on_bad_row: BadRowHandler | None) -> PageContent[str]:
        raise NotImplementedError

    def is_last(self, offset: int, count: int | None, received: int) -> bool:
        return self.short_is_last and count is not None and received < count

    def beyond(self, item: str, offset: int, /) -> Letters | None:
        if not self.ordered:
            return None
        self.found_from.append((item, offset))
        return replace(self, first=offset, mark=f"{item} {offset}")


def course(
    source: Letters | None = None,
    start: Cursor | None = None,
    stats: Stats | None = None,
    **paging: Any,
) -> Course[str]:
    source, stats = source or Letters(), stats or Stats()
    return Course(source, Paging.of({"page_size": 3, **paging}), start, stats)


def content(
    items: str, total: int | None = None, link: str | None = None, received: int | None = None
) -> PageContent[str]:
    return PageContent(list(items), len(items) if received is None else received, total, link, b"")


def taken(walk: Course[str], place: Place, page: PageContent[str]) -> tuple[str, Place | None]:
    got, after = walk.take(place, page)
    assert isinstance(got, Page)
    return "".join(got.items), after


def test_a_counted_walk_ends_at_the_count() -> None:
    walk = course()
    assert taken(walk, walk.start, content("abc", total=5)) == ("abc", Place(3))
    assert taken(walk, Place(3), content("de", total=5)) == ("de", None)


def test_a_short_page_is_not_the_end_while_the_count_says_more() -> None:
    walk = course()
    assert taken(walk, walk.start, content("ab", total=5)) == ("ab", Place(2))


def test_without_a_count_an_empty_page_is_the_end() -> None:
    walk = course()
    assert taken(walk, walk.start, content("ab")) == ("ab", Place(2))
    assert taken(walk, Place(2), content("")) == ("", None)


def test_a_short_page_is_the_end_where_the_source_says_so() -> None:
    walk = course(Letters(short_is_last=True))
    assert taken(walk, walk.start, content("abc")) == ("abc", Place(3))
    assert taken(walk, Place(3), content("de")) == ("de", None)


def test_a_count_that_is_less_than_what_came_is_no_count() -> None:
    walk = course()
    assert taken(walk, walk.start, content("abc", total=2)) == ("abc", Place(3))


def test_rows_that_are_counted_but_not_given_are_an_error() -> None:
    walk = course()
    with pytest.raises(PaginationError, match="counts 5 rows but gave none from 0 on"):
        walk.take(walk.start, content("", total=5))


def test_a_link_is_followed_and_none_twice() -> None:
    walk = course()
    assert taken(walk, walk.start, content("ab", total=9, link="x")) == ("ab", Place(2, "x"))
    assert "link=x" in str(walk.request(Place(2, "x"), 3).url)
    with pytest.raises(PaginationError, match="same next link twice"):
        walk.take(Place(2, "x"), content("cd", link="x"))


def test_of_a_link_no_more_than_a_hash_is_kept() -> None:
    walk = course()
    tracemalloc.start()
    try:
        for number in range(50):
            walk.take(Place(number), content(chr(1000 + number), link=f"{number}{'x' * 1_000_000}"))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 3_000_000


def test_empty_pages_with_links_come_to_an_end() -> None:
    walk = course()
    for number in range(1000):
        assert walk.take(Place(0), content("", link=str(number)))[1] is not None
    with pytest.raises(PaginationError, match="1000 pages in a row were empty"):
        walk.take(Place(0), content("", link="one more"))


def test_a_page_with_rows_ends_a_row_of_empty_ones() -> None:
    walk = course()
    for number in range(1500):
        row = "a" if number == 700 else ""
        assert walk.take(Place(0), content(row, link=str(number)))[1] is not None


def test_the_limit_is_met_and_the_cursor_stands_before_the_next_row() -> None:
    walk = course(limit=4)
    assert walk.count(walk.start) == 3
    taken(walk, walk.start, content("abc", total=9))
    assert (walk.done, walk.count(Place(3))) == (False, 1)
    page, _ = walk.take(Place(3), content("def", total=9))
    assert page is not None
    assert (page.items, page.cursor.offset, walk.done) == (["d"], 4, True)


def test_a_limit_of_none_is_done_at_once() -> None:
    assert course(limit=0).done


def test_repeats_are_delivered_once() -> None:
    stats = Stats()
    walk = course(stats=stats)
    taken(walk, walk.start, content("abc", total=6))
    page, after = walk.take(Place(3), content("cde", total=6))
    assert page is not None
    assert (page.items, after) == (["d", "e"], None)
    assert (stats.rows, stats.duplicates) == (5, 1)


class TestOverlap:
    """With `verify`, pages share a row."""

    def test_it_is_asked_for_and_not_delivered_again(self) -> None:
        walk = course(verify=True)
        _, place = walk.take(walk.start, content("abc", total=5))
        assert place == Place(3, overlap=1)
        assert walk.count(place) == 3
        assert "$skip=2" in str(walk.request(place, 3).url)
        assert taken(walk, place, content("cde", total=5)) == ("de", None)

    def test_a_limit_counts_without_it(self) -> None:
        walk = course(verify=True, limit=4)
        _, place = walk.take(walk.start, content("abc", total=9))
        assert place is not None
        assert walk.count(place) == 2

    def test_a_row_that_does_not_match_is_an_error(self) -> None:
        walk = course(verify=True)
        walk.take(walk.start, content("abc", total=6))
        with pytest.raises(PaginationError, match="rows moved") as caught:
            walk.take(Place(3, overlap=1), content("xde", total=6))
        assert Cursor.parse(caught.value.cursor or "").offset == 3

    def test_an_empty_page_does_not_match(self) -> None:
        walk = course(verify=True)
        walk.take(walk.start, content("abc", total=6))
        with pytest.raises(PaginationError, match="rows moved"):
            walk.take(Place(3, overlap=1), content("", total=6))

    def test_only_the_overlap_means_that_no_row_is_left(self) -> None:
        walk = course(verify=True)
        walk.take(walk.start, content("abc", total=6))
        with pytest.raises(PaginationError, match="counts 6 rows but gave none from 3 on"):
            walk.take(Place(3, overlap=1), content("c", total=6))

    def test_a_page_with_unreadable_rows_is_not_judged_by_its_first(self) -> None:
        walk = course(verify=True)
        walk.take(walk.start, content("abc", total=6))
        assert taken(walk, Place(3, overlap=1), content("de", total=6, received=3)) == (
            "de",
            Place(5, overlap=1),
        )

    def test_a_row_that_comes_again_has_moved(self) -> None:
        walk = course(verify=True)
        walk.take(walk.start, content("abc", total=9))
        with pytest.raises(PaginationError, match="rows moved"):
            walk.take(Place(3, overlap=1), content("cbd", total=9))

    def test_links_are_not_followed(self) -> None:
        walk = course(verify=True)
        _, place = walk.take(walk.start, content("abc", total=6, link="x"))
        assert place == Place(3, overlap=1)

    def test_the_walk_goes_on_by_order_where_it_can(self) -> None:
        source, stats = Letters(ordered=True), Stats()
        walk = course(source, stats=stats, verify=True)
        walk.take(walk.start, content("abc", total=9))
        assert source.found_from == [("c", 2)]
        assert walk.take(Place(3, overlap=1), content("def", total=8)) == (None, Place(2))
        assert stats.moved == 1
        # From there on by the order: the last row comes again, and ties with it are no repeats.
        assert taken(walk, Place(2), content("cde", total=8)) == ("de", Place(5, overlap=1))

    @pytest.mark.parametrize("moves", [True, False])
    def test_rows_that_move_to_the_end_are_known_however_far_it_is(self, moves: bool) -> None:
        source, stats = Letters(), Stats()
        source.moves = moves
        walk = course(source, stats=stats, verify=True)
        place = walk.start
        for text in ("abc", "cde", "efg", "ghi", "ijk"):
            assert taken(walk, place, content(text, total=30))[0] == text[place.overlap :]
            place = Place(place.offset + len(text) - place.overlap, overlap=1)
        # Where nothing is said to move, the last pages are all that is compared with.
        assert taken(walk, place, content("kalm", total=30))[0] == ("lm" if moves else "alm")
        assert stats.duplicates == moves


class TestAhead:
    """Several pages in flight."""

    def test_rows_are_parted_by_what_the_first_page_held(self) -> None:
        walk = course(concurrency=4)
        _, place = walk.take(walk.start, content("ab", total=7))
        assert walk.ahead_from(place) == 2
        assert walk.ahead(2, 0) == (Place(2), 4)
        assert walk.count(Place(2), 4) == 2
        assert walk.ahead(6, 4) == (Place(6), 7)
        assert walk.ahead(7, 5) is None

    def test_overlaps_are_asked_for_on_top(self) -> None:
        walk = course(concurrency=4, verify=True)
        _, place = walk.take(walk.start, content("abc", total=7))
        assert walk.ahead_from(place) == 3
        assert walk.ahead(3, 0) == (Place(3, overlap=1), 5)
        assert walk.count(Place(3, overlap=1), 5) == 3

    @pytest.mark.parametrize(
        "first", [content("abc"), content("abc", total=9, link="x"), content("abc", total=3)]
    )
    def test_what_can_only_be_walked_one_by_one(self, first: PageContent[str]) -> None:
        walk = course(concurrency=4)
        _, place = walk.take(walk.start, first)
        assert walk.ahead_from(place) is None

    def test_no_more_is_fetched_than_the_limit_needs(self) -> None:
        walk = course(concurrency=9, limit=7)
        walk.take(walk.start, content("abc", total=99))
        assert walk.ahead(3, 3) is not None
        assert walk.ahead(6, 4) is None

    def test_a_short_page_has_its_rest_fetched(self) -> None:
        walk = course(concurrency=4)
        walk.take(walk.start, content("abc", total=9))
        page, rest = walk.take_ahead(Place(3), content("de", total=9, link="x"), 6)
        assert (page.items, rest) == (["d", "e"], Place(5))
        assert walk.take_ahead(Place(5), content("f", total=9), 6)[1] is None

    def test_an_empty_page_is_the_end_if_the_count_shrank(self) -> None:
        walk = course(concurrency=4)
        walk.take(walk.start, content("abc", total=9))
        assert walk.take_ahead(Place(6), content("", total=6), 9)[1] is None
        assert walk.ahead(6, 0) is None
        with pytest.raises(PaginationError, match="counts 7 rows but gave none from 6 on"):
            walk.take_ahead(Place(6), content("", total=7), 9)

    def test_an_empty_page_with_a_link_goes_on_at_the_link(self) -> None:
        walk = course(concurrency=4)
        walk.take(walk.start, content("abc", total=9))
        assert walk.take_ahead(Place(3), content("", link="x"), 6)[1] == Place(3, "x")


def test_a_cursor_is_where_the_walk_begins() -> None:
    start = Cursor(fingerprint="letters", offset=6, link="x")
    assert course(start=start).start == Place(6, "x")
    assert course(start=Cursor(fingerprint="letters", offset=6, behind=2)).start == Place(4)
    for link in (None, "x"):
        start = Cursor(fingerprint="letters", offset=6, link=link)
        assert course(start=start, verify=True).start == Place(6, overlap=1)


def test_an_error_is_marked_with_where_to_go_on() -> None:
    walk = course()
    for error, link in ((ConnectionLostError("lost"), "x"), (PaginationError("elsewhere"), None)):
        walk.mark(error, Place(4, "x"))
        cursor = Cursor.parse(error.cursor or "")
        assert (cursor.offset, cursor.link) == (4, link)
