"""The anchored walk, without a server: sizes, caps and overlaps, and sets that change meanwhile."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from random import Random

import pytest

from jibble_async.errors import ConfigurationError, PaginationError
from jibble_async.export.proof.anchored import AnchoredCourse, AnchorLostError, Lengths, Place

MOST_REQUESTS = 2_000


def ids(count: int) -> list[str]:
    """Ids in a server's order, which is not that of their texts."""
    return [f"{number * 7919 % 100_003:05d}" for number in range(count)]


def walk(
    rows: list[str],
    course: AnchoredCourse,
    *,
    cap: int | None = None,
    between: Callable[[], object] = lambda: None,
    counted: int | None = None,
) -> list[str]:
    """What a walk delivers of rows that `between` may change before each request."""
    delivered: list[str] = []
    for _ in range(MOST_REQUESTS):
        if course.done:
            return delivered
        skip, top = course.request()
        keys = rows[skip : skip + min(top, top if cap is None else cap)]
        delivered += keys[course.take(keys, counted) :]
        between()
    raise AssertionError("it does not end")


SIZES = (2, 3, 5, 50)
CAPS = (None, 1, 2, 3, 7, 49)


@pytest.mark.parametrize(("size", "cap"), list(itertools.product(SIZES, CAPS)))
def test_every_size_cap_and_overlap_gives_all_rows_once_or_refuses(
    size: int, cap: int | None
) -> None:
    for count, overlap in itertools.product((0, 1, 2, 3, 7, 49, 50, 51, 120), (1, 2, 5, 60)):
        rows = ids(count)
        course = AnchoredCourse(size, overlap=overlap)
        if cap == 1 and count > 1:
            with pytest.raises(PaginationError, match="one row where"):
                walk(rows, course, cap=cap)
            continue
        assert walk(rows, course, cap=cap) == rows, (count, overlap)


@pytest.mark.parametrize(("size", "overlap"), [(1, 1), (0, 1), (50, 0)])
def test_pages_that_can_not_overlap_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ConfigurationError, match="at least 2 rows"):
        AnchoredCourse(size, overlap=overlap)


def test_what_is_known_of_the_servers_pages_saves_the_other_walks_a_request() -> None:
    lengths = Lengths()
    requests: list[int] = []
    for count in (3, 60, 3):
        asked = itertools.count()
        course = AnchoredCourse(50, lengths=lengths)
        assert walk(ids(count), course, between=functools.partial(next, asked)) == ids(count)
        requests.append(next(asked))
    # The first can't tell whether three rows are all that the server ever gives.
    assert requests == [2, 2, 1]


def test_a_count_may_keep_a_walk_from_ending_but_ends_none() -> None:
    rows = ids(120)
    assert walk(rows, AnchoredCourse(50), counted=10) == rows
    lengths = Lengths()
    lengths.note(50, 50)
    course = AnchoredCourse(50, lengths=lengths)
    # A page cut short by its size in bytes, say.
    assert course.take(rows[:20], counted=120) == 0
    assert not course.done
    # A count that is never reached costs one request.
    course.take(rows[18:20], counted=120)
    assert course.done


