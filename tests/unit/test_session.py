"""What stands behind a client, and what of it users see."""

from __future__ import annotations

import pytest
from jibble_legacy import LegacyClient

from jibble_async import JibbleClient, RetryPolicy, StaticToken, Timeouts
from jibble_async.api.base_client import session_of

CLIENTS = [JibbleClient(auth=StaticToken("x")), LegacyClient("x", timezone="Europe/Berlin")]
INTERNAL = {"call", "emitter", "base", "raw_set", "page_size", "default_page_size", "days"}


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: type(client).__name__)
def test_a_client_shows_what_users_need(client: JibbleClient | LegacyClient) -> None:
    assert INTERNAL.isdisjoint(dir(client))
    methods = {name for name in dir(client) if not name.startswith("_")} - vars(client).keys()
    common = {"aclose", "from_env", "ping", "request", "stats", "with_options"}
    assert methods - {"metadata", "paginate", "whoami"} == common


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: type(client).__name__)
def test_a_client_with_other_options_shares_everything_else(
    client: JibbleClient | LegacyClient,
) -> None:
    before, retry = session_of(client).options, RetryPolicy(attempts=1)
    other = client.with_options(timeout=5, max_wait=1, priority="bulk", retry=retry)
    session = session_of(other)
    assert session is not session_of(client)
    assert session_of(client).options == before
    assert session.options.timeouts == Timeouts(total=5)
    assert (session.options.max_wait, session.options.priority) == (1, "bulk")
    assert session.options.retry == retry
    assert session.caller is session_of(client).caller
    assert other.stats is client.stats
    # What it offers has its options, and nothing that the client it was made of has.
    assert other.people._session is session
    assert client.people._session is session_of(client)
    kept = vars(session).keys() - {"options", "caller"}
    assert {name: vars(session)[name] for name in kept} == {
        name: vars(session_of(client))[name] for name in kept
    }
