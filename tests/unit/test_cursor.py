from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async import ConfigurationError, Cursor, TimeEntry, fields
from jibble_async.core.cursor import fingerprint
from tests.unit.recording import RecordingClient

T = fields(TimeEntry)
_texts = st.text(st.characters(codec="utf-8"), max_size=40)


@given(_texts, st.integers(0, 2**63), st.none() | _texts)
def test_a_cursor_survives_its_text(name: str, offset: int, link: str | None) -> None:
    cursor = Cursor(fingerprint=name, offset=offset, link=link)
    text = str(cursor)
    assert Cursor.parse(text) == cursor
    assert Cursor.parse(cursor) is cursor
    # It can go into a URL, a header or a file name as it is.
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def forged(**members: Any) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(members)).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "rubbish!",
        "äöü",
        "A" * 10_001,
        forged(),
        forged(fingerprint=5),
        forged(fingerprint="x", offset="5"),
        base64.urlsafe_b64encode(b"[" * 50_000).decode(),
        base64.urlsafe_b64encode(b'{"fingerprint":"\xff"}').decode(),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"pass str\(page\.cursor\)"):
        Cursor.parse(text)


@pytest.mark.parametrize(
    "text", [forged(fingerprint="x", version=2), forged(fingerprint="x", offset=-1)]
)
def test_another_version_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="can't read"):
        Cursor.parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_an_error_of_ours(text: str) -> None:
    try:
        Cursor.parse(text)
    except ConfigurationError:
        return


def test_fingerprints_tell_queries_apart() -> None:
    assert fingerprint(["ab", "c"]) != fingerprint(["a", "bc"])
    assert fingerprint(["a"]) == fingerprint(iter(["a"]))
    assert fingerprint(["\ud800"])


async def test_a_cursor_belongs_to_its_query() -> None:
    client = RecordingClient({"@odata.count": 2, "value": [{"id": "1"}]}, {"value": []})
    pager = client.time_entries.list(where=T.note == "x", page_size=1)
    page = await anext(pager.pages())
    cursor = str(page.cursor)
    resumed = client.time_entries.list(where=T.note == "x", page_size=1, resume_from=cursor)
    await resumed.collect()
    assert client.options["$skip"] == "1"
    for other in (
        lambda: client.time_entries.list(where=T.note == "y", resume_from=cursor),
        lambda: client.time_entries.list(order_by="time", resume_from=cursor),
        lambda: client.people.list(resume_from=cursor),
    ):
        with pytest.raises(ConfigurationError, match="belongs to another query"):
            other()
    # How many rows at a time is no part of the query.
    client.time_entries.list(where=T.note == "x", page_size=500, resume_from=page.cursor)
