"""The walk by moment finds every row that stays, whatever moves under it."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jibble_legacy.migration.reading.walk import Place, Spot, following, parameters

from jibble_async.errors import MigrationError


def spot(key: str, at: int | None) -> Spot:
    return Spot(key, at, "" if at is None else f"at {at}")


class Server:
    """Gives pages as the old API does; rows without a moment come first."""

    def __init__(self, rows: list[tuple[str, int | None]], cap: int) -> None:
        self.rows = {key: spot(key, at) for key, at in rows}
        self.cap = cap
        self.asked = 0

    def page(self, place: Place) -> list[Spot]:
        self.asked += 1
        rows = sorted(self.rows.values(), key=_moment)
        found = [row for row in rows if place.at is None or _moment(row) >= place.at]
        return found[place.skip : place.skip + self.cap]


def _moment(row: Spot) -> int:
    return -1 if row.at is None else row.at


def walk(server: Server, meanwhile=lambda: None, begin: Place | None = None) -> list[Spot]:
    place: Place | None = begin or Place()
    found: list[Spot] = []
    while place is not None:
        # Each life of the program gets the place from a file.
        place = msgspec.json.decode(msgspec.json.encode(place), type=Place)
        page = server.page(place)
        found += page
        place = following(place, page)
        meanwhile()
    return found


MOMENTS = st.one_of(st.none(), st.integers(0, 9))


@given(st.lists(MOMENTS, max_size=60), st.integers(2, 9))
def test_every_row_is_found(moments, cap):
    server = Server([(f"r{n}", at) for n, at in enumerate(moments)], cap)
    assert {row.key for row in walk(server)} == set(server.rows)


@given(st.lists(MOMENTS, max_size=60), st.integers(2, 9), st.data())
def test_rows_that_go_cost_no_other(moments, cap, data):
    server = Server([(f"r{n}", at) for n, at in enumerate(moments)], cap)
    gone = set()

    def delete():
        if server.rows and len(gone) < 15 and data.draw(st.booleans()):
            gone.add(data.draw(st.sampled_from(sorted(server.rows))))
            for key in gone:
                server.rows.pop(key, None)

    assert {row.key for row in walk(server, delete)} >= set(server.rows)


@given(st.lists(MOMENTS, max_size=60), st.integers(2, 9), st.data())
def test_rows_that_come_cost_no_other(moments, cap, data):
    server = Server([(f"r{n}", at) for n, at in enumerate(moments)], cap)
    before = set(server.rows)
    new = iter(f"new{n}" for n in range(15))

    def add():
        if data.draw(st.booleans()) and (key := next(new, None)) is not None:
            server.rows[key] = spot(key, data.draw(MOMENTS))

    assert {row.key for row in walk(server, add)} >= before


def test_a_moment_with_more_rows_than_a_page_holds_is_read_by_places():
    server = Server([("a", 1), *((f"r{n}", 5) for n in range(40)), ("z", 9)], cap=10)
    assert {row.key for row in walk(server)} == set(server.rows)
    assert server.asked == 7


def test_a_walk_costs_a_row_of_each_page_and_one_request_more():
    server = Server([(f"r{n}", n) for n in range(10_000)], cap=100)
    walk(server)
    assert server.asked == 102


def test_a_row_that_goes_from_a_moment_brings_its_rows_again():
    place = Place(5, "at 5", 9, "r9", returns=3)
    assert following(place, [spot("r10", 5), spot("r11", 5)]) == Place(5, "at 5", returns=4)
    assert following(place, []) == Place(5, "at 5", returns=4)


def test_rows_that_never_rest_end_the_walk():
    place = Place(5, "at 5", 9, "r9", returns=20)
    with pytest.raises(MigrationError, match="rows of at 5 moved 20 times"):
        following(place, [spot("r10", 5)])


@pytest.mark.parametrize("moments", [[4], [5, 7, 6], [5, None, 4]])
def test_a_server_that_does_not_heed_the_question_is_not_believed(moments):
    rows = [spot(f"r{n}", at) for n, at in enumerate(moments)]
    with pytest.raises(MigrationError, match="does not heed"):
        following(Place(5, "at 5"), rows)


def test_what_is_asked_for():
    assert parameters(Place(), None, 100) == [("filter[limit]", "100")]
    assert parameters(Place(5, "2026-07-13T09:00:00.000Z", 99, "r"), "date", 100) == [
        ("filter[where][date][gte]", "2026-07-13T09:00:00.000Z"),
        ("filter[order]", "date ASC"),
        ("filter[limit]", "100"),
        ("filter[skip]", "99"),
    ]
