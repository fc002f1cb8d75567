"""Finding rows by index is the same as looking at all of them, and looks at few."""

from __future__ import annotations

import operator
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.sandbox.search import Sorting, Wanted, all_of, search
from jibble_async.sandbox.sorted_keys import TOP, SortedKeys
from jibble_async.sandbox.tables import Table
from tests.sandbox.calling import PLATFORM, Caller, LegacyCaller
from tests.support.chaos import seeds

Row = dict[str, Any]
SORTED_BY = (("who", "when"), ("when",), ("who",))
NAMES = ["", "a", "b", "bb", "c"]
keys = st.tuples(st.sampled_from(NAMES), st.integers(0, 40).map(str))
operators: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}


@given(st.lists(st.tuples(st.booleans(), keys), max_size=60), keys, keys, st.booleans())
def test_keys_stay_sorted(
    changes: list[tuple[bool, tuple[str, str]]],
    low: tuple[str, str],
    high: tuple[str, str],
    backwards: bool,
) -> None:
    kept = SortedKeys([])
    plain = set[tuple[str, str]]()
    for adds, key in changes:
        if adds and key not in plain:
            kept.add(key)
            plain.add(key)
        elif not adds and key in plain:
            kept.remove(key)
            plain.remove(key)
        elif not adds:
            with pytest.raises(KeyError):
                kept.remove(key)
    within = [key for key in sorted(plain) if low <= key < high]
    assert list(kept.between(low, high, backwards=backwards)) == within[:: -1 if backwards else 1]
    assert kept.count(low, high) == len(within)


def test_many_keys_stay_sorted_too() -> None:
    """So many that the short lists are cut in two, and emptied."""
    texts = [f"{number * 7919 % 5000:04d}" for number in range(5000)]
    kept = SortedKeys((text,) for text in texts[:2000])
    for text in texts[2000:]:
        kept.add((text,))
    for text in texts[::2]:
        kept.remove((text,))
    assert [key[0] for key in kept.between(("",), (TOP,))] == sorted(texts[1::2])
    for text in texts[1::2]:
        kept.remove((text,))
    assert kept.count(("",), (TOP,)) == 0
    kept.add(("again",))
    assert list(kept.between(("",), (TOP,))) == [("again",)]


rows = st.lists(
    st.tuples(
        st.sampled_from([None, *NAMES[1:]]),
        st.sampled_from([None, "1", "2", "3", "4"]),
        st.integers(0, 3),
    ),
    max_size=25,
)
conditions = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["who", "when"]),
            st.sampled_from(list(operators)),
            st.sampled_from(["1", "2", "3", "a", "b", "bb"]),
        ),
        st.tuples(
            st.sampled_from(["who", "when", "id"]),
            st.just("in"),
            st.frozensets(st.sampled_from(["1", "3", "a", "b", "0001", "0004"]), max_size=3),
        ),
    ),
    max_size=3,
)
orders = st.lists(
    st.tuples(st.sampled_from(["who", "when", "size", "id"]), st.booleans()),
    max_size=3,
    unique_by=lambda item: item[0],
)


def holds(row: Row, name: str, compare: str, value: Any) -> bool:
    found = row[name]
    if compare == "in":
        return found in value
    return found is not None and operators[compare](found, value)


def sorted_plainly(found: list[Row], order: list[tuple[str, bool]]) -> list[Row]:
    found = sorted(found, key=operator.itemgetter("id")) if order else found
    for name, descending in reversed(order):
        found.sort(key=lambda row: (row[name] is not None, row[name]), reverse=descending)
    return found


def check(
    made: list[tuple[str | None, str | None, int]],
    changes: list[tuple[int, str]],
    asked: list[tuple[str, str, Any]],
    order: list[tuple[str, bool]],
) -> None:
    table = Table(SORTED_BY)
    for properties in table.sorted_by:
        table.index(properties)
    for number, (who, when, size) in enumerate(made):
        table.add({"id": f"{number * 7 % 25:04d}", "who": who, "when": when, "size": size})
    for place, when in changes:
        if place < len(table.rows):
            if when == "4" and place % 3 == 0:
                table.remove(table.rows[place])
            else:
                table.change(table.rows[place], {"when": when})
    wanted = [
        {name: Wanted(value)} if compare == "in" else {name: Wanted.compared(compare, value)}
        for name, compare, value in asked
    ]

    def keep(row: Row) -> bool:
        return all(holds(row, *condition) for condition in asked)

    def sorting(name: str, descending: bool) -> Sorting:
        return Sorting(operator.itemgetter(name), descending, name if name != "size" else None)

    found = search(
        table,
        keep,
        all_of(part for part in wanted if None not in part.values()),  # type: ignore[misc]
        [sorting(*item) for item in order],
    )
    expected = sorted_plainly([row for row in table.rows if keep(row)], order)
    assert found.page(1, 3) == expected[1:3]
    assert found.page(0, None) == expected
    assert found.count() == len(expected)


