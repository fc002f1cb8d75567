"""Old rows in columns: what is odd is kept and said, and nothing is guessed."""

import hashlib

import msgspec
import pytest
from jibble_legacy.migration.reading.old_rows import read_entry, read_row
from jibble_legacy.migration.reading.walk import Spot

WHOLE = (
    b'{"id":"aB1","person":{"id":"p1"},"activity":{"id":"a1"},"client":{"id":"c1"},"action":1,'
    b'"date":"2016-07-25T08:00:00.123Z","notes":" \xf0\x9f\x94\xa7 ",'
    b'"updated_at":"2016-07-25T08:00:01.000Z","meta":{"app":"ios"}}'
)


def test_a_whole_row():
    row = read_entry(msgspec.Raw(WHOLE))
    assert (row.id, row.person, row.activity, row.client) == ("aB1", "p1", "a1", "c1")
    assert (row.ms, row.updated, row.action) == (1469433600123, 1469433601000, 1)
    assert (row.note, row.flaw) == (" \N{WRENCH} ", None)
    assert row.hash == hashlib.sha256(WHOLE).digest()[:16]
    assert row.spot("date") == Spot("aB1", 1469433600123, "2016-07-25T08:00:00.123Z")
    assert row.spot("updated_at") == Spot("aB1", 1469433601000, "2016-07-25T08:00:01.000Z")


def test_a_row_may_lack_all_but_its_id():
    row = read_entry(msgspec.Raw(b'{"id":"aB1"}'))
    assert (row.person, row.ms, row.action, row.note, row.flaw) == (None, None, None, None, None)
    assert row.spot("date") == Spot("aB1")


def test_a_reference_may_be_a_bare_id_or_a_whole_object():
    row = read_entry(msgspec.Raw(b'{"id":"a","person":"p1","client":{"id":"c1","name":"x"}}'))
    assert (row.person, row.client, row.flaw) == ("p1", "c1", None)


@pytest.mark.parametrize(
    ("raw", "flaw"),
    [
        (b'{"id":"a","date":"yesterday"}', "its date is no moment"),
        (b'{"id":"a","date":"2016-07-25T08:00:00"}', "its date is no moment"),
        (b'{"id":"a","date":1469433600123}', "its date is no moment"),
        (b'{"id":"a","notes":7}', "its notes are no text"),
        (b'{"id":"a","person":{}}', "its person has no id"),
        (b'{"id":"a","activity":7}', "its activity has no id"),
        (b'{"id":"a","client":""}', "its client has no id"),
        (b'{"date":"2016-07-25T08:00:00.123Z"}', "it has no id"),
        (b'{"id":7}', "it has no id"),
        (b"null", "it can't be read"),
        (b'{"id":"\xff"}', "it can't be read"),
    ],
)
def test_what_is_odd_is_kept_and_said(raw, flaw):
    row = read_entry(msgspec.Raw(raw))
    assert row.flaw is not None
    assert row.flaw.startswith(flaw)
    if "no id" in flaw and "it " in flaw:
        assert row.id == f"?{row.hash.hex()}"


@pytest.mark.parametrize("action", [b'"1"', b"true", b"1.5", b"1e30", b"99999999999999999999"])
def test_an_action_that_is_no_number_is_none(action):
    assert read_entry(msgspec.Raw(b'{"id":"a","action":' + action + b"}")).action is None


def test_rows_of_lists_are_kept_whole():
    row = read_row(msgspec.Raw(b'{"id":"p1","firstName":"Ting-Un"}'))
    assert (row.id, row.raw) == ("p1", b'{"id":"p1","firstName":"Ting-Un"}')
    assert read_row(msgspec.Raw(b"[]")).id.startswith("?")
