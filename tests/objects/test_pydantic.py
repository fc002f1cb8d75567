from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jibble_legacy.entities import LegacyTimeEntry, TeamMember

from jibble_async import EntryType, Person, Project, TimeEntry, TrackedTime
from jibble_async.entities import ValueObject
from tests.objects.drawn import classes, entity
from tests.support.patience import PATIENCE

pydantic = pytest.importorskip("pydantic", reason="pydantic is not installed")
fastapi = pytest.importorskip("fastapi", reason="FastAPI is not installed")

KEY = "11111111-1111-4111-8111-111111111111"
ENTRY = TimeEntry(
    id=KEY,
    type=EntryType("Teleport"),
    time=datetime(2026, 7, 1, 8, tzinfo=UTC),
    offset=timedelta(hours=2),
    belongs_to_date=date(2026, 7, 1),
    person=Person(id=KEY, full_name="Zoë", pin_code="canary"),
)


class Team(pydantic.BaseModel):  # type: ignore[misc, name-defined]
    name: str
    lead: Person | None = None
    people: list[Person] = pydantic.Field(default_factory=list)


def adapter(kind: Any) -> Any:
    return pydantic.TypeAdapter(kind)


@given(st.sampled_from(classes()).flatmap(entity))
@settings(max_examples=50)
def test_pydantic_reads_what_it_wrote(one: ValueObject) -> None:
    kind = type(one)
    mine = adapter(kind)
    hidden = dict.fromkeys(one.secret_fields)
    for by_alias in (True, False):
        text = mine.dump_json(one, by_alias=by_alias)
        found = mine.validate_json(text)
        assert type(found) is kind
        shown = msgspec.structs.replace(one, **hidden)
        assert found.to_dict(names="wire") == shown.to_dict(names="wire")
    assert json.loads(mine.dump_json(one, by_alias=True)).keys() == one.to_dict(names="wire").keys()
    assert mine.validate_python(one) is one


def test_both_names_are_taken_and_the_wanted_one_is_given() -> None:
    mine = adapter(TimeEntry)
    for name in ("belongsToDate", "belongs_to_date"):
        found = mine.validate_python({"id": KEY, name: "2026-07-01", "type": "Teleport"})
        assert found == TimeEntry(
            id=KEY, belongs_to_date=date(2026, 7, 1), type=EntryType("Teleport")
        )
        assert isinstance(found.type, EntryType)
    dumped = mine.dump_python(ENTRY, mode="json", by_alias=True, exclude_none=True)
    assert dumped["belongsToDate"] == "2026-07-01"
    assert dumped["person"] == {"id": KEY, "fullName": "Zoë"}
    plain = mine.dump_python(ENTRY, exclude_none=True, exclude={"person"})
    assert plain["belongs_to_date"] == date(2026, 7, 1)
    assert plain["type"] == "Teleport"
    assert "person" not in plain


def test_json_is_read_as_json_even_where_pydantic_is_strict() -> None:
    text = ENTRY.to_json(names="wire")
    found = adapter(TimeEntry).validate_json(text, strict=True)
    assert found.to_json() == ENTRY.to_json()
    with pytest.raises(pydantic.ValidationError, match="TimeEntry"):
        adapter(TimeEntry).validate_python(json.loads(text), strict=True)


def test_open_enums_are_fields_and_keys() -> None:
    class Counts(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        of: dict[EntryType, int]

    counts = Counts.model_validate_json('{"of":{"In":1,"Teleport":2}}')
    assert [*map(type, counts.of)] == [EntryType, EntryType]
    assert counts.model_dump_json() == '{"of":{"In":1,"Teleport":2}}'


def test_entities_are_fields_of_models() -> None:
    team = Team(name="A", lead=ENTRY.person, people=[{"id": "x", "fullName": "Ann"}])
    assert team.people == [Person(id="x", full_name="Ann")]
    assert team.lead is ENTRY.person
    dumped = team.model_dump(mode="json", exclude_none=True)
    assert dumped["people"] == [{"id": "x", "full_name": "Ann"}]
    assert Team.model_validate(dumped).people == team.people
    assert "canary" not in team.model_dump_json()
    assert "canary" not in repr(team)


def test_an_entity_of_the_old_api_goes_as_one_of_the_vocabulary_or_as_what_it_is() -> None:
    one = LegacyTimeEntry(id="a", client_id="c", person=TeamMember(id="b", first_name="Ann"))
    assert adapter(TimeEntry).validate_python(one) is one
    assert "clientId" not in adapter(TimeEntry).dump_python(one, by_alias=True)
    assert adapter(LegacyTimeEntry).dump_python(one, by_alias=True)["clientId"] == "c"


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({}, ("id",)),
        ({"id": "x", "belongsToDate": "yesterday"}, ("belongsToDate",)),
        ({"id": "x", "person": {"id": 5}}, ("person", "id")),
        ({"id": "x", "type": 5}, ("type",)),
        ("x", ()),
    ],
)
def test_what_does_not_fit_is_an_error_of_pydantics_with_its_place(
    given: Any, place: tuple[str, ...]
) -> None:
    with pytest.raises(pydantic.ValidationError) as raised:
        adapter(TimeEntry).validate_python(given)
    assert raised.value.errors()[0]["loc"][: len(place)] == place