@given(
    rows, st.lists(st.tuples(st.integers(0, 24), st.sampled_from(["1", "4"]))), conditions, orders
)
def test_an_index_finds_what_looking_at_all_rows_finds(
    made: list[tuple[str | None, str | None, int]],
    changes: list[tuple[int, str]],
    asked: list[tuple[str, str, Any]],
    order: list[tuple[str, bool]],
) -> None:
    check(made, changes, asked, order)


@seeds(20)
def test_orders_and_ranges_of_one_property_agree_with_each_other(seed: int) -> None:
    """What the strategies above seldom draw: many equal rows, sorted, in a range, and changed."""
    random = Random(seed)
    for _ in range(100):
        made = [
            (random.choice(["a", "b", None]), random.choice(["1", "2", None]), random.randrange(3))
            for _ in range(random.randrange(25))
        ]
        changes = [(random.randrange(25), random.choice("14")) for _ in range(random.randrange(4))]
        asked: list[tuple[str, str, Any]] = [
            (random.choice(["who", "when"]), random.choice([*operators]), random.choice("12ab"))
            for _ in range(random.randrange(3))
        ]
        names = random.sample(["who", "when", "size", "id"], random.randrange(1, 4))
        check(made, changes, asked, [(name, random.random() < 0.5) for name in names])


@pytest.mark.parametrize(
    ("query", "most"),
    [
        ("$orderby=id&$top=10&$skip=20", 30),
        ("$orderby=time desc&$top=10", 12),
        ("$filter=id eq {id}", 1),
        ("$filter=personId eq {person} and time ge {time}&$orderby=time desc&$top=50", 12),
        ("$filter=personId eq {person} and time ge {time} and type eq 'In'", 12),
        ("$filter=(belongsToDate eq {day} and status ne 'Archived')&$orderby=time,id", 50),
        ("$filter=belongsToDate ge {day} and belongsToDate le {day}&$count=true", 50),
        ("$filter=updatedAt ge {time}&$orderby=updatedAt,id&$top=20", 21),
        ("$filter=createdAt gt {time}&$top=5&$orderby=createdAt", 6),
        ("$filter=personId in ({person},{other}) and belongsToDate eq {day}", 20),
        ("$filter=belongsToDate eq {day} and (personId eq {person} or personId eq {other})", 20),
    ],
)
async def test_a_question_looks_at_what_it_asks_for(caller: Caller, query: str, most: int) -> None:
    table = caller.box.dataset.table("TimeEntries")
    assert len(table.rows) > 150
    row = next(row for row in table.rows if row["belongsToDate"] == "2026-07-09")
    other = next(each for each in table.rows if each["personId"] != row["personId"])
    query = query.format(
        id=row["id"],
        person=row["personId"],
        other=other["personId"],
        day="2026-07-09",
        time="2026-07-09T12:00:00Z",
    )
    looked = table.examined
    status, page = await caller.track(f"/v1/TimeEntries?{query}")
    assert status == 200
    assert page["value"]
    assert 0 < table.examined - looked <= most


async def test_a_walk_looks_at_each_row_once(caller: Caller) -> None:
    table = caller.box.dataset.table("TimeEntries")
    looked, seen = table.examined, list[str]()
    for skip in range(0, len(table.rows) + 50, 50):
        query = f"$filter=note ne 'x'&$orderby=time,id&$top=50&$skip={skip}"
        _, page = await caller.track(f"/v1/TimeEntries?{query}")
        seen += [row["id"] for row in page["value"]]
    assert len(seen) == len(set(seen)) == table.examined - looked == len(table.rows)


@pytest.mark.parametrize(
    ("query", "most"),
    [
        ("filter[where][date][gte]={day}&filter[order]=date ASC&filter[limit]=5", 5),
        ("filter[where][date][gt]={day}&filter[order]=date DESC&filter[limit]=5", 6),
        ("filter[where][person]={person}&filter[where][date][gte]={day}&filter[limit]=100", 30),
        ("filter[where][date][between][0]={day}&filter[where][date][between][1]={later}", 50),
        ("filter[limit]=3&filter[skip]=4", 7),
    ],
)
async def test_the_old_api_looks_at_what_it_is_asked_for(
    legacy: LegacyCaller, query: str, most: int
) -> None:
    table = legacy.box.legacy.table("timeentries")
    row = next(row for row in table.rows if row["date"] > "2026-07-08T09")
    query = query.format(
        day="2026-07-08T09:00:00.000Z", later="2026-07-09T09:00:00.000Z", person=row["person"]
    )
    looked = table.examined
    status, page = await legacy.get(f"/timeentries?{query.replace(' ', '%20')}")
    assert status == 200
    assert page
    assert 0 < table.examined - looked <= most


async def test_a_punch_looks_at_no_row(caller: Caller) -> None:
    table = caller.box.dataset.table("TimeEntries")
    await caller.track("/v1/TimeEntries?$orderby=time&$top=1")
    looked = table.examined
    person = table.rows[0]["personId"]
    for number in range(3):
        time = f"2026-07-13T0{number}:00:00Z"
        body = {"personId": person, "type": "In", "time": time, "platform": PLATFORM}
        assert (await caller.send("POST", "time_tracking", "/v1/TimeEntries", body))[0] == 201
    assert table.examined == looked