@pytest.mark.parametrize("overlap", [1, 2, 5])
@pytest.mark.parametrize("size", [2, 7, 50])
def test_what_is_there_all_the_time_is_given_once(size: int, overlap: int) -> None:
    lost = 0
    for seed in range(60):
        random = Random(f"{size} {overlap} {seed}")
        everything = ids(random.choice((30, 100, 200)))
        order = {each: place for place, each in enumerate(everything)}
        rows = sorted(random.sample(everything, len(everything) // 2), key=order.__getitem__)
        always = set(rows)

        def change(
            rows: list[str] = rows,
            everything: list[str] = everything,
            order: dict[str, int] = order,
            always: set[str] = always,
            random: Random = random,
        ) -> None:
            for _ in range(random.choice((0, 0, 1, 1, 3, 40))):
                each = random.choice(everything)
                if each in rows and len(rows) > 5:
                    rows.remove(each)
                    always.discard(each)
                elif each not in rows:
                    rows.append(each)
                    rows.sort(key=order.__getitem__)

        try:
            delivered = walk(rows, AnchoredCourse(size, overlap=overlap), between=change)
        except AnchorLostError:
            lost += 1
            continue
        assert len(delivered) == len(set(delivered)), seed
        assert always <= set(delivered), seed
    assert lost < 15


def test_a_walk_goes_on_at_an_older_row_where_the_last_one_went_away() -> None:
    rows = ids(100)
    course = AnchoredCourse(10, overlap=2)
    for _ in range(3):
        skip, top = course.request()
        course.take(rows[skip : skip + top])
    last = skip + 9
    del rows[last]
    assert walk(rows, course)[0] == rows[last]
    assert course.steps_back == 0


def test_a_walk_steps_back_where_more_rows_went_away_than_pages_share() -> None:
    rows = ids(100)
    course = AnchoredCourse(10, overlap=2)
    delivered: list[str] = []
    while len(delivered) < 40:
        skip, top = course.request()
        keys = rows[skip : skip + top]
        delivered += keys[course.take(keys) :]
    del rows[3:8]
    rest = walk(rows, course)
    assert rest == rows[rows.index(rest[0]) :]
    assert rows[rows.index(rest[0]) - 1] == delivered[-1]
    assert course.steps_back == 1


def test_a_walk_steps_on_over_pages_it_has_seen() -> None:
    rows = ids(60)
    course = AnchoredCourse(10, overlap=2)
    for _ in range(4):
        skip, top = course.request()
        course.take(rows[skip : skip + top])
    last = skip + 9
    # So many come in before the place that the last row is two pages on.
    rest_of_them = rows[last + 1 :]
    rows[0:0] = [f"new {number}" for number in range(25)]
    assert walk(rows, course) == rest_of_them


def test_a_walk_without_a_row_to_go_on_from_begins_again() -> None:
    course = AnchoredCourse(10)
    course.take(ids(10))
    other = [f"other {number}" for number in range(10)]
    course.take(other)
    assert course.request()[0] == 0
    with pytest.raises(AnchorLostError):
        course.take(other)


def test_a_set_that_went_away_ends() -> None:
    course = AnchoredCourse(10)
    course.take(ids(10))
    course.take([])
    course.take([])
    assert course.done


def test_a_server_that_ignores_the_place_is_found_out() -> None:
    course = AnchoredCourse(10)
    pages = (course.take(ids(10)) for _ in range(MOST_REQUESTS))
    with pytest.raises(PaginationError, match="nothing new"):
        list(pages)


def test_a_walk_goes_on_from_a_place() -> None:
    rows = ids(95)
    course = AnchoredCourse(10)
    for _ in range(4):
        skip, top = course.request()
        course.take(rows[skip : skip + top])
    place = course.place
    assert walk(rows, AnchoredCourse(10, place=place)) == rows[skip + 10 :]
    # Few rows came or went: the anchor is on the page, or on the one before.
    moved = ["new", "newer", *rows]
    assert walk(moved, AnchoredCourse(10, place=place)) == rows[skip + 10 :]
    moved = rows[5:]
    assert walk(moved, AnchoredCourse(10, place=place)) == rows[skip + 10 :]
    # One page back, and no further: to read anew costs no more.
    course = AnchoredCourse(10, place=place)
    with pytest.raises(AnchorLostError):
        walk(rows[40:], course)
    assert course.steps_back == 1
    assert walk(rows, AnchoredCourse(10, place=Place())) == rows


def test_a_long_walk_forgets_rows_of_long_ago() -> None:
    rows = ids(5_000)
    course = AnchoredCourse(10)
    assert walk(rows, course) == rows
    assert len(course._met) + len(course._met_before) <= 640
