"""What fields are called on the current API's wire."""

from __future__ import annotations

import pytest

from jibble_async import Location, Person, TimeEntry, UnknownFieldError
from jibble_async.odata.names import camel, spelt, wire_name, wire_values
from jibble_async.query.names import Name


def test_values_are_sent_by_the_names_that_entities_are_read_by() -> None:
    sent = wire_values(Person, full_name="Ann", group_id=None)
    assert sent == {"fullName": "Ann", "groupId": None}
    assert wire_name(Location, "geo_fence") == "geoFence"
    assert camel("schedule_ids") == "scheduleIds"


def test_a_name_is_sent_as_the_caller_spells_it() -> None:
    assert spelt(TimeEntry, Name("person_id", "PERSONID")) == "PERSONID"
    assert spelt(TimeEntry, Name("person_id", "person_id")) == "personId"


def test_what_an_entity_does_not_have_is_not_sent() -> None:
    with pytest.raises(UnknownFieldError, match="no field 'fullname': did you mean full_name"):
        wire_values(Person, fullname="Ann")
