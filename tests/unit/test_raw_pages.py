"""Pages of rows that nobody takes apart: however they are cut, they are what decoding gives."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jibble_async.core.pages import PageContent, RawRow
from jibble_async.core.raw_rows import RawRows
from jibble_async.core.wire import Reply
from jibble_async.errors import DecodeError
from jibble_async.odata import raw_pages
from jibble_async.odata.raw_pages import head_type, read_raw

HEAD = head_type("id", day="belongsToDate", status="status")
ROW = b'{"id":"a","status":"Active"}'


def read(body: bytes, way: Any = read_raw) -> Any:
    """What a page holds; None if it is none."""
    try:
        content: PageContent[RawRow] = way(Reply(200, {}, body), HEAD)
    except DecodeError:
        return None
    rows = [(key, bytes(raw)) for key, raw in content.items]
    heads = [(head.id, head.day, head.status) for head in content.heads]
    return rows, heads, content.received, content.total, content.link, content.raw


def decoded(body: bytes) -> Any:
    return read(body, raw_pages._decoded)


def page(*rows: bytes, before: bytes = b'"@odata.count":2,', after: bytes = b"") -> bytes:
    return b'{%b"value":[%b]%b}' % (before, b",".join(rows), after)


def is_cut(body: bytes) -> bool:
    return isinstance(read_raw(Reply(200, {}, body), HEAD).items, RawRows)


@pytest.mark.parametrize(
    "body",
    [
        page(ROW),
        page(ROW, b'{"id":"b","belongsToDate":"2026-10-05"}'),
        page(ROW, ROW, after=b',"@odata.nextLink":"https://x/?$skip=2"'),
        page(b'{"status":"Active","id":"first"}', ROW),
        page(b'{"id":"a","note":"[},{ \\"id\\": }]"}', ROW, before=b""),
        page(b'{"id":"a","groups":["x"],"inner":{"id":"b"}}', ROW),
        page(b'{"id":"a","note":"Z\xc3\xbcrich"}', ROW),
        page(b'{"id":"a","id":"twice"}', ROW),
        page(ROW, before=b'"note":"\\"value\\":[",'),
    ],
)
def test_a_page_is_cut_without_being_decoded_twice(body: bytes) -> None:
    assert read(body) == decoded(body)
    assert is_cut(body)


@pytest.mark.parametrize(
    "body",
    [
        page(),
        page(ROW, b'{"status":"Active","id":"second"}'),
        page(ROW, b' {"id":"b"}'),
        page(b' {"id":"a"}', ROW),
        page(ROW, b'{"id" :"b"}'),
        page(ROW, b'{\n"id":"b"}'),
        page(ROW, b'{"id":"b",\n"x":1}'),
        page(ROW, b'{"id":"b",\r"x":1}'),
        page(ROW, after=b',"value":[]'),
        b'{"value": [{"id":"c"}],"inner":{"value":[%b]}}' % ROW,
        b'{"value": [],"inner":{"value":[%b]}}' % ROW,
        b'{"inner":{"value":[%b]},"value":[]}' % ROW,
        page(ROW, after=b',"v\\u0061lue":[]'),
        page(b'{"id":"a","inner":[{"x":1},{"id":"b"}]}', ROW),
        # As many places that look like it as there are, but one is within a row.
        page(b'{"id":"a","inner":[{"x":1},{"id":"b"}]}', b' {"id":"b"}'),
        page(ROW, after=b',"inner":[{"x":1},{"id":"b"}]'),
        page(ROW, after=b',"@odata.nextLink":"https://x/}],{"'),
        page(ROW, before=b'"other\\"value":[{"id":"c"}],'),
        page(ROW, before=b'"value":[{"id":"c"}],'),
        page(ROW, before=b'"inner":{"value":[{"id":"c"}]},'),
        json.dumps({"value": [{"id": "a"}, {"id": "b"}]}, indent=1).encode(),
    ],
)
def test_what_is_written_in_another_way_is_decoded(body: bytes) -> None:
    assert read(body) == decoded(body)
    assert read(body) is not None
    assert not is_cut(body)


@pytest.mark.parametrize(
    "body",
    [
        page(b'{"id":"a"} {"id":"b"}'),
        page(b'{"id":"a"}{"id":"b"}', ROW),
        page(ROW, b'{"id":"b"'),
        page(ROW, b'{"id":"b"}]'),
        page(ROW, b'{"id":null}'),
        page(ROW, b'{"id":"b","x":}'),
        page(ROW, b'{"id":"b\n"}'),
        page(ROW, after=b',"value":[1]'),
        page(ROW, before=b'"@odata.count":11,', after=b',"value":[1]'),
        b'{"value": [1],"inner":{"value":[%b]}}' % ROW,
        b'{"inner":{"value":[%b]}}' % ROW,
        page(ROW)[:-2],
        page(ROW) + b"}",
        page(ROW, after=b',"error"'),
        b'{"value":[' + ROW,
        b'"value":[' + ROW + b"]",
    ],
)
def test_what_is_no_page_is_none(body: bytes) -> None:
    assert decoded(body) is None
    assert read(body) is None


_TEXTS = st.sampled_from(["", "x", "},{", '},{"id":"', "[", "}]", '"value":[', "ü", "\n", "\\"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "x", "value"]), inner, max_size=3)
    ),
    max_leaves=6,
)
_ROWS = st.lists(
    st.dictionaries(st.sampled_from(["a", "note", "status"]), _VALUES, max_size=3), max_size=4
)


@given(_ROWS, st.integers(0, 2**32), st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_any_page_is_what_decoding_gives(
    rows: list[dict[str, Any]], seed: int, is_ascii: bool, separators: tuple[str, str]
) -> None:
    chance = random.Random(seed)
    sent: list[Any] = []
    for number, row in enumerate(rows):
        members = [("id", str(number)), *row.items()]
        if chance.random() < 0.2:
            chance.shuffle(members)
        sent.append(dict(members))
    around: list[tuple[str, Any]] = [("@odata.count", 7), ("value", sent), ("x", chance.random())]
    chance.shuffle(around)
    body = json.dumps(dict(around), ensure_ascii=is_ascii, separators=separators).encode()
    assert read(body) == decoded(body)
    # A byte that is lost, or put where it does not belong.
    at = chance.randrange(len(body))
    for spoiled in (body[:at] + body[at + 1 :], body[:at] + chance.choice(_BYTES) + body[at:]):
        assert read(spoiled) == decoded(spoiled)


_BYTES = [b" ", b"{", b"}", b"[", b"]", b",", b'"', b"\n", b'},{"id":"', b"null", b"\xff"]


@given(st.integers(0, 6), st.data())
def test_rows_in_one_text_are_as_rows_in_a_list(number: int, data: st.DataObject) -> None:
    texts = [b'{"id":"%d"}' % each for each in range(number)]
    rows = RawRows(
        [str(each) for each in range(number)], b"".join(b"%b\n" % each for each in texts)
    )
    listed = [(str(each), msgspec.Raw(texts[each])) for each in range(number)]
    assert [(key, bytes(raw)) for key, raw in rows] == [(key, bytes(raw)) for key, raw in listed]
    assert len(rows) == number
    part = data.draw(st.slices(number))
    assert [key for key, _ in rows[part]] == [key for key, _ in listed[part]]
    assert [bytes(raw) for _, raw in rows[part]] == [bytes(raw) for _, raw in listed[part]]
    if number:
        at = data.draw(st.integers(-number, number - 1))
        assert rows[at] == listed[at]
