"""Rows as the server wrote them: whether they are text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.tables import rows
from jibble_async.tables.rows import is_text
from tests.support.chaos import examples

# Characters of one to four bytes, cut short ones, and bytes that begin no character.
PIECES = st.sampled_from([b"a", "é".encode(), "€".encode(), "😀".encode(), b"\xe2\x82", b"\xff"])


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that short texts are looked at in several pieces."""
    monkeypatch.setattr(rows, "_DECODED", 4)


@examples(300)
@given(st.lists(PIECES, max_size=12).map(b"".join))
def test_text_is_what_can_be_decoded(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        assert not is_text(data)
    else:
        assert is_text(data)
