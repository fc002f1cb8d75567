"""What a `list()` says of paging: handed down whole, checked once."""

from __future__ import annotations

from typing import Any

import pytest

from jibble_async import ConfigurationError
from jibble_async.core.paging import PageOptions, Paging
from tests.unit.recording import RecordingClient


def test_a_paging_is_what_callers_can_say() -> None:
    assert set(Paging.__struct_fields__) == PageOptions.__required_keys__ | set(
        PageOptions.__optional_keys__
    )


def test_what_is_not_about_paging_is_left_aside() -> None:
    paging = Paging.of({"limit": 3, "select": ["id"], "page_size": 5}, page_size=7)
    assert paging == Paging(limit=3, page_size=7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"page_size": 0}, "page_size=0: at least 1 "),
        ({"page_size": 1, "verify": True}, "page_size=1: at least 2 "),
        ({"limit": -1}, "limit=-1: at least 0 "),
        ({"concurrency": 0}, "concurrency=0: at least 1 "),
        ({"verify": True}, "needs a page_size"),
    ],
)
def test_numbers_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Paging(**options)


def test_options_that_there_are_not() -> None:
    client = RecordingClient()
    with pytest.raises(ConfigurationError, match="no pagesize="):
        client.people.list(pagesize=5)  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match="no select="):
        client.paginate("workspace", "/v1/Things", select=["id"])  # type: ignore[call-arg]
