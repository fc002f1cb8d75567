"""Every row of what the framework was seen to make of a filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from jibble_async.sandbox import LegacyRules
from jibble_async.sandbox.legacy.errors import LegacyRefusal
from jibble_async.sandbox.legacy.filters import Filter, read_filter
from jibble_async.sandbox.legacy.models import MODELS
from jibble_async.sandbox.legacy.where import matcher
from tests.sandbox.calling import LegacyCaller

DOCUMENTED = LegacyRules()
ALL = LegacyRules(undocumented=True)

ROWS: dict[str, dict[str, Any]] = {
    "early": {
        "action": 1,
        "date": "2018-05-18T12:16:59.490Z",
        "notes": "foo bar",
        "meta": {"app": "web", "appVer": "1"},
        "activity": "A1",
        "team": "T1",
    },
    "middle": {
        "action": 2,
        "date": "2018-05-19T00:00:00.000Z",
        "notes": "Foo.bar (new)",
        "meta": {"app": "web", "appVer": "1.37.0"},
        "team": "T1",
    },
    "late": {
        "action": 1,
        "date": "2018-05-20T08:00:00.000Z",
        "meta": {"app": "ios", "appVer": 1},
        "activity": "A2",
        "customData": {"myId": 7, "synched": True},
        "team": "T2",
    },
    "bare": {"action": 2, "date": "2018-05-21T08:00:00.000Z", "notes": "*bad( 100%\n"},
}
EVERY = set(ROWS)


def found(query: str, rules: LegacyRules = DOCUMENTED) -> set[str]:
    asked = read_filter(query, rules)
    test = matcher(MODELS["timeentries"], asked.where, rules)
    return {name for name, row in ROWS.items() if test(row)}


def where(*conditions: str) -> str:
    return "&".join(f"filter[where]{condition}" for condition in conditions)


def as_json(value: Any) -> str:
    return f"filter={quote(msgspec.json.encode(value))}"


def refused(call: Callable[[], object], status: int = 400) -> str:
    with pytest.raises(LegacyRefusal) as caught:
        call()
    assert caught.value.status == status
    return caught.value.message


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("[action]=1", {"early", "late"}),
        ("[action]=1.0", {"early", "late"}),
        ("[action]=one", set()),
        ("[action][eq]=1", {"early", "late"}),
        ("[action][gt]=1", {"middle", "bare"}),
        ("[action][lt]=2", {"early", "late"}),
        ("[team]=T1", {"early", "middle"}),
        ("[activity]=A1", {"early"}),
        ("[activity]=a1", set()),
        ("[activity][neq]=A1", {"middle", "late", "bare"}),
        ("[date][eq]=2018-05-18T12:16:59.490Z", {"early"}),
        ("[date][eq]=2018-05-18T14:16:59.49%2B02:00", {"early"}),
        ("[date][gt]=2018-05-19", {"late", "bare"}),
        ("[date][gte]=2018-05-19", {"middle", "late", "bare"}),
        ("[date][lte]=2018-05-19T00:00:00Z", {"early", "middle"}),
        ("[meta.appVer]=1", {"early"}),
        ("[meta.appVer][gte]=1.3", {"middle"}),
        ("[meta.appVer][lte]=2", {"early", "middle"}),
        ("[meta.app]=ios", {"late"}),
        ("[customData.myId]=7", set()),
        ("[notes]=null", set()),
        ("[nothing]=1", set()),
        ("[nothing][neq]=1", EVERY),
        ("[notes][like]=foo", {"early"}),
        ("[notes][like]=o.b", {"early", "middle"}),
        ("[notes][like]=^foo bar$", {"early"}),
        ("[notes][like]=%25foo%25", set()),
        ("[notes][like]=*bad\\(", {"bare"}),
        ("[notes][like]=%25$", set()),
        ("[notes][like]=[$]|%25\n$", {"bare"}),
        ("[activity][like]=A", {"early", "late"}),
        ("[meta][gt]=a", set()),
        ("[activity][gt]=A1", {"late"}),
        ("[action][like]=1", set()),
        ("[action]=1&filter[where][action]=2", set()),
    ],
)
def test_one_condition(condition: str, names: set[str]) -> None:
    assert found(where(condition)) == names


def test_several_properties_are_all_asked_for() -> None:
    assert found(where("[team]=T1", "[action]=1")) == {"early"}
    assert found("") == found("filter=") == found("filter[where]=") == EVERY


@pytest.mark.parametrize(
    "conditions",
    [
        ("[date][between][0]=2018-05-19", "[date][between][1]=2018-05-20T08:00:00.000Z"),
        ("[date][between]=2018-05-19", "[date][between]=2018-05-20T08:00:00.000Z"),
        ("[date][between][]=2018-05-19", "[date][between][]=2018-05-20T08:00:00.000Z"),
        ("[date][[between][0]]=2018-05-19", "[date][[between][1]]=2018-05-20T08:00:00.000Z"),
    ],
)
def test_between_has_both_ends_and_many_spellings(conditions: tuple[str, ...]) -> None:
    assert found(where(*conditions)) == {"middle", "late"}


def test_between_compares_an_undeclared_property_as_text() -> None:
    conditions = where("[meta.appVer][between][0]=1", "[meta.appVer][between][1]=2")
    assert found(conditions) == {"early", "middle"}


@pytest.mark.parametrize("values", [["2018"], ["2018", "2019", "2020"]])
def test_between_takes_two_values(values: list[str]) -> None:
    query = where(*(f"[date][between][]={value}" for value in values))
    message = refused(lambda: found(query))
    assert message.endswith(f"Expected precisely 2 values, received {len(values)}")


def test_a_second_operator_is_dropped() -> None:
    low, high = "[date][gte]=2018-05-19", "[date][lte]=2018-05-20T08:00:00Z"
    assert found(where(low, high)) == found(where(high, low)) == {"middle", "late", "bare"}
    newest, oldest = "[meta.appVer][lte]=1.2", "[meta.appVer][gte]=1"
    assert found(where(newest, oldest)) == {"early"}
    assert found(where(oldest, newest)) == {"early", "middle"}


@pytest.mark.parametrize(
    "condition",
    [
        "[date][gt]=notadate",
        "[date][gt]=2018-05-18T12:16:59+08:00",
        "[date]=null",
        "[date]=2018-02-30",
        "[date]=",
        "[notes][like]=*bad(",
        "[notes][like]=(",
        "[date][like]=2018-",
        "[action][bogus]=1",
        "[nothing][bogus]=1",
    ],
)
def test_what_the_framework_stumbles_over(condition: str) -> None:
    refused(lambda: found(where(condition)), 500)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("filter=abc", "Value is not an object."),
        ("filter={bad", "Value is not an object."),
        ("filter=1&filter=2", "Value is not an object."),
        ("filter[where]=abc", 'The where clause "abc" is not an object'),
        ("filter[limit]=0", 'The limit parameter "0" is not valid'),
        ("filter[limit]=-1", 'The limit parameter "-1" is not valid'),
        ("filter[limit]=1.5", 'The limit parameter "1.5" is not valid'),
        ("filter[limit]=abc", 'The limit parameter "abc" is not valid'),
        ("filter[skip]=-1", 'The offset/skip parameter "-1" is not valid'),
        ("filter[order]=date DOWN", 'The order "date DOWN" has invalid direction'),
        ("filter[order][date]=DESC", 'The order {"date":"DESC"} is not valid'),
    ],
)
def test_what_is_refused(query: str, message: str) -> None:
    assert refused(lambda: read_filter(query, DOCUMENTED)) == message


def test_a_dollar_operator_is_not_allowed() -> None:
    with pytest.raises(LegacyRefusal) as caught:
        found(where("[date][$gt]=2018"))
    assert caught.value.body()["error"] == {
        "statusCode": 400,
        "name": "Error",
        "message": "Operators not allowed in query: $gt",
        "code": "OPERATOR_NOT_ALLOWED_IN_QUERY",
    }


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("[action][inq]=1&filter[where][action][inq]=2", EVERY),
        ("[action][inq][]=1", {"early", "late"}),
        ("[activity][nin][]=A1", {"middle", "late", "bare"}),
        ("[notes][nlike]=oo", {"late", "bare"}),
        ("[notes][regexp]=/^FOO/i", {"early", "middle"}),
        ("[notes][regexp]=^foo", {"early"}),
        ("[notes][like]=FOO&filter[where][notes][options]=i", {"early", "middle"}),
        ("[notes][near]=1,2", EVERY),
        ("[or][0][action]=2&filter[where][or][1][team]=T2", {"middle", "late", "bare"}),
        ("[and][0][action]=1&filter[where][and][1][team]=T2", {"late"}),
    ],
)
def test_what_only_the_framework_knows_is_a_switch(condition: str, names: set[str]) -> None:
    assert found(where(condition), ALL) == names
    assert "is not documented" in refused(lambda: found(where(condition)))


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        ("[action][inq]=1", "Value is not an array"),
        ("[notes][regexp]=/^x/y", "Invalid regex flags"),
        ("[or]=x", "The or operator has invalid clauses"),
        (
            "[or][0][date][between][0]=2018&filter[where][or][0][date][between][1]=2019",
            "not an arr",
        ),
    ],
)
def test_what_the_framework_refuses_of_its_own(condition: str, why: str) -> None:
    assert why in refused(lambda: found(where(condition), ALL))


def test_a_filter_as_json() -> None:
    assert found(as_json({"where": {"action": 1, "team": "T1"}})) == {"early"}
    assert found(as_json({"where": {"notes": None}})) == {"late"}
    assert found(as_json({"where": {"customData.myId": 7}})) == {"late"}
    assert found(as_json({"where": {"action": True}})) == set()
    assert found(as_json({"where": {"action": {"gt": False}}})) == set()
    assert found(as_json({"where": {"customData.synched": {"gte": 1}}})) == set()
    between = {"date": {"between": ["2018-05-19", "2018-05-20T08:00:00.000Z"]}}
    assert found(as_json({"where": between})) == {"middle", "late"}
    assert found(as_json({"where": {"or": [between, {"team": "T1"}]}}), ALL) == {
        "early",
        "middle",
        "late",
    }


def test_an_array_of_more_than_twenty_is_put_together_again() -> None:
    values = "&".join(f"filter[where][action][inq][{place}]={place}" for place in range(2, 25))
    first = "filter[where][action][inq][1]=3&filter[where][action][inq][0]=2"
    assert found(f"{first}&{values}", ALL) == {"middle", "bare"}


def asked(query: str, rules: LegacyRules = DOCUMENTED) -> Filter:
    return read_filter(query, rules)


def test_pages() -> None:
    assert (asked("").skip, asked("").limit) == (0, 30)
    assert asked("filter[skip]=100").limit == 30
    page = asked("filter[limit]=100&filter[skip]=200")
    assert (page.skip, page.limit) == (200, 100)
    assert asked("filter[limit]=101").limit == 100
    strict = LegacyRules(over_limit="refuse")
    assert "101" in refused(lambda: asked("filter[limit]=101", strict))
    assert asked("filter[offset]=7", ALL).skip == 7
    assert "offset" in refused(lambda: asked("filter[offset]=7"))


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("filter[order]=date DESC", (("date", True),)),
        ("filter[order]=date%20desc", (("date", True),)),
        ("filter[order]=date", (("date", False),)),
        ("filter[order]=date ASC,id DESC", (("date", False), ("id", True))),
        ("filter[order][0]=date ASC&filter[order][1]=id DESC", (("date", False), ("id", True))),
        ("filter[order]=date&filter[order]=id DESC", (("date", False), ("id", True))),
        ("", ()),
    ],
)
def test_orders(query: str, order: tuple[tuple[str, bool], ...]) -> None:
    assert asked(query).order == order


@pytest.mark.parametrize(
    ("query", "relations"),
    [
        ("filter[include]=person", {"person": None}),
        ("filter[include]=person&filter[include]=activity", {"person": None, "activity": None}),
        ("filter[include][]=person", {"person": None}),
        (
            "filter[include][0]=person&filter[include][1]=activity",
            {"person": None, "activity": None},
        ),
        ("filter[include][person]=team", {"person": "team"}),
        ("filter[include]=person,activity", {"person,activity": None}),
    ],
)
def test_relations(query: str, relations: dict[str, Any]) -> None:
    assert asked(query).include == relations


async def test_the_host_evaluates_all_of_it(legacy: LegacyCaller) -> None:
    truth = legacy.box.legacy.rows("timeentries")
    status, page = await legacy.get("/timeentries")
    assert (status, len(page)) == (200, 30)
    assert [row["id"] for row in page] == sorted(row["id"] for row in truth)[:30]
    walk: list[dict[str, Any]] = []
    while len(page) > 0:
        query = f"filter[where][action]=1&filter[order]=date%20DESC&filter[skip]={len(walk)}"
        _, page = await legacy.get(f"/timeentries?{query}")
        walk += page
    ins = [row for row in truth if row["action"] == 1]
    assert [row["date"] for row in walk] == sorted((row["date"] for row in ins), reverse=True)
    assert {row["id"] for row in walk} == {row["id"] for row in ins}
    status, body = await legacy.get("/timeentries?filter[where][date][gt]=notadate")
    assert (status, body) == (
        500,
        {"error": {"statusCode": 500, "message": "Internal Server Error"}},
    )


async def test_relations_are_shown_in_full(legacy: LegacyCaller) -> None:
    with_activity = "filter[where][activity][gt]=0&filter[limit]=3"
    both = "filter[include]=person&filter[include]=activity"
    _, page = await legacy.get(f"/timeentries?{with_activity}&{both}")
    assert len(page) == 3
    for row in page:
        _, person = await legacy.get(f"/teammembers/{row['person']['id']}")
        _, activity = await legacy.get(f"/activities/{row['activity']['id']}")
        assert (row["person"], row["activity"]) == (person, activity)
    _, page = await legacy.get(f"/timeentries?{with_activity}&filter[include][person]=team")
    assert page[0]["person"]["team"]["name"] == "Sandbox Works Ltd"
    _, bare = await legacy.get("/timeentries?filter[where][activity]=null&filter[include]=activity")
    assert bare == []


async def test_an_unknown_relation_is_an_error_on_pages_with_rows_only(
    legacy: LegacyCaller,
) -> None:
    for relations in ("boss", "person,activity"):
        assert (await legacy.get(f"/timeentries?filter[include]={relations}"))[0] == 500
    empty = "filter[include]=boss&filter[where][action]=7"
    assert await legacy.get(f"/timeentries?{empty}") == (200, [])


async def test_fields_are_a_switch(legacy: LegacyCaller) -> None:
    assert (await legacy.get("/clients?filter[fields]=id"))[0] == 400
    legacy.box.legacy_rules.undocumented = True
    for fields in ("filter[fields]=id", "filter[fields][id]=true", "filter[fields][]=id"):
        _, page = await legacy.get(f"/clients?{fields}")
        assert {*page[0]} == {"id"}
    _, page = await legacy.get("/clients?filter[fields][id]=false")
    assert [*page[0]] == ["name", "team", "updated_at"]


async def test_what_has_no_value_sorts_first(legacy: LegacyCaller) -> None:
    _, page = await legacy.get("/timeentries?filter[order]=notes&filter[limit]=100")
    have = ["notes" in row for row in page]
    assert have == sorted(have)
    _, page = await legacy.get("/timeentries?filter[order]=meta.appVer%20DESC&filter[limit]=100")
    versions = [row["meta"].get("appVer", "") for row in page]
    assert versions == sorted(versions, reverse=True)