def test_rows_within_rows() -> None:
    rows = TrackedTime(id="a", items=[TrackedTime(id="b", time=timedelta(hours=1))])
    mine = adapter(TrackedTime)
    assert mine.validate_json(mine.dump_json(rows)) == rows
    schema = mine.json_schema()
    items = schema["$defs"]["TrackedTime"]["properties"]["items"]["anyOf"][0]
    assert items == {"type": "array", "items": {"$ref": "#/$defs/TrackedTime"}}


def app() -> Any:
    made = fastapi.FastAPI()

    @made.get("/entry")
    async def entry() -> TimeEntry:
        return ENTRY

    @made.get("/entry-of-python", response_model_by_alias=False, response_model_exclude_none=True)
    async def entry_of_python() -> TimeEntry:
        return ENTRY

    @made.get("/people")
    async def people() -> list[Person]:
        return [Person(id="x", full_name="Ann", pin_code="canary")]

    @made.post("/entries")
    async def take(entry: Annotated[TimeEntry, fastapi.Body()]) -> dict[str, Any]:
        return entry.to_dict(exclude_none=True)

    @made.post("/people")
    async def take_people(people: list[Person]) -> int:
        return sum(each.pin_code == "1234" for each in people)

    @made.post("/teams", response_model=Team, response_model_exclude_none=True)
    async def take_team(team: Team) -> Team:
        return team

    @made.get("/projects", response_model=dict[str, Project])
    async def projects() -> Any:
        return {"a": Project(id="p", name="Ω")}

    return made


async def test_fastapi_takes_and_gives_entities() -> None:
    transport = httpx.ASGITransport(app=app())
    async with httpx.AsyncClient(transport=transport, base_url="http://backend") as browser:
        found = (await browser.get("/entry")).json()
        assert (found["belongsToDate"], found["offset"]) == ("2026-07-01", "PT2H")
        assert found["person"]["fullName"] == "Zoë"
        assert found["note"] is None
        assert msgspec.convert(found, TimeEntry).to_json() == ENTRY.to_json()
        found = (await browser.get("/entry-of-python")).json()
        assert found["belongs_to_date"] == "2026-07-01"
        assert "note" not in found
        answer = await browser.get("/people")
        assert answer.json()[0]["fullName"] == "Ann"
        assert "canary" not in answer.text
        body = {"id": KEY, "type": "In", "belongsToDate": "2026-07-01", "more": 1}
        sent = await browser.post("/entries", json=body)
        assert sent.json() == {"id": KEY, "type": "In", "belongs_to_date": "2026-07-01"}
        refused = await browser.post("/entries", json={"id": KEY, "time": "yesterday"})
        assert refused.status_code == 422
        assert refused.json()["detail"][0]["loc"] == ["body", "time"]
        people = [{"id": "x", "pinCode": "1234"}, {"id": "y"}]
        assert (await browser.post("/people", json=people)).json() == 1
        team = {"name": "A", "people": [{"id": "x", "fullName": "Ann"}]}
        assert (await browser.post("/teams", json=team)).json() == team
        assert (await browser.get("/projects")).json()["a"]["name"] == "Ω"


def test_openapi_describes_entities() -> None:
    schema = app().openapi()
    parts = schema["components"]["schemas"]
    entry = parts["TimeEntry-Output"] if "TimeEntry-Output" in parts else parts["TimeEntry"]
    about = entry["properties"]
    assert entry["title"] == "TimeEntry"
    assert entry["description"].startswith("One punch.")
    assert entry["required"] == ["id"]
    assert about["belongsToDate"]["anyOf"] == [
        {"type": "string", "format": "date"},
        {"type": "null"},
    ]
    assert about["time"]["anyOf"][0]["format"] == "date-time"
    assert about["offset"]["anyOf"][0]["format"] == "duration"
    assert about["belongsToDate"]["description"].startswith("The working day it counts for")
    assert parts["EntryType"]["anyOf"] == [
        {"type": "string", "enum": ["In", "Out", "StartBreak"]},
        {"type": "string"},
    ]
    assert "OData" not in parts["EntryType"]["description"]
    given, told = parts["Person-Input"], parts["Person-Output"]
    assert given["properties"]["pinCode"]["writeOnly"] is True
    assert "pinCode" not in told["properties"]
    answer = schema["paths"]["/people"]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"]["items"] == {"$ref": "#/components/schemas/Person-Output"}


def test_every_class_has_a_schema_of_both_modes() -> None:
    mine = adapter(tuple[tuple(classes())])  # type: ignore[misc]
    for mode in ("validation", "serialization"):
        parts = mine.json_schema(mode=mode)["$defs"]
        assert {kind.__name__ for kind in classes()} <= parts.keys()


def test_pydantic_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['pydantic'] = sys.modules['pydantic_core'] = None; "
        "from jibble_async import Person; print(Person(id='a').to_json(exclude_none=True))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.stdout == '{"id":"a"}\n', done.stderr
