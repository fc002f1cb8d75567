"""Cursors that come back: from a browser, after rows moved, or signed."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from jibble_async import (
    ConfigurationError,
    Cursor,
    JibbleClient,
    JibbleError,
    PaginationError,
)
from jibble_async.core.paging import Paging
from jibble_async.sandbox import Sandbox
from tests.support.clients import client_at
from tests.support.paging import PagedSet, ids, what_it_raises
from tests.support.raw_server import RawServer, Script, page
from tests.support.virtual_time import run
from tests.wire.week import client_of, entry_ids

KEY, OTHER = b"k" * 32, b"o" * 32


def forged(cursor: Cursor | str, **changes: Any) -> str:
    """A cursor as somebody changed it who got its text."""
    text = str(cursor)
    members = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return base64.urlsafe_b64encode(msgspec.json.encode({**members, **changes})).decode()


def things(jibble: JibbleClient, **options: Any) -> Any:
    params = {"$filter": "ownerId eq 'me'", "$orderby": "id asc"}
    return jibble.paginate("workspace", "/v1/Things", params=params, **options)


OWN = "$filter=ownerId%20eq%20%27me%27&$orderby=id%20asc"
FORGED = [
    "/v1/Things?$skip=0",
    "/v1/Things?$filter=ownerId%20eq%20'you'&$orderby=id%20asc&$skip=2",
    f"/v1/Things?{OWN}&$filter=true&$skip=2",
    f"/v1/Things?{OWN}&$expand=secrets",
    f"/v1/Things?{OWN}&admin=1",
    f"/v1/Things?{OWN}&admin=",
    f"/v1/Things?{OWN}&admin",
    f"/v1/Others?{OWN}",
    f"/v1/Things/Start?{OWN}",
    f"/v1/Things/%2e%2e/Jobs?{OWN}",
    f"https://elsewhere.invalid/v1/Things?{OWN}",
    "",
]


@pytest.mark.parametrize("link", FORGED)
async def test_a_link_that_was_put_into_a_cursor_is_not_followed(
    server: RawServer, link: str
) -> None:
    server.answer = Script(page([1, 2], link=f"/v1/Things?{OWN}&$skiptoken=2"))
    async with client_at(server.url) as jibble:
        given = await anext(things(jibble, server_paged=True).pages())
        with pytest.raises(ConfigurationError, match="resume_from="):
            things(jibble, server_paged=True, resume_from=forged(given.cursor, link=link))
        with pytest.raises(ConfigurationError, match="resume_from="):
            things(
                jibble,
                server_paged=True,
                resume_from=Cursor.parse(forged(given.cursor, link=link)),
            )
    assert len(server.heard) == 1


@pytest.mark.parametrize("place", ["$skip=2", "$skip=2&$top=2", "$skiptoken=a'b%2B", "%24skip=2"])
async def test_a_link_of_the_query_itself_is_followed_wherever_it_leads_in_the_set(
    server: RawServer, place: str
) -> None:
    link = f"/v1/Things?{OWN.replace('%20', '+')}&{place}"
    server.answer = Script(page([1, 2], link=link), page([3]))
    async with client_at(server.url) as jibble:
        given = await anext(things(jibble, server_paged=True).pages())
        rest = things(jibble, server_paged=True, resume_from=str(given.cursor))
        assert ids(await rest.collect()) == ["3"]
    assert server.heard[1].target == link


async def test_links_of_another_kind_need_a_signature(server: RawServer) -> None:
    server.answer = Script(page([1, 2], link="/v1/Things?page=2"), page([3]))
    async with client_at(server.url) as jibble:
        given = await anext(things(jibble, server_paged=True, cursor_key=KEY).pages())
        with pytest.raises(ConfigurationError, match="cursor_key="):
            things(jibble, server_paged=True, resume_from=str(given.cursor))
        rest = things(jibble, server_paged=True, cursor_key=KEY, resume_from=str(given.cursor))
        assert ids(await rest.collect()) == ["3"]


def test_a_signed_cursor_comes_back_as_it_was_or_not_at_all() -> None:
    names = [f"{number:03}" for number in range(60)]
    behind = PagedSet(names, failing=frozenset({3}))
    rows, error = run(what_it_raises(behind.pager(10, cursor_key=KEY)))
    text = error.cursor
    assert text is not None
    behind.failing = frozenset()
    rest = run(behind.pager(10, cursor_key=KEY, resume_from=text).collect())
    assert ids(rows) + ids(rest) == names
    unsigned = str(Cursor(fingerprint=Cursor.parse(text).fingerprint, offset=20))
    for other in (
        forged(text, offset=40),
        forged(text, seam=None),
        forged(text, signature=None),
        forged(text, signature="0" * 64),
        forged(text, signature="\u00e4"),
        unsigned,
    ):
        with pytest.raises(ConfigurationError, match="not signed with this cursor_key="):
            behind.pager(10, cursor_key=KEY, resume_from=other)
    with pytest.raises(ConfigurationError, match="not signed with this cursor_key="):
        behind.pager(10, cursor_key=OTHER, resume_from=text)


@pytest.mark.parametrize("key", [b"", b"short", "a text of more than 16 characters", 5])
def test_a_key_that_is_none(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="cursor_key= takes bytes, 16 or more"):
        Paging(cursor_key=key)


def test_a_key_is_in_no_repr() -> None:
    assert "kkk" not in repr(Paging(cursor_key=KEY))


@pytest.mark.parametrize("first_verifies", [False, True])
@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("by_error", [False, True])
@pytest.mark.parametrize("change", ["deleted before", "deleted itself", "added before", "none"])
def test_a_row_that_moved_over_a_resume_is_seen_at_the_seam(
    first_verifies: bool, concurrency: int, by_error: bool, change: str
) -> None:
    names = [f"{number:03}" for number in range(1, 60)]
    behind = PagedSet(list(names), failing=frozenset({4}))
    options: dict[str, Any] = {"concurrency": concurrency}

    async def first() -> tuple[list[Any], str]:
        rows: list[Any] = []
        cursor = ""
        walk = behind.pager(10, verify=first_verifies, **options).pages()
        try:
            async for each in walk:
                rows += each.items
                cursor = str(each.cursor)
        except JibbleError as error:
            return rows, str(error.cursor) if by_error else cursor
        raise AssertionError("no error")

    got, cursor = run(first())
    behind.failing = frozenset()
    match change:
        case "deleted before":
            behind.rows.remove("002")
        case "deleted itself":
            behind.rows.remove(ids(got)[-1])
        case "added before":
            behind.rows.insert(0, "000")
        case _:
            rest = run(behind.pager(10, verify=True, resume_from=cursor, **options).collect())
            assert ids(got) + ids(rest) == names
            return
    rows, error = run(what_it_raises(behind.pager(10, verify=True, resume_from=cursor, **options)))
    assert isinstance(error, PaginationError)
    assert "moved" in str(error)
    assert rows == []


def test_the_seam_of_a_limit_is_the_last_row_given() -> None:
    behind = PagedSet([f"{number:03}" for number in range(40)])

    async def first() -> str:
        async for each in behind.pager(10, limit=13, verify=True).pages():
            cursor = str(each.cursor)
        return cursor

    cursor = run(first())
    rest = run(behind.pager(10, verify=True, resume_from=cursor).collect())
    assert ids(rest) == behind.rows[13:]
    behind.rows.remove("012")
    with pytest.raises(PaginationError, match="moved"):
        run(behind.pager(10, verify=True, resume_from=cursor).collect())


async def test_a_deleted_row_of_the_sandbox(box: Sandbox) -> None:
    async with client_of(box) as jibble:
        pages = jibble.time_entries.list(page_size=20, verify=True).pages()
        given = await anext(pages)
        await pages.aclose()
        box.dataset.remove("TimeEntries", given.items[3].id)
        with pytest.raises(PaginationError, match="moved"):
            await jibble.time_entries.list(
                page_size=20, verify=True, resume_from=str(given.cursor)
            ).collect()
        rest = await jibble.time_entries.list(page_size=20, resume_from=str(given.cursor)).collect()
    assert len(rest) == len(entry_ids(box)) - 20


def test_a_cursor_does_not_tell_the_key_of_a_row() -> None:
    behind = PagedSet(["maria@example.com", "zoe@example.com"])
    given = run(anext(behind.pager(1).pages()))  # type: ignore[arg-type]
    assert b"maria" not in base64.urlsafe_b64decode(str(given.cursor) + "==")


def test_a_mark_where_there_are_none_is_refused() -> None:
    behind = PagedSet(["a"])
    given = Cursor.parse(forged(run(behind.pager(1).pages().__anext__()).cursor, mark="5 x"))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="another query"):
        behind.pager(1, resume_from=given)
